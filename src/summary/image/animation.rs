//! Frames to an animated GIF.

use std::io;

use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};

use super::palette::{self, TRANSPARENT};
use super::{Content, Format, Image};
use crate::error::{Error, Result};

/// Frames are shown for whole hundredths of a second.
const UNITS_PER_SECOND: f64 = 100.0;
/// Browsers take less for a mistake, and show such a frame for a tenth of a second.
const MIN_DELAY: f64 = 2.0;
const MAX_DELAY: f64 = u16::MAX as f64;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Animation {
    /// Each fits the sides of the image, which fit an `u16`.
    frames: Vec<(Format, Vec<u8>)>,
    /// From one frame to the next, in hundredths of a second: [`MIN_DELAY`] to [`MAX_DELAY`].
    period: f64,
}

impl Image {
    /// Frames of one size as an animated GIF, which other writers call a video. It loops for ever.
    ///
    /// The file is made on the writer's thread, from pixels that wait there. A frame of up to 256 colours is kept exactly;
    /// of one with more, the 256 that suit it best are chosen. A sample of 16 bits is rounded to 8, and a pixel is
    /// transparent if its opacity is below a half, and opaque otherwise.
    ///
    /// GIF counts in hundredths of a second. A rate that does not divide them is kept on average: at 30 frames a second
    /// they show for 3, 4 and 3 hundredths in turn. Browsers slow down what is faster than 50 frames a second, to 10; so a
    /// faster rate plays at 50.
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
    /// [`Error::Invalid`] if there is no frame, if the sides of two differ or one is above 65,535, if a frame is a file
    /// ([`encoded`](Self::encoded)) or an animation itself, or if the rate is not a number above 0, or so low that a frame
    /// shows for more than 655.35 seconds.
    pub fn animation(
        frames: impl IntoIterator<Item = Self>,
        frames_per_second: impl Into<f64>,
    ) -> Result<Self> {
        let frames_per_second = frames_per_second.into();
        let period = (UNITS_PER_SECOND / frames_per_second).max(MIN_DELAY);
        if !frames_per_second.is_finite() || frames_per_second <= 0.0 || period > MAX_DELAY {
            let lowest = UNITS_PER_SECOND / MAX_DELAY;
            let problem = format!("{frames_per_second} is given, {lowest:.6} or more fits");
            return Err(Error::invalid("frames per second", problem));
        }
        let mut sides = None;
        let mut checked = Vec::new();
        for (i, frame) in frames.into_iter().enumerate() {
            frame.pixels("frames", format_args!("number {i}"))?;
            let (width, height) = (frame.width, frame.height);
            let (first_width, first_height) = *sides.get_or_insert((width, height));
            if (width, height) != (first_width, first_height) {
                let problem = format!(
                    "number {i} is of {width} x {height} pixels, {first_width} x {first_height} fit, as of the first"
                );
                return Err(Error::invalid("frames", problem));
            }
            if let Content::Pixels { format, bytes } = frame.content {
                checked.push((format, bytes));
            }
        }
        let Some((width, height)) = sides else {
            return Err(Error::invalid("frames", "none is given, 1 or more fit"));
        };
        if width.max(height) > u16::MAX.into() {
            let problem = format!(
                "they are of {width} x {height} pixels, up to {0} x {0} fit",
                u16::MAX
            );
            return Err(Error::invalid("frames", problem));
        }
        Ok(Self {
            width,
            height,
            content: Content::Animation(Animation {
                frames: checked,
                period,
            }),
        })
    }
}

impl Animation {
    pub(super) fn bytes(&self) -> usize {
        self.frames.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    pub(super) fn encode(&self, width: u32, height: u32) -> Result<Vec<u8>> {
        self.try_encode(width, height).map_err(|error| {
            let error = match error {
                EncodingError::Io(error) => error,
                other => io::Error::other(other),
            };
            Error::stream("encode an animation", error)
        })
    }

    fn try_encode(&self, width: u32, height: u32) -> std::result::Result<Vec<u8>, EncodingError> {
        let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
        let (width, height) = (side(width), side(height));
        // A transparent pixel shows what was there before, so that has to go.
        let has_opacity = |(format, _): &(Format, _)| format.channels.has_opacity();
        let dispose = if self.frames.iter().any(has_opacity) {
            DisposalMethod::Background
        } else {
            DisposalMethod::Keep
        };
        let mut encoder = Encoder::new(Vec::new(), width, height, &[])?;
        encoder.set_repeat(Repeat::Infinite)?;
        for (i, (format, bytes)) in self.frames.iter().enumerate() {
            encoder.write_frame(&Frame {
                width,
                height,
                delay: self.delay(i),
                dispose,
                ..indexed(&format.convert(bytes, Format::RGBA8))
            })?;
        }
        encoder.into_inner()
    }

    /// How long frame number `i` shows: between two points of time that are rounded, so that nothing adds up.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is clamped"
    )]
    fn delay(&self, i: usize) -> u16 {
        let start = |i: usize| (i as f64 * self.period).round();
        (start(i + 1) - start(i)).clamp(MIN_DELAY, MAX_DELAY) as u16
    }
}

/// Palette and indices of pixels that have opacity.
fn indexed(bytes: &[u8]) -> Frame<'static> {
    let pixels = bytes.as_chunks().0.iter().map(|pixel| match *pixel {
        [_, _, _, 0..128] => TRANSPARENT,
        [red, green, blue, _] => [red, green, blue, u8::MAX],
    });
    let (palette, buffer) = palette::indexed(&pixels.collect::<Vec<_>>());
    let transparent = palette.iter().position(|color| *color == TRANSPARENT);
    let palette = palette.iter().flat_map(|color| &color[..3]).copied();
    Frame {
        palette: Some(palette.collect()),
        transparent: transparent.and_then(|index| u8::try_from(index).ok()),
        buffer: buffer.into(),
        ..Frame::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a decoder makes of the file: of each frame its delay and its pixels.
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
    fn few_colors_are_kept_exactly() {
        // 256 grays; 256 colours; one that has no opacity; 16 bits that are rounded.
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
            let want = if i < 128 { [0; 4] } else { [i, i, 7, 255] };
            assert_eq!(*pixel, want, "{i}");
        }
        // 0x1180 / 257 is 17.43.
        assert_eq!(frames[3].1[..4], [17, 17, 17, 255]);
    }

    #[test]
    fn many_colors_become_the_nearest_of_256() {
        // A gradient of 64 x 64 colours over the whole of red and green, with a hole in it.
        let pixels: Vec<[u8; 4]> = (0..4096_u32)
            .map(|i| {
                [
                    (i % 64 * 4) as u8,
                    (i / 64 * 4) as u8,
                    90,
                    if i == 2080 { 0 } else { 255 },
                ]
            })
            .collect();
        let image = Image::rgba8(64, 64, pixels.as_flattened()).unwrap();
        let [(_, got)] = &decoded(&Image::animation([image], 1).unwrap())[..] else {
            panic!("one frame");
        };
        // 256 colours that are spread evenly are 16 apart. Samples of 0, 4, 8 and 12 are 4 off on average, in two channels;
        // one colour less for the hole is a little worse.
        let mut off = 0;
        for (i, (got, want)) in got.as_chunks::<4>().0.iter().zip(&pixels).enumerate() {
            assert_eq!(got[3] == 0, i == 2080, "{i}");
            if i != 2080 {
                let distance = got.iter().zip(want).map(|(a, b)| u32::from(a.abs_diff(*b)));
                off += distance.sum::<u32>();
            }
        }
        assert!(off < 4096 * 8 + 512, "{off} in all");
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
    fn what_makes_no_animation_is_refused_by_name() {
        let pixel = || Image::gray8(1, 1, [0]).unwrap();
        let wide = Image::gray8(65_536, 1, [0; 65_536]).unwrap();
        let file = Image::encoded(*include_bytes!("../../../tests/images/rgb.jpg")).unwrap();
        let moving = Image::animation([pixel()], 1).unwrap();
        let low = 0.0015;
        for (frames, rate, want) in [
            (vec![], 1.0, "frames: none is given, 1 or more fit"),
            (
                vec![pixel(), Image::gray8(2, 1, [0; 2]).unwrap()],
                1.0,
                "frames: number 1 is of 2 x 1 pixels, 1 x 1 fit, as of the first",
            ),
            (
                vec![wide],
                1.0,
                "frames: they are of 65536 x 1 pixels, up to 65535 x 65535 fit",
            ),
            (
                vec![file],
                1.0,
                "frames: number 0 is an encoded file, one of pixels fits",
            ),
            (
                vec![pixel(), moving],
                1.0,
                "frames: number 1 is an animation, one of pixels fits",
            ),
            (
                vec![pixel()],
                0.0,
                "frames per second: 0 is given, 0.001526 or more fits",
            ),
            (
                vec![pixel()],
                -1.0,
                "frames per second: -1 is given, 0.001526 or more fits",
            ),
            (
                vec![pixel()],
                f64::NAN,
                "frames per second: NaN is given, 0.001526 or more fits",
            ),
            (
                vec![pixel()],
                f64::INFINITY,
                "frames per second: inf is given, 0.001526 or more fits",
            ),
            (
                vec![pixel()],
                low,
                "frames per second: 0.0015 is given, 0.001526 or more fits",
            ),
        ] {
            let error = Image::animation(frames, rate).unwrap_err();
            assert_eq!(error.to_string(), want);
        }
    }
}
