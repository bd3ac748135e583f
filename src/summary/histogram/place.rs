//! Values to the buckets that edges say they are in: bucket `i` has what is not below its left edge and below its right one,
//! and the last one its right edge, too.
//!
//! To look for each value among the edges is slow. So a multiplication tells the bucket, in fixed point, and how far in it the
//! value is; only in a block that has a value as near to an edge as that reckoning may err do the edges decide.

use std::array;
use std::ops::{Add, RangeInclusive};

use super::Row;
use super::blocks::{BLOCK, Block, for_each_block};
use super::edges::Edges;
use crate::summary::Scalar;

/// The most buckets there may be.
pub(super) const MANY: usize = 1 << 12;
/// Up to here tables are small, and an `f32` tells a value's bucket.
const FEW: usize = 1 << 8;
const TABLES: usize = 4;
const LANES: usize = 8;
const GROUP: usize = 2 * LANES;
/// After so many blocks the tables are emptied, before a place is full, of all together.
const BLOCKS_IN_TABLES: usize = u16::MAX as usize / BLOCK;

/// Counts each value in its row of `rows`, which are 1 to `MANY` between `edges`, from `low` to `high`. A value that is NaN
/// counts in the first one.
pub(super) fn place<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]>,
    low: f64,
    high: f64,
    edges: Edges,
    rows: &mut [Row],
) {
    if rows.len() <= FEW
        && let Some(scale) = Scale::<T::Exact>::new(low, high, edges, rows.len())
    {
        scale.count::<T, FEW>(chunks, |block, _| block, rows);
    } else if let Some(scale) = Scale::<f64>::new(low, high, edges, rows.len()) {
        scale.count::<T, MANY>(chunks, widened, rows);
    } else {
        for value in chunks.flatten() {
            let value = value.exact().into();
            let bucket = rows[1..].partition_point(|row| row[0] <= value);
            rows[bucket][2] += 1.0;
        }
    }
}

fn widened<'a, F: Float>(block: &'a Block<F>, space: &'a mut Block<f64>) -> &'a Block<f64> {
    for (to, value) in space.iter_mut().zip(block) {
        *to = (*value).into();
    }
    space
}

/// Values beside each other count in different ones, for a count waits for the one before it in the same place.
struct Tables<const PLACES: usize>([[u16; PLACES]; TABLES]);

impl<const PLACES: usize> Tables<PLACES> {
    const EMPTY: Self = Self([[0; PLACES]; TABLES]);

    #[inline]
    fn count(&mut self, places: &[u32]) {
        let (groups, rest) = places.as_chunks::<TABLES>();
        for group in groups {
            for (table, place) in self.0.iter_mut().zip(group) {
                table[*place as usize % PLACES] += 1;
            }
        }
        for (table, place) in self.0.iter_mut().zip(rest) {
            table[*place as usize % PLACES] += 1;
        }
    }

    fn add_to(&self, rows: &mut [Row]) {
        let [first, second, third, fourth] = &self.0;
        let tables = first.iter().zip(second).zip(third).zip(fourth);
        for (row, (((first, second), third), fourth)) in rows.iter_mut().zip(tables) {
            row[2] += f64::from(first + second + third + fourth);
        }
    }
}

/// What brings a value to its bucket, or to the one after it.
struct Scale<F> {
    low: F,
    per_one: F,
    /// Brings a place to fixed point, and as much higher as it may err.
    fixed_point: F,
    first: F,
    last: F,
    /// A value may be in the wrong bucket if these bits of its place are 0.
    near: u32,
    /// Not clamped as in the rows: where a place is wrong by less than half a bucket, no inner edge is beyond an end.
    edges: Edges,
}

impl<F: Float> Scale<F> {
    /// `None` if it were wrong by more than half a bucket.
    fn new(low: f64, high: f64, edges: Edges, buckets: usize) -> Option<Self> {
        if !F::RANGES.contains(&(high - low)) {
            return None;
        }
        let buckets = buckets as f64;
        let per_one = buckets / (high - low);
        let bits = (1_u64 << F::FRACTION_BITS) as f64;
        let largest = low.abs().max(high.abs());
        // Relative errors: of the difference, of the product, and two of the factor; or of both products, of what is added,
        // and two of the factor, of the range, which is up to twice the larger end. Absolute ones: half a bit of the fixed
        // point, or of it and of what is added. And an edge is up to 7 roundings of the larger end from where it should be.
        let (zero, relative, absolute) = if F::HAS_DIGITS_TO_SPARE {
            (low * per_one, 7.1 * largest * per_one, 1.0)
        } else {
            (0.0, 4.1 * buckets, 0.5)
        };
        let error = F::ROUNDING * relative * bits
            + absolute
            + 8.0 * f64::ROUNDING * largest * per_one * bits;
        // What is wrong by less than one bit is wrong only if its fraction is 0.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rounds down, and what is too large to the largest"
        )]
        let margin = error as u32;
        if f64::from(margin) >= bits / 2.0 {
            return None;
        }
        // Of a fraction that is not more than twice the margin, the bits that may be there.
        let unsure = (2 * u64::from(margin) + 1).next_power_of_two() - 1;
        let fraction = (1 << F::FRACTION_BITS) - 1;
        let fixed_point = f64::from(F::FIXED_POINT) + f64::from(margin) / bits;
        Some(Self {
            low: F::nearest(low),
            per_one: F::nearest(per_one),
            fixed_point: F::nearest(fixed_point - zero),
            // So that the ends themselves are near no edge.
            first: F::nearest(fixed_point + 0.5),
            last: F::nearest(fixed_point + buckets - 0.5),
            near: u32::try_from(fraction & !unsure).unwrap_or(0),
            edges,
        })
    }

    // Its frame has the tables, so it is one of its own.
    #[inline(never)]
    fn count<'a, T: Scalar, const PLACES: usize>(
        &self,
        chunks: impl Iterator<Item = &'a [T]>,
        to_floats: impl for<'b> Fn(&'b Block<T::Exact>, &'b mut Block<F>) -> &'b Block<F>,
        rows: &mut [Row],
    ) {
        let mut tables = Tables::<PLACES>::EMPTY;
        let mut space = [F::INFINITY; BLOCK];
        let mut places = [0; BLOCK];
        let mut blocks = 0;
        for_each_block(chunks, |block, len| {
            self.place(to_floats(block, &mut space), &mut places);
            // To know the length lets the compiler unroll the loop.
            if len == BLOCK {
                tables.count(&places);
            } else {
                tables.count(&places[..len]);
            }
            blocks += 1;
            if blocks == BLOCKS_IN_TABLES {
                tables.add_to(rows);
                tables = Tables::EMPTY;
                blocks = 0;
            }
        });
        tables.add_to(rows);
    }

    #[inline]
    fn place(&self, block: &Block<F>, places: &mut Block<u32>) {
        // Copies, which the compiler knows not to change while it writes places.
        let Self {
            low,
            per_one,
            fixed_point,
            first,
            last,
            near,
            edges,
        } = *self;
        let mut nearest = [F::INFINITY; LANES];
        let groups = places.as_chunks_mut::<GROUP>().0.iter_mut();
        for (places, values) in groups.zip(block.as_chunks::<GROUP>().0) {
            let fixed: [F; GROUP] = array::from_fn(|i| {
                let place = values[i].place(low, per_one, fixed_point);
                // NaN is in the first bucket.
                lower(higher(place, first), last)
            });
            *places = array::from_fn(|i| fixed[i].bucket());
            let fractions: [F; GROUP] = array::from_fn(|i| fixed[i].fraction(near));
            // One after the other, for of two results of `fraction` the compiler finds the lower one by detours.
            nearest =
                array::from_fn(|i| lower(fractions[i], lower(fractions[i + LANES], nearest[i])));
        }
        let none = first.fraction(0);
        if nearest.contains(&none) {
            // No table of edges: what works one out makes several at once.
            for (place, value) in places.iter_mut().zip(block) {
                let bucket = *place % F::FIXED_POINT;
                let left = edges.even(bucket.into());
                *place -= u32::from((*value).into() < left) & u32::from(bucket > 0);
            }
        }
    }
}

// The second if the first is NaN: what a processor has an instruction for.
pub(super) fn lower<F: Float>(value: F, other: F) -> F {
    if value < other { value } else { other }
}

pub(super) fn higher<F: Float>(value: F, other: F) -> F {
    if value > other { value } else { other }
}

/// A float in which places are worked out.
#[allow(unnameable_types, reason = "a part of a sealed trait")]
pub trait Float: Copy + PartialOrd + Into<f64> + Add<Output = Self> {
    const ZERO: Self;
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
}

macro_rules! floats {
    ($($float:ty, $bits:ty, $fraction_bits:literal, $ranges:expr, $digits_to_spare:literal;)*) => {$(
        impl Float for $float {
            const ZERO: Self = 0.0;
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
        }
    )*};
}

// Up to 2^8 and up to 2^20 buckets are told apart.
floats! {
    f32, u32, 15, 1e-30..=1e37, false;
    f64, u64, 32, 1e-280..=1e300, true;
}
