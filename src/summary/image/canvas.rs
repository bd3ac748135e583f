//! A canvas for pixels, rectangles and text in Noto Sans Mono.

use std::array;
use std::iter;
use std::ops::Range;

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::buffer::Buffer;
use super::format::Format;
use super::{Image, Pixels};

/// Red, green, blue.
pub(super) type Color = [u8; 3];

pub(super) const BLACK: Color = [0; 3];
pub(super) const WHITE: Color = [255; 3];

/// An image that is being drawn. What is drawn beyond its edges is cut off.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    format: Format,
    bytes: Buffer,
}

impl Canvas {
    /// Creates a black canvas, or a transparent one if the format has opacity.
    pub(super) fn new(width: usize, height: usize, format: Format) -> Self {
        Self {
            width,
            height,
            format,
            bytes: Buffer::zeroed(width * height * format.pixel_bytes()),
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn height(&self) -> usize {
        self.height
    }

    /// Copies an image to the canvas.
    pub(super) fn place(&mut self, left: usize, top: usize, image: Pixels<'_>) {
        let rows = image
            .bytes
            .chunks_exact(image.width * image.format.pixel_bytes());
        for (y, row) in (top..).zip(rows) {
            let row = image.format.convert(row, self.format);
            let target = self.row(y, left..left + image.width);
            let len = target.len();
            target.copy_from_slice(&row[..len]);
        }
    }

    /// Fills a rectangle with an opaque colour.
    pub(super) fn fill(&mut self, x: Range<usize>, y: Range<usize>, color: Color) {
        let pixel = Format::RGB8.convert(&color, self.format);
        let row = pixel.repeat(x.end.min(self.width).saturating_sub(x.start));
        for y in y.start..y.end.min(self.height) {
            self.row(y, x.clone()).copy_from_slice(&row);
        }
    }

    /// Draws one line of text to the right of `left` and below `top`.
    pub(super) fn text(&mut self, left: usize, top: usize, text: &str, font: Font, color: Color) {
        for (x, y, coverage) in font.pixels(text) {
            self.blend(left + x, top + y, color, coverage);
        }
    }

    /// Draws one line of text that reads upwards and starts above `bottom`.
    pub(super) fn text_upwards(
        &mut self,
        left: usize,
        bottom: usize,
        text: &str,
        font: Font,
        color: Color,
    ) {
        for (x, y, coverage) in font.pixels(text) {
            if let Some(row) = bottom.checked_sub(x + 1) {
                self.blend(left + y, row, color, coverage);
            }
        }
    }

    pub(super) fn into_image(self) -> Image {
        // The callers limit the sides.
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let Format {
            channels,
            sample_bytes,
        } = self.format;
        let (width, height) = (side(self.width), side(self.height));
        Image::from_bytes(channels, sample_bytes, width, height, self.bytes)
    }

    /// Mixes a colour into a pixel. A coverage of 0 keeps the pixel, 255 replaces it.
    fn blend(&mut self, x: usize, y: usize, color: Color, coverage: u8) {
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

    /// The pixels of a row that are on the canvas.
    fn row(&mut self, y: usize, x: Range<usize>) -> &mut [u8] {
        if y >= self.height {
            return &mut [];
        }
        let end = x.end.min(self.width);
        let start = x.start.min(end);
        let row = y * self.width;
        let pixel_bytes = self.format.pixel_bytes();
        &mut self.bytes[(row + start) * pixel_bytes..(row + end) * pixel_bytes]
    }
}

/// A size and weight of the font. All letters of a font have the same width.
#[derive(Clone, Copy, Debug)]
pub(super) struct Font {
    weight: FontWeight,
    height: RasterHeight,
    /// How often each pixel is repeated, across and down.
    zoom: usize,
}

impl Font {
    pub(super) const SMALL: Self = Self {
        weight: FontWeight::Regular,
        height: RasterHeight::Size16,
        zoom: 1,
    };
    pub(super) const SMALL_BOLD: Self = Self {
        weight: FontWeight::Bold,
        height: RasterHeight::Size16,
        zoom: 1,
    };
    pub(super) const LARGE: Self = Self {
        weight: FontWeight::Regular,
        height: RasterHeight::Size24,
        zoom: 1,
    };

    pub(super) fn zoom(self, zoom: usize) -> Self {
        Self { zoom, ..self }
    }

    /// The height of a line in pixels.
    pub(super) fn height(self) -> usize {
        self.height.val() * self.zoom
    }

    /// The width of a letter in pixels.
    pub(super) fn letter_width(self) -> usize {
        get_raster_width(self.weight, self.height) * self.zoom
    }

    /// The width of a line in pixels.
    pub(super) fn width(self, text: &str) -> usize {
        text.chars().count() * self.letter_width()
    }

    /// The pixels of a line: x from its left, y from its top, and a coverage of 1 to 255.
    fn pixels(self, text: &str) -> impl Iterator<Item = (usize, usize, u8)> {
        let lefts = (0..).step_by(self.letter_width());
        lefts.zip(text.chars()).flat_map(move |(left, letter)| {
            let letter = if is_blank(letter) { ' ' } else { letter };
            let raster = get_raster(letter, self.weight, self.height);
            let rows = raster.into_iter().flat_map(|raster| raster.rows());
            let repeated = rows.flat_map(move |row| iter::repeat_n(row, self.zoom));
            repeated.enumerate().flat_map(move |(y, row)| {
                let row = row
                    .iter()
                    .flat_map(move |coverage| iter::repeat_n(*coverage, self.zoom));
                let pixels = (left..).zip(row).map(move |(x, coverage)| (x, y, coverage));
                pixels.filter(|(_, _, coverage)| *coverage > 0)
            })
        })
    }
}

fn is_blank(letter: char) -> bool {
    letter.is_control() || letter.is_whitespace()
}

/// Fails if the font lacks a letter of the text, which would not be drawn.
pub(super) fn check_letters(text: &str) -> Result<(), String> {
    let Font { weight, height, .. } = Font::SMALL;
    let is_known = |c| is_blank(c) || get_raster(c, weight, height).is_some();
    text.chars().find(|c| !is_known(*c)).map_or(Ok(()), |c| {
        Err(format!(
            "expected Latin letters, digits and signs, which the font has, got {c:?} in {text:?}"
        ))
    })
}

/// Shortens a text to `max_letters`. A shortened text ends in two dots.
pub(super) fn shorten(text: &str, max_letters: usize) -> String {
    if text.chars().count() <= max_letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max_letters.saturating_sub(2)).collect();
    let dots = &".."[..max_letters.min(2)];
    format!("{}{dots}", kept.trim_end())
}

/// The colour at a share of 0 to 1 between colours of equal distance.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share is 0 to 1"
)]
pub(super) fn interpolate<const N: usize>(colors: &[Color; N], share: f64) -> Color {
    let position = share * (N - 1) as f64;
    let i = (position as usize).min(N - 2);
    array::from_fn(|channel| {
        let [from, to] = [i, i + 1].map(|i| f64::from(colors[i][channel]));
        (from + (to - from) * (position - i as f64)).round() as u8
    })
}

/// The colour of text on a background: black or white, whichever has more contrast by WCAG 2.
pub(super) fn ink_on(background: Color) -> Color {
    // A gamma of 2.2 is close to sRGB.
    let [red, green, blue] = background.map(|value| (f64::from(value) / 255.0).powf(2.2));
    let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    // The contrasts (1 + 0.05) / (l + 0.05) and (l + 0.05) / (0 + 0.05) are equal at 0.179.
    if luminance > 0.179 { BLACK } else { WHITE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_dark(image: &Image, x: usize, y: usize) -> bool {
        image.pixels().unwrap().bytes[(y * 24 + x) * 3] < 128
    }

    #[test]
    fn upward_text_is_rotated_text() {
        let paper = || {
            let mut canvas = Canvas::new(24, 24, Format::RGB8);
            canvas.fill(0..24, 0..24, WHITE);
            canvas
        };
        let (mut flat, mut rotated) = (paper(), paper());
        flat.text(1, 2, "L.", Font::SMALL, BLACK);
        rotated.text_upwards(2, 23, "L.", Font::SMALL, BLACK);
        let (flat, rotated) = (flat.into_image(), rotated.into_image());
        for x in 0..24 {
            for y in 0..24 {
                assert_eq!(
                    is_dark(&flat, x, y),
                    is_dark(&rotated, y, 23 - x),
                    "{x}, {y}"
                );
            }
        }
        // An L has a stem, and a foot with nothing above it.
        let dark = |x: usize| (0..24).filter(|y| is_dark(&flat, x, *y)).count();
        assert!((1..8).any(|x| dark(x) >= 8), "the stem");
        assert_eq!(dark(6), 1, "the foot");
        assert!((8..15).any(|x| dark(x) > 0), "the dot");
    }

    #[test]
    fn any_text_can_be_drawn_anywhere() {
        for text in [
            "",
            "損失🦀",
            "a\nb\0\u{301}\u{ad}",
            "ÄŐŉ ſ…",
            &"w".repeat(1000),
        ] {
            let mut canvas = Canvas::new(24, 24, Format::RGB8);
            canvas.text(20, 20, text, Font::LARGE, WHITE);
            canvas.text_upwards(20, 3, text, Font::SMALL_BOLD, WHITE);
            canvas.text(1000, 1000, text, Font::SMALL, WHITE);
        }
    }

    #[test]
    fn a_letter_that_the_font_lacks_is_named() {
        for text in ["", "Größe łódź ſ 0.93 «100 %»", "a\tb\u{a0}\n\0"] {
            assert_eq!(check_letters(text), Ok(()));
        }
        for (text, want) in [("cat 猫", "'猫'"), ("кот", "'к'"), ("a🦀", "'🦀'")] {
            let problem = check_letters(text).unwrap_err();
            assert!(
                problem.contains(want) && problem.contains(text),
                "{problem}"
            );
        }
    }

    #[test]
    fn a_shortened_text_ends_in_dots() {
        for (text, max_letters, want) in [
            ("horse", 5, "horse"),
            ("horses", 5, "hor.."),
            ("Größenwahn", 5, "Grö.."),
            ("ab cd", 5, "ab cd"),
            ("ab cde", 5, "ab.."),
            ("abc", 2, ".."),
            ("ab", 1, "."),
            ("ab", 0, ""),
            ("", 0, ""),
        ] {
            assert_eq!(shorten(text, max_letters), want, "{text}, {max_letters}");
        }
    }
}
