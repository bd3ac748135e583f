//! The floats in which places are worked out.

use std::ops::{Add, RangeInclusive, Sub};

// The second if the first is NaN: what a processor has an instruction for.
pub(super) fn lower<F: Float>(value: F, other: F) -> F {
    if value < other { value } else { other }
}

pub(super) fn higher<F: Float>(value: F, other: F) -> F {
    if value > other { value } else { other }
}

/// A float in which places are worked out.
#[allow(unnameable_types, reason = "a part of a sealed trait")]
pub trait Float: Copy + PartialOrd + Into<f64> + Add<Output = Self> + Sub<Output = Self> {
    const ZERO: Self;
    /// From here to its double, floats are the whole numbers.
    const WHOLE: Self;
    const INFINITY: Self;
    const NEG_INFINITY: Self;
    /// The highest relative error of an operation.
    const ROUNDING: f64;
    /// How many bits say how far in its bucket a value is.
    const FRACTION_BITS: u32;
    /// Between the ends: what neither overflows nor loses digits.
    const RANGES: RangeInclusive<f64>;
    /// A power of two; the last bit of a number from here to its double is that of the fraction.
    const FIXED_POINT: u32;
    /// Whether the difference from the lowest value may be taken of the products, which saves an operation and costs digits.
    const HAS_DIGITS_TO_SPARE: bool;

    fn is_nan(self) -> bool;
    fn nearest(number: f64) -> Self;
    /// The place of a value among the buckets, in fixed point.
    fn place(self, low: Self, per_one: Self, fixed_point: Self) -> Self;
    /// The bucket of a place, in the lowest bits.
    fn bucket(self) -> u32;
    /// How far in its bucket a place is: these bits of it, and no bucket.
    fn fraction(self, bits: u32) -> Self;
    fn last_bits(self) -> u32;
}

macro_rules! floats {
    ($($float:ty, $bits:ty, $fraction_bits:literal, $ranges:expr, $digits_to_spare:literal;)*) => {$(
        impl Float for $float {
            const ZERO: Self = 0.0;
            const WHOLE: Self = (1_u64 << (<$float>::MANTISSA_DIGITS - 1)) as Self;
            const INFINITY: Self = Self::INFINITY;
            const NEG_INFINITY: Self = Self::NEG_INFINITY;
            const ROUNDING: f64 = Self::EPSILON as f64 / 2.0;
            const FRACTION_BITS: u32 = $fraction_bits;
            const RANGES: RangeInclusive<f64> = $ranges;
            const HAS_DIGITS_TO_SPARE: bool = $digits_to_spare;
            const FIXED_POINT: u32 = 1 << (<$float>::MANTISSA_DIGITS - 1 - $fraction_bits);

            #[inline]
            fn is_nan(self) -> bool {
                self.is_nan()
            }

            #[allow(clippy::cast_possible_truncation, reason = "rounds")]
            fn nearest(number: f64) -> Self {
                number as Self
            }

            #[inline]
            fn place(self, low: Self, per_one: Self, fixed_point: Self) -> Self {
                if Self::HAS_DIGITS_TO_SPARE {
                    self * per_one + fixed_point
                } else {
                    (self - low) * per_one + fixed_point
                }
            }

            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "the lowest bits are wanted")]
            fn bucket(self) -> u32 {
                (self.to_bits() >> $fraction_bits) as u32
            }

            #[inline]
            fn fraction(self, bits: u32) -> Self {
                const EXPONENT: $bits = <$bits>::MAX << (<$float>::MANTISSA_DIGITS - 1);
                Self::from_bits(self.to_bits() & (EXPONENT | <$bits>::from(bits)))
            }

            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "the lowest bits are wanted")]
            fn last_bits(self) -> u32 {
                self.to_bits() as u32
            }
        }
    )*};
}

// Up to 2^8 and up to 2^20 buckets are told apart.
floats! {
    f32, u32, 15, 1e-30..=1e37, false;
    f64, u64, 32, 1e-280..=1e300, true;
}
