//! Adds the histograms of several runs, if they have the same buckets.

use std::collections::BTreeMap;
use std::mem;

use super::Join;
use crate::reader::Bucket;

/// The histograms of a tag: those of the run that is being read, and the sums of the runs before it.
#[derive(Debug, Default)]
pub(super) struct Histograms {
    pending: BTreeMap<i64, (f64, Vec<Bucket>)>,
    sums: BTreeMap<i64, Sum>,
    run_count: usize,
}

#[derive(Debug)]
struct Sum {
    wall_time: f64,
    /// `None` if the runs have different buckets.
    buckets: Option<Vec<Bucket>>,
    run_count: usize,
}

impl Histograms {
    /// Adds a histogram of the current run. It takes away the ones from its step on.
    pub(super) fn push(&mut self, step: i64, wall_time: f64, buckets: Vec<Bucket>) {
        let later = self.pending.split_off(&step);
        drop(later);
        self.pending.insert(step, (wall_time, buckets));
    }

    /// Adds the histograms of the current run to the sums.
    pub(super) fn end_run(&mut self) {
        self.run_count += usize::from(!self.pending.is_empty());
        for (step, (wall_time, buckets)) in mem::take(&mut self.pending) {
            let Some(sum) = self.sums.get_mut(&step) else {
                let is_valid = buckets.iter().all(is_valid);
                let sum = Sum {
                    wall_time,
                    buckets: is_valid.then_some(buckets),
                    run_count: 1,
                };
                self.sums.insert(step, sum);
                continue;
            };
            sum.wall_time = sum.wall_time.max(wall_time);
            sum.run_count += 1;
            match &mut sum.buckets {
                Some(sums) if have_same_edges(sums, &buckets) => {
                    for (sum, bucket) in sums.iter_mut().zip(&buckets) {
                        sum.count += bucket.count;
                    }
                }
                sums => *sums = None,
            }
        }
    }

    /// Returns an estimate of the memory, in points of a scalar.
    pub(super) fn weight(&self) -> usize {
        let pending = self.pending.values().map(|(_, buckets)| buckets.len() + 2);
        let sums = self
            .sums
            .values()
            .map(|sum| sum.buckets.as_ref().map_or(2, Vec::len) + 2);
        pending.chain(sums).sum()
    }

    /// Passes step, wall time and buckets of each sum to `visit`. Returns how many steps were left out because their buckets
    /// differ.
    pub(super) fn finish(
        mut self,
        join: Join,
        mut visit: impl FnMut(i64, f64, Vec<Bucket>),
    ) -> u64 {
        self.end_run();
        let mut left_out = 0;
        for (step, sum) in self.sums {
            if join == Join::Inner && sum.run_count < self.run_count {
                continue;
            }
            match sum.buckets {
                Some(buckets) => visit(step, sum.wall_time, buckets),
                None => left_out += 1,
            }
        }
        left_out
    }
}

fn is_valid(bucket: &Bucket) -> bool {
    let edges = [bucket.left, bucket.right, bucket.count];
    edges.iter().all(|number| number.is_finite())
        && bucket.left <= bucket.right
        && bucket.count >= 0.0
}

fn have_same_edges(a: &[Bucket], b: &[Bucket]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.left == b.left && a.right == b.right && is_valid(b))
}
