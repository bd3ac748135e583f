//! Values to the buckets that edges say they are in: bucket `i` has what is not below its left edge and below its right one,
//! and the last one its right edge, too.
//!
//! To look for each value among the edges is slow. So a multiplication tells the bucket, in fixed point, and how far in it the
//! value is; only where a block has a value as near to an edge as that reckoning may err do the edges decide.

use std::array;

use super::Row;
use super::blocks::{BLOCK, Block, for_each_block};
use super::edges::Edges;
use super::float::{Float, higher, lower};
use super::tables::Tables;
use crate::summary::Scalar;

/// The most buckets there may be.
pub(super) const MANY: usize = 1 << 12;
/// Up to here tables are small, and an `f32` tells a value's bucket.
const FEW: usize = 1 << 8;
const LANES: usize = 8;
const GROUP: usize = 2 * LANES;

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
        for_each_block(chunks, |block, len| {
            self.place(to_floats(block, &mut space), &mut places);
            tables.count(&places, len, |place| place);
            if tables.is_full() {
                tables.add_to(rows);
                tables = Tables::EMPTY;
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
            ..
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
        if nearest.contains(&first.fraction(0)) {
            self.correct(block, &nearest, places);
        }
    }

    /// Brings the values that are in the bucket after theirs to their own.
    // Not a part of `place`, in which the compiler would make worse vectors.
    #[inline(never)]
    fn correct(&self, block: &Block<F>, nearest: &[F; LANES], places: &mut Block<u32>) {
        let edges = self.edges;
        // No table of edges: what works one out makes several at once.
        let correct = |place: &mut u32, value: F| {
            let bucket = *place % F::FIXED_POINT;
            let left = edges.even(bucket.into());
            *place -= u32::from(value.into() < left) & u32::from(bucket > 0);
        };
        let none = self.first.fraction(0);
        let is_near = |lane: &usize| nearest[*lane] == none;
        // Where an edge is met by chance, few lanes have it. Where it is not, all lanes together are faster.
        if (0..LANES).filter(is_near).count() > 2 {
            for (place, value) in places.iter_mut().zip(block) {
                correct(place, *value);
            }
            return;
        }
        for lane in (0..LANES).filter(is_near) {
            let groups = places.as_chunks_mut::<LANES>().0.iter_mut();
            for (places, values) in groups.zip(block.as_chunks::<LANES>().0) {
                correct(&mut places[lane], values[lane]);
            }
        }
    }
}
