//! The arrays of the crate `ndarray` to images.

use std::borrow::Cow;

use ::ndarray::{ArrayBase, ArrayViewD, Data, Dimension};

use super::Image;
use super::pixels::{big_endian, to_u8};
use super::shape::{self, Axes};
use crate::error::Result;

impl Image {
    /// Of an array or a view with its channels last. `[height, width]` is gray; `[height, width, channels]` is gray, gray
    /// with opacity, colour, or colour with opacity, as there are 1, 2, 3 or 4 channels. Any layout in memory fits; the
    /// samples are copied. What they mean, their type says: [`Sample`].
    ///
    /// ```
    /// use ndarray::{Array2, Array4, s};
    /// use summary_writer::Image;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let mask = Array2::from_shape_fn((28, 28), |(y, x)| if x < y { 1.0f32 } else { 0.0 });
    /// summary.image("mask", Image::from_hwc(&mask)?, 0);
    /// summary.image("mask/center", Image::from_hwc(&mask.slice(s![7..21, 7..21]))?, 0);
    ///
    /// let batch = Array4::<u8>::zeros((16, 28, 28, 3));
    /// let images = batch.outer_iter().map(|image| Image::from_hwc(&image));
    /// let grid = Image::grid(images.collect::<Result<Vec<_>, _>>()?, 8)?;
    /// summary.image("batch", grid, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) if the shape is another one, or a side is 0.
    pub fn from_hwc<T: Sample>(
        image: &ArrayBase<impl Data<Elem = T>, impl Dimension>,
    ) -> Result<Self> {
        Self::of_array(image.view().into_dyn(), Axes::HeightWidthChannels)
    }

    /// As [`from_hwc`](Self::from_hwc), with the channels first: `[channels, height, width]`, or `[height, width]`.
    ///
    /// ```
    /// use ndarray::Array3;
    /// use summary_writer::Image;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let red = |channel| if channel == 0 { 1.0f32 } else { 0.0 };
    /// let image = Array3::from_shape_fn((3, 28, 28), |(channel, _, _)| red(channel));
    /// summary.image("red", Image::from_chw(&image)?, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`from_hwc`](Self::from_hwc).
    pub fn from_chw<T: Sample>(
        image: &ArrayBase<impl Data<Elem = T>, impl Dimension>,
    ) -> Result<Self> {
        Self::of_array(image.view().into_dyn(), Axes::ChannelsHeightWidth)
    }

    fn of_array<T: Sample>(array: ArrayViewD<'_, T>, axes: Axes) -> Result<Self> {
        let advice = |shape: &[usize]| match (shape, axes) {
            ([1..=4, _, _], Axes::HeightWidthChannels) => "; `from_chw` takes channels first",
            ([_, _, 1..=4], Axes::ChannelsHeightWidth) => "; `from_hwc` takes channels last",
            ([_, _, _, _], _) => "; of a batch, give each of its `outer_iter()`",
            _ => "",
        };
        let (channels, width, height) = shape::check("image array", array.shape(), axes, advice)?;
        let array = match (array.ndim(), axes) {
            (3, Axes::ChannelsHeightWidth) => array.permuted_axes(vec![1, 2, 0]),
            _ => array,
        };
        let samples = match array.to_slice() {
            Some(samples) => samples.into(),
            None => array.iter().copied().collect(),
        };
        let bytes = T::to_bytes(samples);
        Ok(Self::of(channels, T::BYTES, width, height, bytes))
    }
}

/// A sample of an image that an array holds: `u8`, of which 255 is white, `u16`, of which 65,535 is white and which keeps all
/// its bits, and `f32` and `f64`, taken as [`gray_0_to_1`](Image::gray_0_to_1) takes them.
pub trait Sample: Copy + sealed::Sealed {}

#[allow(unnameable_types, reason = "so that nobody else implements it")]
mod sealed {
    use std::borrow::Cow;

    pub trait Sealed: Copy {
        /// Of a sample in an image, 1 or 2.
        const BYTES: usize;

        fn to_bytes(samples: Cow<'_, [Self]>) -> Vec<u8>;
    }
}

macro_rules! samples {
    ($($sample:ty, $bytes:literal, $to_bytes:expr;)*) => {$(
        impl Sample for $sample {}
        impl sealed::Sealed for $sample {
            const BYTES: usize = $bytes;
            fn to_bytes(samples: Cow<'_, [Self]>) -> Vec<u8> {
                $to_bytes(samples)
            }
        }
    )*};
}

samples! {
    u8, 1, Cow::into_owned;
    u16, 2, |samples: Cow<'_, _>| big_endian(&samples);
    f32, 1, |samples: Cow<'_, _>| to_u8::<Self>(&samples);
    f64, 1, |samples: Cow<'_, _>| to_u8::<Self>(&samples);
}
