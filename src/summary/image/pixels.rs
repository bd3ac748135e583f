//! Samples in every order and type to the pixels of an image.

use super::{Channels, Content, Format, Image, check_side};
use crate::error::{Error, Result};

/// A sample of an image from 0, which is dark, to 1: `f32` and `f64`. What is outside shows as the nearer of the two, and
/// NaN as 0. A sample is rounded to 8 bits.
pub trait Intensity: Copy + sealed::Sealed {
    /// The sample in 8 bits.
    fn to_u8(self) -> u8;
}

#[allow(unnameable_types, reason = "so that nobody else implements it")]
mod sealed {
    pub trait Sealed {}
}

macro_rules! intensities {
    ($($float:ty)*) => {$(
        impl sealed::Sealed for $float {}
        impl Intensity for $float {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped, and NaN becomes 0"
            )]
            fn to_u8(self) -> u8 {
                // Of what is not negative, adding a half and cutting off rounds, at a fraction of the cost of `round`.
                (self.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
            }
        }
    )*};
}

intensities!(f32 f64);

impl Image {
    /// A gray image of 8 bits: 0 is black, 255 white. `pixels` has `height * width` samples.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a side is 0, or the number of samples does not fit the sides.
    pub fn gray8(width: u32, height: u32, pixels: impl AsRef<[u8]>) -> Result<Self> {
        Self::of_u8(Channels::Gray, width, height, pixels.as_ref())
    }

    /// A gray image of 8 bits with opacity: `height * width * 2` samples.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn gray_alpha8(width: u32, height: u32, pixels: impl AsRef<[u8]>) -> Result<Self> {
        Self::of_u8(Channels::GrayAlpha, width, height, pixels.as_ref())
    }

    /// A colour image of 8 bits: `height * width * 3` samples.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgb8(width: u32, height: u32, pixels: impl AsRef<[u8]>) -> Result<Self> {
        Self::of_u8(Channels::Rgb, width, height, pixels.as_ref())
    }

    /// A colour image of 8 bits with opacity, of which 0 is transparent: `height * width * 4` samples.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgba8(width: u32, height: u32, pixels: impl AsRef<[u8]>) -> Result<Self> {
        Self::of_u8(Channels::Rgba, width, height, pixels.as_ref())
    }

    /// As [`rgb8`](Self::rgb8), with the planes of red, green and blue one after the other: channels first.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgb8_planar(width: u32, height: u32, planes: impl AsRef<[u8]>) -> Result<Self> {
        Self::of_u8_planes::<3>(Channels::Rgb, width, height, planes.as_ref())
    }

    /// As [`rgba8`](Self::rgba8), with the planes of red, green, blue and opacity one after the other.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgba8_planar(width: u32, height: u32, planes: impl AsRef<[u8]>) -> Result<Self> {
        Self::of_u8_planes::<4>(Channels::Rgba, width, height, planes.as_ref())
    }

    /// A gray image of 16 bits: 65,535 is white. `pixels` has `height * width` samples.
    ///
    /// A browser shows 8 bits of them; the file that TensorBoard serves has all.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn gray16(width: u32, height: u32, pixels: impl AsRef<[u16]>) -> Result<Self> {
        Self::of_u16(Channels::Gray, width, height, pixels.as_ref())
    }

    /// A gray image of 16 bits with opacity: `height * width * 2` samples.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn gray_alpha16(width: u32, height: u32, pixels: impl AsRef<[u16]>) -> Result<Self> {
        Self::of_u16(Channels::GrayAlpha, width, height, pixels.as_ref())
    }

    /// A colour image of 16 bits: `height * width * 3` samples.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgb16(width: u32, height: u32, pixels: impl AsRef<[u16]>) -> Result<Self> {
        Self::of_u16(Channels::Rgb, width, height, pixels.as_ref())
    }

    /// A colour image of 16 bits with opacity: `height * width * 4` samples.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgba16(width: u32, height: u32, pixels: impl AsRef<[u16]>) -> Result<Self> {
        Self::of_u16(Channels::Rgba, width, height, pixels.as_ref())
    }

    /// As [`rgb16`](Self::rgb16), channels first.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgb16_planar(width: u32, height: u32, planes: impl AsRef<[u16]>) -> Result<Self> {
        Self::of_u16_planes::<3>(Channels::Rgb, width, height, planes.as_ref())
    }

    /// As [`rgba16`](Self::rgba16), channels first.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgba16_planar(width: u32, height: u32, planes: impl AsRef<[u16]>) -> Result<Self> {
        Self::of_u16_planes::<4>(Channels::Rgba, width, height, planes.as_ref())
    }

    /// A gray image of floating-point samples from 0 to 1: `height * width` of them. What is outside shows as the nearer of
    /// the two, and NaN as 0; each is rounded to 8 bits.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn gray_0_to_1(width: u32, height: u32, pixels: &[impl Intensity]) -> Result<Self> {
        Self::gray8(width, height, to_u8(pixels))
    }

    /// A colour image of floating-point samples from 0 to 1: `height * width * 3` of them, taken as
    /// [`gray_0_to_1`](Self::gray_0_to_1) takes them.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgb_0_to_1(width: u32, height: u32, pixels: &[impl Intensity]) -> Result<Self> {
        Self::rgb8(width, height, to_u8(pixels))
    }

    /// A colour image of floating-point samples from 0 to 1 with opacity: `height * width * 4` of them, taken as
    /// [`gray_0_to_1`](Self::gray_0_to_1) takes them.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgba_0_to_1(width: u32, height: u32, pixels: &[impl Intensity]) -> Result<Self> {
        Self::rgba8(width, height, to_u8(pixels))
    }

    /// As [`rgb_0_to_1`](Self::rgb_0_to_1), channels first.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgb_0_to_1_planar(width: u32, height: u32, planes: &[impl Intensity]) -> Result<Self> {
        Self::rgb8_planar(width, height, to_u8(planes))
    }

    /// As [`rgba_0_to_1`](Self::rgba_0_to_1), channels first.
    ///
    /// # Errors
    /// As [`gray8`](Self::gray8).
    pub fn rgba_0_to_1_planar(width: u32, height: u32, planes: &[impl Intensity]) -> Result<Self> {
        Self::rgba8_planar(width, height, to_u8(planes))
    }

    fn of_u8(channels: Channels, width: u32, height: u32, pixels: &[u8]) -> Result<Self> {
        check(channels, width, height, pixels.len())?;
        Ok(Self::of(channels, 1, width, height, pixels.to_vec()))
    }

    pub(super) fn of_u16(
        channels: Channels,
        width: u32,
        height: u32,
        pixels: &[u16],
    ) -> Result<Self> {
        check(channels, width, height, pixels.len())?;
        Ok(Self::of(channels, 2, width, height, big_endian(pixels)))
    }

    fn of_u8_planes<const N: usize>(
        channels: Channels,
        width: u32,
        height: u32,
        planes: &[u8],
    ) -> Result<Self> {
        check(channels, width, height, planes.len())?;
        let bytes = interleave::<_, N>(planes);
        Ok(Self::of(channels, 1, width, height, bytes))
    }

    fn of_u16_planes<const N: usize>(
        channels: Channels,
        width: u32,
        height: u32,
        planes: &[u16],
    ) -> Result<Self> {
        check(channels, width, height, planes.len())?;
        Self::of_u16(channels, width, height, &interleave::<_, N>(planes))
    }

    /// `bytes` fit.
    pub(super) fn of(
        channels: Channels,
        sample_bytes: usize,
        width: u32,
        height: u32,
        bytes: Vec<u8>,
    ) -> Self {
        let format = Format {
            channels,
            sample_bytes,
        };
        Self {
            width,
            height,
            content: Content::Pixels { format, bytes },
        }
    }
}

/// As an image keeps them.
pub(super) fn big_endian(samples: &[u16]) -> Vec<u8> {
    let mut bytes = vec![0; size_of_val(samples)];
    for (bytes, sample) in bytes.as_chunks_mut().0.iter_mut().zip(samples) {
        *bytes = sample.to_be_bytes();
    }
    bytes
}

pub(super) fn to_u8<T: Intensity>(samples: &[T]) -> Vec<u8> {
    samples.iter().map(|sample| sample.to_u8()).collect()
}

/// `N` planes, one after the other, to pixels.
fn interleave<T: Copy + Default, const N: usize>(planes: &[T]) -> Vec<T> {
    let plane_len = planes.len() / N;
    let mut pixels = vec![T::default(); plane_len * N];
    for (channel, plane) in planes.chunks_exact(plane_len.max(1)).enumerate() {
        for (pixel, sample) in pixels.as_chunks_mut::<N>().0.iter_mut().zip(plane) {
            pixel[channel] = *sample;
        }
    }
    pixels
}

pub(super) fn check(channels: Channels, width: u32, height: u32, given: usize) -> Result<()> {
    check_side("image width", width)?;
    check_side("image height", height)?;
    let count = channels.count();
    // Below 2^64: two factors have 31 bits, and the third is 4 at the most.
    let needed = u64::from(width) * u64::from(height) * count as u64;
    if needed == given as u64 {
        return Ok(());
    }
    let problem =
        format!("{given} samples are given, {width} x {height} pixels of {count} need {needed}");
    Err(Error::invalid("image pixels", problem))
}
