//! Reduces finished runs. One tag after the other would read all files once for each tag. So a pass takes all tags whose points
//! fit into the memory together, and leaves the others to the next pass.

use std::collections::BTreeMap;

use super::histograms::Histograms;
use super::merge::{Needed, Series, merge};
use super::output::{self, Output};
use super::source::{Data, RunSource};
use super::{Point, Reduction, Written};
use crate::error::Result;
use crate::reader::Run;
use crate::report::Reporter;

/// The points in memory, unless one tag alone has more: 240 MB.
pub(super) const MAX_POINTS: usize = 10_000_000;

/// Writes all tags.
pub(super) fn reduce(reduction: &Reduction, runs: &[Run], output: &mut Output) -> Result<Written> {
    let reporter = output.reporter().clone();
    let mut written = Written::default();
    let (mut missing_steps, mut other_buckets) = (0, Vec::new());
    let passes = Passes::new(reduction, runs, MAX_POINTS, reporter.clone());
    written.damaged_run_count = passes.each_tag(|tag, points| {
        written.tag_count += 1;
        match points {
            Points::Scalar(mut series) => {
                let names = output.scalar(tag);
                let (join, needed) = (reduction.join, Needed::All);
                missing_steps += merge(&mut series, i64::MAX, join, needed, |point| {
                    written.point_count += 1;
                    output.point(&names, &point);
                });
            }
            Points::Histogram(histograms) => {
                let left_out = histograms.finish(reduction.join, |step, wall_time, buckets| {
                    written.point_count += 1;
                    output.histogram(tag, step, wall_time, &buckets);
                });
                if left_out > 0 {
                    other_buckets.push(tag.to_owned());
                }
            }
        }
    })?;
    if missing_steps > 0 {
        let what = match missing_steps {
            1 => "1 step that not all runs have is left out".into(),
            steps => format!("{steps} steps that not all runs have are left out"),
        };
        reporter.warn(format_args!(
            "{what}; `Join::Outer`, or `--join outer`, keeps such steps"
        ));
    }
    if !other_buckets.is_empty() {
        reporter.warn(format_args!(
            "histograms are left out at steps where the runs have different buckets, of the tags {}",
            other_buckets.join(", ")
        ));
    }
    Ok(written)
}

/// Returns the points of one tag.
pub(super) fn scalars(reduction: &Reduction, runs: &[Run], tag: &str) -> Result<Vec<Point>> {
    let wanted = tag.to_owned();
    let reduction = reduction.clone().tags(move |tag| tag == wanted);
    let mut all = Vec::new();
    Passes::new(&reduction, runs, MAX_POINTS, Reporter::default()).each_tag(|_, points| {
        if let Points::Scalar(mut series) = points {
            let join = reduction.join;
            merge(&mut series, i64::MAX, join, Needed::All, |point| {
                all.push(point)
            });
        }
    })?;
    Ok(all)
}

/// The points of a tag in all runs.
pub(super) enum Points {
    Scalar(Vec<Series>),
    Histogram(Histograms),
}

/// A tag that a pass has seen.
struct Slot {
    name: String,
    scalars: Option<Vec<Series>>,
    histograms: Option<Histograms>,
    /// The run of the last series.
    last_run: usize,
    weight: usize,
    is_wanted: bool,
    is_scalar: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Collected,
    Deferred,
    Done,
}

pub(super) struct Passes<'a> {
    reduction: &'a Reduction,
    runs: &'a [Run],
    max_points: usize,
    reporter: Reporter,
    by_name: foldhash::HashMap<String, usize>,
    slots: Vec<Slot>,
    weight: usize,
}

impl<'a> Passes<'a> {
    pub(super) fn new(
        reduction: &'a Reduction,
        runs: &'a [Run],
        max_points: usize,
        reporter: Reporter,
    ) -> Self {
        Self {
            reduction,
            runs,
            max_points,
            reporter,
            by_name: foldhash::HashMap::default(),
            slots: Vec::new(),
            weight: 0,
        }
    }

    /// Passes each tag with its points to `visit`, in no order. Returns the number of damaged runs.
    pub(super) fn each_tag(mut self, mut visit: impl FnMut(&str, Points)) -> Result<usize> {
        let damaged_runs = self.read_runs()?;
        if !damaged_runs.is_empty() {
            self.reporter.warn(format_args!(
                "damaged records are skipped; `summary-writer verify` shows them. Runs: {}",
                damaged_runs.join(", ")
            ));
        }
        loop {
            self.leave_out_statistics();
            // In the order of their names, so that equal runs give equal files.
            let mut collected = BTreeMap::new();
            for slot in &mut self.slots {
                if slot.state == State::Collected {
                    slot.state = State::Done;
                    slot.weight = 0;
                    let points = (slot.scalars.take(), slot.histograms.take());
                    collected.insert(slot.name.clone(), points);
                }
            }
            self.weight = 0;
            for (tag, points) in collected {
                match points {
                    (Some(series), _) => visit(&tag, Points::Scalar(series)),
                    (None, Some(histograms)) => visit(&tag, Points::Histogram(histograms)),
                    (None, None) => {}
                }
            }
            let mut is_done = true;
            for slot in &mut self.slots {
                if slot.state == State::Deferred {
                    slot.state = State::Collected;
                    is_done = false;
                }
            }
            if is_done {
                return Ok(damaged_runs.len());
            }
            self.read_runs()?;
        }
    }

    /// Collects the points of all tags that are not done. Returns the names of damaged runs.
    fn read_runs(&mut self) -> Result<Vec<String>> {
        let runs = self.runs;
        let mut damaged = Vec::new();
        for (index, run) in runs.iter().enumerate() {
            let mut source = RunSource::default();
            source.read_all(&run.files, |tag, data| self.add(index, tag, data))?;
            if source.is_damaged {
                damaged.push(run.name.clone());
            }
            self.end_run(index);
        }
        Ok(damaged)
    }

    fn add(&mut self, run: usize, tag: &str, data: Data) {
        let index = match self.by_name.get(tag) {
            Some(index) => *index,
            None => {
                let is_wanted = (self.reduction.tags)(tag);
                self.slots.push(Slot {
                    name: tag.to_owned(),
                    scalars: None,
                    histograms: None,
                    last_run: 0,
                    weight: 0,
                    is_wanted,
                    is_scalar: matches!(data, Data::Scalar(_)),
                    state: match is_wanted {
                        true => State::Collected,
                        false => State::Done,
                    },
                });
                self.by_name.insert(tag.to_owned(), self.slots.len() - 1);
                self.slots.len() - 1
            }
        };
        let slot = &mut self.slots[index];
        if slot.state != State::Collected {
            return;
        }
        let added = match data {
            Data::Scalar(sample) => {
                let series = slot.scalars.get_or_insert_default();
                if series.is_empty() || slot.last_run != run {
                    series.push(Series::default());
                    slot.last_run = run;
                }
                let Some(series) = series.last_mut() else {
                    return;
                };
                series.push(sample);
                1
            }
            Data::Histogram {
                step,
                wall_time,
                buckets,
            } => {
                let added = buckets.len() + 2;
                slot.histograms
                    .get_or_insert_default()
                    .push(step, wall_time, buckets);
                added
            }
        };
        slot.weight += added;
        self.weight += added;
        if self.weight > self.max_points {
            self.defer_last();
        }
    }

    /// Leaves the last tag to the next pass, unless there is only one.
    fn defer_last(&mut self) {
        let is_collected = |slot: &&mut Slot| slot.state == State::Collected && slot.weight > 0;
        let collected = self.slots.iter_mut().filter(is_collected);
        let mut last: Option<&mut Slot> = None;
        let mut count = 0;
        for slot in collected {
            count += 1;
            if last.as_ref().is_none_or(|last| slot.name > last.name) {
                last = Some(slot);
            }
        }
        if let Some(slot) = last.filter(|_| count > 1) {
            self.weight -= slot.weight;
            slot.weight = 0;
            slot.scalars = None;
            slot.histograms = None;
            slot.state = State::Deferred;
        }
    }

    fn end_run(&mut self, run: usize) {
        for slot in &mut self.slots {
            if slot.state != State::Collected {
                continue;
            }
            if let Some(series) = &mut slot.scalars
                && slot.last_run == run
                && let Some(series) = series.last_mut()
            {
                series.shrink();
            }
            if let Some(histograms) = &mut slot.histograms {
                histograms.end_run();
                self.weight -= slot.weight;
                slot.weight = histograms.weight();
                self.weight += slot.weight;
            }
        }
    }

    /// Leaves out the tags whose names are those of a statistic of another tag.
    fn leave_out_statistics(&mut self) {
        let clash = |slot: &Slot| {
            let base = output::base(&slot.name)?;
            let base = &self.slots[*self.by_name.get(base)?];
            let is_clash = slot.state != State::Done && base.is_wanted && base.is_scalar;
            is_clash.then(|| slot.name.clone())
        };
        let clashes: Vec<String> = self.slots.iter().filter_map(clash).collect();
        for tag in clashes {
            self.reporter.warn(format_args!(
                "the tag {tag:?} of the runs is left out, because a statistic of another tag has this name"
            ));
            if let Some(index) = self.by_name.get(&tag) {
                let slot = &mut self.slots[*index];
                (slot.scalars, slot.histograms) = (None, None);
                slot.state = State::Done;
            }
        }
    }
}
