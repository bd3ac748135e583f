//! How many values have each place.

use super::Row;
use super::blocks::{BLOCK, Block};

const TABLES: usize = 4;
/// After so many blocks the tables are emptied, before a place is full, of all together.
const BLOCKS: usize = u16::MAX as usize / BLOCK;

/// Values beside each other count in different ones, for a count waits for the one before it in the same place.
pub(super) struct Tables<const PLACES: usize> {
    tables: [[u16; PLACES]; TABLES],
    blocks: usize,
}

impl<const PLACES: usize> Tables<PLACES> {
    pub(super) const EMPTY: Self = Self {
        tables: [[0; PLACES]; TABLES],
        blocks: 0,
    };

    /// Counts the first `len` of a block, each at the place that `to_place` says.
    #[inline]
    pub(super) fn count<N: Copy>(
        &mut self,
        block: &Block<N>,
        len: usize,
        to_place: impl Fn(N) -> u32,
    ) {
        self.blocks += 1;
        // To know the length lets the compiler unroll the loop.
        if len == BLOCK {
            self.count_each(block, to_place);
        } else {
            self.count_each(&block[..len], to_place);
        }
    }

    #[inline]
    fn count_each<N: Copy>(&mut self, numbers: &[N], to_place: impl Fn(N) -> u32) {
        let (groups, rest) = numbers.as_chunks::<TABLES>();
        for group in groups {
            for (table, number) in self.tables.iter_mut().zip(group) {
                table[to_place(*number) as usize % PLACES] += 1;
            }
        }
        for (table, number) in self.tables.iter_mut().zip(rest) {
            table[to_place(*number) as usize % PLACES] += 1;
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.blocks == BLOCKS
    }

    /// The count of each place, in order.
    pub(super) fn counts(&self) -> impl Iterator<Item = f64> {
        let [first, second, third, fourth] = &self.tables;
        let tables = first.iter().zip(second).zip(third).zip(fourth);
        tables.map(|(((first, second), third), fourth)| f64::from(first + second + third + fourth))
    }

    /// Adds the count of each place to the row of that number.
    pub(super) fn add_to(&self, rows: &mut [Row]) {
        for (row, count) in rows.iter_mut().zip(self.counts()) {
            row[2] += count;
        }
    }
}
