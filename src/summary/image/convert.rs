//! Pixels of one format to those of another.

use std::borrow::Cow;

use super::{Channels, Format};

/// A sample of 8 bits times this has the same brightness in 16.
const WIDENED: u16 = 257;

/// Red, green, blue and opacity, in 16 bits each.
type Pixel = [u16; 4];

impl Channels {
    pub(super) fn has_color(self) -> bool {
        matches!(self, Self::Rgb | Self::Rgba)
    }

    pub(super) fn has_opacity(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }
}

impl Format {
    pub(super) const RGB8: Self = Self::of(true, false, 1);
    pub(super) const RGBA8: Self = Self::of(true, true, 1);

    const fn of(has_color: bool, has_opacity: bool, sample_bytes: usize) -> Self {
        let channels = match (has_color, has_opacity) {
            (false, false) => Channels::Gray,
            (false, true) => Channels::GrayAlpha,
            (true, false) => Channels::Rgb,
            (true, true) => Channels::Rgba,
        };
        Self {
            channels,
            sample_bytes,
        }
    }

    pub(super) fn pixel_bytes(self) -> usize {
        self.channels.count() * self.sample_bytes
    }

    /// The narrowest format that keeps all that either has.
    pub(super) fn widest(self, other: Self) -> Self {
        Self::of(
            self.channels.has_color() || other.channels.has_color(),
            self.channels.has_opacity() || other.channels.has_opacity(),
            self.sample_bytes.max(other.sample_bytes),
        )
    }

    /// With three colours for a gray one.
    pub(super) fn with_color(self) -> Self {
        self.widest(Self {
            channels: Channels::Rgb,
            ..self
        })
    }

    /// `bytes` in the format `to`. Gray becomes red, green and blue alike; what has no opacity is opaque, and what loses it
    /// keeps its colour; 16 bits are rounded to 8.
    pub(super) fn convert(self, bytes: &[u8], to: Self) -> Cow<'_, [u8]> {
        if self == to {
            return bytes.into();
        }
        let pixels = bytes.chunks_exact(self.pixel_bytes());
        let mut converted = Vec::with_capacity(pixels.len() * to.pixel_bytes());
        for pixel in pixels {
            to.put(self.get(pixel), &mut converted);
        }
        converted.into()
    }

    /// `bytes` are those of one pixel.
    fn get(self, bytes: &[u8]) -> Pixel {
        let sample = |i: usize| match self.sample_bytes {
            1 => u16::from(bytes[i]) * WIDENED,
            _ => u16::from_be_bytes([bytes[2 * i], bytes[2 * i + 1]]),
        };
        match self.channels {
            Channels::Gray => [sample(0), sample(0), sample(0), u16::MAX],
            Channels::GrayAlpha => [sample(0), sample(0), sample(0), sample(1)],
            Channels::Rgb => [sample(0), sample(1), sample(2), u16::MAX],
            Channels::Rgba => [sample(0), sample(1), sample(2), sample(3)],
        }
    }

    /// A pixel with colour is not put where there is none.
    fn put(self, pixel: Pixel, bytes: &mut Vec<u8>) {
        let [red, green, blue, opacity] = pixel;
        let samples: &[u16] = match self.channels {
            Channels::Gray => &[red],
            Channels::GrayAlpha => &[red, opacity],
            Channels::Rgb => &[red, green, blue],
            Channels::Rgba => &pixel,
        };
        for sample in samples {
            match self.sample_bytes {
                1 => bytes.push(narrowed(*sample)),
                _ => bytes.extend(sample.to_be_bytes()),
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "65,535 becomes 255")]
fn narrowed(sample: u16) -> u8 {
    ((u32::from(sample) + u32::from(WIDENED / 2)) / u32::from(WIDENED)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAY8: Format = Format::of(false, false, 1);

    #[test]
    fn a_pixel_is_the_same_colour_in_a_wider_format() {
        // 0x12 and 0x34 in 16 bits are 0x1212 and 0x3434; what is gray is so in all three; opaque is 0xff.
        let gray_alpha16 = Format::of(false, true, 2);
        let rgba16 = Format::of(true, true, 2);
        for (from, bytes, to, want) in [
            (
                GRAY8,
                &[0x12, 0x34][..],
                Format::RGB8,
                &[0x12, 0x12, 0x12, 0x34, 0x34, 0x34][..],
            ),
            (GRAY8, &[0x12], gray_alpha16, &[0x12, 0x12, 0xff, 0xff]),
            (
                gray_alpha16,
                &[0x12, 0x13, 0x34, 0x35],
                rgba16,
                &[0x12, 0x13, 0x12, 0x13, 0x12, 0x13, 0x34, 0x35],
            ),
            (
                Format::RGB8,
                &[1, 2, 3],
                rgba16,
                &[1, 1, 2, 2, 3, 3, 0xff, 0xff],
            ),
            (Format::RGBA8, &[1, 2, 3, 4], Format::RGBA8, &[1, 2, 3, 4]),
        ] {
            assert_eq!(&*from.convert(bytes, to), want, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn sixteen_bits_are_rounded_to_the_nearest_eight() {
        // 0x0080 is 128 of 257: nearer to 0. 0x0081 is 129 of 257.
        for (sample, want) in [
            (0, 0),
            (0x0080, 0),
            (0x0081, 1),
            (0x0101, 1),
            (0xff7e, 254),
            (0xff7f, 255),
            (0xffff, 255),
        ] {
            assert_eq!(narrowed(sample), want, "{sample:#06x}");
        }
    }

    #[test]
    fn the_widest_format_has_what_either_has() {
        let gray_alpha8 = Format::of(false, true, 1);
        let gray16 = Format::of(false, false, 2);
        assert_eq!(GRAY8.widest(Format::RGB8), Format::RGB8);
        assert_eq!(gray_alpha8.widest(Format::RGB8), Format::RGBA8);
        assert_eq!(Format::RGBA8.widest(gray16), Format::of(true, true, 2));
        assert_eq!(GRAY8.widest(GRAY8), GRAY8);
    }
}
