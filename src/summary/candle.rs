//! The tensors of [`candle-core`](https://docs.rs/candle-core) as scalars, histograms and images: of any number type, with
//! `bf16` and `f16`, on any device, with any strides. For the feature `candle`.
//!
//! ```
//! use candle_core::{DType, Device, Tensor, Var};
//! use summary_writer::{Histogram, Image, candle};
//! # let dir = tempfile::tempdir()?;
//! # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
//!
//! let weights = Var::randn(0f32, 1.0, (10, 64), &Device::Cpu)?;
//! let loss = weights.as_tensor().sqr()?.mean_all()?;
//! let gradients = loss.backward()?;
//!
//! summary.scalar("loss", candle::scalar(&loss)?, 0);
//! summary.histogram("weights", Histogram::try_from(weights.as_tensor())?, 0);
//! if let Some(gradient) = gradients.get(&weights) {
//!     summary.histogram("gradients", Histogram::try_from(gradient)?, 0);
//! }
//!
//! // Channels first, as candle has them.
//! let batch = Tensor::rand(0f32, 1.0, (16, 3, 28, 28), &Device::Cpu)?.to_dtype(DType::BF16)?;
//! summary.image("first", Image::try_from(&batch.get(0)?)?, 0);
//! summary.image("batch", Image::grid(candle::images(&batch)?, 8)?, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Numbers on a device are copied from it, which waits for what is computed there. On the processor nothing is copied unless
//! the type is converted or the elements do not stand side by side. No tensor is kept, and no gradient goes through.

use std::io;

use candle_core::{DType, Device, Storage, Tensor, WithDType};

#[cfg(feature = "png")]
use super::Image;
use crate::error::{Error, Result};

/// The number of a tensor of one element, of whatever rank; of a 64-bit integer the nearest `f64`.
///
/// # Errors
/// [`Error::Invalid`] if there is not one element; [`Error::Io`] if candle fails, as at a device that is gone.
pub fn scalar(tensor: &Tensor) -> Result<f64> {
    let number = match tensor.elem_count() {
        1 => read(tensor, |numbers: &[f64]| numbers.first().copied())?,
        _ => None,
    };
    number.ok_or_else(|| {
        let problem = format!(
            "shape {:?} is given, one of a single element fits; `mean_all()` makes one",
            tensor.dims()
        );
        Error::invalid("scalar tensor", problem)
    })
}

/// The images of a batch `[count, channels, height, width]`, each as [`Image`] takes a tensor: for
/// [`SummaryWriter::images`](crate::SummaryWriter::images) or for [`Image::grid`].
///
/// # Errors
/// [`Error::Invalid`] if the shape is another one or has not 1 to 4 channels, if a side is 0, or if the numbers are integers
/// but not `U8`; [`Error::Io`] if candle fails.
#[cfg(feature = "png")]
pub fn images(batch: &Tensor) -> Result<Vec<Image>> {
    let advice = match batch.dims() {
        [_, 1..=4, _, _] => {
            let batch = on_cpu(batch).map_err(failed)?;
            let image = |i| Image::try_from(&batch.get(i).map_err(failed)?);
            return (0..batch.dims()[0]).map(image).collect();
        }
        [_, _, _, 1..=4] => "; `permute((0, 3, 1, 2))` puts channels first",
        [1..=4, _, _] => "; `Image::try_from` takes one image",
        [_, _, _] => "; `unsqueeze(1)` makes the channel of gray images",
        _ => "",
    };
    let problem = format!(
        "shape {:?} is given, [count, channels, height, width] with 1 to 4 channels fits{advice}",
        batch.dims()
    );
    Err(Error::invalid("image batch", problem))
}

/// Gives `act` the elements in row-major order, as a `T`, into which they are converted.
pub(super) fn read<T: WithDType, R>(tensor: &Tensor, act: impl FnOnce(&[T]) -> R) -> Result<R> {
    let tensor = on_cpu(tensor)
        .and_then(|tensor| convert(tensor, T::DTYPE)?.contiguous())
        .map_err(failed)?;
    let (storage, layout) = tensor.storage_and_layout();
    let elements = match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(storage), Some((start, end))) => {
            storage.as_slice().map_err(failed)?.get(start..end)
        }
        _ => None,
    };
    // They are there, for that is what was just made of the tensor.
    let missing = || candle_core::Error::Msg("its elements are not side by side".into());
    elements.map(act).ok_or_else(|| failed(missing()))
}

fn convert(tensor: Tensor, dtype: DType) -> candle_core::Result<Tensor> {
    match tensor.dtype() {
        DType::F64 => tensor.to_dtype(dtype),
        // F32 has all numbers of the smaller ones; the straight way from F8E4M3 to F64 overflows the stack in candle 0.11.
        smaller if smaller.is_float() => tensor.to_dtype(DType::F32)?.to_dtype(dtype),
        _ => tensor.to_dtype(dtype),
    }
}

fn on_cpu(tensor: &Tensor) -> candle_core::Result<Tensor> {
    let tensor = tensor.detach();
    if tensor.device().is_cpu() {
        return Ok(tensor);
    }
    // What goes over is all of the storage, of which a tensor with strides may be a small part.
    tensor.contiguous()?.to_device(&Device::Cpu)
}

pub(super) fn failed(error: candle_core::Error) -> Error {
    Error::stream("read a tensor", io::Error::other(error))
}
