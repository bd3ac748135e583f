//! The handle that programs log through, and the thread behind it.
//!
//! `kinds` turns a call into values, `frames` these into a frame, `tray` holds frames, `worker` brings them to a `sink`.

mod chunks;
mod clips;
mod counts;
mod detour;
mod drain;
mod file_name;
mod flush;
mod frames;
#[cfg(feature = "graph")]
mod graphs;
mod kinds;
mod logdir;
mod neighbours;
mod options;
mod place;
mod process;
mod resume;
mod room;
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
use std::mem;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{self, Path};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use logdir::unique_logdir;
pub use options::WriterOptions;
pub use stats::Stats;
pub use tray::WhenFull;
pub use worker::Sync;

use crate::error::{Error, Result};
use crate::event::{ToWallTime, WallTime};
use clips::ClipCounts;
use detour::Detour;
use place::Place;
use run_name::RunName;
use series::{Found, Series};
use session::{Session, Visit};
use sink::{EventFile, Paths, Sink, Stream};
use tray::Tray;

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

/// One event file and its thread, shared by all handles.
#[derive(Debug)]
struct Run {
    tray: Arc<Tray>,
    /// Taken when the thread is joined.
    thread: Mutex<Option<JoinHandle<()>>>,
    options: WriterOptions,
    paths: Option<Arc<Paths>>,
    /// The runs below that were asked for through this one, which keeps them open.
    children: Mutex<Vec<Arc<Run>>>,
    /// Where this run is among all that have come from one call of `create_file_writer`; a stream has no place.
    place: Option<Place>,
    session: Arc<Session>,
    saturated_step_count: AtomicU64,
    replaced_wall_time_count: AtomicU64,
    oversized_mesh_count: AtomicU64,
    clip_counts: Arc<ClipCounts>,
    found: Arc<Found>,
    /// Calls with a graph. The first is written.
    graph_count: AtomicU64,
}

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

    /// A handle that puts `name/` before every tag. Scopes nest.
    #[must_use]
    pub fn scope(&self, name: impl AsRef<str>) -> Self {
        let prefix = [self.prefix(), name.as_ref(), "/"].concat();
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

impl Run {
    fn to_file(options: WriterOptions, place: Place) -> Result<Self> {
        let synced = options.sync != Sync::Never;
        let suffix = options.filename_suffix.clone();
        let (dir, resume) = (place.dir.clone(), options.resume);
        // The file's first record is written at once: opening is the place to fail.
        Self::start(options, &[], Some(place), || {
            let start = match resume {
                Some(resume) => resume.prepare(&dir)?,
                None => Vec::new(),
            };
            EventFile::create(&dir, suffix, frames::version_frame(), &start, synced).map(Sink::File)
        })
    }

    /// Starts a worker with `first` to write to what `open` gives. The thread comes before the sink: if it cannot be had,
    /// nothing is left behind.
    fn start(
        options: WriterOptions,
        first: &[u8],
        place: Option<Place>,
        open: impl FnOnce() -> Result<Sink>,
    ) -> Result<Self> {
        let found = Arc::new(Found::default());
        let run_name = RunName::of(place.as_ref().map(|place| place.dir.as_path()));
        let mut series = Series::new(Arc::clone(&found), run_name.clone());
        let tray = Arc::new(Tray::new(options.limits(), run_name, first));
        let opened = Arc::new(OnceLock::<Mutex<Option<Sink>>>::new());
        let thread = {
            let tray = Arc::clone(&tray);
            let opened = Arc::clone(&opened);
            let sync = options.sync;
            thread::Builder::new()
                .name("summary-writer".into())
                .spawn(move || {
                    let sink = enter(opened.wait()).take();
                    if let Some(sink) = sink {
                        worker::run(&tray, sink, sync, |frames| series.watch(frames));
                    }
                })
                .map_err(|error| Error::stream("start the writer's thread", error))?
        };
        let sink = open();
        let paths = match &sink {
            Ok(Sink::File(file)) => Some(Arc::clone(file.paths())),
            _ => None,
        };
        let (sink, outcome) = match sink {
            Ok(sink) => (Some(sink), Ok(())),
            Err(error) => (None, Err(error)),
        };
        // Also after an error: the thread waits. A channel does the same in 25 KiB of a program that has no other.
        opened.get_or_init(|| Mutex::new(sink));
        outcome?;
        let mut run = Self::of(tray, options);
        run.thread = Mutex::new(Some(thread));
        run.paths = paths;
        run.place = place;
        run.found = found;
        Ok(run)
    }

    /// A run without a thread, a place and a name.
    fn of(tray: Arc<Tray>, options: WriterOptions) -> Self {
        let clip_counts = Arc::new(ClipCounts::new(tray.run_name.clone()));
        Self {
            tray,
            thread: Mutex::default(),
            options,
            paths: None,
            children: Mutex::default(),
            place: None,
            session: Arc::default(),
            saturated_step_count: AtomicU64::new(0),
            replaced_wall_time_count: AtomicU64::new(0),
            oversized_mesh_count: AtomicU64::new(0),
            clip_counts,
            found: Arc::default(),
            graph_count: AtomicU64::new(0),
        }
    }

    fn close(&self) -> Result<()> {
        if self.tray.process.is_forked() {
            return Err(Error::Closed);
        }
        let outcome = self.tray.close(&self.session.end_frame());
        self.join();
        let children = mem::take(&mut *enter(&self.children));
        children.into_iter().fold(outcome, |outcome, run| {
            outcome.and(match Arc::try_unwrap(run) {
                Ok(run) => run.close(),
                Err(run) => run.flush(Duration::MAX),
            })
        })
    }

    fn join(&self) {
        let Some(thread) = enter(&self.thread).take() else {
            return;
        };
        // What its own sink or logger drops, the worker cannot wait for.
        if !self.tray.is_worker() && thread.join().is_err() {
            log::error!(
                "{}the sink of the summary writer panicked",
                self.tray.run_name
            );
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.tray.process.is_forked() {
            // The thread is not here, neither to be joined nor to be let go.
            let thread = self
                .thread
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            mem::forget(thread.take());
        } else {
            // An error was reported when it happened.
            self.close().ok();
        }
    }
}

/// What is behind the locks here is whole between two calls, also after a panic.
fn enter<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
