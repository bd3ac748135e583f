//! Images of the crate `image`.

use std::ops::Deref;

use ::image::{DynamicImage, ImageBuffer, Luma, LumaA, Pixel, Rgb, Rgba};

use super::format::Channels;
use super::{Content, Image};
use crate::error::Result;

/// Keeps channels and bits; floating-point samples are converted as [`gray_f32`](Image::gray_f32) converts them. Needs
/// the feature `image`.
///
/// The conversion cannot fail. An image of 0 x 0 pixels is rejected when it is encoded: the record is not written, it counts
/// in the writer's [`stats`](crate::SummaryWriter::stats), and the first one is logged.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
/// let photo = image::DynamicImage::new_rgb8(640, 480);
/// summary.image("photo", &photo, 0);
/// summary.image("blurred", photo.blur(2.0), 0);
///
/// use summary_writer::images::BoundingBox;
/// use summary_writer::Image;
/// let cat = BoundingBox::new(40, 60, 130, 200).label("cat");
/// summary.image("detections", Image::from(&photo).with_boxes([cat])?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl From<&DynamicImage> for Image {
    fn from(image: &DynamicImage) -> Self {
        match image {
            DynamicImage::ImageLuma8(buffer) => buffer.into(),
            DynamicImage::ImageLumaA8(buffer) => buffer.into(),
            DynamicImage::ImageRgb8(buffer) => buffer.into(),
            DynamicImage::ImageRgba8(buffer) => buffer.into(),
            DynamicImage::ImageLuma16(buffer) => buffer.into(),
            DynamicImage::ImageLumaA16(buffer) => buffer.into(),
            DynamicImage::ImageRgb16(buffer) => buffer.into(),
            DynamicImage::ImageRgba16(buffer) => buffer.into(),
            DynamicImage::ImageRgb32F(buffer) => buffer.into(),
            DynamicImage::ImageRgba32F(buffer) => buffer.into(),
            // A variant that a later version of the crate adds.
            other => other.to_rgba16().into(),
        }
    }
}

/// Like the conversion from a reference.
impl From<DynamicImage> for Image {
    fn from(image: DynamicImage) -> Self {
        Self::from(&image)
    }
}

macro_rules! from_buffers {
    ($($pixel:ident<$sample:ty>: $from_samples:ident, $channels:ident;)*) => {$(
        /// Like the conversion from a `DynamicImage`.
        impl<C: Deref<Target = [$sample]>> From<&ImageBuffer<$pixel<$sample>, C>> for Image {
            fn from(buffer: &ImageBuffer<$pixel<$sample>, C>) -> Self {
                from_buffer(buffer, |width, height, samples| {
                    Self::$from_samples(Channels::$channels, width, height, samples)
                })
            }
        }

        /// Like the conversion from a `DynamicImage`.
        impl<C: Deref<Target = [$sample]>> From<ImageBuffer<$pixel<$sample>, C>> for Image {
            fn from(buffer: ImageBuffer<$pixel<$sample>, C>) -> Self {
                Self::from(&buffer)
            }
        }
    )*};
}

from_buffers! {
    Luma<u8>: from_u8, Gray;
    LumaA<u8>: from_u8, GrayAlpha;
    Rgb<u8>: from_u8, Rgb;
    Rgba<u8>: from_u8, Rgba;
    Luma<u16>: from_u16, Gray;
    LumaA<u16>: from_u16, GrayAlpha;
    Rgb<u16>: from_u16, Rgb;
    Rgba<u16>: from_u16, Rgba;
    Luma<f32>: from_floats, Gray;
    LumaA<f32>: from_floats, GrayAlpha;
    Rgb<f32>: from_floats, Rgb;
    Rgba<f32>: from_floats, Rgba;
}

fn from_buffer<P: Pixel, C: Deref<Target = [P::Subpixel]>>(
    buffer: &ImageBuffer<P, C>,
    from_samples: impl Fn(u32, u32, &[P::Subpixel]) -> Result<Image>,
) -> Image {
    let (width, height) = buffer.dimensions();
    // The container may be longer than the image.
    let len = buffer.sample_layout().min_length();
    let samples = len.and_then(|len| buffer.as_raw().get(..len));
    from_samples(width, height, samples.unwrap_or_default()).unwrap_or(Image {
        width,
        height,
        content: Content::BadSides,
        warning: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::BoundingBox;

    #[test]
    fn every_pixel_type_keeps_its_samples() {
        // 3 x 2 pixels. Sample number i is i, or i / 16 as a float.
        let eight = |channels: u8| (0..6 * channels).collect::<Vec<u8>>();
        let sixteen = |channels: u16| (0..6 * channels).map(|i| i << 8 | 7).collect::<Vec<u16>>();
        let float = |channels: u8| {
            (0..6 * channels)
                .map(|i| f32::from(i) / 16.0)
                .collect::<Vec<f32>>()
        };
        fn buffer<P: Pixel>(samples: Vec<P::Subpixel>) -> ImageBuffer<P, Vec<P::Subpixel>> {
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
                Image::rgb_f32(3, 2, &float(3)),
            ),
            (
                DynamicImage::ImageRgba32F(buffer(float(4))),
                Image::rgba_f32(3, 2, &float(4)),
            ),
        ];
        for (given, want) in cases {
            let want = want.unwrap();
            assert_eq!(Image::from(&given), want, "{:?}", given.color());
            assert_eq!(Image::from(given), want);
        }
        let gray: ImageBuffer<Luma<f32>, _> = buffer(vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        let want = Image::gray8(3, 2, [0, 51, 102, 153, 204, 255]).unwrap();
        assert_eq!(Image::from(gray), want);
        let gray_alpha: ImageBuffer<LumaA<f32>, _> = buffer([1.0, 0.0].repeat(6));
        let want = Image::gray_alpha8(3, 2, [255, 0].repeat(6)).unwrap();
        assert_eq!(Image::from(&gray_alpha), want);
    }

    #[test]
    fn a_container_may_be_longer_than_its_image() {
        let want = Image::gray8(2, 1, [1, 2]).unwrap();
        let borrowed: ImageBuffer<Luma<u8>, &[u8]> =
            ImageBuffer::from_raw(2, 1, &[1, 2, 3][..]).unwrap();
        assert_eq!(Image::from(&borrowed), want);
        let owned: ImageBuffer<Luma<u8>, _> = ImageBuffer::from_raw(2, 1, vec![1, 2, 3]).unwrap();
        assert_eq!(Image::from(owned), want);
    }

    #[test]
    fn an_empty_image_cannot_be_encoded_or_drawn_on() {
        for (width, height) in [(0, 0), (0, 3), (3, 0)] {
            let image = Image::from(DynamicImage::new_rgb8(width, height));
            assert_eq!((image.width(), image.height()), (width, height));
            let problem =
                format!("expected sides of 1 to 2147483647 pixels, got {width} x {height}");
            let check = |result: Result<()>, what: &str| {
                assert_eq!(result.unwrap_err().to_string(), format!("{what}{problem}"));
            };
            check(image.encode().map(drop), "image: ");
            let each = [BoundingBox::new(0, 0, 1, 1)];
            check(image.with_boxes(each).map(drop), "image with boxes: ");
            check(
                Image::grid([&image], 1).map(drop),
                "grid images: number 0: ",
            );
            check(Image::sprite(&[&image]).map(drop), "thumbnails: number 0: ");
            check(Image::animation([image], 1).map(drop), "frames: number 0: ");
        }
    }
}
