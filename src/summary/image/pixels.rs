//! Images from samples in every order and type.

use super::buffer::Buffer;
use super::format::{Channels, Format};
use super::{Content, Image, MAX_SIDE};
use crate::error::{Error, Result};

/// Normalized images seldom have samples above 4. One of 0..255 has higher ones, unless it is black.
const MAX_PLAUSIBLE: f64 = 10.0;

/// A sample for [`Image::batch_nchw`], whose type says what white is: 255 for `u8`, 65,535 for `u16`, and 1 for `f32` and `f64`.
/// With the feature `half`, white is also 1 for `half::f16` and `half::bf16`. Needs the feature `png`, which is a
/// default.
pub trait Sample: Copy + sealed::Sealed {}

#[allow(unnameable_types, reason = "users must not implement it")]
mod sealed {
    use super::{Channels, Image};
    use crate::error::Result;

    pub trait Sealed: Sized {
        #[allow(private_interfaces, reason = "users cannot call it")]
        fn image(samples: &[Self], channels: Channels, width: u32, height: u32) -> Result<Image>;
    }
}

macro_rules! samples {
    ($($number:ty: $constructor:ident;)*) => {$(
        impl Sample for $number {}

        #[allow(private_interfaces, reason = "users cannot call it")]
        impl sealed::Sealed for $number {
            fn image(samples: &[Self], channels: Channels, width: u32, height: u32) -> Result<Image> {
                Image::$constructor(channels, width, height, samples)
            }
        }
    )*};
}

samples! {
    u8: from_u8;
    u16: from_u16;
    f32: from_floats;
    f64: from_floats;
}

#[cfg(feature = "half")]
samples! {
    half::f16: from_floats;
    half::bf16: from_floats;
}

/// From pixels, one after the other.
impl Image {
    /// Creates an 8-bit gray image from `height * width` samples. 0 is black, 255 is white.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a side is 0, or if the number of samples does not match the sides.
    pub fn gray8(width: u32, height: u32, pixels: impl AsRef<[u8]>) -> Result<Self> {
        Self::from_u8(Channels::Gray, width, height, pixels.as_ref())
    }

    /// Creates an 8-bit colour image from `height * width * 3` samples.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgb8(width: u32, height: u32, pixels: impl AsRef<[u8]>) -> Result<Self> {
        Self::from_u8(Channels::Rgb, width, height, pixels.as_ref())
    }

    /// Creates an 8-bit colour image with opacity from `height * width * 4` samples. An opacity of 0 is transparent.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgba8(width: u32, height: u32, pixels: impl AsRef<[u8]>) -> Result<Self> {
        Self::from_u8(Channels::Rgba, width, height, pixels.as_ref())
    }

    /// Creates an 8-bit gray image with opacity from `height * width * 2` samples.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn gray_alpha8(width: u32, height: u32, pixels: impl AsRef<[u8]>) -> Result<Self> {
        Self::from_u8(Channels::GrayAlpha, width, height, pixels.as_ref())
    }

    /// Creates a gray image from `height * width` floats. 0 is black, 1 is white. The floats are `f32` or `f64`; with the
    /// feature `half` also `half::f16` or `half::bf16`.
    ///
    /// Samples below 0 count as 0, samples above 1 as 1, and NaN as 0. Each sample is rounded to 8 bits. If a sample is above
    /// 10, the image probably has samples of 0 to 255. Then, or if all samples are NaN, the writer logs one warning for the tag
    /// and counts [`Stats::doubtful_image_count`](crate::Stats::doubtful_image_count).
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn gray_f32(width: u32, height: u32, pixels: &[impl Into<f64> + Copy]) -> Result<Self> {
        Self::from_floats(Channels::Gray, width, height, pixels)
    }

    /// Creates a colour image from `height * width * 3` floats, which are converted as in
    /// [`gray_f32`](Self::gray_f32).
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgb_f32(width: u32, height: u32, pixels: &[impl Into<f64> + Copy]) -> Result<Self> {
        Self::from_floats(Channels::Rgb, width, height, pixels)
    }

    /// Creates a colour image with opacity from `height * width * 4` floats, which are converted as in
    /// [`gray_f32`](Self::gray_f32).
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgba_f32(width: u32, height: u32, pixels: &[impl Into<f64> + Copy]) -> Result<Self> {
        Self::from_floats(Channels::Rgba, width, height, pixels)
    }

    /// Creates a 16-bit gray image from `height * width` samples. 65,535 is white.
    ///
    /// A browser shows 8 of the 16 bits; the file that TensorBoard serves has all of them.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn gray16(width: u32, height: u32, pixels: impl AsRef<[u16]>) -> Result<Self> {
        Self::from_u16(Channels::Gray, width, height, pixels.as_ref())
    }

    /// Creates a 16-bit colour image from `height * width * 3` samples.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgb16(width: u32, height: u32, pixels: impl AsRef<[u16]>) -> Result<Self> {
        Self::from_u16(Channels::Rgb, width, height, pixels.as_ref())
    }

    /// Creates a 16-bit colour image with opacity from `height * width * 4` samples.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgba16(width: u32, height: u32, pixels: impl AsRef<[u16]>) -> Result<Self> {
        Self::from_u16(Channels::Rgba, width, height, pixels.as_ref())
    }

    /// Creates a 16-bit gray image with opacity from `height * width * 2` samples.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn gray_alpha16(width: u32, height: u32, pixels: impl AsRef<[u16]>) -> Result<Self> {
        Self::from_u16(Channels::GrayAlpha, width, height, pixels.as_ref())
    }

    /// Like [`rgb8`](Self::rgb8), but channels first: all red samples, then all green ones, then all blue ones.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgb8_chw(width: u32, height: u32, planes: impl AsRef<[u8]>) -> Result<Self> {
        let pixels = interleave(Channels::Rgb, width, height, planes.as_ref())?;
        Self::rgb8(width, height, pixels)
    }

    /// Like [`rgba8`](Self::rgba8), but channels first.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgba8_chw(width: u32, height: u32, planes: impl AsRef<[u8]>) -> Result<Self> {
        let pixels = interleave(Channels::Rgba, width, height, planes.as_ref())?;
        Self::rgba8(width, height, pixels)
    }

    /// Like [`rgb_f32`](Self::rgb_f32), but channels first.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    #[doc(alias = "dataformats")]
    pub fn rgb_f32_chw(width: u32, height: u32, planes: &[impl Into<f64> + Copy]) -> Result<Self> {
        let pixels = interleave(Channels::Rgb, width, height, planes)?;
        Self::from_floats(Channels::Rgb, width, height, &pixels)
    }

    /// Like [`rgba_f32`](Self::rgba_f32), but channels first.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgba_f32_chw(width: u32, height: u32, planes: &[impl Into<f64> + Copy]) -> Result<Self> {
        let pixels = interleave(Channels::Rgba, width, height, planes)?;
        Self::from_floats(Channels::Rgba, width, height, &pixels)
    }

    /// Like [`rgb16`](Self::rgb16), but channels first.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgb16_chw(width: u32, height: u32, planes: impl AsRef<[u16]>) -> Result<Self> {
        let pixels = interleave(Channels::Rgb, width, height, planes.as_ref())?;
        Self::rgb16(width, height, pixels)
    }

    /// Like [`rgba16`](Self::rgba16), but channels first.
    ///
    /// # Errors
    /// Like [`gray8`](Self::gray8).
    pub fn rgba16_chw(width: u32, height: u32, planes: impl AsRef<[u16]>) -> Result<Self> {
        let pixels = interleave(Channels::Rgba, width, height, planes.as_ref())?;
        Self::rgba16(width, height, pixels)
    }

    pub(super) fn from_u8(
        channels: Channels,
        width: u32,
        height: u32,
        pixels: &[u8],
    ) -> Result<Self> {
        check(channels, width, height, pixels.len())?;
        Ok(Self::from_bytes(channels, 1, width, height, pixels.into()))
    }

    /// Creates an image of 1 to 4 channels.
    pub(crate) fn from_samples<T: Sample>(
        samples: &[T],
        [height, width, channels]: [usize; 3],
    ) -> Result<Self> {
        let channels = Channels::from_count(channels).ok_or_else(|| {
            Error::invalid("image", format!("expected 1 to 4 channels, got {channels}"))
        })?;
        // A side that does not fit is too large for an image, too.
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        T::image(samples, channels, side(width), side(height))
    }

    /// Takes samples of 0 to 1.
    pub(super) fn from_floats(
        channels: Channels,
        width: u32,
        height: u32,
        samples: &[impl Into<f64> + Copy],
    ) -> Result<Self> {
        check(channels, width, height, samples.len())?;
        Ok(Self {
            warning: range_warning(samples),
            ..Self::from_bytes(channels, 1, width, height, to_u8(samples))
        })
    }

    pub(super) fn from_u16(
        channels: Channels,
        width: u32,
        height: u32,
        pixels: &[u16],
    ) -> Result<Self> {
        check(channels, width, height, pixels.len())?;
        Ok(Self::from_bytes(
            channels,
            2,
            width,
            height,
            big_endian(pixels),
        ))
    }

    /// The caller has checked that the number of bytes matches.
    pub(super) fn from_bytes(
        channels: Channels,
        sample_bytes: usize,
        width: u32,
        height: u32,
        bytes: Buffer,
    ) -> Self {
        let format = Format::new(channels, sample_bytes);
        Self {
            width,
            height,
            content: Content::Pixels { format, bytes },
            warning: None,
        }
    }
}

/// 16-bit samples in the order of PNG.
pub(super) fn big_endian(samples: &[u16]) -> Buffer {
    let bytes = samples.iter().flat_map(|sample| sample.to_be_bytes());
    Buffer::collect(2 * samples.len(), bytes)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is clamped, and NaN becomes 0"
)]
fn to_u8<T: Into<f64> + Copy>(samples: &[T]) -> Buffer {
    let round = |sample: &T| ((*sample).into().clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
    Buffer::collect(samples.len(), samples.iter().map(round))
}

/// Returns why the samples are probably not of 0 to 1.
fn range_warning<T: Into<f64> + Copy>(samples: &[T]) -> Option<Box<str>> {
    let numbers = samples.iter().map(|sample| (*sample).into());
    // A maximum of floats ignores NaN.
    let highest = numbers.fold(f64::NAN, f64::max);
    if highest.is_nan() {
        return Some("all samples are NaN, which is shown as black".into());
    }
    (highest > MAX_PLAUSIBLE).then(|| {
        format!("expected samples of 0 to 1, got {highest}; all above 1 is white, so divide samples of 0 to 255 by 255").into()
    })
}

/// Reorders samples from channels first to channels last.
fn interleave<T: Copy>(
    channels: Channels,
    width: u32,
    height: u32,
    planes: &[T],
) -> Result<Vec<T>> {
    check(channels, width, height, planes.len())?;
    let count = channels.count();
    let mut pixels = planes.to_vec();
    for (channel, plane) in planes.chunks_exact(planes.len() / count).enumerate() {
        for (pixel, sample) in pixels.chunks_exact_mut(count).zip(plane) {
            pixel[channel] = *sample;
        }
    }
    Ok(pixels)
}

fn check(channels: Channels, width: u32, height: u32, got: usize) -> Result<()> {
    for (what, side) in [("image width", width), ("image height", height)] {
        if !(1..=MAX_SIDE).contains(&side) {
            let problem = format!("expected 1 to {MAX_SIDE} pixels, got {side}");
            return Err(Error::invalid(what, problem));
        }
    }
    // The product is below 2^64, because the sides have at most 31 bits, and there are at most 4 channels.
    let count = channels.count();
    let expected = u64::from(width) * u64::from(height) * count as u64;
    if expected == got as u64 {
        return Ok(());
    }
    let problem = format!(
        "expected {expected} samples, {count} for each of {width} x {height} pixels, got {got}"
    );
    Err(Error::invalid("image pixels", problem))
}
