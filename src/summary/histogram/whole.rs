//! Whole numbers to buckets. Many of them are on edges, where `place` needs a closer look; but there are few different ones.
//! So each is counted for itself, and then its count is placed.

use super::Row;
use super::blocks::{BLOCK, Block, all_blocks};
use super::float::Float;
use super::tables::Tables;
use crate::summary::Scalar;

/// The most different numbers there may be.
const FEW: usize = 1 << 8;

/// Counts each value in its row of `rows`, whose edges are from `low` to `high`. If not all are whole numbers, or too many
/// different ones, it says `false`, and all counts are 0.
pub(super) fn count<'a, T: Scalar>(
    chunks: impl Iterator<Item = &'a [T]>,
    low: f64,
    high: f64,
    rows: &mut [Row],
) -> bool {
    Numbers::<T::Exact>::new(low, high).is_some_and(|numbers| numbers.count(chunks, rows))
}

/// The whole numbers from the lowest value to the highest.
struct Numbers<F> {
    low: f64,
    high: f64,
    /// Brings the lowest to `F::WHOLE`: each number to where its last bits are its difference from the lowest, and any other
    /// value to one of them.
    shift: F,
}

impl<F: Float> Numbers<F> {
    fn new(low: f64, high: f64) -> Option<Self> {
        // So that the shift is exact, and so are the steps of 1 in `add`.
        let is_whole = |end: f64| end.abs() < F::WHOLE.into() && end.trunc() == end;
        (is_whole(low) && is_whole(high) && high - low < FEW as f64).then(|| Self {
            low,
            high,
            shift: F::nearest(F::WHOLE.into() - low),
        })
    }

    // Its frame has the tables, so it is one of its own.
    #[inline(never)]
    fn count<'a, T: Scalar<Exact = F>>(
        &self,
        chunks: impl Iterator<Item = &'a [T]>,
        rows: &mut [Row],
    ) -> bool {
        let mut tables = Tables::<FEW>::new();
        let are_whole = all_blocks(chunks, |blocks, first| {
            let mut shifted = [F::ZERO; BLOCK];
            for block in blocks {
                if !self.shift(block, &mut shifted) {
                    return false;
                }
                tables.count(&shifted, first, F::last_bits);
                if tables.is_full() {
                    self.add(&tables, rows);
                    tables = Tables::new();
                }
            }
            true
        });
        if are_whole {
            self.add(&tables, rows);
        } else {
            rows.iter_mut().for_each(|row| row[2] = 0.0);
        }
        are_whole
    }

    /// Says whether all values of a block are whole numbers.
    #[inline]
    fn shift<T: Scalar<Exact = F>>(&self, block: &Block<T>, shifted: &mut Block<F>) -> bool {
        let mut are_whole = true;
        for (to, value) in shifted.iter_mut().zip(block) {
            let value = value.exact();
            *to = value + self.shift;
            // What is no whole number has lost its fraction. Nor is NaN the same; an infinity is, but none should come.
            are_whole &= *to - self.shift == value;
        }
        are_whole
    }

    fn add(&self, tables: &Tables<FEW>, rows: &mut [Row]) {
        let mut counts = tables.counts();
        let mut number = self.low;
        let last = rows.len() - 1;
        for (i, row) in rows.iter_mut().enumerate() {
            let end = if i < last { row[1] } else { self.high + 1.0 };
            while number < end {
                row[2] += counts.next().unwrap_or(0.0);
                number += 1.0;
            }
        }
    }
}
