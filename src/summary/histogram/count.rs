//! Values to counts in buckets of equal width, in two passes: the ends of all values, then the bucket of each.

use std::array;

use super::blocks::{Block, for_each_block};
use super::place::{Float, place};
use crate::summary::Scalar;

#[derive(Debug, PartialEq)]
pub(super) struct Counted {
    /// One more than `counts`, or none.
    pub(super) edges: Vec<f64>,
    pub(super) counts: Vec<u64>,
    /// How many values were left out.
    pub(super) non_finite: u64,
}

/// Counts the finite values of all `chunks` in `buckets` buckets, 1 to `MANY`; in one if all are equal, and in none if there
/// are none.
pub(super) fn count<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]> + Clone,
    buckets: usize,
) -> Counted {
    let mut values = 0;
    let mut ends = Ends::new();
    for_each_block(chunks.clone(), |block, len| {
        values += len as u64;
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
    if low > high {
        return Counted {
            edges: Vec::new(),
            counts: Vec::new(),
            non_finite,
        };
    }
    if low == high {
        return Counted {
            edges: vec![low, high],
            counts: vec![values.saturating_sub(non_finite)],
            non_finite,
        };
    }
    let mut edges = inner_edges(low, high, buckets);
    let mut counts = place(chunks, low, high, &edges);
    (edges[0], edges[buckets]) = (low, high);
    // Saturating, for an iterator that is not the same the second time is no reason to panic.
    counts[0] = counts[0].saturating_sub(below);
    counts[buckets - 1] = counts[buckets - 1].saturating_sub(above);
    Counted {
        edges,
        counts,
        non_finite,
    }
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

    #[inline]
    fn include(&mut self, block: &Block<F>) {
        for values in block.as_chunks().0 {
            self.include_each(values);
        }
    }

    // New arrays and not old ones changed in place: that is what the compiler makes vectors of.
    #[inline]
    fn include_each(&mut self, values: &[F; LANES]) {
        let Self { low, high, nans } = *self;
        *self = Self {
            low: array::from_fn(|i| lower(values[i], low[i])),
            high: array::from_fn(|i| higher(values[i], high[i])),
            nans: array::from_fn(|i| nans[i] | u32::from(values[i].is_nan())),
        };
    }

    /// Both ends, if all values are finite. Without values they are the infinities, the wrong way round.
    fn of_finite(&self) -> Option<(f64, f64)> {
        let Self {
            mut low,
            mut high,
            nans,
        } = *self;
        for half in [4, 2, 1] {
            for i in 0..half {
                low[i] = lower(low[i], low[i + half]);
                high[i] = higher(high[i], high[i + half]);
            }
        }
        let (low, high) = (low[0].into(), high[0].into());
        let all = nans == [0; LANES] && low != f64::NEG_INFINITY && high != f64::INFINITY;
        // Of the two zeros the positive one, whatever the order of the values.
        all.then_some((low + 0.0, high + 0.0))
    }
}

// The second if the first is NaN: what a processor has an instruction for.
fn lower<F: Float>(value: F, other: F) -> F {
    if value < other { value } else { other }
}

fn higher<F: Float>(value: F, other: F) -> F {
    if value > other { value } else { other }
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

/// The edges of `buckets` buckets of equal width, in order, from `low` to `high`. The outer ones are NaN, for no value is
/// beyond them.
fn inner_edges(low: f64, high: f64, buckets: usize) -> Vec<f64> {
    // So that neither the range overflows nor the width loses its digits: by powers of two, which are exact.
    let unit = match high - low {
        range if range < 1e-290 => 1.0 / (1_u128 << 100) as f64,
        f64::INFINITY => 2.0,
        _ => 1.0,
    };
    let start = low / unit;
    let width = (high / unit - start) / buckets as f64;
    let mut edges = vec![f64::NAN; buckets + 1];
    for (i, edge) in (1_i32..).zip(&mut edges[1..buckets]) {
        let even = (start + width * f64::from(i)) * unit;
        *edge = lower(higher(even, low), high);
    }
    edges
}
