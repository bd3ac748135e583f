//! One number. `event` encodes the small form, which plain tags have; this file makes the form with a description.

use super::histogram::Block;
use super::{Tag, plugin, tensor_value};
use crate::proto::summary::Value;
use crate::proto::{DataClass, DataType, TensorProto};

const PLUGIN: &str = "scalars";

/// A number that shows as a scalar, or is counted in a histogram: every primitive number, and `bool` as 0 and 1; with the
/// feature `half` also `half::f16` and `half::bf16`.
///
/// Stock TensorBoard keeps scalars as `f32`, and that is what is written: of a larger type 24 bits of precision arrive,
/// and a number beyond its range arrives as an infinity. NaN and the infinities are written as they are.
pub trait Scalar: Copy + sealed::Sealed {
    /// The number as it is written.
    fn to_f32(self) -> f32;
}

#[allow(unnameable_types, reason = "so that nobody else implements it")]
pub(in crate::summary) mod sealed {
    use crate::summary::histogram::{Block, Float};

    pub trait Sealed: Default + Copy + 'static {
        /// The smaller float that has all these numbers; of an integer beyond 2^53 the nearest one in `f64`.
        type Exact: Float;

        /// Of 16-bit floats, whose ends are found faster so.
        const BITS: Option<Bits<Self>> = None;

        fn exact(self) -> Self::Exact;

        /// The same of many, in `space` unless they are there already.
        #[inline]
        fn exact_block<'a>(
            block: &'a Block<Self>,
            space: &'a mut Block<Self::Exact>,
        ) -> &'a Block<Self::Exact> {
            for (to, number) in space.iter_mut().zip(block) {
                *to = number.exact();
            }
            space
        }
    }

    /// Floats to their bits, a sign and a magnitude, and back. The magnitude of a NaN is beyond that of the infinity.
    #[derive(Debug)]
    pub struct Bits<T> {
        pub of: fn(T) -> i16,
        pub to_float: fn(i16) -> T,
    }
}

macro_rules! scalars {
    ($exact:ident: $($number:ty)*) => {$(
        impl sealed::Sealed for $number {
            type Exact = $exact;
            #[inline]
            fn exact(self) -> $exact {
                self as $exact
            }
        }
        scalar!($number);
    )*};
}

macro_rules! floats {
    ($($float:ty)*) => {$(
        impl sealed::Sealed for $float {
            type Exact = Self;
            #[inline]
            fn exact(self) -> Self {
                self
            }
            #[inline]
            fn exact_block<'a>(block: &'a Block<Self>, _: &'a mut Block<Self>) -> &'a Block<Self> {
                block
            }
        }
        scalar!($float);
    )*};
}

macro_rules! scalar {
    ($number:ty) => {
        impl Scalar for $number {
            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "documented at the trait")]
            fn to_f32(self) -> f32 {
                self as f32
            }
        }
    };
}

floats!(f32 f64);
scalars!(f32: i8 i16 u8 u16);
scalars!(f64: i32 i64 i128 isize u32 u64 u128 usize);

impl sealed::Sealed for bool {
    type Exact = f32;
    #[inline]
    fn exact(self) -> f32 {
        self.to_f32()
    }
}
impl Scalar for bool {
    #[inline]
    fn to_f32(self) -> f32 {
        f32::from(u8::from(self))
    }
}

#[cfg(feature = "half")]
mod half {
    use super::sealed::Bits;
    use super::{Scalar, sealed};
    use ::half::{bf16, f16};

    impl sealed::Sealed for bf16 {
        type Exact = f32;
        const BITS: Option<Bits<Self>> = Some(Bits {
            of: |float| float.to_bits().cast_signed(),
            to_float: |bits| Self::from_bits(bits.cast_unsigned()),
        });
        #[inline]
        fn exact(self) -> f32 {
            f32::from_bits(u32::from(self.to_bits()) << 16)
        }
    }
    impl Scalar for bf16 {
        #[inline]
        fn to_f32(self) -> f32 {
            self.to_f32()
        }
    }

    impl sealed::Sealed for f16 {
        type Exact = f32;
        const BITS: Option<Bits<Self>> = Some(Bits {
            of: |float| float.to_bits().cast_signed(),
            to_float: |bits| Self::from_bits(bits.cast_unsigned()),
        });
        // Without a branch, so that it is made for several at once.
        #[inline]
        fn exact(self) -> f32 {
            let bits = self.to_bits();
            let magnitude = u32::from(bits & 0x7fff) << 13;
            let magnitude = match bits & 0x7c00 {
                0 => (f32::from(bits & 0x3ff) / 16_777_216.0).to_bits(),
                0x7c00 => magnitude | 0x7f80_0000,
                // The exponent has 15 added to it here, and 127 there.
                _ => magnitude + ((127 - 15) << 23),
            };
            f32::from_bits(u32::from(bits & 0x8000) << 16 | magnitude)
        }
    }
    impl Scalar for f16 {
        #[inline]
        fn to_f32(self) -> f32 {
            self.to_f32()
        }
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
        #[cfg(feature = "half")]
        {
            assert_eq!(Scalar::to_f32(::half::f16::MAX), 65504.0);
            assert_eq!(Scalar::to_f32(::half::bf16::from_f32(-1.5)), -1.5);
        }
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
