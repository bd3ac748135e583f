//! Pixels to PNG, and images to one value of the images dashboard.

mod animation;
mod boxes;
mod canvas;
mod confusion;
mod convert;
mod encoded;
mod grid;
#[cfg(feature = "image")]
mod image_crate;
mod palette;
mod pixels;
mod sprite;
mod text;

use std::fmt::Display;

use png::{BitDepth, ColorType, Compression, Encoder};

use super::{Tag, plugin, tensor_value};
use crate::error::{Error, Result};
use crate::proto::summary::Value;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataClass, DataType, TensorProto, TensorShapeProto};

pub use boxes::BoundingBox;
pub use confusion::ConfusionMatrix;
pub use pixels::Intensity;

/// PNG's longest side.
const MAX_SIDE: u32 = i32::MAX.cast_unsigned();

/// A picture for [`SummaryWriter::image`](crate::SummaryWriter::image).
///
/// The constructors are named by what a pixel has (`gray`, `gray_alpha`, `rgb`, `rgba`), by the type and range of its
/// samples (`8` and `16` bits, `0_to_1`), and by their order: a pixel's samples stand side by side, unless the name ends in
/// `planar`, where all of one channel come before all of the next. Rows go from the top, pixels from the left. The samples
/// are copied; they are compressed to PNG, without loss, on the writer's thread.
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
/// // As many frameworks keep images: channels first, floating point.
/// let green = Image::rgb_0_to_1_planar(width, height, &[[0.0; 6], [1.0; 6], [0.0; 6]].concat())?;
/// summary.image("prediction", green, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    width: u32,
    height: u32,
    content: Content,
}

#[derive(Clone, Debug, PartialEq)]
enum Content {
    /// Row by row; `bytes.len()` fits the sides.
    Pixels {
        format: Format,
        bytes: Vec<u8>,
    },
    /// PNG, JPEG or GIF.
    File(Vec<u8>),
    Animation(animation::Animation),
}

/// What a pixel has, and how it stands in memory: as PNG wants it, 16 bits with the high byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Format {
    channels: Channels,
    /// 1 or 2.
    sample_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channels {
    Gray,
    GrayAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    fn count(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::GrayAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

impl Image {
    /// In pixels, 1 or more.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// In pixels, 1 or more.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// What it takes in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.content {
            Content::Pixels { bytes, .. } | Content::File(bytes) => bytes.len(),
            Content::Animation(animation) => animation.bytes(),
        }
    }

    /// What can be drawn onto, and put beside others. An image that has no pixels is refused as argument `what`, in
    /// which it is called `which`.
    fn pixels(&self, what: &'static str, which: impl Display) -> Result<(Format, &[u8])> {
        let other = match &self.content {
            Content::Pixels { format, bytes } => return Ok((*format, bytes)),
            Content::File(_) => "an encoded file",
            Content::Animation(_) => "an animation",
        };
        let problem = format!("{which} is {other}, one of pixels fits");
        Err(Error::invalid(what, problem))
    }

    /// The file that a browser shows.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        match &self.content {
            Content::Pixels { format, bytes } => {
                encode_png(self.width, self.height, *format, bytes)
            }
            Content::File(file) => Ok(file.clone()),
            Content::Animation(animation) => animation.encode(self.width, self.height),
        }
    }
}

fn encode_png(width: u32, height: u32, format: Format, bytes: &[u8]) -> Result<Vec<u8>> {
    // Of noise the file is a little larger than the pixels; growing into that would hold the double for a moment.
    let mut file = Vec::with_capacity(bytes.len() + bytes.len() / 64 + 1024);
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
    // Many times faster than the default, and no larger on photographs.
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

fn check_side(what: &'static str, side: u32) -> Result<()> {
    if (1..=MAX_SIDE).contains(&side) {
        Ok(())
    } else {
        let problem = format!("{side} is given, 1 to {MAX_SIDE} pixels fit");
        Err(Error::invalid(what, problem))
    }
}

/// The samples of one step: their width and height as text, and the files.
pub(crate) fn images(prefix: &str, tag: &Tag<'_>, images: &[Image]) -> Result<Value> {
    let first = images.first();
    let side = |side: fn(&Image) -> u32| first.map_or(0, side).to_string().into_bytes();
    let mut strings = vec![side(Image::width), side(Image::height)];
    for image in images {
        strings.push(image.encode()?);
    }
    let size = i64::try_from(strings.len()).unwrap_or(i64::MAX);
    let name = String::new();
    let tensor = TensorProto {
        dtype: DataType::DtString.into(),
        tensor_shape: Some(TensorShapeProto {
            dim: vec![Dim { size, name }],
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
