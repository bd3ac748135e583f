//! Images for the images dashboard: pixels become PNG, animations GIF, and encoded files stay as they are.

// rustdoc lists the methods of `Image` in the order of these modules, and those of this file last.
mod pixels;

mod batch;

mod encoded;

mod animation;

mod grid;

mod heat_map;

mod boxes;

mod buffer;
mod canvas;
mod confusion;
mod format;
#[cfg(feature = "image")]
mod image_crate;

use png::{BitDepth, ColorType, Compression, Encoder};

use self::animation::Animation;
use self::buffer::Buffer;
use self::format::{Channels, Format};
use super::{Tag, plugin, tensor_value};
use crate::error::{Error, Result};
use crate::proto::summary::Value;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataClass, DataType, TensorProto, TensorShapeProto};

pub use boxes::BoundingBox;
pub use confusion::ConfusionMatrix;
pub use pixels::Sample;

/// The longest side that PNG allows.
const MAX_SIDE: u32 = i32::MAX.cast_unsigned();

/// An image for [`SummaryWriter::image`](crate::SummaryWriter::image). Needs the feature `png`, which is a default.
///
/// The name of a constructor says which channels a pixel has (`gray`, `gray_alpha`, `rgb`, `rgba`) and what a sample is
/// (`8` or `16` bits, or a float from 0 to 1: `f32`). The samples of a pixel are next to each other. If the name ends in `chw`
/// (channels, height, width), the channels come first instead: all red samples, then all green ones, and so on. Rows go from
/// top to bottom, pixels from left to right. The arguments start with the width, although the shape of an array usually
/// starts with the height. A constructor copies the samples; a thread of the writer compresses them to PNG, without loss.
///
/// ```
/// use summary_writer::Image;
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let (width, height) = (3, 2);
/// let red = Image::rgb8(width, height, [255, 0, 0].repeat(6))?;
/// summary.image("sample", red, 0);
///
/// // Many frameworks keep images this way: channels first, floating point.
/// let green = Image::rgb_f32_chw(width, height, &[[0.0f32; 6], [1.0; 6], [0.0; 6]].concat())?;
/// summary.image("prediction", green, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// With the feature `image`, the images of the crate [`image`](https://docs.rs/image) need no constructor:
///
#[cfg_attr(feature = "image", doc = "```")]
#[cfg_attr(not(feature = "image"), doc = "```ignore")]
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
/// let photo = image::DynamicImage::new_rgb8(640, 480); // or `image::open(path)?`
/// summary.image("photo", &photo, 0);
/// summary.image("blurred", photo.blur(2.0), 0);
/// summary.images("masks", [image::GrayImage::new(28, 28), image::GrayImage::new(28, 28)], 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    width: u32,
    height: u32,
    content: Content,
    /// A problem of its float samples, such as a range of 0 to 255. It is reported when the image is logged.
    warning: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Content {
    /// The pixels, row by row. Their number matches the sides.
    Pixels {
        format: Format,
        bytes: Buffer,
    },
    /// An image of the crate `image` with a side that PNG does not allow, usually 0.
    #[cfg_attr(
        not(feature = "image"),
        expect(dead_code, reason = "other constructors check the sides")
    )]
    BadSides,
    /// A PNG, JPEG or GIF file.
    File(Vec<u8>),
    Animation(Animation),
}

/// The pixels of an image, row by row.
#[derive(Clone, Copy, Debug)]
struct Pixels<'a> {
    width: usize,
    height: usize,
    format: Format,
    bytes: &'a [u8],
}

/// Sizes.
impl Image {
    /// The width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns a problem that is reported when the image is logged.
    pub(crate) fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// The memory that the image takes until it is encoded, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.content {
            Content::Pixels { bytes, .. } => bytes.len(),
            Content::File(file) => file.len(),
            Content::Animation(animation) => animation.bytes(),
            Content::BadSides => 0,
        }
    }

    /// The pixels, or the problem with an image that has none.
    fn pixels(&self) -> Result<Pixels<'_>, String> {
        match &self.content {
            Content::Pixels { format, bytes } => Ok(Pixels {
                width: self.width as usize,
                height: self.height as usize,
                format: *format,
                bytes,
            }),
            Content::BadSides => Err(format!(
                "expected sides of 1 to {MAX_SIDE} pixels, got {} x {}",
                self.width, self.height
            )),
            Content::File(_) => Err("expected pixels, got an encoded file".into()),
            Content::Animation(_) => Err("expected pixels, got an animation".into()),
        }
    }

    /// The file that the dashboard shows.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        match &self.content {
            Content::File(file) => Ok(file.clone()),
            Content::Animation(animation) => animation.encode(self.width, self.height),
            Content::Pixels { .. } | Content::BadSides => {
                let pixels = self
                    .pixels()
                    .map_err(|problem| Error::invalid("image", problem))?;
                encode_png(self.width, self.height, pixels.format, pixels.bytes)
            }
        }
    }
}

impl From<&Image> for Image {
    fn from(image: &Image) -> Self {
        image.clone()
    }
}

fn encode_png(width: u32, height: u32, format: Format, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(match format.channels {
        Channels::Gray => ColorType::Grayscale,
        Channels::GrayAlpha => ColorType::GrayscaleAlpha,
        Channels::Rgb => ColorType::Rgb,
        Channels::Rgba => ColorType::Rgba,
    });
    encoder.set_depth(match format.sample_bytes {
        1 => BitDepth::Eight,
        _ => BitDepth::Sixteen,
    });
    // This is many times faster than the default, and does not make photographs larger.
    encoder.set_compression(Compression::Fast);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer.write_image_data(bytes)?;
            writer.finish()
        })
        .map_err(|error| Error::stream("encode an image", error.into()))?;
    Ok(file)
}

/// The images of one step as one value: the width and height of the first one as text, then the encoded files.
pub(crate) fn images(prefix: &str, tag: &Tag<'_>, images: &[Image]) -> Result<Value> {
    let side = |side: fn(&Image) -> u32| images.first().map_or(0, side).to_string().into_bytes();
    let mut strings = vec![side(Image::width), side(Image::height)];
    for image in images {
        strings.push(image.encode()?);
    }
    let tensor = TensorProto {
        dtype: DataType::DtString.into(),
        tensor_shape: Some(TensorShapeProto {
            dim: vec![Dim {
                size: i64::try_from(strings.len()).unwrap_or(i64::MAX),
                name: String::new(),
            }],
            unknown_rank: false,
        }),
        string_val: strings,
        ..Default::default()
    };
    Ok(tensor_value(
        prefix,
        tag,
        plugin("images"),
        DataClass::BlobSequence,
        tensor,
    ))
}

#[cfg(test)]
mod tests;
