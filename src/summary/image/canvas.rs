//! Pixels that can be drawn on, and those of other formats brought to theirs.

use std::ops::Range;

use super::{Content, Format, Image};

/// Red, green, blue.
pub(super) type Color = [u8; 3];

pub(super) const BLACK: Color = [0; 3];
pub(super) const WHITE: Color = [255; 3];

/// An image to be. What is drawn beyond its edges is left out; only one in colour is drawn on.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    format: Format,
    /// As those of an image.
    bytes: Vec<u8>,
}

impl Canvas {
    /// Black, or transparent. The caller has made sure that memory has room for it.
    pub(super) fn new(width: u32, height: u32, format: Format) -> Self {
        let bytes = vec![0; size(width) * size(height) * format.pixel_bytes()];
        Self {
            width,
            height,
            format,
            bytes,
        }
    }

    pub(super) fn width(&self) -> usize {
        size(self.width)
    }

    pub(super) fn height(&self) -> usize {
        size(self.height)
    }

    /// Copies pixels that an image `width` wide has.
    pub(super) fn place(&mut self, left: usize, top: usize, width: u32, pixels: (Format, &[u8])) {
        let (format, bytes) = pixels;
        let row_bytes = size(width) * format.pixel_bytes();
        for (y, row) in (top..).zip(bytes.chunks_exact(row_bytes)) {
            let row = format.convert(row, self.format);
            let to = self.row(y, left..left + size(width));
            let len = to.len();
            to.copy_from_slice(&row[..len]);
        }
    }

    /// Makes pixels opaque and of one colour.
    pub(super) fn fill(&mut self, x: Range<usize>, y: Range<usize>, color: Color) {
        // Opaque, and four samples of two bytes at the most.
        let mut pixel = [u8::MAX; 8];
        // Of 16 bits both bytes: 255 becomes 65,535.
        for (sample, value) in pixel.chunks_exact_mut(self.format.sample_bytes).zip(color) {
            sample.fill(value);
        }
        let len = x.end.min(self.width()).saturating_sub(x.start);
        let row = pixel[..self.format.pixel_bytes()].repeat(len);
        for y in y.start..y.end.min(self.height()) {
            self.row(y, x.clone()).copy_from_slice(&row);
        }
    }

    /// Mixes a colour into a pixel: not at all at 0, wholly at 255.
    pub(super) fn ink(&mut self, x: usize, y: usize, color: Color, coverage: u8) {
        let sample_bytes = self.format.sample_bytes;
        let coverage = u32::from(coverage);
        let pixel = self.row(y, x..x.saturating_add(1));
        for (sample, value) in pixel.chunks_exact_mut(sample_bytes).zip(color) {
            for byte in sample {
                let mixed = u32::from(*byte) * (255 - coverage) + u32::from(value) * coverage;
                *byte = u8::try_from((mixed + 127) / 255).unwrap_or(u8::MAX);
            }
        }
    }

    pub(super) fn into_image(self) -> Image {
        Image {
            width: self.width,
            height: self.height,
            content: Content::Pixels {
                format: self.format,
                bytes: self.bytes,
            },
        }
    }

    /// Pixels of a row, as many of them as there are.
    fn row(&mut self, y: usize, x: Range<usize>) -> &mut [u8] {
        if y >= self.height() {
            return &mut [];
        }
        let (width, pixel_bytes) = (self.width(), self.format.pixel_bytes());
        let end = x.end.min(width);
        let start = x.start.min(end);
        let bytes = (y * width + start) * pixel_bytes..(y * width + end) * pixel_bytes;
        self.bytes.get_mut(bytes).unwrap_or_default()
    }
}

/// Black or white, whichever stands out more from the background (by the luminances of WCAG 2).
pub(super) fn ink_on(background: Color) -> Color {
    let [red, green, blue] = background.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    });
    let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    // (1 + 0.05) / (l + 0.05) and (l + 0.05) / (0 + 0.05) are the same at 0.179.
    if luminance > 0.179 { BLACK } else { WHITE }
}

/// What a side is in memory, in which it has room.
pub(super) fn size(side: u32) -> usize {
    usize::try_from(side).unwrap_or(usize::MAX)
}

/// A side of an image whose size was kept small.
pub(super) fn side(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
