//! Values to the buckets that edges say they are in: bucket `i` has what is not below `edges[i]` and below `edges[i + 1]`, and
//! the last one its right edge, too.
//!
//! To look for each value among the edges is slow. So a multiplication tells the bucket, in fixed point, and how far in it the
//! value is; only in a block that has a value as near to an edge as that reckoning may err do the edges decide.

use std::ops::RangeInclusive;

use super::blocks::{BLOCK, Block, for_each_block};
use crate::summary::Scalar;

/// The most buckets there may be.
pub(super) const MANY: usize = 1 << 12;
/// Up to here tables are small, and an `f32` tells a value's bucket.
const FEW: usize = 1 << 8;
const TABLES: usize = 4;
/// After so many blocks the tables are emptied, long before a place of one is full.
const BLOCKS_IN_TABLES: u32 = 1 << 16;

/// How many values are in each bucket between `edges`, of which there are 2 to `MANY + 1`, the outer ones NaN. A value that
/// is NaN counts in the first bucket.
pub(super) fn place<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]>,
    low: f64,
    high: f64,
    edges: &[f64],
) -> Vec<u64> {
    let mut counts = vec![0; edges.len() - 1];
    if counts.len() <= FEW
        && let Some(scale) = Scale::<T::Exact>::new(low, high, edges)
    {
        scale.count::<T, FEW>(chunks, |block, _| block, &mut counts);
    } else if let Some(scale) = Scale::<f64>::new(low, high, edges) {
        scale.count::<T, MANY>(chunks, widened, &mut counts);
    } else {
        let inner = edges.get(1..edges.len() - 1).unwrap_or_default();
        for value in chunks.flatten() {
            let value = value.exact().into();
            counts[inner.partition_point(|edge| *edge <= value)] += 1;
        }
    }
    counts
}

fn widened<'a, F: Float>(block: &'a Block<F>, space: &'a mut Block<f64>) -> &'a Block<f64> {
    for (to, value) in space.iter_mut().zip(block) {
        *to = (*value).into();
    }
    space
}

/// Values beside each other count in different ones, for a count waits for the one before it in the same place.
struct Tables<const PLACES: usize>([[u32; PLACES]; TABLES]);

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

    fn add_to(&self, counts: &mut [u64]) {
        let [first, second, third, fourth] = &self.0;
        for (i, count) in counts.iter_mut().enumerate() {
            *count += u64::from(first[i] + second[i] + third[i] + fourth[i]);
        }
    }
}

/// What brings a value to its bucket, or to one beside it.
struct Scale<'e, F> {
    low: F,
    per_one: F,
    highest: F,
    /// A value may be in the wrong bucket if its distance from an edge, with `offset` on it, is below `limit`.
    offset: i32,
    limit: i32,
    edges: &'e [f64],
}

impl<'e, F: Float> Scale<'e, F> {
    /// `None` if it were wrong by more than half a bucket.
    fn new(low: f64, high: f64, edges: &'e [f64]) -> Option<Self> {
        if !F::RANGES.contains(&(high - low)) {
            return None;
        }
        let buckets = (edges.len() - 1) as f64;
        let per_one = buckets / (high - low);
        // Relative errors: of the difference, of the product, and two of the factor. Absolute ones: half a bit of the fixed
        // point; and an edge is up to 7 roundings of the larger end from where it should be.
        let bits = (1_u64 << F::FRACTION_BITS) as f64;
        let largest = low.abs().max(high.abs());
        let error = 4.1 * F::ROUNDING * buckets * bits
            + 0.5
            + 8.0 * f64::ROUNDING * largest * per_one * bits;
        // What is wrong by less than one bit is wrong only if its distance is 0.
        let margin = error.floor() * f64::from(1_u32 << (32 - F::FRACTION_BITS));
        if margin >= 2_147_483_648.0 {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, reason = "it is below 2^31")]
        let margin = margin as i32;
        Some(Self {
            low: F::nearest(low),
            per_one: F::nearest(per_one),
            highest: F::nearest(buckets - 0.5),
            // From `-margin` to `margin` is below a limit once the former is the least number of all.
            offset: i32::MIN.wrapping_add(margin),
            limit: i32::MIN
                .wrapping_add(margin)
                .wrapping_add(margin)
                .wrapping_add(1),
            edges,
        })
    }

    // Its frame has the tables, so it is one of its own.
    #[inline(never)]
    fn count<'a, T: Scalar, const PLACES: usize>(
        &self,
        chunks: impl Iterator<Item = &'a [T]>,
        to_floats: impl for<'b> Fn(&'b Block<T::Exact>, &'b mut Block<F>) -> &'b Block<F>,
        counts: &mut [u64],
    ) {
        let mut tables = Tables::<PLACES>::EMPTY;
        let mut space = [F::INFINITY; BLOCK];
        let mut places = [0; BLOCK];
        let mut blocks = 0;
        for_each_block(chunks, |block, len| {
            self.place::<PLACES>(to_floats(block, &mut space), &mut places);
            // To know the length lets the compiler unroll the loop.
            if len == BLOCK {
                tables.count(&places);
            } else {
                tables.count(&places[..len]);
            }
            blocks += 1;
            if blocks == BLOCKS_IN_TABLES {
                tables.add_to(counts);
                tables = Tables::EMPTY;
                blocks = 0;
            }
        });
        tables.add_to(counts);
    }

    #[inline]
    fn place<const PLACES: usize>(&self, block: &Block<F>, places: &mut Block<u32>) {
        let mut near = 0;
        for (place, value) in places.iter_mut().zip(block) {
            let (bucket, distance) = value.place(self.low, self.per_one, self.highest);
            *place = bucket;
            near += u32::from(distance.wrapping_add(self.offset) < self.limit);
        }
        if near > 0 {
            for (place, value) in places.iter_mut().zip(block) {
                let value = (*value).into();
                let bucket = *place as usize % PLACES;
                *place += u32::from(value >= self.edges[bucket + 1]);
                *place -= u32::from(value < self.edges[bucket]);
            }
        }
    }
}

/// A float in which places are worked out.
#[allow(unnameable_types, reason = "a part of a sealed trait")]
pub trait Float: Copy + PartialOrd + Into<f64> {
    const INFINITY: Self;
    const NEG_INFINITY: Self;
    /// The highest relative error of an operation.
    const ROUNDING: f64;
    /// How many bits say how far in its bucket a value is.
    const FRACTION_BITS: u32;
    /// Between the ends: what neither overflows nor loses digits.
    const RANGES: RangeInclusive<f64>;

    fn is_nan(self) -> bool;
    fn nearest(number: f64) -> Self;
    /// The bucket, in the lowest bits, and the distance from the nearest edge, in 2^-32 of a bucket.
    fn place(self, low: Self, per_one: Self, highest: Self) -> (u32, i32);
}

macro_rules! floats {
    ($($float:ty, $fraction_bits:literal, $ranges:expr;)*) => {$(
        impl Float for $float {
            const INFINITY: Self = Self::INFINITY;
            const NEG_INFINITY: Self = Self::NEG_INFINITY;
            const ROUNDING: f64 = Self::EPSILON as f64 / 2.0;
            const FRACTION_BITS: u32 = $fraction_bits;
            const RANGES: RangeInclusive<f64> = $ranges;

            #[inline]
            fn is_nan(self) -> bool {
                self.is_nan()
            }

            #[allow(clippy::cast_possible_truncation, reason = "rounds")]
            fn nearest(number: f64) -> Self {
                number as Self
            }

            #[inline]
            #[allow(clippy::cast_possible_truncation, reason = "the lowest bits are wanted")]
            fn place(self, low: Self, per_one: Self, highest: Self) -> (u32, i32) {
                // The last bit of a number from here to its double stands for one of the fraction.
                const FIXED_POINT: $float = (1_u64 << (<$float>::MANTISSA_DIGITS - 1 - $fraction_bits)) as $float;
                let place = (self - low) * per_one;
                // So that the ends themselves are near no edge. NaN is in the first bucket.
                let place = if place > 0.5 { place } else { 0.5 };
                let place = if place < highest { place } else { highest };
                let bits = (place + FIXED_POINT).to_bits();
                ((bits >> $fraction_bits) as u32, (bits << (32 - $fraction_bits)) as i32)
            }
        }
    )*};
}

// Up to 2^8 and up to 2^20 buckets are told apart.
floats! {
    f32, 15, 1e-30..=1e37;
    f64, 32, 1e-280..=1e300;
}
