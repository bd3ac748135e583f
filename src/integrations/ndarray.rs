//! Histograms, images and embeddings from the arrays and views of [`ndarray`](https://docs.rs/ndarray).

use ::ndarray::{ArrayBase, Data, Dimension, Ix2};

use crate::embedding::Embedding;
use crate::error::Result;
use crate::summary::{Histogram, Scalar};

/// Counts all numbers of an array or a view of any shape and layout. The numbers are copied if they are not contiguous.
/// Needs the feature `ndarray`.
///
/// ```
/// use ndarray::{Array2, s};
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let weights = Array2::<f32>::zeros((64, 10));
/// summary.histogram("weights", &weights, 0);
/// summary.histogram("weights/of 0", weights.column(0), 0);
/// summary.histogram("weights/of odd", weights.slice(s![.., 1..;2]), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<T: Scalar, S: Data<Elem = T>, D: Dimension> From<&ArrayBase<S, D>> for Histogram {
    fn from(values: &ArrayBase<S, D>) -> Self {
        match values.as_slice_memory_order() {
            Some(values) => Self::new(values),
            None => Self::new(&values.iter().copied().collect::<Vec<_>>()),
        }
    }
}

/// Counts the same as for a reference.
impl<T: Scalar, S: Data<Elem = T>, D: Dimension> From<ArrayBase<S, D>> for Histogram {
    fn from(values: ArrayBase<S, D>) -> Self {
        Self::from(&values)
    }
}

/// From arrays of the crate `ndarray`.
impl Embedding {
    /// Creates an embedding from an array or a view that has a row for each point, in any layout. Needs the feature
    /// `ndarray`.
    ///
    /// ```
    /// use ndarray::{Array2, s};
    /// use summary_writer::Embedding;
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let activations = Array2::<f32>::ones((500, 64));
    /// summary.embedding(Embedding::from_array("hidden", &activations)?, 0)?;
    /// summary.embedding(Embedding::from_array("first", &activations.slice(s![..100, ..]))?, 0)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`new`](Self::new).
    pub fn from_array<T: Scalar>(
        tag: impl Into<String>,
        points: &ArrayBase<impl Data<Elem = T>, Ix2>,
    ) -> Result<Self> {
        let rows = points.as_standard_layout();
        Self::new(tag, rows.as_slice().unwrap_or_default(), points.ncols())
    }
}

#[cfg(feature = "png")]
pub(crate) mod image {
    use ::ndarray::{ArrayBase, ArrayViewD, Data, Dimension, Ix2};

    use crate::error::{Error, Result};
    use crate::summary::{Image, Sample, Scalar};

    /// From arrays of the crate `ndarray`.
    impl Image {
        /// Creates an image from an array or a view with its channels last: `[height, width]` is gray, and
        /// `[height, width, channels]` with 1, 2, 3 or 4 channels is gray, gray with alpha, RGB, or RGBA. The array may have
        /// any layout in memory. The type of the samples says what white is: see [`Sample`]. Needs the feature `ndarray`.
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
        /// summary.image("batch", Image::grid(Image::from_nhwc(&batch)?, 8)?, 0);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        ///
        /// # Errors
        /// [`Error::Invalid`](crate::Error::Invalid) if the shape is different, or if a side is 0.
        pub fn from_hwc<T: Sample>(
            image: &ArrayBase<impl Data<Elem = T>, impl Dimension>,
        ) -> Result<Self> {
            channels_last(image.view().into_dyn()).unwrap_or_else(|| {
                Err(invalid(
                    "[height, width] or [height, width, channels]",
                    image.shape(),
                    "`from_chw` takes channels first",
                ))
            })
        }

        /// Creates an image from an array or a view with its channels first: `[channels, height, width]`, or
        /// `[height, width]`. Otherwise the same as [`from_hwc`](Self::from_hwc). Needs the feature `ndarray`.
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
        /// The same as for [`from_hwc`](Self::from_hwc).
        pub fn from_chw<T: Sample>(
            image: &ArrayBase<impl Data<Elem = T>, impl Dimension>,
        ) -> Result<Self> {
            let pixels = image.view().into_dyn();
            let pixels = match pixels.ndim() {
                3 => pixels.permuted_axes(vec![1, 2, 0]),
                _ => pixels,
            };
            channels_last(pixels).unwrap_or_else(|| {
                Err(invalid(
                    "[height, width] or [channels, height, width]",
                    image.shape(),
                    "`from_hwc` takes channels last",
                ))
            })
        }

        /// Creates the images of a batch from an array or a view `[count, channels, height, width]`, for
        /// [`SummaryWriter::images`](crate::SummaryWriter::images) or [`grid`](Self::grid). Each is converted as by
        /// [`from_chw`](Self::from_chw). Needs the feature `ndarray`.
        ///
        /// ```
        /// use ndarray::Array4;
        /// use summary_writer::Image;
        /// # let dir = tempfile::tempdir()?;
        /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
        ///
        /// let batch = Array4::<f32>::zeros((16, 3, 28, 28));
        /// summary.image("batch/grid", Image::grid(Image::from_nchw(&batch)?, 8)?, 0);
        /// summary.images("batch/slider", Image::from_nchw(&batch)?, 0);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        ///
        /// # Errors
        /// The same as for [`from_hwc`](Self::from_hwc).
        pub fn from_nchw<T: Sample>(
            batch: &ArrayBase<impl Data<Elem = T>, impl Dimension>,
        ) -> Result<Vec<Self>> {
            images(
                batch.view().into_dyn(),
                "[count, channels, height, width]",
                |image| Self::from_chw(&image),
            )
        }

        /// Creates the images of a batch from an array or a view `[count, height, width, channels]`. Otherwise the same as
        /// [`from_nchw`](Self::from_nchw). Needs the feature `ndarray`.
        ///
        /// # Errors
        /// The same as for [`from_hwc`](Self::from_hwc).
        pub fn from_nhwc<T: Sample>(
            batch: &ArrayBase<impl Data<Elem = T>, impl Dimension>,
        ) -> Result<Vec<Self>> {
            images(
                batch.view().into_dyn(),
                "[count, height, width, channels]",
                |image| Self::from_hwc(&image),
            )
        }

        /// Creates a [`heat_map`](Self::heat_map) from an array or a view of two dimensions, in any layout. Needs the
        /// feature `ndarray`.
        ///
        /// ```
        /// use ndarray::Array2;
        /// use summary_writer::Image;
        /// # let dir = tempfile::tempdir()?;
        /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
        ///
        /// let attention = Array2::<f32>::eye(16);
        /// summary.image("attention", Image::heat_map_from_array(&attention)?, 0);
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        ///
        /// # Errors
        /// [`Error::Invalid`](crate::Error::Invalid) if a side is 0.
        pub fn heat_map_from_array<T: Scalar>(
            values: &ArrayBase<impl Data<Elem = T>, Ix2>,
        ) -> Result<Self> {
            let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
            let (width, height) = (side(values.ncols()), side(values.nrows()));
            let values = values.as_standard_layout();
            Self::heat_map(width, height, values.as_slice().unwrap_or_default())
        }
    }

    fn images<T>(
        batch: ArrayViewD<'_, T>,
        expected: &str,
        convert: impl Fn(ArrayViewD<'_, T>) -> Result<Image>,
    ) -> Result<Vec<Image>> {
        if batch.ndim() == 4 {
            return batch.outer_iter().map(convert).collect();
        }
        let problem = format!("expected shape {expected}, got {:?}", batch.shape());
        Err(Error::invalid("image batch", problem))
    }

    /// Returns `None` if the shape is not one of an image.
    fn channels_last<T: Sample>(pixels: ArrayViewD<'_, T>) -> Option<Result<Image>> {
        let (height, width, channels) = match *pixels.shape() {
            [height, width] => (height, width, 1),
            [height, width, channels @ 1..=4] => (height, width, channels),
            _ => return None,
        };
        let pixels = pixels.as_standard_layout();
        let samples = pixels.as_slice().unwrap_or_default();
        Some(Image::from_samples(samples, [height, width, channels]))
    }

    fn invalid(expected: &str, shape: &[usize], hint: &str) -> Error {
        let problem = format!(
            "expected shape {expected} with 1 to 4 channels, got {shape:?}; {hint}, `from_nchw` \
             and `from_nhwc` take a batch"
        );
        Error::invalid("image array", problem)
    }
}
