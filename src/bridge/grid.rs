//! Numbers that come one by one to a histogram, in memory that does not grow with them.

use std::mem;

use crate::summary::Histogram;

/// More than half of them lie between the lowest and the highest number, unless those agree in 45 bits: more buckets than
/// the 30 that the dashboard draws.
const CELLS: usize = 64;

/// Counts numbers in cells between multiples of one width, a power of two. The first number chooses a width that is next
/// to nothing beside it; whenever the cells do not reach to a number, the width doubles until they do, and cells are
/// merged. Every number stays counted between edges that it lies between.
#[derive(Debug)]
pub(super) struct Grid {
    /// Cell `i` has what is from `(first + i) * width` on and below `(first + i + 1) * width`.
    counts: [u64; CELLS],
    /// An integer.
    first: f64,
    width: f64,
    /// Above `highest` if there is no number.
    lowest: f64,
    highest: f64,
    non_finite: u64,
}

impl Default for Grid {
    fn default() -> Self {
        Self {
            counts: [0; CELLS],
            first: 0.0,
            width: 0.0,
            lowest: f64::INFINITY,
            highest: f64::NEG_INFINITY,
            non_finite: 0,
        }
    }
}

impl Grid {
    pub(super) fn add(&mut self, number: f64, count: u64) {
        if count == 0 {
            return;
        }
        if !number.is_finite() {
            self.non_finite = self.non_finite.saturating_add(count);
            return;
        }
        if self.lowest > self.highest {
            self.width = first_width(number);
            self.first = (number / self.width).floor();
        }
        self.lowest = self.lowest.min(number);
        self.highest = self.highest.max(number);
        if self.cell(number).is_none() {
            self.stretch();
        }
        if let Some(cell) = self.cell(number) {
            self.counts[cell] = self.counts[cell].saturating_add(count);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lowest > self.highest && self.non_finite == 0
    }

    /// A bucket for each cell from that of the lowest number, where the first begins, to that of the highest, where the
    /// last ends.
    pub(super) fn histogram(&self) -> Histogram {
        let mut rows = Vec::new();
        if let (Some(first), Some(last)) = (self.cell(self.lowest), self.cell(self.highest)) {
            let row = |cell| {
                [
                    self.edge(cell),
                    self.edge(cell + 1),
                    self.counts[cell] as f64,
                ]
            };
            rows.extend((first..=last).map(row));
            // As in other histograms, the last bucket has its right edge; there is none of no width behind it.
            if let [.., before, end] = &mut rows[..]
                && end[0] == self.highest
            {
                before[2] += end[2];
                rows.pop();
            }
            if let Some(start) = rows.first_mut() {
                start[0] = self.lowest;
            }
            if let Some(end) = rows.last_mut() {
                end[1] = self.highest;
            }
        }
        Histogram::from_rows(rows, self.non_finite)
    }

    /// The left edge of a cell, exactly.
    fn edge(&self, cell: usize) -> f64 {
        (self.first + cell as f64) * self.width
    }

    /// Where a number is counted, if the cells reach to it.
    fn cell(&self, number: f64) -> Option<usize> {
        let at = (number / self.width).floor() - self.first;
        #[allow(clippy::cast_possible_truncation, reason = "an integer below 64")]
        (0.0..CELLS as f64).contains(&at).then_some(at as usize)
    }

    /// Makes the cells reach from the lowest number to the highest.
    fn stretch(&mut self) {
        let mut edges = [0.0; CELLS];
        for (cell, edge) in edges.iter_mut().enumerate() {
            *edge = self.edge(cell).max(f64::MIN);
        }
        let cells = |width: f64| (self.highest / width).floor() - (self.lowest / width).floor();
        let mut width = self.width;
        // Of the lowest and the highest `f64` it is 2^1019: there are 64 of these between them.
        while cells(width) >= CELLS as f64 {
            width *= 2.0;
        }
        self.width = width;
        self.first = (self.lowest / width).floor();
        let counts = mem::replace(&mut self.counts, [0; CELLS]);
        for (edge, count) in edges.into_iter().zip(counts) {
            if count > 0
                && let Some(cell) = self.cell(edge)
            {
                self.counts[cell] = self.counts[cell].saturating_add(count);
            }
        }
    }
}

/// Such that the number is 2^51 to 2^52 of it, so that the edges around are exact, or the least there is.
fn first_width(number: f64) -> f64 {
    let power_of_two = f64::from_bits(number.to_bits() & f64::INFINITY.to_bits());
    (power_of_two * (2.0 * f64::EPSILON)).max(f64::from_bits(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(numbers: &[f64]) -> Histogram {
        let mut grid = Grid::default();
        numbers.iter().for_each(|number| grid.add(*number, 1));
        grid.histogram()
    }

    fn from_buckets(edges: &[f64], counts: &[u64]) -> Histogram {
        Histogram::from_buckets(edges, counts).unwrap()
    }

    #[test]
    fn numbers_are_counted_between_multiples_of_a_power_of_two() {
        // The least width of which 64 reach over 0 to 100 is 2.
        let mut numbers: Vec<f64> = (0..=100).map(f64::from).collect();
        let edges: Vec<f64> = (0..=50).map(|edge| f64::from(2 * edge)).collect();
        let mut counts = [2; 50];
        counts[49] = 3; // 98, 99 and the right edge
        let want = from_buckets(&edges, &counts);
        assert_eq!(histogram(&numbers), want);
        numbers.reverse();
        assert_eq!(histogram(&numbers), want);
        fastrand::Rng::with_seed(1).shuffle(&mut numbers);
        assert_eq!(histogram(&numbers), want);
    }

    #[test]
    fn the_outermost_buckets_end_at_the_lowest_and_the_highest_number() {
        // From -33.5 to 31.25 in cells of 2: -34 to -32, ..., 30 to 32.
        let numbers = [-0.5, 31.25, 0.0, -33.5, 30.0];
        let inner = (-16..=15).map(|edge| f64::from(2 * edge));
        let mut edges = vec![-33.5];
        edges.extend(inner);
        edges.push(31.25);
        let mut counts = [0; 33];
        counts[0] = 1;
        counts[16] = 1; // -2 to 0
        counts[17] = 1;
        counts[32] = 2;
        assert_eq!(histogram(&numbers), from_buckets(&edges, &counts));
    }

    #[test]
    fn one_number_has_a_bucket_of_no_width_and_two_are_told_apart() {
        for number in [0.0, 1.0, -0.1, f64::MAX, f64::MIN, 5e-324, -5e-324] {
            let want = from_buckets(&[number, number], &[3]);
            assert_eq!(histogram(&[number; 3]), want, "{number}");
        }
        assert_eq!(
            histogram(&[0.0, 5e-324]),
            from_buckets(&[0.0, 5e-324], &[2])
        );
        let close = [1e9, 1e9 + 1e-6];
        assert_eq!(histogram(&close), histogram(&[close[1], close[0]]));
    }

    #[test]
    fn the_widest_range_has_its_cells() {
        // 2^1019 is the width of 64 cells from the lowest number to the highest.
        let width = 2f64.powi(1019);
        let mut edges: Vec<f64> = (-31..=31).map(|edge| f64::from(edge) * width).collect();
        edges.insert(0, f64::MIN);
        edges.push(f64::MAX);
        let mut counts = [0; 64];
        counts[0] = 1;
        counts[31] = 1; // -1, just below 0
        counts[32] = 2; // 0 and 1
        counts[63] = 1;
        for numbers in [
            [f64::MAX, f64::MIN, 0.0, 1.0, -1.0],
            [0.0, 1.0, -1.0, f64::MIN, f64::MAX],
            [f64::MIN, 0.0, 1.0, -1.0, f64::MAX],
        ] {
            assert_eq!(histogram(&numbers), from_buckets(&edges, &counts));
        }
    }

    #[test]
    fn any_numbers_lie_where_they_are_counted() {
        let mut random = fastrand::Rng::with_seed(2026);
        for case in 0..2000 {
            let exponents = 1 + case % 60;
            let mut numbers: Vec<f64> = (0..random.usize(1..200))
                .map(|_| (random.f64() - 0.3) * 2f64.powi(random.i32(0..exponents)))
                .collect();
            let rows = histogram(&numbers).rows().to_vec();
            numbers.sort_by(f64::total_cmp);
            assert!(rows.len() <= CELLS);
            assert_eq!(rows[0][0], numbers[0]);
            assert_eq!(rows[rows.len() - 1][1], numbers[numbers.len() - 1]);
            let mut left = numbers.len();
            for (i, [start, end, count]) in rows.iter().enumerate() {
                let is_last = i == rows.len() - 1;
                let is_in = |number: &&f64| {
                    start <= *number && (*number < end || is_last && *number == end)
                };
                let want = numbers.iter().filter(is_in).count();
                assert_eq!(*count, want as f64, "case {case}, from {start} to {end}");
                left -= want;
            }
            assert_eq!(left, 0);
        }
    }

    #[test]
    fn what_is_not_finite_is_counted_apart() {
        let mut grid = Grid::default();
        assert!(grid.is_empty());
        grid.add(f64::NAN, 1);
        assert!(!grid.is_empty());
        grid.add(f64::INFINITY, 2);
        assert_eq!(grid.histogram(), Histogram::new(&[f64::NAN; 3]));
        grid.add(0.5, 0);
        assert_eq!(grid.histogram(), Histogram::new(&[f64::NAN; 3]));
        grid.add(0.5, u64::MAX);
        grid.add(0.5, u64::MAX);
        let [[start, end, count]] = *grid.histogram().rows() else {
            panic!("one bucket");
        };
        assert_eq!((start, end, count), (0.5, 0.5, u64::MAX as f64));
    }
}
