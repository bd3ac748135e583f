//! Merges the time series of several runs into one, step by step.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::{Join, Point};

/// A point of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) step: i64,
    pub(super) wall_time: f64,
    pub(super) value: f64,
}

/// The points of a tag in one run that are not merged yet. Their steps rise.
#[derive(Debug, Default)]
pub(super) struct Series {
    samples: VecDeque<Sample>,
    /// The last point that was merged, or that came too late for that.
    before: Option<Sample>,
    last_step: Option<i64>,
}

impl Series {
    /// Appends a point. It takes away the points from its step on, as in the fast loader.
    pub(super) fn push(&mut self, sample: Sample) {
        self.last_step = Some(sample.step);
        self.remove_from(sample.step);
        self.samples.push_back(sample);
    }

    /// Skips a point at a step that was merged without it.
    pub(super) fn push_late(&mut self, sample: Sample) {
        self.last_step = Some(sample.step);
        self.remove_from(sample.step);
        self.before = Some(sample);
    }

    fn remove_from(&mut self, step: i64) {
        while self.samples.back().is_some_and(|last| last.step >= step) {
            self.samples.pop_back();
        }
    }

    /// Returns the step of the last point, also of a merged one.
    pub(super) fn last_step(&self) -> Option<i64> {
        self.last_step
    }

    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(super) fn shrink(&mut self) {
        self.samples.shrink_to_fit();
    }

    fn next_step(&self) -> Option<i64> {
        self.samples.front().map(|sample| sample.step)
    }

    /// Returns the value on the line between the merged point and the next one.
    fn interpolate(&self, step: i64) -> Option<f64> {
        let (left, right) = (self.before?, self.samples.front()?);
        let distance = |from: i64, to: i64| (i128::from(to) - i128::from(from)) as f64;
        let part = distance(left.step, step) / distance(left.step, right.step);
        Some(left.value + part * (right.value - left.value))
    }
}

/// How many runs must have a step with [`Join::Inner`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Needed {
    /// All that have the tag.
    All,
    /// All that have reached the step, so that a run that has ended does not end the reduction.
    Reached,
}

/// Merges the points with steps up to `limit`, and passes the statistics of each step to `visit`. Returns the number of steps
/// that were left out.
pub(super) fn merge(
    series: &mut [Series],
    limit: i64,
    join: Join,
    needed: Needed,
    mut visit: impl FnMut(Point),
) -> u64 {
    let next_steps = series
        .iter()
        .enumerate()
        .filter_map(|(i, series)| Some(Reverse((series.next_step()?, i))));
    let mut heap: BinaryHeap<_> = next_steps.collect();
    let (mut values, mut left_out) = (Vec::new(), 0);
    while let Some(&Reverse((step, _))) = heap.peek()
        && step <= limit
    {
        values.clear();
        let mut wall_time = f64::NEG_INFINITY;
        if join == Join::Interpolate {
            let others = series
                .iter()
                .filter(|series| series.next_step() > Some(step));
            values.extend(others.filter_map(|series| series.interpolate(step)));
        }
        let reached = match needed {
            Needed::All => series.len(),
            Needed::Reached => series
                .iter()
                .filter(|it| it.last_step >= Some(step))
                .count(),
        };
        let mut present = 0;
        while let Some(mut next) = heap.peek_mut()
            && next.0.0 == step
        {
            let series = &mut series[next.0.1];
            if let Some(sample) = series.samples.pop_front() {
                present += 1;
                values.push(sample.value);
                wall_time = wall_time.max(sample.wall_time);
                series.before = Some(sample);
            }
            match series.next_step() {
                Some(step) => next.0.0 = step,
                None => {
                    std::collections::binary_heap::PeekMut::pop(next);
                }
            }
        }
        if join == Join::Inner && present < reached {
            left_out += 1;
        } else {
            visit(Point::new(step, wall_time, &mut values));
        }
    }
    left_out
}
