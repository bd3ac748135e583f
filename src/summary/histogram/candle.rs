//! The tensors of `candle-core` to histograms.

use candle_core::{DType, Tensor};

use super::Histogram;
use crate::error::{Error, Result};
use crate::summary::candle::read;

/// Of all elements of a tensor of any shape, number type and device: see [`candle`](crate::candle).
///
/// # Errors
/// [`Error::Io`] if candle fails, as at a device that is gone.
impl TryFrom<&Tensor> for Histogram {
    type Error = Error;

    fn try_from(tensor: &Tensor) -> Result<Self> {
        match tensor.dtype() {
            DType::U8 => read::<u8, _>(tensor, Self::new),
            DType::U32 => read::<u32, _>(tensor, Self::new),
            DType::I64 => read::<i64, _>(tensor, Self::new),
            DType::F64 => read::<f64, _>(tensor, Self::new),
            dtype if dtype.is_float() => read::<f32, _>(tensor, Self::new),
            // Integers of 16 and 32 bits, which not all versions of candle name.
            _ => read::<f64, _>(tensor, Self::new),
        }
    }
}
