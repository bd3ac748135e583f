//! Animated GIFs.

use std::collections::HashSet;
use std::io;

use color_quant::NeuQuant;
use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};

use super::buffer::Buffer;
use super::format::Format;
use super::{Content, Image};
use crate::error::{Error, Result};

/// GIF counts time in hundredths of a second.
const UNITS_PER_SECOND: f64 = 100.0;
/// Browsers show a frame with a shorter delay for a tenth of a second.
const MIN_DELAY: f64 = 2.0;
const MAX_DELAY: f64 = u16::MAX as f64;
/// The number of pixels from which the palette of a frame is learned. It takes some 30 ms.
const LEARNED_PIXELS: usize = 128 * 128;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Animation {
    /// Format and pixels of each frame. All frames have the sides of the image, which fit into a `u16`.
    frames: Vec<(Format, Buffer)>,
    /// The time from one frame to the next, in hundredths of a second: [`MIN_DELAY`] to [`MAX_DELAY`].
    period: f64,
}

/// Animations.
impl Image {
    /// Creates an animated GIF that loops forever, from frames of one size. Other writers call it a video.
    ///
    /// A thread of the writer encodes the file. A frame of up to 256 colours is kept exactly. For a frame with more colours,
    /// 256 are chosen that are close to its own. A 16-bit sample is rounded to 8 bits. A pixel is transparent if its opacity
    /// is below a half, and opaque otherwise.
    ///
    /// GIF counts time in hundredths of a second. Other rates are kept on average: at 30 frames a second, frames show for 3, 4
    /// and 3 hundredths in turn. The fastest rate is 50 frames a second, because browsers slow down faster animations to 10.
    ///
    /// ```
    /// use summary_writer::Image;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let frames = (0..25).map(|i| Image::gray8(64, 64, vec![i * 10; 64 * 64]));
    /// let frames = frames.collect::<Result<Vec<_>, _>>()?;
    /// summary.image("fade", Image::animation(frames, 12.5)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no frames, if their sides differ or are above 65,535, if a frame is a file
    /// ([`encoded`](Self::encoded)) or an animation, if the rate is not a number above 0, or if a frame would show for more
    /// than 655.35 seconds.
    #[doc(alias = "add_video")]
    #[doc(alias = "gif")]
    pub fn animation(
        frames: impl IntoIterator<Item = impl Into<Self>>,
        frames_per_second: impl Into<f64>,
    ) -> Result<Self> {
        let frames_per_second = frames_per_second.into();
        let period = (UNITS_PER_SECOND / frames_per_second).max(MIN_DELAY);
        if !frames_per_second.is_finite() || frames_per_second <= 0.0 || period > MAX_DELAY {
            let lowest = UNITS_PER_SECOND / MAX_DELAY;
            let problem =
                format!("expected a number of at least {lowest:.6}, got {frames_per_second}");
            return Err(Error::invalid("frames per second", problem));
        }
        let invalid = |problem| Error::invalid("frames", problem);
        let frames: Vec<Self> = frames.into_iter().map(Into::into).collect();
        let Some((width, height)) = frames.first().map(|first| (first.width, first.height)) else {
            return Err(invalid("expected at least 1, got none".into()));
        };
        let warning = frames.iter().find_map(|frame| frame.warning.clone());
        let mut checked = Vec::with_capacity(frames.len());
        for (i, frame) in frames.into_iter().enumerate() {
            frame
                .pixels()
                .map_err(|problem| invalid(format!("number {i}: {problem}")))?;
            if (frame.width, frame.height) != (width, height) {
                return Err(invalid(format!(
                    "expected {width} x {height} pixels like the first one, got {} x {} for number {i}",
                    frame.width, frame.height
                )));
            }
            if let Content::Pixels { format, bytes } = frame.content {
                checked.push((format, bytes));
            }
        }
        if width.max(height) > u16::MAX.into() {
            return Err(invalid(format!(
                "expected sides of at most {} pixels, got {width} x {height}",
                u16::MAX
            )));
        }
        Ok(Self {
            width,
            height,
            content: Content::Animation(Animation {
                frames: checked,
                period,
            }),
            warning,
        })
    }
}

impl Animation {
    pub(super) fn bytes(&self) -> usize {
        self.frames.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    pub(super) fn encode(&self, width: u32, height: u32) -> Result<Vec<u8>> {
        self.try_encode(width, height)
            .map_err(|error| Error::stream("encode an animation", io::Error::other(error)))
    }

    fn try_encode(&self, width: u32, height: u32) -> Result<Vec<u8>, EncodingError> {
        let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
        let (width, height) = (side(width), side(height));
        let mut encoder = Encoder::new(Vec::new(), width, height, &[])?;
        encoder.set_repeat(Repeat::Infinite)?;
        // A transparent pixel shows the previous frame unless that is removed.
        let has_opacity = |(format, _): &(Format, _)| format.channels.has_opacity();
        let dispose = if self.frames.iter().any(has_opacity) {
            DisposalMethod::Background
        } else {
            DisposalMethod::Keep
        };
        for (i, (format, bytes)) in self.frames.iter().enumerate() {
            let pixels = format.convert(bytes, Format::RGBA8).into_owned();
            encoder.write_frame(&Frame {
                delay: self.delay(i),
                dispose,
                ..indexed(width, height, pixels)
            })?;
        }
        encoder.into_inner()
    }

    /// The delay of frame number `i`: the difference of two rounded points in time, so that rounding errors do not add up.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number is clamped"
    )]
    fn delay(&self, i: usize) -> u16 {
        let start = |i: usize| (i as f64 * self.period).round();
        (start(i + 1) - start(i)).clamp(MIN_DELAY, MAX_DELAY) as u16
    }
}

/// A frame of up to 256 colours, from RGBA pixels.
fn indexed(width: u16, height: u16, mut pixels: Vec<u8>) -> Frame<'static> {
    for pixel in pixels.as_chunks_mut::<4>().0 {
        *pixel = match *pixel {
            [.., 0..128] => [0; 4],
            [red, green, blue, _] => [red, green, blue, u8::MAX],
        };
    }
    let colors: HashSet<[u8; 4]> = pixels.as_chunks().0.iter().copied().collect();
    if colors.len() <= 256 {
        return Frame::from_rgba_speed(width, height, &mut pixels, 1); // keeps all colours exactly
    }

    // The same quantizer as in `Frame::from_rgba_speed`, which looks for the nearest colour of transparent pixels, too: that
    // can be the colour of opaque pixels, which then vanish. It also learns from each pixel once, which is too little for
    // small frames.
    let opaque: Vec<[u8; 4]> = (pixels.as_chunks().0.iter().copied())
        .filter(|pixel| pixel[3] > 0)
        .collect();
    let repeated = opaque.repeat((LEARNED_PIXELS / opaque.len()).max(1));
    let speed = (opaque.len() / LEARNED_PIXELS).clamp(1, 30);
    let quantizer = NeuQuant::new(
        i32::try_from(speed).unwrap_or(30),
        255,
        repeated.as_flattened(),
    );
    let transparent = u8::MAX;
    let index = |pixel: &[u8; 4]| match pixel[3] {
        0 => transparent,
        _ => u8::try_from(quantizer.index_of(pixel)).unwrap_or_default(),
    };
    let indices: Vec<u8> = pixels.as_chunks().0.iter().map(index).collect();
    let palette = [quantizer.color_map_rgb(), vec![0; 3]].concat();
    Frame::from_palette_pixels(width, height, indices, palette, Some(transparent))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The delay and the pixels of each frame, from the decoder of `gif`.
    fn decoded(image: &Image) -> Vec<(u16, Vec<u8>)> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let file = image.encode().unwrap();
        let mut decoder = options.read_info(&*file).unwrap();
        assert_eq!(decoder.repeat(), Repeat::Infinite);
        assert_eq!(u32::from(decoder.width()), image.width());
        assert_eq!(u32::from(decoder.height()), image.height());
        let mut frames = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            frames.push((frame.delay, frame.buffer.to_vec()));
        }
        frames
    }

    #[test]
    fn up_to_256_colors_are_kept_exactly() {
        // 256 grays, 256 colours, 128 colours with transparent pixels, and 16 bits that are rounded.
        let gray: Vec<u8> = (0..=255).collect();
        let color: Vec<u8> = (0..=255).flat_map(|i| [i, 255 - i, i / 2]).collect();
        let transparent: Vec<u8> = (0..=255)
            .flat_map(|i| [i, i, 7, if i < 128 { 127 } else { 128 }])
            .collect();
        let frames = [
            Image::gray8(16, 16, &gray).unwrap(),
            Image::rgb8(16, 16, &color).unwrap(),
            Image::rgba8(16, 16, transparent).unwrap(),
            Image::gray16(16, 16, [0x1180; 256]).unwrap(),
        ];
        let raw_bytes = 256 + 3 * 256 + 4 * 256 + 2 * 256;
        let image = Image::animation(frames, 10).unwrap();
        assert_eq!(image.bytes(), raw_bytes);
        let frames = decoded(&image);
        assert_eq!(frames.len(), 4);
        let want = gray.iter().flat_map(|i| [*i, *i, *i, 255]);
        assert!(frames[0].1.iter().copied().eq(want));
        let want = (0..=255).flat_map(|i| [i, 255 - i, i / 2, 255]);
        assert!(frames[1].1.iter().copied().eq(want));
        for (i, pixel) in (0..=255).zip(frames[2].1.as_chunks::<4>().0) {
            let want = if i < 128 { 0 } else { 255 };
            assert_eq!(pixel[3], want, "{i}");
            if i >= 128 {
                assert_eq!(*pixel, [i, i, 7, 255]);
            }
        }
        // 0x1180 / 257 is 17.43.
        assert_eq!(frames[3].1[..4], [17, 17, 17, 255]);
    }

    #[test]
    fn more_colors_become_close_ones_and_opacity_stays() {
        // Gradients over the whole of red and green, with a transparent pixel. Their colours are as far apart as those of an
        // even palette of 16 x 16, whose colours would be off by 4 of 255 on average in both channels for 64 x 64 pixels.
        for side in [17_u8, 64] {
            let step = 255 / (side - 1);
            let hole = usize::from(side) * usize::from(side) / 2;
            let rows =
                (0..side).flat_map(|y| (0..side).map(move |x| [x * step, y * step, 90, 255]));
            let mut pixels: Vec<[u8; 4]> = rows.collect();
            pixels[hole][3] = 0;
            let image = Image::rgba8(side.into(), side.into(), pixels.as_flattened()).unwrap();
            let [(_, got)] = &decoded(&Image::animation([image], 1).unwrap())[..] else {
                panic!("one frame");
            };
            let mut off = 0;
            for (i, (got, want)) in got.as_chunks::<4>().0.iter().zip(&pixels).enumerate() {
                assert_eq!(got[3], want[3], "{side}: opacity of {i}");
                if i != hole {
                    let distances = got.iter().zip(want).map(|(a, b)| u32::from(a.abs_diff(*b)));
                    off += distances.sum::<u32>();
                }
            }
            let mean = f64::from(off) / pixels.len() as f64;
            assert!(mean < 11.0, "{side}: {mean} in three channels");
        }
    }

    #[test]
    fn delays_keep_the_rate_on_average() {
        let frame = || Image::gray8(1, 1, [0]).unwrap();
        let delays = |rate: f64| {
            let image = Image::animation(vec![frame(); 6], rate).unwrap();
            decoded(&image)
                .iter()
                .map(|(delay, _)| *delay)
                .collect::<Vec<_>>()
        };
        // Frame i starts at 3.33 * i: 0, 3, 7, 10, 13, 17, 20.
        assert_eq!(delays(30.0), [3, 4, 3, 3, 4, 3]);
        assert_eq!(delays(4.0), [25; 6]);
        assert_eq!(delays(50.0), [2; 6]);
        assert_eq!(delays(60.0), [2; 6]);
        assert_eq!(delays(f64::MAX), [2; 6]);
        assert_eq!(delays(100.0 / 65_535.0), [65_535; 6]);
    }

    #[test]
    fn invalid_animations_are_rejected() {
        let pixel = || Image::gray8(1, 1, [0]).unwrap();
        let wide = Image::gray8(65_536, 1, [0; 65_536]).unwrap();
        let file = Image::encoded(*include_bytes!("../../../tests/data/images/rgb.jpg")).unwrap();
        let moving = Image::animation([pixel()], 1).unwrap();
        for (frames, want) in [
            (vec![], "expected at least 1, got none"),
            (
                vec![pixel(), Image::gray8(2, 1, [0; 2]).unwrap()],
                "expected 1 x 1 pixels like the first one, got 2 x 1 for number 1",
            ),
            (
                vec![wide],
                "expected sides of at most 65535 pixels, got 65536 x 1",
            ),
            (vec![file], "number 0: expected pixels, got an encoded file"),
            (
                vec![pixel(), moving],
                "number 1: expected pixels, got an animation",
            ),
        ] {
            let error = Image::animation(frames, 1).unwrap_err();
            assert_eq!(error.to_string(), format!("frames: {want}"));
        }
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 0.0015] {
            let error = Image::animation([pixel()], rate).unwrap_err();
            let want =
                format!("frames per second: expected a number of at least 0.001526, got {rate}");
            assert_eq!(error.to_string(), want);
        }
    }
}
