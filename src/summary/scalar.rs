//! One number. A plain tag's value has the small form that `event` encodes; this is the form that carries a description.

use super::{Tag, plugin, tensor_value};
use crate::proto::summary::Value;
use crate::proto::{DataClass, DataType, TensorProto};

/// A number that shows as a scalar: every primitive number, and `bool` as 0 and 1.
///
/// Stock TensorBoard keeps scalars as `f32`, and that is what is written: of a larger type 24 bits of precision arrive,
/// and a number beyond its range arrives as an infinity. NaN and the infinities are written as they are.
pub trait Scalar: Copy + sealed::Sealed {
    /// The number as it is written.
    fn to_f32(self) -> f32;
}

#[allow(unnameable_types, reason = "so that nobody else implements it")]
mod sealed {
    pub trait Sealed {}
}

macro_rules! scalars {
    ($($number:ty)*) => {$(
        impl sealed::Sealed for $number {}
        impl Scalar for $number {
            #[allow(clippy::cast_possible_truncation, reason = "documented at the trait")]
            fn to_f32(self) -> f32 {
                self as f32
            }
        }
    )*};
}

scalars!(f32 f64 i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl sealed::Sealed for bool {}
impl Scalar for bool {
    fn to_f32(self) -> f32 {
        f32::from(u8::from(self))
    }
}

/// The tensor form: the fast loader drops the description and the display name of the small one.
pub(crate) fn described_scalar(prefix: &str, tag: &Tag<'_>, value: f32) -> Value {
    // No shape is rank 0, and float32 of rank 0 is the one tensor that both loaders take for a scalar.
    let tensor = TensorProto {
        dtype: DataType::DtFloat.into(),
        float_val: vec![value],
        ..Default::default()
    };
    tensor_value(prefix, tag, plugin("scalars"), DataClass::Scalar, tensor)
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
    }

    #[test]
    fn described_scalar_has_the_stock_bytes_of_a_first_point() {
        // From a record of the stock package: tag "loss", tensor { DT_FLOAT, float_val [0.25] }, plugin "scalars",
        // DATA_CLASS_SCALAR. Ours has the description behind the plugin: field 3, "x"; it makes the metadata 3 longer.
        let value = described_scalar("", &Tag::new("loss").description("x"), 0.25);
        let want = b"\x0a\x04loss\x42\x08\x08\x01\x2a\x04\0\0\x80\x3e\
            \x4a\x10\x0a\x09\x0a\x07scalars\x1a\x01x\x20\x01";
        assert_eq!(value.encode_to_vec(), want);
    }
}
