//! Decides which steps can be written while the runs grow. It has no files and no clock: the caller passes both.

use std::collections::BTreeMap;
use std::time::Duration;

use super::merge::{Needed, Sample, Series, merge};
use super::output;
use super::{Join, Point};

/// The runs, and their points that are not written yet.
#[derive(Debug)]
pub(super) struct Live {
    join: Join,
    patience: Duration,
    expected_runs: Option<usize>,
    runs: Vec<LiveRun>,
    tags: BTreeMap<String, LiveTag>,
    /// When the newest run appeared.
    last_appearance: Duration,
    /// Steps may be written.
    has_started: bool,
}

#[derive(Debug)]
struct LiveRun {
    name: String,
    last_growth: Duration,
    is_left_out: bool,
}

#[derive(Debug)]
struct LiveTag {
    first_seen: Duration,
    /// One for each run, also for those without the tag.
    series: Vec<Series>,
    last_written: Option<i64>,
}

/// The result of [`Live::take`].
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub(super) points: Vec<(String, Vec<Point>)>,
    pub(super) messages: Vec<String>,
    /// No run grows any more, and everything is written.
    pub(super) is_over: bool,
}

impl Live {
    pub(super) fn new(join: Join, patience: Duration, expected_runs: Option<usize>) -> Self {
        Self {
            join,
            patience,
            expected_runs,
            runs: Vec::new(),
            tags: BTreeMap::new(),
            last_appearance: Duration::ZERO,
            has_started: false,
        }
    }

    /// Adds a run, and returns its number.
    pub(super) fn add_run(&mut self, name: String, now: Duration) -> usize {
        self.last_appearance = now;
        self.runs.push(LiveRun {
            name,
            last_growth: now,
            is_left_out: false,
        });
        self.runs.len() - 1
    }

    /// Notes that a run has grown.
    pub(super) fn grew(&mut self, run: usize, now: Duration) {
        self.runs[run].last_growth = now;
    }

    /// Adds a point. A point at a step that is already written is too late, and is left out.
    pub(super) fn add(&mut self, run: usize, tag: &str, sample: Sample, now: Duration) {
        let tag = match self.tags.get_mut(tag) {
            Some(tag) => tag,
            None => self.tags.entry(tag.to_owned()).or_insert(LiveTag {
                first_seen: now,
                series: Vec::new(),
                last_written: None,
            }),
        };
        if tag.series.len() <= run {
            tag.series.resize_with(run + 1, Series::default);
        }
        let series = &mut tag.series[run];
        if tag.last_written >= Some(sample.step) {
            series.push_late(sample);
        } else {
            series.push(sample);
        }
    }

    /// Returns the number of points of a run that wait for other runs.
    pub(super) fn waiting(&self, run: usize) -> usize {
        let series = self.tags.values().filter_map(|tag| tag.series.get(run));
        series.map(Series::len).sum()
    }

    /// Returns whether steps may be written: all expected runs are there, or no new one has appeared for the patience.
    pub(super) fn has_started(&self) -> bool {
        self.has_started
    }

    /// Returns whether a statistic of another tag has the name of this one.
    pub(super) fn is_statistic(&self, tag: &str) -> bool {
        output::base(tag).is_some_and(|base| self.tags.contains_key(base))
    }

    /// Returns the points that are complete at the time `now`.
    pub(super) fn take(&mut self, now: Duration) -> Ready {
        let mut ready = Ready::default();
        let is_recent = |time: Duration| now.saturating_sub(time) < self.patience;
        for run in &mut self.runs {
            let is_left_out = !is_recent(run.last_growth);
            if is_left_out != run.is_left_out {
                run.is_left_out = is_left_out;
                ready.messages.push(run.message(self.patience));
            }
        }
        if !self.has_started && !self.runs.is_empty() {
            let has_all_runs = self
                .expected_runs
                .is_some_and(|runs| self.runs.len() >= runs);
            self.has_started = has_all_runs || !is_recent(self.last_appearance);
        }
        if !self.has_started {
            return ready;
        }
        ready.is_over = self.runs.iter().all(|run| run.is_left_out);
        for (name, tag) in &mut self.tags {
            tag.series.resize_with(self.runs.len(), Series::default);
            let limit = match ready.is_over {
                true => Some(i64::MAX),
                false => tag.last_complete_step(&self.runs, is_recent(tag.first_seen)),
            };
            let Some(limit) = limit else {
                continue;
            };
            let last_steps = tag.series.iter().filter_map(Series::last_step);
            let passed = last_steps.filter(|step| *step <= limit).max();
            let mut points = Vec::new();
            let (join, needed) = (self.join, Needed::Reached);
            merge(&mut tag.series, limit, join, needed, |point| {
                points.push(point)
            });
            tag.last_written = tag.last_written.max(passed);
            if !points.is_empty() {
                ready.points.push((name.clone(), points));
            }
        }
        ready
    }
}

impl LiveRun {
    fn message(&self, patience: Duration) -> String {
        let name = &self.name;
        match self.is_left_out {
            true => format!(
                "the run {name:?} has not grown for {} s: it is left out from its last step on",
                patience.as_secs_f64()
            ),
            false => format!(
                "the run {name:?} grows again: it counts from the steps on that are not written yet"
            ),
        }
    }
}

impl LiveTag {
    /// Returns the step that all awaited runs have reached, or `None` if no run is awaited.
    fn last_complete_step(&self, runs: &[LiveRun], awaits_first_points: bool) -> Option<i64> {
        let runs = runs.iter().zip(&self.series);
        let awaited = runs.filter(|(run, _)| !run.is_left_out);
        let steps = awaited.filter_map(|(_, series)| match series.last_step() {
            // A run that has to catch up is not awaited.
            Some(step) => (Some(step) >= self.last_written).then_some(step),
            None => awaits_first_points.then_some(i64::MIN),
        });
        steps.min()
    }
}
