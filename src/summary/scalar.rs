//! One number. `event` encodes the small form, which plain tags have; this file makes the form with a description.

use super::{Tag, plugin, tensor_value};
use crate::proto::summary::Value;
use crate::proto::summary::value::Value as Data;
use crate::proto::{DataClass, DataType, TensorProto};

const PLUGIN: &str = "scalars";

/// A number to log as a scalar or to count in a histogram: every primitive number, `bool` as 0 and 1, and references to
/// them; with the feature `half` also `half::f16` and `half::bf16`.
///
/// Stock TensorBoard stores scalars as `f32`, so a value keeps 24 bits of precision, and a number beyond the range of `f32`
/// becomes an infinity. NaN and the infinities are written as they are.
#[diagnostic::on_unimplemented(
    message = "expected a number such as `f32`, `f64` or `u64`, got `{Self}`",
    note = "the 16-bit floats of the crate `half` need the feature `half`, and tensors of `candle` have functions of their own"
)]
pub trait Scalar: Copy + sealed::Sealed {
    /// The number as it is written.
    fn to_f32(self) -> f32;
}

#[allow(unnameable_types, reason = "so that nobody else implements it")]
mod sealed {
    pub trait Sealed: Copy {
        /// Whether an `f32` represents all these numbers exactly.
        const FITS_F32: bool;

        /// The nearest `f64`.
        fn to_f64(self) -> f64;
    }
}

macro_rules! scalars {
    ($fits_f32:literal: $($number:ty)*) => {$(
        impl sealed::Sealed for $number {
            const FITS_F32: bool = $fits_f32;

            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }

        impl Scalar for $number {
            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "documented at the trait")]
            fn to_f32(self) -> f32 {
                self as f32
            }
        }
    )*};
}

scalars!(true: f32 i8 i16 u8 u16);
scalars!(false: f64 i32 i64 i128 isize u32 u64 u128 usize);

/// Implements the traits for types that a function converts to `f32`.
macro_rules! small_scalars {
    ($($number:ty: $to_f32:expr;)*) => {$(
        impl sealed::Sealed for $number {
            const FITS_F32: bool = true;

            #[inline]
            fn to_f64(self) -> f64 {
                $to_f32(self).into()
            }
        }

        impl Scalar for $number {
            #[inline]
            fn to_f32(self) -> f32 {
                $to_f32(self)
            }
        }
    )*};
}

small_scalars!(bool: |is_true| f32::from(u8::from(is_true)););

#[cfg(feature = "half")]
small_scalars! {
    half::f16: half::f16::to_f32;
    // Without the branch of `half`'s own conversion, so that it can be vectorized.
    half::bf16: |number: half::bf16| f32::from_bits(u32::from(number.to_bits()) << 16);
}

impl<T: Scalar> sealed::Sealed for &T {
    const FITS_F32: bool = T::FITS_F32;

    #[inline]
    fn to_f64(self) -> f64 {
        (*self).to_f64()
    }
}

impl<T: Scalar> Scalar for &T {
    #[inline]
    fn to_f32(self) -> f32 {
        (*self).to_f32()
    }
}

/// Returns a scalar in the small form, or as a tensor if the tag has a description or a display name.
pub(crate) fn scalar(prefix: &str, tag: &Tag<'_>, value: f32) -> Value {
    if !tag.is_plain() {
        return described_scalar(prefix, tag, value);
    }
    Value {
        tag: [prefix, &tag.name].concat(),
        metadata: None,
        value: Some(Data::SimpleValue(value)),
    }
}

/// Returns a scalar as a tensor. The fast loader ignores the description and the display name of the small form.
pub(crate) fn described_scalar(prefix: &str, tag: &Tag<'_>, value: f32) -> Value {
    // Without a shape the rank is 0. Only a float32 tensor of rank 0 is a scalar for both loaders.
    let tensor = TensorProto {
        dtype: DataType::DtFloat.into(),
        float_val: vec![value],
        ..Default::default()
    };
    tensor_value(prefix, tag, plugin(PLUGIN), DataClass::Scalar, tensor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    #[test]
    fn every_number_becomes_the_nearest_f32() {
        assert_eq!(0.1f64.to_f32(), 0.1f32);
        assert_eq!(1e39f64.to_f32(), f32::INFINITY);
        assert!(f64::NAN.to_f32().is_nan());
        assert_eq!(16_777_217i64.to_f32(), 16_777_216.0); // 2^24 + 1 has 25 bits
        assert_eq!(u64::MAX.to_f32(), 18_446_744_073_709_551_616.0); // 2^64
        assert_eq!((-3i8).to_f32(), -3.0);
        assert_eq!(true.to_f32(), 1.0);
        assert_eq!(false.to_f32(), 0.0);
        assert_eq!([&3i8, &-4].map(Scalar::to_f32), [3.0, -4.0]);
        #[cfg(feature = "half")]
        {
            assert_eq!(Scalar::to_f32(::half::f16::MAX), 65504.0);
            assert_eq!(Scalar::to_f32(::half::bf16::from_f32(-1.5)), -1.5);
        }
    }

    #[test]
    fn described_scalar_has_the_stock_bytes_of_a_first_point() {
        // From a record of the stock package: tag "loss", tensor { DT_FLOAT, float_val [0.25] }, plugin "scalars",
        // DATA_CLASS_SCALAR. Ours also has the description, field 3, which makes the metadata 3 bytes longer.
        let value = described_scalar("", &Tag::new("loss").description("x"), 0.25);
        let want = b"\x0a\x04loss\x42\x08\x08\x01\x2a\x04\0\0\x80\x3e\
            \x4a\x10\x0a\x09\x0a\x07scalars\x1a\x01x\x20\x01";
        assert_eq!(value.encode_to_vec(), want);
    }
}
