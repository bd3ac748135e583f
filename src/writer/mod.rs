//! The handle that programs log through, and the thread behind it.
//!
//! `kinds` turns a call into values, `frames` these into a frame, `tray` holds frames, `worker` brings them to a `sink`; a `run`
//! has a tray and a worker, and handles share it.

mod chunks;
mod clips;
mod counts;
mod detour;
mod drain;
mod file_name;
mod flush;
mod frames;
mod graphs;
mod kinds;
mod logdir;
mod neighbours;
mod options;
mod place;
mod process;
mod resume;
mod room;
mod run;
mod run_name;
mod series;
mod session;
mod sink;
mod stats;
mod sync;
mod tray;
mod worker;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Write;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{self, Path};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use logdir::unique_logdir;
pub use options::WriterOptions;
pub use stats::Stats;
pub use tray::WhenFull;
pub use worker::SyncPolicy;

use crate::error::{Error, Result};
use crate::event::{ToWallTime, WallTime};
use detour::Detour;
use place::Place;
use run::Run;
use session::Visit;
use sink::{Paths, Sink, Stream};

/// Logs the data of one run.
///
/// It is a handle: clones write to the same event file, from any thread, and no method needs `&mut`. The methods that
/// log return nothing, never panic, and do not wait for a disk unless [`WriterOptions`] were told to, or
/// [`max_pending_bytes`](WriterOptions::max_pending_bytes) wait for it already. What goes wrong behind them is kept and
/// tried again, said once through the [`log`](https://docs.rs/log) crate, and told by [`flush`](Self::flush), [`close`](Self::close) and
/// [`stats`](Self::stats).
///
/// When the last handle is dropped, all that was logged is written and the file is closed. A handle in a `static` is never
/// dropped, and [`std::process::exit`] drops none: close or flush before.
///
/// ```
/// use summary_writer::SummaryWriter;
///
/// # let dir = tempfile::tempdir()?;
/// # let logdir = dir.path();
/// let summary = SummaryWriter::create_file_writer(logdir)?;
/// for step in 0..1000 {
///     summary.scalar("loss", 1.0 / f64::from(step + 1), step);
/// }
/// summary.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SummaryWriter {
    /// Dropped before the run, which may end with it.
    visit: Arc<Visit>,
    run: Arc<Run>,
    /// Put before every tag; ends in `/`.
    prefix: Option<Arc<str>>,
    /// The caller's clock, stopped.
    wall_time: Option<WallTime>,
    /// What makes a call of this handle more than a record of the run, if anything does.
    detour: Option<Arc<Detour>>,
}

/// Where it writes, not what it holds: a model that has a handle prints it with itself.
impl fmt::Debug for SummaryWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SummaryWriter")
            .field("path", &self.path())
            .field("prefix", &self.prefix())
            .finish_non_exhaustive()
    }
}

const _: () = {
    const fn is_handle<T: Clone + Send + std::marker::Sync + UnwindSafe + RefUnwindSafe>() {}
    is_handle::<SummaryWriter>();
};

// What is behind the locks is whole also after a panic, and a condition of `record_if` is asked anew each time.
impl UnwindSafe for SummaryWriter {}
impl RefUnwindSafe for SummaryWriter {}

impl SummaryWriter {
    /// Opens a new event file in the run directory `logdir`, which is made if it is missing. A file that is there is
    /// never touched. [`WriterOptions`] has the same with other settings.
    ///
    /// Stock TensorBoard follows one file of a run at a time: let each process, and each writer that is open at the same
    /// time, have a directory of its own.
    ///
    /// # Errors
    /// [`Error::Io`] if the directory or the file cannot be made, or the first record not be written; nothing is left
    /// behind then.
    pub fn create_file_writer(logdir: impl AsRef<Path>) -> Result<Self> {
        WriterOptions::new().create_file_writer(logdir)
    }

    /// The writer of the run `name` below this one: a directory in this one's, with an event file of its own. TensorBoard
    /// draws the curves of one tag in several runs into one chart.
    ///
    /// The run is opened at the first call; later ones give handles of the same writer, until it is closed. This writer
    /// keeps it open, flushes it with itself, and closes it with itself unless somebody else has a handle of it. Prefix,
    /// clock and conditions are those of this handle, and a [`tee`](Self::tee) opens a run below each of its own.
    ///
    /// # Errors
    /// As [`create_file_writer`](Self::create_file_writer); [`Error::Invalid`] if `name` is no relative path of plain
    /// names, or if this writer has no directory; [`Error::Closed`] if it is closed.
    pub fn run(&self, name: impl AsRef<str>) -> Result<Self> {
        let name = name.as_ref();
        if self.is_disabled() {
            return Ok(self.clone());
        }
        let run = self.run.child(name)?;
        let detour = self.detour.as_deref().map(|detour| detour.child(name));
        Ok(Self {
            prefix: self.prefix.clone(),
            wall_time: self.wall_time,
            detour: detour.transpose()?.map(Arc::new),
            ..Self::of(run)
        })
    }

    /// A handle that puts `name/` before every tag. Scopes nest; one without a name adds nothing.
    #[must_use]
    pub fn scope(&self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        if name.is_empty() {
            return self.clone();
        }
        let prefix = [self.prefix(), name, "/"].concat();
        Self {
            prefix: Some(prefix.into()),
            ..self.clone()
        }
    }

    /// A handle whose records all have this time instead of that of the call: seconds since 1970, or a
    /// [`SystemTime`](std::time::SystemTime).
    ///
    /// A number that is not finite is not taken, for it would end the file for a reader: the time of the call stays, and
    /// the case is counted in [`Stats::replaced_wall_time_count`].
    #[must_use]
    pub fn at(&self, wall_time: impl ToWallTime) -> Self {
        let wall_time = wall_time.to_wall_time();
        if wall_time.is_none() {
            self.runs().for_each(Run::count_replaced_wall_time);
        }
        Self {
            wall_time,
            ..self.clone()
        }
    }

    /// Writes what is left and closes the event file now, for all handles. What is logged after that is ignored, counted
    /// and reported. Runs below that somebody else has a handle of are flushed and stay open. On a writer that is closed
    /// it gives the result again.
    ///
    /// # Errors
    /// [`Error::Io`] if a last attempt to write has failed: what [`stats`](Self::stats) of another handle counts as
    /// accepted and not as flushed is lost. [`Error::Closed`] in a fork of the process that opened the writer.
    pub fn close(self) -> Result<()> {
        if self.is_disabled() {
            return Ok(()); // also in a fork
        }
        self.visit.0.leave();
        let outcome = self.run.close();
        let others = self.others().iter().cloned();
        others.fold(outcome, |outcome, other| outcome.and(other.close()))
    }

    /// What has happened so far.
    pub fn stats(&self) -> Stats {
        Stats {
            saturated_step_count: self.run.saturated_step_count.load(Ordering::Relaxed),
            replaced_wall_time_count: self.run.replaced_wall_time_count.load(Ordering::Relaxed),
            oversized_mesh_count: self.run.oversized_mesh_count.load(Ordering::Relaxed),
            uneven_audio_count: self.run.clip_counts.uneven_count(),
            refused_graph_count: self
                .run
                .graph_count
                .load(Ordering::Relaxed)
                .saturating_sub(1),
            backward_tag_count: self.run.found.backward_tags.load(Ordering::Relaxed),
            repeated_tag_count: self.run.found.repeated_tags.load(Ordering::Relaxed),
            mixed_tag_count: self.run.found.mixed_tags.load(Ordering::Relaxed),
            other_writer_count: self.run.paths.as_deref().map_or(0, Paths::other_count),
            ..self.run.tray.stats()
        }
    }

    /// The event file, or `None` if the sink is a stream. If the file is deleted while it is written, a new one takes its
    /// place, and this gives that one.
    pub fn path(&self) -> Option<&Path> {
        self.run.paths.as_deref().map(Paths::newest)
    }

    fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or_default()
    }

    fn to_file(options: WriterOptions, logdir: &Path) -> Result<Self> {
        // The program may change its working directory later.
        let dir = path::absolute(logdir)
            .map_err(|error| Error::io("create the directory", logdir, error))?;
        let family = Arc::default();
        Run::to_file(options, Place { dir, family }).map(Self::new)
    }

    fn to_stream(options: WriterOptions, sink: Box<dyn Write + Send>) -> Result<Self> {
        let first = frames::version_frame();
        Run::start(options, &first, None, || Ok(Sink::Stream(Stream(sink)))).map(Self::new)
    }

    fn new(run: Run) -> Self {
        Self::of(Arc::new(run))
    }

    fn of(run: Arc<Run>) -> Self {
        Self {
            visit: Arc::new(Visit(Arc::clone(&run.session))),
            run,
            prefix: None,
            wall_time: None,
            detour: None,
        }
    }
}

/// What is behind the locks here is whole between two calls, also after a panic.
fn enter<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
