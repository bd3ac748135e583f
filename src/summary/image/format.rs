//! The formats of pixels, and their conversion.

use std::borrow::Cow;

/// A 16-bit sample of the same brightness is the 8-bit sample times this.
const TO_16_BITS: u16 = 257;

/// The samples of a pixel, as PNG stores them: 16-bit samples have their high byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) channels: Channels,
    /// 1 or 2.
    pub(super) sample_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    pub(super) fn from_count(count: usize) -> Option<Self> {
        let all = [Self::Gray, Self::GrayAlpha, Self::Rgb, Self::Rgba];
        all.into_iter().find(|channels| channels.count() == count)
    }

    pub(super) fn count(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    pub(super) fn has_opacity(self) -> bool {
        matches!(self, Self::GrayAlpha | Self::Rgba)
    }

    fn has_color(self) -> bool {
        matches!(self, Self::Rgb | Self::Rgba)
    }
}

impl Format {
    pub(super) const RGB8: Self = Self::new(Channels::Rgb, 1);
    pub(super) const RGBA8: Self = Self::new(Channels::Rgba, 1);

    pub(super) const fn new(channels: Channels, sample_bytes: usize) -> Self {
        Self {
            channels,
            sample_bytes,
        }
    }

    pub(super) fn pixel_bytes(self) -> usize {
        self.channels.count() * self.sample_bytes
    }

    /// The smallest format that loses nothing of either.
    pub(super) fn widest(self, other: Self) -> Self {
        let (left, right) = (self.channels, other.channels);
        let has_color = left.has_color() || right.has_color();
        let channels = match (has_color, left.has_opacity() || right.has_opacity()) {
            (false, false) => Channels::Gray,
            (false, true) => Channels::GrayAlpha,
            (true, false) => Channels::Rgb,
            (true, true) => Channels::Rgba,
        };
        Self::new(channels, self.sample_bytes.max(other.sample_bytes))
    }

    /// Converts pixels to the format `to`. Pixels without opacity become opaque, and 16 bits are rounded to 8. A conversion
    /// to gray keeps the red channel, so only gray pixels should be converted to gray.
    pub(super) fn convert(self, bytes: &[u8], to: Self) -> Cow<'_, [u8]> {
        if self == to {
            return bytes.into();
        }
        let pixels = bytes.chunks_exact(self.pixel_bytes());
        let mut converted = Vec::with_capacity(pixels.len() * to.pixel_bytes());
        for pixel in pixels {
            to.append(self.rgba16(pixel), &mut converted);
        }
        converted.into()
    }

    /// Decodes one pixel: red, green, blue and opacity.
    fn rgba16(self, pixel: &[u8]) -> [u16; 4] {
        let sample = |i: usize| match self.sample_bytes {
            1 => u16::from(pixel[i]) * TO_16_BITS,
            _ => u16::from_be_bytes([pixel[2 * i], pixel[2 * i + 1]]),
        };
        match self.channels {
            Channels::Gray => [sample(0), sample(0), sample(0), u16::MAX],
            Channels::GrayAlpha => [sample(0), sample(0), sample(0), sample(1)],
            Channels::Rgb => [sample(0), sample(1), sample(2), u16::MAX],
            Channels::Rgba => [sample(0), sample(1), sample(2), sample(3)],
        }
    }

    fn append(self, pixel: [u16; 4], bytes: &mut Vec<u8>) {
        let [red, green, blue, opacity] = pixel;
        let samples: &[u16] = match self.channels {
            Channels::Gray => &[red],
            Channels::GrayAlpha => &[red, opacity],
            Channels::Rgb => &[red, green, blue],
            Channels::Rgba => &pixel,
        };
        for sample in samples {
            match self.sample_bytes {
                1 => bytes.push(to_8_bits(*sample)),
                _ => bytes.extend(sample.to_be_bytes()),
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "65,535 becomes 255")]
fn to_8_bits(sample: u16) -> u8 {
    ((u32::from(sample) + u32::from(TO_16_BITS / 2)) / u32::from(TO_16_BITS)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAY8: Format = Format::new(Channels::Gray, 1);
    const GRAY_ALPHA16: Format = Format::new(Channels::GrayAlpha, 2);
    const RGBA16: Format = Format::new(Channels::Rgba, 2);

    #[test]
    fn a_pixel_keeps_its_colour_in_a_wider_format() {
        // In 16 bits, 0x12 is 0x1212. Gray has three equal samples. Opaque is 0xff.
        for (from, bytes, to, want) in [
            (
                GRAY8,
                &[0x12, 0x34][..],
                Format::RGB8,
                &[0x12, 0x12, 0x12, 0x34, 0x34, 0x34][..],
            ),
            (GRAY8, &[0x12], GRAY_ALPHA16, &[0x12, 0x12, 0xff, 0xff]),
            (
                GRAY_ALPHA16,
                &[0x12, 0x13, 0x34, 0x35],
                RGBA16,
                &[0x12, 0x13, 0x12, 0x13, 0x12, 0x13, 0x34, 0x35],
            ),
            (
                Format::RGB8,
                &[1, 2, 3],
                RGBA16,
                &[1, 1, 2, 2, 3, 3, 0xff, 0xff],
            ),
            (Format::RGBA8, &[1, 2, 3, 4], Format::RGBA8, &[1, 2, 3, 4]),
        ] {
            assert_eq!(&*from.convert(bytes, to), want, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn sixteen_bits_are_rounded_to_the_nearest_eight() {
        // 0x0080 is 128 of 257, which is nearer to 0. 0x0081 is 129 of 257.
        for (sample, want) in [
            (0, 0),
            (0x0080, 0),
            (0x0081, 1),
            (0x0101, 1),
            (0xff7e, 254),
            (0xff7f, 255),
            (0xffff, 255),
        ] {
            assert_eq!(to_8_bits(sample), want, "{sample:#06x}");
        }
    }

    #[test]
    fn the_widest_format_loses_nothing() {
        let gray_alpha8 = Format::new(Channels::GrayAlpha, 1);
        let gray16 = Format::new(Channels::Gray, 2);
        assert_eq!(GRAY8.widest(Format::RGB8), Format::RGB8);
        assert_eq!(gray_alpha8.widest(Format::RGB8), Format::RGBA8);
        assert_eq!(Format::RGBA8.widest(gray16), RGBA16);
        assert_eq!(GRAY8.widest(GRAY8), GRAY8);
    }
}
