//! Reduces finished runs. One tag after the other would read all files once for each tag. So a pass takes all tags whose points
//! fit into the memory together, and leaves the others to the next pass.

use std::collections::BTreeMap;

use super::histograms::Histograms;
use super::merge::{Needed, Series, merge};
use super::output::Output;
use super::source::{Data, RunReader};
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
    let damaged_runs = each_tag(reduction, runs, MAX_POINTS, |tag, points| {
        // The tag with this statistic came before, because its name is the start of this name.
        if output.has_statistic(tag) {
            output.warn_of_statistic(tag);
            return;
        }
        written.tag_count += 1;
        match points {
            Points::Scalar(mut series) => {
                let (join, needed) = (reduction.join, Needed::All);
                missing_steps += merge(&mut series, i64::MAX, join, needed, |point| {
                    written.point_count += 1;
                    output.point(tag, &point);
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
    warn_of_damage(&reporter, &damaged_runs);
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
    written.run_count = runs.len();
    written.damaged_run_count = damaged_runs.len();
    Ok(written)
}

/// Returns the points of one tag.
pub(super) fn scalars(reduction: &Reduction, runs: &[Run], tag: &str) -> Result<Vec<Point>> {
    let wanted = tag.to_owned();
    let reduction = reduction.clone().tags(move |tag| tag == wanted);
    let mut all = Vec::new();
    let damaged_runs = each_tag(&reduction, runs, MAX_POINTS, |_, points| {
        if let Points::Scalar(mut series) = points {
            let join = reduction.join;
            merge(&mut series, i64::MAX, join, Needed::All, |point| {
                all.push(point)
            });
        }
    })?;
    warn_of_damage(&Reporter::default(), &damaged_runs);
    Ok(all)
}

fn warn_of_damage(reporter: &Reporter, runs: &[String]) {
    if !runs.is_empty() {
        reporter.warn(format_args!(
            "damaged records are skipped; `summary-writer verify` shows them. Runs: {}",
            runs.join(", ")
        ));
    }
}

/// The points of a tag in all runs.
pub(super) enum Points {
    /// One series for each run with the tag.
    Scalar(Vec<Series>),
    Histogram(Histograms),
}

/// Passes each tag with its points to `visit`, in the order of the names, so that equal runs give equal files. Returns the
/// names of damaged runs.
pub(super) fn each_tag(
    reduction: &Reduction,
    runs: &[Run],
    max_points: usize,
    mut visit: impl FnMut(&str, Points),
) -> Result<Vec<String>> {
    let mut start = String::new();
    loop {
        let mut damaged_runs = Vec::new();
        let mut pass = Pass::new(start, max_points);
        for (index, run) in runs.iter().enumerate() {
            let mut reader = RunReader::new(&reduction.tags);
            reader.read_all(&run.files, |tag, data| pass.add(index, tag, data))?;
            if reader.is_damaged {
                damaged_runs.push(run.name.clone());
            }
        }
        for (name, tag) in pass.tags {
            visit(&name, tag.points);
        }
        match pass.end {
            Some(end) => start = end,
            None => return Ok(damaged_runs),
        }
    }
}

/// Collects the points of the tags from the name `start` on, up to the name `end`, which is the start of the next pass.
struct Pass {
    start: String,
    end: Option<String>,
    tags: BTreeMap<String, Tag>,
    /// The sum of the weights of the tags.
    weight: usize,
    max_weight: usize,
}

struct Tag {
    points: Points,
    last_run: Option<usize>,
    /// An estimate of the memory, in points of a scalar.
    weight: usize,
}

impl Pass {
    fn new(start: String, max_weight: usize) -> Self {
        Self {
            start,
            end: None,
            tags: BTreeMap::new(),
            weight: 0,
            max_weight,
        }
    }

    fn add(&mut self, run: usize, name: &str, data: Data) {
        let tag = match self.tags.get_mut(name) {
            Some(tag) => tag,
            None => {
                let is_after_end = self.end.as_deref().is_some_and(|end| name >= end);
                if name < &*self.start || is_after_end {
                    return;
                }
                self.tags.entry(name.to_owned()).or_insert(Tag {
                    points: match data {
                        Data::Scalar(_) => Points::Scalar(Vec::new()),
                        Data::Histogram { .. } => Points::Histogram(Histograms::default()),
                    },
                    last_run: None,
                    weight: 0,
                })
            }
        };
        self.weight -= tag.weight;
        tag.push(run, data);
        self.weight += tag.weight;
        if self.weight > self.max_weight
            && self.tags.len() > 1
            && let Some((name, tag)) = self.tags.pop_last()
        {
            self.weight -= tag.weight;
            self.end = Some(name);
        }
    }
}

impl Tag {
    fn push(&mut self, run: usize, data: Data) {
        let is_first = self.last_run.replace(run) != Some(run);
        match (&mut self.points, data) {
            (Points::Scalar(all), Data::Scalar(sample)) => {
                if is_first {
                    if let Some(series) = all.last_mut() {
                        series.shrink();
                    }
                    all.push(Series::default());
                }
                if let Some(series) = all.last_mut() {
                    series.push(sample);
                }
                self.weight += 1;
            }
            (
                Points::Histogram(histograms),
                Data::Histogram {
                    step,
                    wall_time,
                    buckets,
                },
            ) => {
                if is_first {
                    histograms.end_run();
                    self.weight = histograms.weight();
                }
                self.weight += buckets.len() + 2;
                histograms.push(step, wall_time, buckets);
            }
            // The kind in the first run counts.
            (Points::Scalar(_), Data::Histogram { .. })
            | (Points::Histogram(_), Data::Scalar(_)) => {}
        }
    }
}
