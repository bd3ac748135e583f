//! The tensors of `candle-core` to images.

use candle_core::{DType, Tensor};

use super::Image;
use super::pixels::to_u8;
use super::shape::{self, Axes};
use crate::error::{Error, Result};
use crate::summary::candle::{failed, read};

const WHAT: &str = "image tensor";

/// Of a tensor on any device with its channels first. `[height, width]` is gray; `[channels, height, width]` is gray, gray with
/// opacity, colour, or colour with opacity, as there are 1, 2, 3 or 4 channels. Of `U8` 255 is white; floats of any size are
/// taken as [`gray_0_to_1`](Image::gray_0_to_1) takes them. See [`candle`](crate::candle), also for batches.
///
/// # Errors
/// [`Error::Invalid`] if the shape is another one, if a side is 0, or if the elements are integers but not `U8`; [`Error::Io`]
/// if candle fails, as at a device that is gone.
impl TryFrom<&Tensor> for Image {
    type Error = Error;

    fn try_from(tensor: &Tensor) -> Result<Self> {
        let advice = |shape: &[usize]| match shape {
            [_, _, 1..=4] => "; `permute((2, 0, 1))` puts channels first",
            [_, _, _, _] => "; `candle::images` takes a batch",
            _ => "",
        };
        let axes = Axes::ChannelsHeightWidth;
        let (channels, width, height) = shape::check(WHAT, tensor.dims(), axes, advice)?;
        let pixels = match tensor.rank() {
            3 => tensor.permute((1, 2, 0)).map_err(failed)?,
            _ => tensor.clone(),
        };
        let bytes = match tensor.dtype() {
            DType::U8 => read(&pixels, <[u8]>::to_vec),
            DType::F64 => read(&pixels, to_u8::<f64>),
            dtype if dtype.is_float() => read(&pixels, to_u8::<f32>),
            dtype => {
                let problem = format!(
                    "{dtype:?} is given, U8 of 0 to 255 or floats of 0 to 1 fit; `to_dtype` converts"
                );
                Err(Error::invalid(WHAT, problem))
            }
        };
        Ok(Self::of(channels, 1, width, height, bytes?))
    }
}
