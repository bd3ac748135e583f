//! The weights of a model to histograms and pictures.

use crate::error::Error;
#[cfg(feature = "png")]
use crate::summary::Image;
use crate::summary::Scalar;
use crate::writer::SummaryWriter;

/// Takes the weights of a model at an epoch, of [`TrainingLogger::weights`](super::TrainingLogger::weights).
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

    /// Logs one weight: a histogram of its `values`, row by row in `shape`, and a picture if
    /// [`write_images`](super::TrainingLogger::write_images) says so. A `:` in `name` becomes `_`, as in Keras.
    ///
    /// The picture shows 0 as middle gray, and the largest magnitude as black or white, NaN as black (Keras cuts off what is not between 0
    /// and 1, which is most of a weight). Sides of 1 are left out of the shape. A vector is a row; a matrix is turned if it
    /// is higher than wide; of three dimensions the first counts kernels, as in torch, which stand in a grid, the first 64.
    /// Others have no picture, nor has one with a side above 65,535, or of more than 1 GiB.
    ///
    /// Values that do not fit the shape have their histogram and no picture; that is reported, and comes back from
    /// [`on_train_end`](super::TrainingLogger::on_train_end).
    pub fn add<T: Scalar>(&mut self, name: &str, shape: &[usize], values: &[T]) {
        let name = name.replace(':', "_");
        self.train
            .histogram(format!("{name}/histogram"), values, self.epoch);
        let fits = shape
            .iter()
            .try_fold(1usize, |product, &side| product.checked_mul(side));
        if fits == Some(values.len()) {
            #[cfg(feature = "png")]
            if self.write_images
                && let Some(picture) = picture(shape, values)
            {
                self.train
                    .image(format!("{name}/image"), picture, self.epoch);
            }
        } else {
            let len = values.len();
            let problem = format!("the shape is {shape:?}, which {len} values do not fit");
            let error = Error::invalid("weight", format!("{name:?}: {problem}"));
            self.failure.get_or_insert(error);
        }
    }
}

/// Kernels that a picture has at the most: more of them are too small to be told from each other.
#[cfg(feature = "png")]
const KERNELS: usize = 64;
/// A side that a picture has at the most, in pixels.
#[cfg(feature = "png")]
const MAX_SIDE: usize = 65_535;

/// `None` where the shape has no picture. The values fit the shape.
#[cfg(feature = "png")]
fn picture<T: Scalar>(shape: &[usize], values: &[T]) -> Option<Image> {
    let sides: Vec<usize> = shape.iter().copied().filter(|&side| side != 1).collect();
    let (kernels, rows, columns) = match *sides {
        [columns] => (1, 1, columns),
        [rows, columns] => (1, rows, columns),
        [kernels, rows, columns] => (kernels, rows, columns),
        _ => return None,
    };
    if values.is_empty() || rows > MAX_SIDE || columns > MAX_SIDE {
        return None;
    }
    let shown = rows * columns * kernels.min(KERNELS); // not more than there are values
    let values = values.iter().take(shown).map(|value| value.to_f32());
    let magnitudes = values
        .clone()
        .map(f32::abs)
        .filter(|value| value.is_finite());
    let largest = magnitudes.fold(0.0, f32::max);
    // Of zeros only, all are middle gray.
    let shade = |value: f32| match largest {
        0.0 if value.is_finite() => 0.5,
        _ => 0.5 + 0.5 * (value.clamp(-largest, largest) / largest),
    };
    let shades: Vec<f32> = values.map(shade).collect();

    let planes = shades.chunks_exact(rows * columns);
    let images = planes.map(|plane| match sides.len() == 2 && rows > columns {
        true => {
            let turned = (0..columns).flat_map(|column| plane.iter().skip(column).step_by(columns));
            let turned: Vec<f32> = turned.copied().collect();
            gray(columns, rows, &turned)
        }
        false => gray(rows, columns, plane),
    });
    let images = images.collect::<Option<Vec<Image>>>()?;
    match images.len() {
        1 => images.into_iter().next(),
        _ => Image::grid(&images, kernels.min(KERNELS).isqrt()).ok(),
    }
}

#[cfg(feature = "png")]
fn gray(rows: usize, columns: usize, shades: &[f32]) -> Option<Image> {
    let (width, height) = (columns.try_into().ok()?, rows.try_into().ok()?);
    Image::gray_0_to_1(width, height, shades).ok()
}
