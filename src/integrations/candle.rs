//! Scalars, histograms and images from the tensors of [`candle-core`](https://docs.rs/candle-core). Needs the feature
//! `candle`.
//!
//! Tensors may have any number type, including `bf16` and `f16`, any strides, and be on any device.
//!
//! ```
//! use candle_core::{DType, Device, Tensor, Var};
//! use summary_writer::integrations::candle;
//! use summary_writer::{Histogram, Image};
//! # let dir = tempfile::tempdir()?;
//! # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
//!
//! let weights = Var::randn(0f32, 1.0, (10, 64), &Device::Cpu)?;
//! let loss = weights.as_tensor().sqr()?.mean_all()?;
//! let gradients = loss.backward()?;
//!
//! summary.scalar("loss", candle::scalar(&loss)?, 0);
//! summary.histogram("activations", Histogram::try_from(&weights.relu()?)?, 0);
//! candle::log_vars(&summary, [("weights", &weights)], 0)?; // the tag `parameters/weights`
//! candle::log_grads(&summary, [("weights", &weights)], &gradients, 0)?; // the tag `gradients/weights`
//!
//! // Channels first, as usual in candle.
//! let batch = Tensor::rand(0f32, 1.0, (16, 3, 28, 28), &Device::Cpu)?.to_dtype(DType::BF16)?;
//! summary.image("first", Image::try_from(&batch.get(0)?)?, 0);
//! summary.image("batch", Image::grid(candle::images(&batch)?, 8)?, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The numbers are copied from the device, which waits until they are computed. Histograms of contiguous `F32` and `F64` tensors
//! on the CPU are counted without a copy. No tensor is kept.
//!
//! # All variables of a `VarMap`
//!
//! With `candle-nn`, this logs histograms of all variables and of their gradients:
//!
//! ```text
//! let gradients = loss.backward()?;
//! optimizer.step(&gradients)?;
//! let vars = varmap.data().lock().unwrap();
//! candle::log_vars(&summary, vars.iter(), step)?;
//! candle::log_grads(&summary, vars.iter(), &gradients, step)?;
//! ```
//!
//! # If rustc reports two versions of `candle_core` (E0308)
//!
//! This crate takes candle 0.9 to 0.11, and Cargo may choose the newest of them for it although your program has an older one.
//! A tensor of one version is another type than that of the other. This makes both use the version of the program, here
//! 0.9.2: `cargo update candle-core@0.11 --precise 0.9.2`.
//!
//! The same command helps with Rust 1.88, which cannot compile candle 0.11.1.

use std::io;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Storage, Tensor, Var, WithDType};

use crate::error::{Error, Result};
use crate::event::Step;
#[cfg(feature = "png")]
use crate::summary::Image;
use crate::summary::{Histogram, Scalar};
use crate::writer::SummaryWriter;

/// Returns the number in a tensor of one element and any rank. A 64-bit integer is rounded to the nearest `f64`.
///
/// # Errors
/// [`Error::Invalid`] if there is not exactly one element; [`Error::Io`] if candle fails.
pub fn scalar(tensor: &Tensor) -> Result<f64> {
    if let [number] = read::<f64>(tensor)?[..] {
        return Ok(number);
    }
    let problem = format!(
        "expected one element, as `mean_all()` makes it, got shape {:?}",
        tensor.dims()
    );
    Err(Error::invalid("scalar tensor", problem))
}

/// Logs a histogram of each variable, with the tag `parameters/NAME`.
///
/// # Errors
/// [`Error::Io`] if candle fails. The variables before it are logged.
pub fn log_vars<'a, N: AsRef<str>>(
    summary: &SummaryWriter,
    vars: impl IntoIterator<Item = (N, &'a Var)>,
    step: impl Step,
) -> Result<()> {
    let tensors = vars.into_iter().map(|(name, var)| (name, var.as_tensor()));
    log_histograms(summary, "parameters", tensors, step)
}

/// Logs a histogram of the gradient of each variable that has one, with the tag `gradients/NAME`.
///
/// # Errors
/// [`Error::Io`] if candle fails. The gradients before it are logged.
pub fn log_grads<'a, N: AsRef<str>>(
    summary: &SummaryWriter,
    vars: impl IntoIterator<Item = (N, &'a Var)>,
    gradients: &GradStore,
    step: impl Step,
) -> Result<()> {
    let vars = vars.into_iter();
    let tensors = vars.filter_map(|(name, var)| Some((name, gradients.get(var.as_tensor())?)));
    log_histograms(summary, "gradients", tensors, step)
}

fn log_histograms<'a, N: AsRef<str>>(
    summary: &SummaryWriter,
    group: &str,
    tensors: impl Iterator<Item = (N, &'a Tensor)>,
    step: impl Step,
) -> Result<()> {
    // Copying from the device is slow.
    if !summary.is_recording(step) {
        return Ok(());
    }
    for (name, tensor) in tensors {
        let tag = format!("{group}/{}", name.as_ref());
        summary.histogram(tag, Histogram::try_from(tensor)?, step);
    }
    Ok(())
}

/// Returns the images of a batch `[count, channels, height, width]`, for
/// [`SummaryWriter::images`](crate::SummaryWriter::images) or [`Image::grid`]. Each is converted as
/// [`Image::try_from`](Image#impl-TryFrom<%26Tensor>-for-Image) converts a tensor. Needs the feature `png`, which is a
/// default.
///
/// # Errors
/// [`Error::Invalid`] if the shape is different, if there are not 1 to 4 channels, if a side is 0, or if the elements are
/// integers other than `U8`; [`Error::Io`] if candle fails.
#[cfg(feature = "png")]
pub fn images(batch: &Tensor) -> Result<Vec<Image>> {
    let [count, 1..=4, _, _] = *batch.dims() else {
        let problem = format!(
            "expected shape [count, channels, height, width] with 1 to 4 channels, got {:?}; \
             `permute((0, 3, 1, 2))` moves channels to the front, `unsqueeze(1)` adds the channel of gray images",
            batch.dims()
        );
        return Err(Error::invalid("image batch", problem));
    };
    // One copy from the device instead of one for each image.
    let batch = batch.to_device(&Device::Cpu).map_err(failed)?;
    (0..count)
        .map(|i| Image::try_from(&batch.get(i).map_err(failed)?))
        .collect()
}

/// Returns a [heat map](Image::heat_map) of a tensor `[height, width]`, for example of attention weights. `tensor.get(i)` is
/// a channel of a feature map. Needs the feature `png`, which is a default.
///
/// # Errors
/// [`Error::Invalid`] if the shape is different, or if a side is 0; [`Error::Io`] if candle fails.
#[cfg(feature = "png")]
pub fn heat_map(tensor: &Tensor) -> Result<Image> {
    let [height, width] = *tensor.dims() else {
        let problem = format!("expected shape [height, width], got {:?}", tensor.dims());
        return Err(Error::invalid("heat map tensor", problem));
    };
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    Image::heat_map(side(width), side(height), &read::<f32>(tensor)?)
}

/// Counts all elements of a tensor of any shape, number type and device.
///
/// # Errors
/// [`Error::Io`] if candle fails.
impl TryFrom<&Tensor> for Histogram {
    type Error = Error;

    fn try_from(tensor: &Tensor) -> Result<Self> {
        if is_small_float(tensor.dtype()) {
            count_elements::<f32>(tensor)
        } else {
            count_elements::<f64>(tensor)
        }
    }
}

/// Counts the elements where they are if they are contiguous, on the CPU and of the type `T`. Others are copied first.
fn count_elements<T: WithDType + Scalar>(tensor: &Tensor) -> Result<Histogram> {
    {
        let (storage, layout) = tensor.storage_and_layout();
        if let Storage::Cpu(storage) = &*storage
            && let Ok(elements) = storage.as_slice::<T>()
            && let Some((start, end)) = layout.contiguous_offsets()
        {
            return Ok(Histogram::new(&elements[start..end]));
        }
    }
    Ok(Histogram::new(&read::<T>(tensor)?))
}

/// Converts a tensor with its channels first: `[height, width]` is gray, and `[channels, height, width]` with 1, 2, 3 or 4
/// channels is gray, gray with alpha, RGB, or RGBA. In `U8` 255 is white; in floats of any size 1 is white, as in
/// [`gray_f32`](Image::gray_f32). [`candle::images`](images) converts a batch. Needs the feature `png`, which is a
/// default.
///
/// # Errors
/// [`Error::Invalid`] if the shape is different, if a side is 0, or if the elements are integers other than `U8`;
/// [`Error::Io`] if candle fails.
#[cfg(feature = "png")]
impl TryFrom<&Tensor> for Image {
    type Error = Error;

    fn try_from(tensor: &Tensor) -> Result<Self> {
        let (channels, pixels) = match *tensor.dims() {
            [_, _] => (1, tensor.clone()),
            [channels @ 1..=4, _, _] => (channels, tensor.permute((1, 2, 0)).map_err(failed)?),
            _ => {
                let problem = format!(
                    "expected shape [height, width] or [channels, height, width] with 1 to 4 channels, got {:?}; \
                     `permute((2, 0, 1))` moves channels to the front, `candle::images` takes a batch",
                    tensor.dims()
                );
                return Err(Error::invalid("image tensor", problem));
            }
        };
        let shape = [pixels.dims()[0], pixels.dims()[1], channels];
        match tensor.dtype() {
            DType::U8 => Self::from_samples(&read::<u8>(&pixels)?, shape),
            dtype if dtype.is_float() => Self::from_samples(&read::<f32>(&pixels)?, shape),
            dtype => {
                let problem = format!(
                    "expected U8 from 0 to 255 or floats from 0 to 1, got {dtype:?}; `to_dtype` converts"
                );
                Err(Error::invalid("image tensor", problem))
            }
        }
    }
}

/// Reads the elements in row-major order.
fn read<T: WithDType>(tensor: &Tensor) -> Result<Vec<T>> {
    let elements = || {
        let mut tensor = tensor.clone();
        if !tensor.device().is_cpu() {
            // Some devices have no F64, so the CPU converts. Without `contiguous`, a view brings all of its memory.
            tensor = tensor.contiguous()?.to_device(&Device::Cpu)?;
        }
        if is_small_float(tensor.dtype()) {
            // Candle 0.11 overflows the stack when it converts F8E4M3 to F64 directly.
            tensor = tensor.to_dtype(DType::F32)?;
        }
        tensor.to_dtype(T::DTYPE)?.flatten_all()?.to_vec1()
    };
    elements().map_err(failed)
}

/// Whether `F32` holds all numbers of the type.
fn is_small_float(dtype: DType) -> bool {
    dtype.is_float() && dtype != DType::F64
}

fn failed(error: candle_core::Error) -> Error {
    Error::stream("read a tensor", io::Error::other(error))
}
