//! Makes one curve out of many: mean, standard deviation and so on over runs that differ by their rank or their seed.
//!
//! [`Reduction::write_to`] reads finished runs and writes one run `reduced`. [`Reduction::follow`] does this while the runs
//! grow. The program `summary-writer reduce` calls both.
//!
//! For a scalar `loss` of the runs, the run `reduced` has these tags:
//!
//! | tag | value at a step |
//! |---|---|
//! | `loss` | the mean of the runs |
//! | `loss/std` | the standard deviation of a sample: the divisor is the count less 1. It needs two runs |
//! | `loss/mean-std`, `loss/mean+std` | the mean less or plus the standard deviation. With one run, the mean |
//! | `loss/min`, `loss/max`, `loss/median` | the lowest, the highest and the middle value. The median of an even count is the mean of the middle two |
//! | `loss/count` | how many runs the statistics are from |
//!
//! The page Custom Scalars has a chart for each tag, with the mean as a line in a band of one standard deviation. The wall time
//! of a point is the latest one of its step in all runs.
//!
//! ```
//! use summary_writer::reduce::{Join, Reduction};
//! use summary_writer::SummaryWriter;
//!
//! # let dir = tempfile::tempdir()?;
//! # let logs = dir.path();
//! for seed in 0..4 {
//!     let run = SummaryWriter::create_file_writer(logs.join(format!("seed-{seed}")))?;
//!     for step in 0..100 {
//!         run.scalar("loss", (seed + 1) as f64 / (step + 1) as f64, step);
//!     }
//!     run.close()?;
//! }
//! let reduction = Reduction::new([logs]).runs(|name| name.starts_with("seed-")).join(Join::Inner);
//! reduction.write_to(logs)?; // logs/reduced
//! let points = reduction.scalars("loss")?; // the same numbers as `f64`
//! assert_eq!((points[0].count, points[0].mean, points[0].median), (4, 2.5, 2.5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Odd data
//!
//! - NaN is left out of the statistics, and of the count. A step with only NaN has the count 0, and NaN as its mean.
//! - If one value of a step is infinite, the mean is not finite, and the standard deviation is NaN.
//! - If the steps of a tag go back or repeat in a run, the last value of a step counts, as the fast loader shows it: a point
//!   takes away the earlier points of its tag from its step on.
//! - A tag that only some runs have is reduced over these runs.
//! - If the runs have both `loss` and `loss/min`, the latter is left out, and a warning is logged.
//! - Histograms are added if all runs have the same buckets at a step. Other histograms are left out, and a warning is logged.
//!   All other kinds are left out.
//! - Damaged records are skipped, and a warning is logged.
//!
//! If there are more than 40 runs, the page Custom Scalars selects none of them, and draws nothing until you tick some. So write
//! to a directory that is not in the logdir of the ranks, and give that directory to TensorBoard.
//!
//! The files have `f32` numbers, because TensorBoard's fast loader shows no others. [`Reduction::scalars`] returns `f64`.

mod follow;
mod histograms;
mod live;
mod merge;
mod offline;
mod output;
mod point;
mod source;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use follow::Follow;
pub use point::Point;

use crate::error::{Error, Result};
use crate::reader::{Run, find_runs};
use output::Output;

/// Which steps of a tag are reduced if the runs have different steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Join {
    /// The steps that all runs with the tag have, so that all points have the same count.
    #[default]
    Inner,
    /// The steps that at least one run has. The count shows how many.
    Outer,
    /// The steps that at least one run has. A run without the step counts with a value on the straight line between its two
    /// neighbouring points, but not before its first point and not after its last one.
    Interpolate,
}

type Filter = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Which runs and tags are reduced, and how.
#[derive(Clone)]
#[must_use]
pub struct Reduction {
    logdirs: Vec<PathBuf>,
    runs: Filter,
    tags: Filter,
    join: Join,
    patience: Duration,
    expected_runs: Option<usize>,
}

impl Reduction {
    /// Reduces all runs of `logdirs` and all their tags. A logdir is searched for runs at any depth.
    pub fn new<P: Into<PathBuf>>(logdirs: impl IntoIterator<Item = P>) -> Self {
        Self {
            logdirs: logdirs.into_iter().map(Into::into).collect(),
            runs: Arc::new(|_| true),
            tags: Arc::new(|_| true),
            join: Join::default(),
            patience: Duration::from_secs(60),
            expected_runs: None,
        }
    }

    /// Takes only the runs for whose name `is_wanted` returns `true`. The name is the path below the logdir.
    pub fn runs(mut self, is_wanted: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.runs = Arc::new(is_wanted);
        self
    }

    /// Takes only the tags for which `is_wanted` returns `true`.
    pub fn tags(mut self, is_wanted: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.tags = Arc::new(is_wanted);
        self
    }

    /// Sets which steps are reduced. Default: [`Join::Inner`], because the mean of changing runs jumps.
    pub fn join(mut self, join: Join) -> Self {
        self.join = join;
        self
    }

    /// Sets how long [`follow`](Self::follow) waits for a run that does not grow. Default: 60 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets the number of runs that [`follow`](Self::follow) waits for before it writes. Default: unknown. Then it
    /// writes once no new run has appeared for the [patience](Self::patience).
    pub fn expect(mut self, runs: usize) -> Self {
        self.expected_runs = Some(runs);
        self
    }

    /// Reads the runs, and writes the run `reduced` below the local directory `dir`. Its former results are not read if `dir`
    /// is in a logdir.
    ///
    /// Any number of runs needs two open files at a time. The points of one tag must fit into memory, 24 bytes each. If all
    /// tags have less than 10 million points together, each file is read once. Otherwise the files are read several times.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no runs, or if the directory `reduced` has event files already. [`Error::Io`] if a file
    /// cannot be read or written.
    pub fn write_to(&self, dir: impl AsRef<Path>) -> Result<Written> {
        let reduced = output::run_dir(dir.as_ref())?;
        let runs = self.find_runs(Some(&reduced))?;
        if runs.is_empty() {
            return Err(no_runs(&self.logdirs));
        }
        let mut output = Output::create(&reduced)?;
        let written = offline::reduce(self, &runs, &mut output)?;
        output.close()?;
        Ok(written)
    }

    /// Returns the points of a scalar, with `f64` numbers and rising steps. There are none if no run has the tag.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are no runs. [`Error::Io`] if a file cannot be read.
    pub fn scalars(&self, tag: &str) -> Result<Vec<Point>> {
        let runs = self.find_runs(None)?;
        if runs.is_empty() {
            return Err(no_runs(&self.logdirs));
        }
        offline::scalars(self, &runs, tag)
    }

    /// Starts to write the run `reduced` below `dir` while the runs grow. [`Follow::poll`] continues.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the directory `reduced` has event files already, or if a logdir is in an object store.
    /// [`Error::Io`] if its file cannot be created.
    pub fn follow(&self, dir: impl AsRef<Path>) -> Result<Follow> {
        Follow::new(self.clone(), dir.as_ref())
    }

    /// Returns the runs that match, without the run in the directory `own`.
    fn find_runs(&self, own: Option<&Path>) -> Result<Vec<Run>> {
        let own = own.and_then(|own| own.canonicalize().ok());
        let mut found = Vec::new();
        for logdir in &self.logdirs {
            for run in find_runs(logdir)? {
                let dir = run.files.first().and_then(|file| file.parent());
                let is_own = own.is_some() && dir.and_then(|dir| dir.canonicalize().ok()) == own;
                if !is_own && (self.runs)(&run.name) {
                    found.push(run);
                }
            }
        }
        // A logdir may be below another one.
        let mut seen = std::collections::HashSet::new();
        found.retain(|run| seen.insert(run.files.first().cloned()));
        Ok(found)
    }
}

impl fmt::Debug for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reduction")
            .field("logdirs", &self.logdirs)
            .field("join", &self.join)
            .field("patience", &self.patience)
            .field("expected_runs", &self.expected_runs)
            .finish_non_exhaustive()
    }
}

/// The result of [`Reduction::write_to`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The runs that were read.
    pub run_count: usize,
    /// The tags of the runs, scalars and histograms.
    pub tag_count: usize,
    /// The points of these tags: one for each step.
    pub point_count: u64,
    /// Runs with damaged records, which were skipped.
    pub damaged_run_count: usize,
}

fn no_runs(logdirs: &[PathBuf]) -> Error {
    let dirs: Vec<_> = logdirs
        .iter()
        .map(|dir| crate::error::quoted(dir))
        .collect();
    let problem = format!(
        "expected event files that match in {}, got none",
        dirs.join(", ")
    );
    Error::invalid("runs", problem)
}

#[cfg(test)]
mod tests;
