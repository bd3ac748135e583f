//! Reduces runs while they grow. It only reads the files of the runs, so no rank can wait for another one.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Reduction;
use super::live::Live;
use super::offline::MAX_POINTS;
use super::output::{self, Output};
use super::source::{Data, GrowingRun};
use crate::error::{Chain, Error, Result};
use crate::location::local_path;
use crate::reader::Run;

/// The records that are read of one run in a row.
const RECORDS_AT_ONCE: usize = 4096;

/// A reduction of runs that grow, from [`Reduction::follow`].
///
/// It writes a step of a tag once every run has a point of the tag at this step or a later one.
///
/// - A run that has not grown for the [patience](Reduction::patience) is left out from its last step on. This is logged, and
///   the count gets smaller. If the run grows again, its later steps count.
/// - A run without the tag is waited for until the patience has passed since the first point of the tag in any run.
/// - A run that appears late counts from the first step on that is not written yet. No other run waits for it before it has
///   caught up.
/// - A point at a step that is already written is left out. A later [`write_to`](Reduction::write_to) into a new directory
///   counts all points.
/// - [`Join::Inner`](super::Join::Inner) asks for a step in all runs that have reached it.
/// - Histograms are left out.
///
/// ```no_run
/// use std::thread;
/// use std::time::Duration;
/// use summary_writer::reduce::Reduction;
///
/// let mut follow = Reduction::new(["logs/job-7"]).expect(64).follow("logs/job-7")?;
/// while follow.poll()? {
///     thread::sleep(Duration::from_secs(1));
/// }
/// # Ok::<(), summary_writer::Error>(())
/// ```
pub struct Follow {
    reduction: Reduction,
    dir: PathBuf,
    live: Live,
    /// The number and the files of each run, by its directory.
    runs: BTreeMap<PathBuf, (usize, GrowingRun)>,
    output: Output,
    start: Instant,
    reported: HashSet<String>,
    has_histograms: bool,
}

impl Follow {
    pub(super) fn new(reduction: Reduction, dir: &Path) -> Result<Self> {
        let dir = output::run_dir(dir)?;
        for logdir in &reduction.logdirs {
            local_path(logdir)?;
        }
        Ok(Self {
            live: Live::new(reduction.join, reduction.patience, reduction.expected_runs),
            output: Output::create(&dir)?,
            reduction,
            dir,
            runs: BTreeMap::new(),
            start: Instant::now(),
            reported: HashSet::new(),
            has_histograms: false,
        })
    }

    /// Reads what is new, and writes the steps that are complete. Returns `false` once no run has grown for the patience. Then
    /// everything is written and the file is closed. Call it every second or so.
    ///
    /// A run that cannot be read, or a logdir that does not exist yet, is reported once, and read again at the next call.
    ///
    /// # Errors
    /// [`Error::Io`] if the run `reduced` cannot be written. The data is kept, so you may call it again.
    pub fn poll(&mut self) -> Result<bool> {
        match self.reduction.find_runs(Some(&self.dir)) {
            Ok(found) => found.into_iter().for_each(|run| self.add_files(run)),
            Err(error) => self.report(&error),
        }
        let mut ignores_bound = false;
        loop {
            let (has_read, is_bounded) = self.read_once(ignores_bound);
            let is_over = self.write_ready()?;
            if is_over {
                self.output.close()?;
                return Ok(false);
            }
            // Each run was read a little, so that all have a chance to grow before one is taken for ended.
            if !self.live.has_started() || !(has_read || is_bounded) {
                break;
            }
            // All runs that could be read wait for each other.
            ignores_bound = !has_read;
        }
        self.output.flush()?;
        Ok(true)
    }

    fn add_files(&mut self, found: Run) {
        let Some(dir) = found.files.first().and_then(|file| file.parent()) else {
            return;
        };
        let (_, run) = self.runs.entry(dir.into()).or_insert_with(|| {
            let index = self.live.add_run(found.name, self.start.elapsed());
            (index, GrowingRun::new(&self.reduction.tags))
        });
        run.add_files(found.files);
    }

    /// Reads a part of each run. Returns whether something was read, and whether a run was not read because many of its points
    /// wait.
    fn read_once(&mut self, ignores_bound: bool) -> (bool, bool) {
        let (mut has_read, mut is_bounded) = (false, false);
        let (mut errors, mut has_histograms) = (Vec::new(), false);
        // The memory is bounded: a run with more points that wait for other runs is not read further.
        let max_waiting = match self.live.has_started() {
            true => (MAX_POINTS / self.runs.len().max(1)).max(RECORDS_AT_ONCE),
            false => RECORDS_AT_ONCE,
        };
        let live = &mut self.live;
        for (index, run) in self.runs.values_mut() {
            let (index, now) = (*index, self.start.elapsed());
            if live.waiting(index) > max_waiting && !ignores_bound {
                if run.has_more() {
                    live.grew(index, now);
                    is_bounded = true;
                }
                continue;
            }
            let read = run.read(RECORDS_AT_ONCE, |tag, data| match data {
                Data::Scalar(sample) => live.add(index, tag, sample, now),
                Data::Histogram { .. } => has_histograms = true,
            });
            match read {
                Ok(true) => {
                    live.grew(index, now);
                    has_read = true;
                }
                Ok(false) => {}
                Err(error) => errors.push(error),
            }
        }
        errors.iter().for_each(|error| self.report(error));
        if has_histograms && !self.has_histograms {
            self.has_histograms = true;
            self.output.reporter().warn(
                "histograms are left out while the runs grow; a reduction without `--follow` has them",
            );
        }
        (has_read, is_bounded)
    }

    /// Returns whether everything is written and no run grows.
    fn write_ready(&mut self) -> Result<bool> {
        let ready = self.live.take(self.start.elapsed());
        for message in ready.messages {
            self.output.reporter().warn(message);
        }
        for (tag, points) in ready.points {
            if self.live.is_statistic(&tag) {
                self.output.warn_of_statistic(&tag);
                continue;
            }
            points
                .iter()
                .for_each(|point| self.output.point(&tag, point));
        }
        self.output.layout()?;
        Ok(ready.is_over)
    }

    fn report(&mut self, error: &Error) {
        let text = Chain(error).to_string();
        if !self.reported.contains(&text) {
            self.output
                .reporter()
                .warn(format_args!("{text}; it is tried again"));
            self.reported.insert(text);
        }
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow")
            .field("reduction", &self.reduction)
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}
