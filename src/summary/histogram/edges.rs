//! Buckets of equal width, without values.

use std::mem;

use super::Row;
use super::float::{higher, lower};

/// What tells an edge from its number.
#[derive(Clone, Copy)]
pub(super) struct Edges {
    start: f64,
    width: f64,
    unit: f64,
}

impl Edges {
    pub(super) fn new(low: f64, high: f64, buckets: usize) -> Self {
        // So that neither the range overflows nor the width loses its digits: by powers of two, which are exact.
        let huge = (1_u128 << 100) as f64;
        let (unit, per_unit) = match high - low {
            range if range < 1e-290 => (1.0 / huge, huge),
            f64::INFINITY => (2.0, 0.5),
            _ => (1.0, 1.0),
        };
        let start = low * per_unit;
        let width = (high * per_unit - start) / buckets as f64;
        Self { start, width, unit }
    }

    /// Edge number `i`, in units, which are 1 where nothing overflows or loses digits. It may be beyond an end by the last
    /// bits.
    #[inline]
    pub(super) fn even(self, i: f64) -> f64 {
        self.start + self.width * i
    }

    /// The rows of `buckets` buckets, in order, from `low` to `high`.
    pub(super) fn rows(self, low: f64, high: f64, buckets: usize) -> Vec<Row> {
        let mut left = low;
        let mut rows: Vec<Row> = (1_i32..)
            .take(buckets)
            .map(|i| {
                let right = lower(higher(self.even(i.into()) * self.unit, low), high);
                [mem::replace(&mut left, right), right, 0.0]
            })
            .collect();
        rows[buckets - 1][1] = high;
        rows
    }
}
