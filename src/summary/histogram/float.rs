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
    /// Between the ends: what neither overflows nor loses digits.
    const RANGES: RangeInclusive<f64>;
    /// How many buckets are told apart, a power of two.
    const BUCKETS: u32;
    /// A power of two; the last bit of a number from here to its double is the last one of `FRACTION_BITS`.
    const FIXED_POINT: f64;
    /// Whether the difference from the lowest value may be taken of the products, which saves an operation and costs digits.
    const HAS_DIGITS_TO_SPARE: bool;

    fn is_nan(self) -> bool;
    /// This 0 or NaN, or NaN if one of two values is.
    fn or_nan(self, one: Self, other: Self) -> Self;
    fn nearest(number: f64) -> Self;
    /// The place of a value among the buckets, in fixed point.
    fn place(self, low: Self, per_one: Self, fixed_point: Self) -> Self;
    /// The last 32 bits: of a place, in `FRACTION_BITS` how far in its bucket the value is, and before them the number of the
    /// bucket.
    fn last_bits(self) -> u32;
}

/// How many bits of a place say how far in its bucket a value is.
pub(super) const FRACTION_BITS: u32 = 16;

macro_rules! floats {
    ($($float:ty, $buckets:expr, $ranges:expr, $digits_to_spare:literal;)*) => {$(
        impl Float for $float {
            const ZERO: Self = 0.0;
            const WHOLE: Self = (1_u64 << (<$float>::MANTISSA_DIGITS - 1)) as Self;
            const INFINITY: Self = Self::INFINITY;
            const NEG_INFINITY: Self = Self::NEG_INFINITY;
            const ROUNDING: f64 = Self::EPSILON as f64 / 2.0;
            const RANGES: RangeInclusive<f64> = $ranges;
            const HAS_DIGITS_TO_SPARE: bool = $digits_to_spare;
            const BUCKETS: u32 = $buckets;
            const FIXED_POINT: f64 =
                (1_u64 << (<$float>::MANTISSA_DIGITS - 1 - FRACTION_BITS)) as f64;

            #[inline]
            fn is_nan(self) -> bool {
                self.is_nan()
            }

            #[inline]
            fn or_nan(self, one: Self, other: Self) -> Self {
                let either = one.is_nan() | other.is_nan();
                Self::from_bits(self.to_bits() | if either { !0 } else { 0 })
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
            fn last_bits(self) -> u32 {
                self.to_bits() as u32
            }
        }
    )*};
}

// An `f32` has bits for 2^7 buckets, and before them the last one of its exponent, which is 0; of an `f64` 32 bits are taken.
floats! {
    f32, 1 << 7, 1e-30..=1e37, false;
    f64, 1 << 16, 1e-280..=1e300, true;
}
