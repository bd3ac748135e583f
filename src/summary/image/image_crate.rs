//! The images of the crate `image` to ours.

use std::ops::Deref;

use ::image::{DynamicImage, ImageBuffer, Luma, LumaA, Rgb, Rgba};

use super::pixels::{check, to_u8};
use super::{Channels, Image};
use crate::error::{Error, Result};

/// Any image of the crate `image`, of the same channels and bits; floating-point samples are taken as
/// [`gray_0_to_1`](Image::gray_0_to_1) takes them.
///
/// ```
/// use summary_writer::Image;
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let photo = image::DynamicImage::new_rgb8(640, 480);
/// summary.image("photo", Image::try_from(&photo)?, 0);
/// summary.image("blurred", photo.blur(2.0).try_into()?, 0);
/// summary.image("mask", image::GrayImage::new(28, 28).try_into()?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Invalid`] if a side is 0.
impl TryFrom<&DynamicImage> for Image {
    type Error = Error;

    fn try_from(image: &DynamicImage) -> Result<Self> {
        match image {
            DynamicImage::ImageLuma8(buffer) => buffer.try_into(),
            DynamicImage::ImageLumaA8(buffer) => buffer.try_into(),
            DynamicImage::ImageRgb8(buffer) => buffer.try_into(),
            DynamicImage::ImageRgba8(buffer) => buffer.try_into(),
            DynamicImage::ImageLuma16(buffer) => buffer.try_into(),
            DynamicImage::ImageLumaA16(buffer) => buffer.try_into(),
            DynamicImage::ImageRgb16(buffer) => buffer.try_into(),
            DynamicImage::ImageRgba16(buffer) => buffer.try_into(),
            DynamicImage::ImageRgb32F(buffer) => buffer.try_into(),
            DynamicImage::ImageRgba32F(buffer) => buffer.try_into(),
            // What the crate may have next.
            other => other.to_rgba16().try_into(),
        }
    }
}

/// As from a reference. Pixels of 8 bits are not copied.
///
/// # Errors
/// [`Error::Invalid`] if a side is 0.
impl TryFrom<DynamicImage> for Image {
    type Error = Error;

    fn try_from(image: DynamicImage) -> Result<Self> {
        match image {
            DynamicImage::ImageLuma8(buffer) => buffer.try_into(),
            DynamicImage::ImageLumaA8(buffer) => buffer.try_into(),
            DynamicImage::ImageRgb8(buffer) => buffer.try_into(),
            DynamicImage::ImageRgba8(buffer) => buffer.try_into(),
            other => (&other).try_into(),
        }
    }
}

macro_rules! from_buffers {
    ($($pixel:ident<$sample:ty>, $channels:ident, $of_samples:ident;)*) => {$(
        /// # Errors
        /// [`Error::Invalid`] if a side is 0.
        impl<C: Deref<Target = [$sample]>> TryFrom<&ImageBuffer<$pixel<$sample>, C>> for Image {
            type Error = Error;

            fn try_from(buffer: &ImageBuffer<$pixel<$sample>, C>) -> Result<Self> {
                let (width, height) = buffer.dimensions();
                // There may be more behind them.
                let len = buffer.sample_layout().min_length();
                let samples = len.and_then(|len| buffer.as_raw().get(..len));
                let samples = samples.unwrap_or_default();
                Self::$of_samples(Channels::$channels, width, height, samples)
            }
        }

        /// # Errors
        /// [`Error::Invalid`] if a side is 0.
        impl TryFrom<ImageBuffer<$pixel<$sample>, Vec<$sample>>> for Image {
            type Error = Error;

            fn try_from(buffer: ImageBuffer<$pixel<$sample>, Vec<$sample>>) -> Result<Self> {
                let (width, height) = buffer.dimensions();
                let len = buffer.sample_layout().min_length();
                let mut samples = buffer.into_raw();
                samples.truncate(len.unwrap_or_default());
                Self::$of_samples(Channels::$channels, width, height, samples)
            }
        }
    )*};
}

from_buffers! {
    Luma<u8>, Gray, of_bytes;
    LumaA<u8>, GrayAlpha, of_bytes;
    Rgb<u8>, Rgb, of_bytes;
    Rgba<u8>, Rgba, of_bytes;
    Luma<u16>, Gray, of_words;
    LumaA<u16>, GrayAlpha, of_words;
    Rgb<u16>, Rgb, of_words;
    Rgba<u16>, Rgba, of_words;
    Luma<f32>, Gray, of_floats;
    LumaA<f32>, GrayAlpha, of_floats;
    Rgb<f32>, Rgb, of_floats;
    Rgba<f32>, Rgba, of_floats;
}

impl Image {
    /// Without a copy if `samples` are given away.
    fn of_bytes(
        channels: Channels,
        width: u32,
        height: u32,
        samples: impl Into<Vec<u8>>,
    ) -> Result<Self> {
        let bytes = samples.into();
        check(channels, width, height, bytes.len())?;
        Ok(Self::of(channels, 1, width, height, bytes))
    }

    fn of_words(
        channels: Channels,
        width: u32,
        height: u32,
        samples: impl AsRef<[u16]>,
    ) -> Result<Self> {
        Self::of_u16(channels, width, height, samples.as_ref())
    }

    fn of_floats(
        channels: Channels,
        width: u32,
        height: u32,
        samples: impl AsRef<[f32]>,
    ) -> Result<Self> {
        Self::of_bytes(channels, width, height, to_u8(samples.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_keeps_its_pixels() {
        // 3 x 2 pixels of c channels, whose sample number i is i, or i / 16 of all.
        let eight = |channels: u8| (0..6 * channels).collect::<Vec<u8>>();
        let sixteen = |channels: u16| (0..6 * channels).map(|i| i << 8 | 7).collect::<Vec<u16>>();
        let float = |channels: u8| {
            (0..6 * channels)
                .map(|i| f32::from(i) / 16.0)
                .collect::<Vec<f32>>()
        };
        fn buffer<P: ::image::Pixel>(
            samples: Vec<P::Subpixel>,
        ) -> ImageBuffer<P, Vec<P::Subpixel>> {
            ImageBuffer::from_raw(3, 2, samples).unwrap()
        }
        let cases = [
            (
                DynamicImage::ImageLuma8(buffer(eight(1))),
                Image::gray8(3, 2, eight(1)),
            ),
            (
                DynamicImage::ImageLumaA8(buffer(eight(2))),
                Image::gray_alpha8(3, 2, eight(2)),
            ),
            (
                DynamicImage::ImageRgb8(buffer(eight(3))),
                Image::rgb8(3, 2, eight(3)),
            ),
            (
                DynamicImage::ImageRgba8(buffer(eight(4))),
                Image::rgba8(3, 2, eight(4)),
            ),
            (
                DynamicImage::ImageLuma16(buffer(sixteen(1))),
                Image::gray16(3, 2, sixteen(1)),
            ),
            (
                DynamicImage::ImageLumaA16(buffer(sixteen(2))),
                Image::gray_alpha16(3, 2, sixteen(2)),
            ),
            (
                DynamicImage::ImageRgb16(buffer(sixteen(3))),
                Image::rgb16(3, 2, sixteen(3)),
            ),
            (
                DynamicImage::ImageRgba16(buffer(sixteen(4))),
                Image::rgba16(3, 2, sixteen(4)),
            ),
            (
                DynamicImage::ImageRgb32F(buffer(float(3))),
                Image::rgb_0_to_1(3, 2, &float(3)),
            ),
            (
                DynamicImage::ImageRgba32F(buffer(float(4))),
                Image::rgba_0_to_1(3, 2, &float(4)),
            ),
        ];
        for (given, want) in cases {
            let want = want.unwrap();
            assert_eq!(
                Image::try_from(&given).unwrap(),
                want,
                "{:?}",
                given.color()
            );
            assert_eq!(Image::try_from(given).unwrap(), want);
        }
        let gray: ImageBuffer<Luma<f32>, _> = buffer(vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        let want = Image::gray8(3, 2, [0, 51, 102, 153, 204, 255]).unwrap();
        assert_eq!(Image::try_from(gray).unwrap(), want);
        let gray_alpha: ImageBuffer<LumaA<f32>, _> = buffer([1.0, 0.0].repeat(6));
        let want = Image::gray_alpha8(3, 2, [255, 0].repeat(6)).unwrap();
        assert_eq!(Image::try_from(&gray_alpha).unwrap(), want);
    }

    #[test]
    fn of_a_buffer_that_is_too_long_the_image_is_taken() {
        let want = Image::gray8(2, 1, [1, 2]).unwrap();
        let borrowed: ImageBuffer<Luma<u8>, &[u8]> =
            ImageBuffer::from_raw(2, 1, &[1, 2, 3][..]).unwrap();
        assert_eq!(Image::try_from(&borrowed).unwrap(), want);
        let owned: ImageBuffer<Luma<u8>, _> = ImageBuffer::from_raw(2, 1, vec![1, 2, 3]).unwrap();
        assert_eq!(Image::try_from(owned).unwrap(), want);
    }

    #[test]
    fn an_image_of_no_pixels_is_refused() {
        for (width, height, want) in [
            (0, 3, "image width: 0 is given, 1 to 2147483647 pixels fit"),
            (3, 0, "image height: 0 is given, 1 to 2147483647 pixels fit"),
        ] {
            let image = DynamicImage::new_rgb8(width, height);
            assert_eq!(Image::try_from(&image).unwrap_err().to_string(), want);
            assert_eq!(Image::try_from(image).unwrap_err().to_string(), want);
        }
    }
}
