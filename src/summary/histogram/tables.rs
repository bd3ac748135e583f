//! How many values have each place.

use super::Row;
use super::blocks::{BLOCK, Block};

const TABLES: usize = 4;
/// After so many blocks the tables are emptied, for a `u16` holds the counts of a place in all tables together.
const BLOCKS: usize = u16::MAX as usize / BLOCK;

/// Values beside each other count in different ones, for a count waits for the one before it in the same place.
pub(super) struct Tables<const PLACES: usize> {
    tables: [[u16; PLACES]; TABLES],
    /// How many blocks may still come.
    left: usize,
}

impl<const PLACES: usize> Tables<PLACES> {
    pub(super) fn new() -> Self {
        Self {
            tables: [[0; PLACES]; TABLES],
            left: BLOCKS,
        }
    }

    /// Counts the values of a block from `first` on, each at the place that `to_place` says.
    #[inline]
    pub(super) fn count<N: Copy>(
        &mut self,
        block: &Block<N>,
        first: usize,
        to_place: impl Fn(N) -> u32,
    ) {
        self.left -= 1;
        // To know the length lets the compiler unroll the loop.
        if first == 0 {
            self.count_each(block, to_place);
        } else {
            self.count_each(&block[first..], to_place);
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

    /// Takes number `i` of those counted last from a place to the one before it.
    #[inline]
    pub(super) fn move_down(&mut self, i: usize, place: u32) {
        let table = &mut self.tables[i % TABLES];
        table[place as usize % PLACES] -= 1;
        table[(place as usize - 1) % PLACES] += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.left == 0
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
