//! Values to the buckets that edges say they are in: bucket `i` has what is not below its left edge and below its right one,
//! and the last one its right edge, too.
//!
//! To look for each value among the edges is slow. So a multiplication tells the bucket, in fixed point, and how far in it the
//! value is; only of a value that is as near to an edge as that reckoning may err do the edges decide.

use std::array;
use std::iter;

use super::Row;
use super::blocks::{BLOCK, Block, for_all_blocks};
use super::edges::Edges;
use super::float::{FRACTION_BITS, Float, higher, lower};
use super::tables::Tables;
use crate::summary::Scalar;

/// The most buckets there may be.
pub(super) const MANY: usize = 1 << 12;
/// Up to here an `f32` tells a value's bucket.
const FEW: usize = <f32 as Float>::BUCKETS as usize;
/// A place in tables for them is a byte of a word, which needs no mask.
const PLACES_OF_FEW: usize = 2 * FEW;
/// So many values of a block that are near an edge are corrected one by one. After a block with more, all are corrected
/// whole.
const FEW_NEAR: usize = 6;

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
        scale.count::<T, PLACES_OF_FEW>(chunks, |value| value, rows);
    } else if let Some(scale) = Scale::<f64>::new(low, high, edges, rows.len()) {
        scale.count::<T, MANY>(chunks, Into::into, rows);
    } else {
        for value in chunks.flatten() {
            let value = value.exact().into();
            let bucket = rows[1..].partition_point(|row| row[0] <= value);
            rows[bucket][2] += 1.0;
        }
    }
}

/// What brings a value to its bucket, or to the one after it.
struct Scale<F> {
    /// Not used where the difference is taken of the products.
    low: F,
    per_one: F,
    /// Brings a place to fixed point, and as much higher as it may err; and takes the product of the lowest value away, where
    /// the difference is taken of the products.
    fixed_point: F,
    /// Between them places are held.
    lowest: F,
    highest: F,
    /// A value may be in the wrong bucket if these bits of its place are 0.
    near: u32,
    /// Not clamped as in the rows: where a place is wrong by less than half a bucket, no inner edge is beyond an end.
    edges: Edges,
}

impl<F: Float> Scale<F> {
    /// `None` if it might be wrong by half a bucket, or if the range is beyond what `F` reckons with.
    fn new(low: f64, high: f64, edges: Edges, buckets: usize) -> Option<Self> {
        if !F::RANGES.contains(&(high - low)) {
            return None;
        }
        let buckets = buckets as f64;
        let per_one = buckets / (high - low);
        let bits = (1_u64 << FRACTION_BITS) as f64;
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
        let fraction = (1 << FRACTION_BITS) - 1;
        let fixed_point = F::FIXED_POINT + f64::from(margin) / bits;
        Some(Self {
            low: F::nearest(low),
            per_one: F::nearest(per_one),
            fixed_point: F::nearest(fixed_point - zero),
            // So that the ends themselves are near no edge.
            lowest: F::nearest(fixed_point + 0.5),
            highest: F::nearest(fixed_point + buckets - 0.5),
            near: u32::try_from(fraction & !unsure).unwrap_or(0),
            edges,
        })
    }

    // Its frame has the tables, so it is one of its own.
    #[inline(never)]
    fn count<'a, T: Scalar, const PLACES: usize>(
        &self,
        chunks: impl Iterator<Item = &'a [T]>,
        to_float: impl Fn(T::Exact) -> F + Copy,
        rows: &mut [Row],
    ) {
        let mut tables = Tables::<PLACES>::new();
        let mut many_near = false;
        for_all_blocks(chunks, |blocks, first| {
            let mut places = [0; BLOCK];
            for block in blocks {
                let near = self.place(block, to_float, &mut places);
                if near && many_near {
                    self.correct_many(block, to_float, &mut places);
                }
                tables.count(&places, first, |place| place >> FRACTION_BITS);
                // Not before: a branch that is taken now and then would throw away what was counted ahead of it.
                if near && !many_near {
                    many_near =
                        self.correct_few(block, to_float, &places, first, &mut tables) > FEW_NEAR;
                }
                if tables.is_full() {
                    tables.add_to(rows);
                    tables = Tables::new();
                }
            }
        });
        tables.add_to(rows);
    }

    /// Says whether a value is near an edge.
    #[inline]
    fn place<T: Scalar>(
        &self,
        block: &Block<T>,
        to_float: impl Fn(T::Exact) -> F,
        places: &mut Block<u32>,
    ) -> bool {
        // Copies, which the compiler knows not to change while it writes places.
        let Self {
            low,
            per_one,
            fixed_point,
            lowest,
            highest,
            near,
            ..
        } = *self;
        for (place, value) in places.iter_mut().zip(block) {
            let fixed = to_float(value.exact()).place(low, per_one, fixed_point);
            // NaN is in the first bucket.
            *place = lower(higher(fixed, lowest), highest).last_bits();
        }
        is_one_near(places, near)
    }

    /// Brings the values from `first` on that are counted in the bucket after theirs to their own, and says how many were near
    /// an edge.
    // Not a part of the loop, in which the compiler would make worse vectors.
    #[inline(never)]
    fn correct_few<T: Scalar, const PLACES: usize>(
        &self,
        block: &Block<T>,
        to_float: impl Fn(T::Exact) -> F,
        places: &Block<u32>,
        first: usize,
        tables: &mut Tables<PLACES>,
    ) -> usize {
        near_ones(places, self.near)
            .inspect(|i| {
                let bucket = (places[*i] >> FRACTION_BITS) % F::BUCKETS;
                let left = self.edges.even(bucket.into());
                if to_float(block[*i].exact()).into() < left && bucket > 0 && *i >= first {
                    tables.move_down(*i - first, bucket);
                }
            })
            .count()
    }

    /// The same of all values before they are counted, several at once.
    #[inline(never)]
    fn correct_many<T: Scalar>(
        &self,
        block: &Block<T>,
        to_float: impl Fn(T::Exact) -> F,
        places: &mut Block<u32>,
    ) {
        // No table of edges: what works one out makes several at once.
        let edges = self.edges;
        for (place, value) in places.iter_mut().zip(block) {
            let bucket = (*place >> FRACTION_BITS) % F::BUCKETS;
            let left = edges.even(bucket.into());
            let is_below = to_float(value.exact()).into() < left;
            *place -= u32::from(is_below & (bucket > 0)) << FRACTION_BITS;
        }
    }
}

/// The numbers of the places that are near an edge, in any order.
#[inline]
fn near_ones(places: &Block<u32>, near: u32) -> impl Iterator<Item = usize> {
    const LANES: usize = 4;
    const ROWS: usize = BLOCK / LANES;
    // A bit of each row.
    let mut lanes = [0; LANES];
    for (row, places) in places.as_chunks::<LANES>().0.iter().enumerate() {
        lanes = array::from_fn(|lane| lanes[lane] | u32::from(places[lane] & near == 0) << row);
    }
    let [a, b, c, d] = lanes.map(u64::from);
    let mut ones = a | b << ROWS | c << (2 * ROWS) | d << (3 * ROWS);
    iter::from_fn(move || {
        let one = ones.checked_ilog2()? as usize;
        ones &= !(1 << one);
        Some(one % ROWS * LANES + one / ROWS)
    })
}

#[inline]
fn is_one_near(places: &Block<u32>, near: u32) -> bool {
    // Below 0, and so with the highest bit, if it is near.
    let nearest = places
        .iter()
        .fold(0, |nearest, place| nearest | (place & near).wrapping_sub(1));
    nearest > u32::MAX / 2
}
