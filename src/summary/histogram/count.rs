//! Values to counts in buckets of equal width, in two passes: the ends of all values, then the bucket of each.

use std::array;

use super::Histogram;
use super::blocks::{BLOCK, Block, for_all_blocks};
use super::edges::Edges;
use super::float::{Float, higher, lower};
use super::place::place;
use super::whole;
use crate::summary::{Bits, Scalar};

/// Counts the finite values of all `chunks` in `buckets` buckets, 1 to `MANY`; in one if all are equal, and in none if there
/// are none.
pub(super) fn count<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]> + Clone,
    buckets: usize,
) -> Histogram {
    let (values, ends) = match T::BITS {
        Some(bits) => Ends::of_bits(chunks.clone(), &bits),
        None => Ends::of(chunks.clone()),
    };
    let finite = match ends.of_finite() {
        Some((low, high)) => Finite {
            low,
            high,
            ..Finite::NONE
        },
        None => Finite::find(chunks.clone()),
    };
    let Finite {
        low,
        high,
        below,
        above,
    } = finite;
    let non_finite = below + above;
    let rows = if low < high {
        let edges = Edges::new(low, high, buckets);
        let mut rows = edges.rows(low, high, buckets);
        // An infinity would be taken for a whole number.
        if non_finite > 0 || !whole::count(chunks.clone(), low, high, &mut rows) {
            place(chunks, low, high, edges, &mut rows);
        }
        // Not below 0, for an iterator that is not the same the second time is no reason for less.
        for (row, count) in [(0, below), (buckets - 1, above)] {
            rows[row][2] = (rows[row][2] - count as f64).max(0.0);
        }
        rows
    } else if low == high {
        vec![[low, high, values.saturating_sub(non_finite) as f64]]
    } else {
        Vec::new()
    };
    Histogram { rows, non_finite }
}

/// The lowest and the highest value, in lanes, which a processor compares together.
#[derive(Clone, Copy)]
struct Ends<F> {
    low: [F; LANES],
    high: [F; LANES],
    /// NaN if there is a NaN among the values, otherwise 0.
    nan: [F; LANES],
}

const LANES: usize = 4;

impl<F: Float> Ends<F> {
    const NONE: Self = Self {
        low: [F::INFINITY; LANES],
        high: [F::NEG_INFINITY; LANES],
        nan: [F::ZERO; LANES],
    };

    fn of<'a, T: Scalar<Exact = F>>(chunks: impl Iterator<Item = &'a [T]>) -> (u64, Self) {
        let mut values = 0;
        let mut ends = Self::NONE;
        for_all_blocks(chunks, |blocks, first| {
            values += (blocks.as_flattened().len() - first) as u64;
            ends = ends.with(blocks);
        });
        (values, ends)
    }

    /// Of bits eight are compared together, and none become a float but the ends.
    fn of_bits<'a, T: Scalar<Exact = F>>(
        chunks: impl Iterator<Item = &'a [T]>,
        bits: &Bits<T>,
    ) -> (u64, Self) {
        const SIGN: i16 = i16::MIN;
        let mut values = 0;
        let (mut least, mut most, mut most_of_negative) = (i16::MAX, i16::MIN, i16::MIN);
        for chunk in chunks {
            values += chunk.len() as u64;
            for value in chunk {
                let bits = (bits.of)(*value);
                least = least.min(bits);
                most = most.max(bits);
                most_of_negative = most_of_negative.max(bits ^ SIGN);
            }
        }
        let mut ends = Self::NONE;
        if values > 0 {
            // The bits are a sign and a magnitude, of which the larger is the lower number below 0.
            let low = if most_of_negative < 0 {
                least
            } else {
                most_of_negative ^ SIGN
            };
            let high = if most < 0 { least } else { most };
            let [low, high] = [low, high].map(|end| (bits.to_float)(end).exact());
            ends.low[0] = low;
            ends.high[0] = high;
            ends.nan[0] = F::ZERO.or_nan(low, high);
        }
        (values, ends)
    }

    #[inline]
    fn with<T: Scalar<Exact = F>>(mut self, blocks: &[Block<T>]) -> Self {
        let mut space = [F::INFINITY; BLOCK];
        for block in blocks {
            for group in T::exact_block(block, &mut space)
                .as_chunks()
                .0
                .as_chunks()
                .0
            {
                self.include_each(group);
            }
        }
        self
    }

    // New arrays and not old ones changed in place: that is what the compiler makes vectors of. Two become one before they
    // meet the result, which waits for the one before it.
    #[inline]
    fn include_each(&mut self, [a, b]: &[[F; LANES]; 2]) {
        let Self { low, high, nan } = *self;
        *self = Self {
            low: array::from_fn(|i| lower(lower(a[i], b[i]), low[i])),
            high: array::from_fn(|i| higher(higher(a[i], b[i]), high[i])),
            nan: array::from_fn(|i| nan[i].or_nan(a[i], b[i])),
        };
    }

    /// Both ends, if all values are finite. Without values they are the infinities, the wrong way round.
    fn of_finite(&self) -> Option<(f64, f64)> {
        let Self {
            mut low, mut high, ..
        } = *self;
        for half in [2, 1] {
            for i in 0..half {
                low[i] = lower(low[i], low[i + half]);
                high[i] = higher(high[i], high[i + half]);
            }
        }
        let (low, high) = (low[0].into(), high[0].into());
        let are_finite = !self.nan.iter().any(|nan| nan.is_nan())
            && low != f64::NEG_INFINITY
            && high != f64::INFINITY;
        // Of the two zeros the positive one, whatever the order of the values.
        are_finite.then_some((low + 0.0, high + 0.0))
    }
}

/// The ends of the finite values, and how many others there are.
struct Finite {
    low: f64,
    high: f64,
    /// Negative infinities and NaNs, which are placed in the first bucket.
    below: u64,
    /// Positive infinities, which are placed in the last bucket.
    above: u64,
}

impl Finite {
    const NONE: Self = Self {
        low: f64::INFINITY,
        high: f64::NEG_INFINITY,
        below: 0,
        above: 0,
    };

    fn find<'a, T: Scalar>(chunks: impl Iterator<Item = &'a [T]>) -> Self {
        let mut found = Self::NONE;
        for value in chunks.flatten() {
            let value: f64 = value.exact().into();
            if value.is_finite() {
                found.low = found.low.min(value + 0.0);
                found.high = found.high.max(value + 0.0);
            } else if value == f64::INFINITY {
                found.above += 1;
            } else {
                found.below += 1;
            }
        }
        found
    }
}
