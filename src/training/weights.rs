//! Histograms and pictures of the weights of a model.

use crate::error::Error;
#[cfg(feature = "png")]
use crate::summary::Image;
use crate::summary::Scalar;
use crate::writer::SummaryWriter;

/// Logs the weights of a model at an epoch. [`TrainingLogger::weights`](crate::TrainingLogger::weights) creates it.
#[derive(Debug)]
pub struct Weights<'a> {
    train: &'a SummaryWriter,
    epoch: i64,
    #[cfg_attr(
        not(feature = "png"),
        expect(dead_code, reason = "there are no images")
    )]
    write_images: bool,
    failure: Option<Error>,
}

impl<'a> Weights<'a> {
    pub(super) fn new(train: &'a SummaryWriter, epoch: i64, write_images: bool) -> Self {
        Self {
            train,
            epoch,
            write_images,
            failure: None,
        }
    }

    pub(super) fn into_failure(self) -> Option<Error> {
        self.failure
    }

    /// Logs one weight: a histogram of its `values`, which are in row-major order of `shape`, and a picture with
    /// [`write_images`](crate::TrainingLogger::write_images). A `:` in `name` becomes `_`, as in Keras.
    ///
    /// In the picture, 0 is middle gray, the largest magnitude is black or white, and NaN is black. Keras clips values to the
    /// range from 0 to 1 instead, which hides most of a weight. Sides of 1 are removed from the shape. Then the picture depends
    /// on the number of dimensions:
    ///
    /// - One: a row.
    /// - Two: the matrix, transposed if it has more rows than columns.
    /// - Three: a grid of the first 64 kernels. The first dimension counts kernels, as in PyTorch.
    /// - Otherwise, or if a side is above 65,535: no picture.
    ///
    /// If the number of values does not match the shape, only the histogram is logged, and
    /// [`on_train_end`](crate::TrainingLogger::on_train_end) returns an error.
    pub fn add<T: Scalar>(&mut self, name: &str, shape: &[usize], values: &[T]) {
        let name = name.replace(':', "_");
        let histogram_tag = format!("{name}/histogram");
        self.train.histogram(histogram_tag, values, self.epoch);
        let mut sides = shape.iter();
        let count = sides.try_fold(1usize, |count, &side| count.checked_mul(side));
        if count == Some(values.len()) {
            #[cfg(feature = "png")]
            if self.write_images
                && let Some(picture) = picture(shape, values)
            {
                let image_tag = format!("{name}/image");
                self.train.image(image_tag, picture, self.epoch);
            }
        } else {
            let len = values.len();
            let problem =
                format!("must have as many values as its shape, got {len} for {name:?} {shape:?}");
            let error = Error::invalid("weight", problem);
            self.failure.get_or_insert(error);
        }
    }
}

/// With more kernels, each would be too small.
#[cfg(feature = "png")]
const MAX_KERNELS: usize = 64;
/// Browsers show no picture with a longer side.
#[cfg(feature = "png")]
const MAX_SIDE: usize = 65_535;

/// Draws values that match the shape. Returns `None` if the shape has no picture.
#[cfg(feature = "png")]
fn picture<T: Scalar>(shape: &[usize], values: &[T]) -> Option<Image> {
    let sides: Vec<usize> = shape.iter().copied().filter(|&side| side != 1).collect();
    let (kernels, rows, columns) = match *sides {
        [columns] => (1, 1, columns),
        [rows, columns] => (1, rows, columns),
        [kernels, rows, columns] => (kernels.min(MAX_KERNELS), rows, columns),
        _ => return None,
    };
    if values.is_empty() || rows > MAX_SIDE || columns > MAX_SIDE {
        return None;
    }
    let values = values.iter().take(kernels * rows * columns);
    let values: Vec<f32> = values.map(|value| value.to_f32()).collect();
    let magnitudes = values.iter().map(|value| value.abs());
    let largest = magnitudes
        .filter(|magnitude| magnitude.is_finite())
        .fold(f32::MIN_POSITIVE, f32::max);
    let shade = |value: &f32| 0.5 + 0.5 * (value.clamp(-largest, largest) / largest);
    let shades: Vec<f32> = values.iter().map(shade).collect();

    if sides.len() == 2 && rows > columns {
        let column = |i| shades.iter().skip(i).step_by(columns).copied();
        let transposed: Vec<f32> = (0..columns).flat_map(column).collect();
        return gray(columns, rows, &transposed);
    }
    let kernel_shades = shades.chunks_exact(rows * columns);
    let images: Option<Vec<Image>> = kernel_shades
        .map(|shades| gray(rows, columns, shades))
        .collect();
    match images?.as_slice() {
        [image] => Some(image.clone()),
        images => Image::grid(images, kernels.isqrt()).ok(),
    }
}

#[cfg(feature = "png")]
fn gray(rows: usize, columns: usize, shades: &[f32]) -> Option<Image> {
    let (width, height) = (columns.try_into().ok()?, rows.try_into().ok()?);
    Image::gray_f32(width, height, shades).ok()
}
