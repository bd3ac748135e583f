//! Values to counts in buckets of equal width, in two passes: the ends of all values, then the bucket of each.

use super::place::{BLOCK, Float, place};
use crate::summary::Scalar;

/// How many buckets a table has places for. The small one is fast, and fits the numbers that an `f32` tells apart.
const FEW: usize = 256;
pub(super) const MANY: usize = 1 << 12;

#[derive(Debug, PartialEq)]
pub(super) struct Counted {
    /// One more than `counts`, or none.
    pub(super) edges: Vec<f64>,
    pub(super) counts: Vec<u64>,
    /// How many values were left out.
    pub(super) non_finite: u64,
}

/// Counts the finite values of all `chunks` in `buckets` buckets, of which there are 1 to [`MANY`]; in one if all are equal,
/// and in none if there are none.
pub(super) fn count<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]> + Clone,
    buckets: usize,
) -> Counted {
    let mut values = 0;
    let mut ends = Ends::new();
    for_each_block(chunks.clone(), |block| {
        values += block.len() as u64;
        ends.include(block);
    });
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
    if values == non_finite {
        return Counted {
            edges: Vec::new(),
            counts: Vec::new(),
            non_finite,
        };
    }
    if low == high {
        return Counted {
            edges: vec![low, high],
            counts: vec![values - non_finite],
            non_finite,
        };
    }
    let edges = edges(low, high, buckets);
    let mut counts = if buckets > FEW {
        place::<T, f64, MANY>(chunks, &edges, |value| value.exact().into())
    } else if T::Exact::RANGES.contains(&(high - low)) {
        place::<T, T::Exact, FEW>(chunks, &edges, T::exact)
    } else {
        place::<T, f64, FEW>(chunks, &edges, |value| value.exact().into())
    };
    counts[0] = counts[0].saturating_sub(below);
    counts[buckets - 1] = counts[buckets - 1].saturating_sub(above);
    Counted {
        edges,
        counts,
        non_finite,
    }
}

/// All values in blocks: full ones as they are, what is left of each chunk together.
pub(super) fn for_each_block<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]>,
    mut act: impl FnMut(&[T]),
) {
    let mut gathered = [T::default(); BLOCK];
    let mut len = 0;
    for chunk in chunks {
        let (blocks, rest) = chunk.as_chunks::<BLOCK>();
        for block in blocks {
            act(block);
        }
        for value in rest {
            gathered[len] = *value;
            len += 1;
            if len == BLOCK {
                act(&gathered);
                len = 0;
            }
        }
    }
    act(&gathered[..len]);
}

/// The lowest and the highest value, in lanes, which a processor compares together.
struct Ends<F> {
    low: [F; LANES],
    high: [F; LANES],
    nans: [u32; LANES],
}

const LANES: usize = 8;

impl<F: Float> Ends<F> {
    fn new() -> Self {
        Self {
            low: [F::INFINITY; LANES],
            high: [F::NEG_INFINITY; LANES],
            nans: [0; LANES],
        }
    }

    fn include<T: Scalar<Exact = F>>(&mut self, block: &[T]) {
        let (lanes, rest) = block.as_chunks::<LANES>();
        for values in lanes {
            self.include_each(values);
        }
        if let Some(first) = rest.first() {
            let mut values = [*first; LANES];
            values[..rest.len()].copy_from_slice(rest);
            self.include_each(&values);
        }
    }

    // New arrays and not old ones changed in place: that is what the compiler makes vectors of.
    fn include_each<T: Scalar<Exact = F>>(&mut self, values: &[T; LANES]) {
        let values = values.map(T::exact);
        let Self { low, high, nans } = *self;
        // NaN is neither below nor above.
        *self = Self {
            low: std::array::from_fn(|i| {
                if values[i] < low[i] {
                    values[i]
                } else {
                    low[i]
                }
            }),
            high: std::array::from_fn(|i| {
                if values[i] > high[i] {
                    values[i]
                } else {
                    high[i]
                }
            }),
            nans: std::array::from_fn(|i| nans[i] | u32::from(values[i].is_nan())),
        };
    }

    /// Both ends, if all values are finite. Without values they are the infinities, the wrong way round.
    fn of_finite(&self) -> Option<(f64, f64)> {
        let low = self
            .low
            .iter()
            .fold(f64::INFINITY, |low, value| low.min((*value).into()));
        let high = self
            .high
            .iter()
            .fold(f64::NEG_INFINITY, |high, value| high.max((*value).into()));
        let all = self.nans == [0; LANES] && low != f64::NEG_INFINITY && high != f64::INFINITY;
        // Of the two zeros the positive one, whatever the order of the values.
        all.then_some((low + 0.0, high + 0.0))
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

/// The edges of `buckets` buckets of equal width, in order, the first `low` and the last `high`.
pub(super) fn edges(low: f64, high: f64, buckets: usize) -> Vec<f64> {
    // So that neither the range overflows nor the width loses its digits: by powers of two, which are exact.
    let unit = match high - low {
        range if range < 1e-290 => 1.0 / (1_u128 << 100) as f64,
        f64::INFINITY => 2.0,
        _ => 1.0,
    };
    let start = low / unit;
    let width = (high / unit - start) / buckets as f64;
    (0..buckets)
        .map(|i| ((start + width * i as f64) * unit).clamp(low, high))
        .chain([high])
        .collect()
}
