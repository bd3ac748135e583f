//! Writes the run `reduced`: its tags, and the layout of the Custom Scalars page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf, absolute};

use super::Point;
use crate::error::{Error, Result, quoted};
use crate::location::local_path;
use crate::reader::{Bucket, event_files};
use crate::report::Reporter;
use crate::summary::{Category, Histogram, Layout, Margin};
use crate::writer::{SummaryWriter, WriterOptions};

const RUN: &str = "reduced";
/// The ends of the names of the statistics, after the tag of the runs.
const SUFFIXES: [&str; 7] = [
    "/min",
    "/max",
    "/median",
    "/mean-std",
    "/mean+std",
    "/count",
    "/std",
];

/// Returns the directory of the run `reduced`.
pub(super) fn run_dir(dir: &Path) -> Result<PathBuf> {
    let dir = local_path(dir)?.join(RUN);
    absolute(&dir).map_err(|error| Error::io("create the directory", &dir, error))
}

/// Returns the tag whose statistic has this name.
pub(super) fn base(tag: &str) -> Option<&str> {
    SUFFIXES.iter().find_map(|suffix| tag.strip_suffix(suffix))
}

pub(super) struct Output {
    summary: SummaryWriter,
    /// The tags with a chart.
    charts: BTreeSet<String>,
    has_new_charts: bool,
    /// The tags of the runs that are left out.
    left_out: BTreeSet<String>,
}

impl Output {
    pub(super) fn create(dir: &Path) -> Result<Self> {
        if fs::exists(dir).unwrap_or_default() && !event_files(dir)?.is_empty() {
            let problem = format!(
                "expected a directory without the results of another reduction, got {}: remove it, or choose another one",
                quoted(dir)
            );
            return Err(Error::invalid("output", problem));
        }
        Ok(Self {
            summary: WriterOptions::new().create_file_writer(dir)?,
            charts: BTreeSet::new(),
            has_new_charts: false,
            left_out: BTreeSet::new(),
        })
    }

    /// Writes the statistics of a step in one record.
    pub(super) fn point(&mut self, tag: &str, point: &Point) {
        if !self.charts.contains(tag) {
            self.charts.insert(tag.to_owned());
            self.has_new_charts = true;
        }
        let spread = if point.count > 1 { point.std } else { 0.0 };
        let values = [
            point.mean,
            point.min,
            point.max,
            point.median,
            point.mean - spread,
            point.mean + spread,
            point.count as f64,
            point.std,
        ];
        // The deviation, which is the last one, needs two values.
        let count = values.len() - usize::from(point.count < 2);
        let names = [""].into_iter().chain(SUFFIXES);
        let values = names.zip(values).take(count);
        let summary = self.summary.at(point.wall_time);
        summary.scalars(
            point.step,
            values.map(|(suffix, value)| (format!("{tag}{suffix}"), value)),
        );
    }

    /// Returns whether a statistic of a tag that was written has this name.
    pub(super) fn has_statistic(&self, name: &str) -> bool {
        base(name).is_some_and(|tag| self.charts.contains(tag))
    }

    /// Warns once that a tag of the runs is left out, because a statistic has its name.
    pub(super) fn warn_of_statistic(&mut self, tag: &str) {
        if self.left_out.insert(tag.to_owned()) {
            self.reporter().warn(format_args!(
                "the tag {tag:?} of the runs is left out, because a statistic of another tag has this name"
            ));
        }
    }

    pub(super) fn histogram(&self, tag: &str, step: i64, wall_time: f64, buckets: &[Bucket]) {
        let rows = buckets
            .iter()
            .map(|bucket| [bucket.left, bucket.right, bucket.count]);
        let histogram = Histogram::from_rows(rows.collect(), 0);
        self.summary.at(wall_time).histogram(tag, histogram, step);
    }

    /// Writes the layout if there are new charts. TensorBoard uses the last layout of a run.
    pub(super) fn layout(&mut self) -> Result<()> {
        if !self.has_new_charts {
            return Ok(());
        }
        self.has_new_charts = false;
        let mut category = Category::new("mean and standard deviation of the runs")?;
        // The dashboard cannot draw the other tags.
        let tags = self.charts.iter();
        for tag in tags.filter(|tag| !tag.is_empty() && !tag.contains('(')) {
            let [lower, upper] = ["mean-std", "mean+std"].map(|name| format!("{tag}/{name}"));
            category = category.margin(tag, [Margin::new(tag, lower, upper)])?;
        }
        self.summary
            .custom_scalars(Layout::new().category(category));
        Ok(())
    }

    pub(super) fn flush(&self) -> Result<()> {
        self.summary.flush()
    }

    pub(super) fn reporter(&self) -> &Reporter {
        self.summary.reporter()
    }

    pub(super) fn close(&mut self) -> Result<()> {
        self.layout()?;
        self.summary.clone().close()
    }
}
