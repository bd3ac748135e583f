//! The writer: the handle that programs log through, and the thread that writes.
//!
//! A call encodes its values to a frame (`log`, `frame`) and pushes the frame to the `queue`. The `worker` thread takes frames
//! from the queue in chunks, and writes them to a `sink`. Images and audio clips go through the queue to the `encoder` thread,
//! which pushes their frames. A `run` has one queue, one worker and at most one encoder. All its handles share it. A run
//! without a handle may be suspended (`suspend`): it has no thread and no open file until it is used again.

// rustdoc lists the methods of `SummaryWriter` in the order of these modules, and those of this file last: opening, logging,
// then the rest.
mod options;

mod log;

mod admission;
mod budget;
mod chunks;
mod condition;
mod default_writer;
mod directory;
mod encoder;
mod file_name;
mod frame;
mod inline;
mod logdir;
mod queue;
mod resume;
mod run;
#[cfg(feature = "object-store")]
mod segments;
mod series;
mod session;
mod sink;
mod stats;
mod suspend;
mod worker;

/// The locks of the queue and a variable of each thread. The test `interleavings` replaces this module with that of a model
/// checker.
mod sync {
    use std::cell::Cell;

    pub(super) use portable_atomic::AtomicU64;
    pub(super) use std::sync::atomic::Ordering;
    pub(super) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
    pub(super) use std::thread::yield_now;

    thread_local! {
        /// The address of the queue whose worker this thread is, or 0.
        pub(super) static QUEUE_OF_WORKER: Cell<usize> = const { Cell::new(0) };
    }
}

#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use default_writer::newest;
pub use default_writer::{DefaultGuard, default_writer};
pub use logdir::{unique_logdir, unique_logdir_for};
pub use options::{SyncPolicy, WhenFull, WriterOptions};
pub use stats::Stats;

use crate::error::Result;
use crate::event::{Step, ToWallTime, WallTime};
use crate::report::Reporter;
use condition::Condition;
use run::Run;
use session::HandleGuard;

/// Logs the data of one run.
///
/// This is a handle: its clones write to the same event file, from any thread, and no method needs `&mut`. The methods that log
/// never panic. All but [`embedding`](Self::embedding) and [`scalar_in_runs`](Self::scalar_in_runs) return nothing, and wait
/// for the disk only if [`max_pending_bytes`](WriterOptions::max_pending_bytes) are waiting already, or if [`WriterOptions`]
/// say so. If the disk fails, the writer keeps the data and tries again. The failure is reported once, through the
/// [`log`](https://docs.rs/log) crate or [on stderr](WriterOptions::stderr), and returned by [`flush`](Self::flush),
/// [`close`](Self::close) and [`stats`](Self::stats).
///
/// When the last handle is dropped, the writer writes what is left and closes the file. A handle in a `static` is never dropped,
/// and [`std::process::exit`] drops nothing, so close or flush before.
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
#[doc(alias = "FileWriter")]
#[doc(alias = "Writer")]
#[derive(Clone)]
pub struct SummaryWriter {
    /// Dropped before the run, which may log the end of its session when it is dropped.
    guard: Arc<HandleGuard>,
    run: Arc<Run>,
    /// The start of every tag, with a `/` at its end.
    prefix: Option<Arc<str>>,
    /// The wall time of all records, instead of the time of the call.
    wall_time: Option<WallTime>,
    /// The caller has given a wall time that is not finite.
    has_invalid_wall_time: bool,
    /// All must hold for a step that is logged.
    conditions: Arc<[Condition]>,
}

/// Shows the file and the prefix, not the queue, because the `Debug` form of a model may contain its handle.
impl fmt::Debug for SummaryWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SummaryWriter")
            .field("path", &self.path())
            .field("prefix", &self.prefix())
            .finish_non_exhaustive()
    }
}

const _: () = {
    const fn is_handle<T: Clone + Send + Sync + UnwindSafe + RefUnwindSafe>() {}
    is_handle::<SummaryWriter>();
};

// The locked data stays consistent if a thread panics, and the result of a condition of `record_if` is not kept.
impl UnwindSafe for SummaryWriter {}
impl RefUnwindSafe for SummaryWriter {}

impl SummaryWriter {
    fn new(run: Arc<Run>) -> Self {
        Self {
            guard: Arc::new(HandleGuard::new(&run.session, &run.queue)),
            run,
            prefix: None,
            wall_time: None,
            has_invalid_wall_time: false,
            conditions: Arc::default(),
        }
    }

    /// Reports problems of the run.
    pub(crate) fn reporter(&self) -> &Reporter {
        &self.run.queue.reporter
    }

    /// Returns a handle with a wall time that this handle has chosen.
    fn at_time(&self, wall_time: WallTime) -> Self {
        Self {
            wall_time: Some(wall_time),
            ..self.clone()
        }
    }

    fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or_default()
    }
}

/// Runs, scopes, conditions; flush, close and stats.
impl SummaryWriter {
    /// Returns the writer of the child run `name`: a subdirectory with an event file of its own. TensorBoard draws the curves of
    /// one tag in several runs into one chart.
    ///
    /// The first call opens the run. Later calls return handles of the same writer until it is closed. This writer keeps the
    /// child run open. Flushing this writer flushes the child run. Closing this writer closes the child run, unless another
    /// handle of it exists. The new handle has the prefix, wall time and conditions of this one.
    ///
    /// Thousands of runs can be open. At most 32 runs without a handle keep their file and their thread. The others release
    /// both, the least recently opened first, after their data is written. They are not closed: the session does not end, all
    /// counts and checks continue, and the next call appends to the same file. Before a run releases its file, its data is
    /// written, so this call may wait for that, but at most half a second.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    /// for step in 0..3 {
    ///     for trial in 0..100 {
    ///         summary.run(format!("trial {trial}"))?.scalar("loss", 0.5, step); // one file for each trial
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as [`create_file_writer`](Self::create_file_writer); also [`Error::Invalid`](crate::Error::Invalid) if `name`
    /// is an absolute path or has `..` or `://`, or if this writer writes to a stream, and
    /// [`Error::Closed`](crate::Error::Closed) if it is closed.
    pub fn run(&self, name: impl AsRef<str>) -> Result<Self> {
        if self.is_disabled() {
            return Ok(self.clone());
        }
        let child = Self {
            prefix: self.prefix.clone(),
            wall_time: self.wall_time,
            has_invalid_wall_time: self.has_invalid_wall_time,
            conditions: Arc::clone(&self.conditions),
            ..Self::new(self.run.child(name.as_ref())?)
        };
        child.run.resume()?;
        self.run.suspend_idle_runs();
        Ok(child)
    }

    /// Returns a handle that puts `name/` before every tag. Scopes nest. A `/` at the start or the end of the name is left out,
    /// and an empty name changes nothing.
    #[doc(alias = "name_scope")]
    #[must_use]
    pub fn scope(&self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref().trim_matches('/');
        if name.is_empty() {
            return self.clone();
        }
        let prefix = [self.prefix(), name, "/"].concat();
        Self {
            prefix: Some(prefix.into()),
            ..self.clone()
        }
    }

    /// Returns a handle whose records have this wall time instead of the time of the call: seconds since 1970, or a
    /// [`SystemTime`](std::time::SystemTime).
    ///
    /// A number that is not finite is replaced by the time of the call, because readers stop there. Such records are counted in
    /// [`Stats::replaced_wall_time_count`]. A time after the year 9999, such as milliseconds given as seconds, is used, and
    /// reported once for each tag.
    #[doc(alias = "walltime")]
    #[doc(alias = "wall_time")]
    #[must_use]
    pub fn at(&self, wall_time: impl ToWallTime) -> Self {
        let wall_time = wall_time.to_wall_time();
        Self {
            wall_time,
            has_invalid_wall_time: wall_time.is_none(),
            ..self.clone()
        }
    }

    /// Returns a handle that logs only steps that are multiples of `steps`, including 0. With 0 it logs nothing. Data without
    /// a step, such as a graph, counts as step 0.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    /// # let weights = [0.5f32];
    /// let sparse = summary.record_every(100);
    /// for step in 0..1000 {
    ///     summary.scalar("loss", 0.5, step);
    ///     sparse.histogram("weights", &weights, step); // counted and logged at steps 0, 100, 200 ...
    ///     if sparse.is_recording(step) {
    ///         // Compute something expensive.
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn record_every(&self, steps: u64) -> Self {
        self.with_condition(Condition::Every(steps))
    }

    /// Returns a handle that logs only steps for which `condition` returns `true`, and for which the conditions of this handle
    /// hold. `condition` is called on the thread that logs.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let evaluating = Arc::new(AtomicBool::new(false));
    /// let is_evaluating = Arc::clone(&evaluating);
    /// let summary = summary.record_if(move |_step| is_evaluating.load(Ordering::Relaxed));
    /// summary.scalar("score", 1, 0); // not logged
    /// evaluating.store(true, Ordering::Relaxed);
    /// summary.scalar("score", 2, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn record_if(&self, condition: impl Fn(i64) -> bool + Send + Sync + 'static) -> Self {
        self.with_condition(Condition::If(Arc::new(condition)))
    }

    /// Returns whether this handle logs the step: `false` for a [disabled](Self::disabled) writer, otherwise what
    /// [`record_every`](Self::record_every) and [`record_if`](Self::record_if) decide.
    #[doc(alias = "should_record_summaries")]
    pub fn is_recording(&self, step: impl Step) -> bool {
        !self.is_conditional() || self.is_recorded(step.to_i64())
    }

    /// Makes this handle the default writer of this thread until the guard is dropped. Code that has no writer can then call
    /// the functions of the module [`current`](crate::current). Guards nest: the newest one counts.
    ///
    /// Each thread has its own default writer. A new thread has none: pass [`default_writer`](crate::current::default_writer)
    /// to it.
    ///
    /// ```
    /// use summary_writer::{SummaryWriter, current};
    ///
    /// fn descend(step: u32) {
    ///     current::scalar("loss", 0.9f64.powi(step as i32), step);
    /// }
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let logdir = dir.path();
    /// let summary = SummaryWriter::create_file_writer(logdir)?;
    /// let _guard = summary.as_default();
    /// for step in 0..100 {
    ///     descend(step);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "set_as_default")]
    pub fn as_default(&self) -> DefaultGuard {
        DefaultGuard::new(self)
    }

    /// Returns once the operating system has all records that were accepted before, of this run and its child runs. Rejected
    /// records are counted in [`Stats::rejected_count`]. On a closed writer, returns the same result as [`close`](Self::close).
    ///
    /// If the disk fails, this returns an error at once. If a write hangs, as on an unreachable network drive, this waits.
    /// [`flush_timeout`](Self::flush_timeout) limits the wait.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if an attempt to write has failed. Accepted records are kept, and the writer tries
    /// again. You can call this again. [`Error::Closed`](crate::Error::Closed) in a fork of the process that opened the writer.
    pub fn flush(&self) -> Result<()> {
        self.flush_timeout(Duration::MAX)
    }

    /// Does the same as [`flush`](Self::flush), but waits at most `timeout`, for this run and its child runs together. With
    /// [`Duration::ZERO`] it starts the writing, and returns an error if anything is pending.
    ///
    /// ```
    /// use std::time::Duration;
    /// use summary_writer::{Error, SummaryWriter};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = SummaryWriter::create_file_writer(dir.path())?;
    /// summary.scalar("loss", 0.5, 0);
    /// match summary.flush_timeout(Duration::from_secs(10)) {
    ///     Err(Error::TimedOut { pending_bytes }) => eprintln!("{pending_bytes} bytes still wait for the disk"),
    ///     other => other?,
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TimedOut`](crate::Error::TimedOut) if the time is over and no attempt to write has failed: the data is kept, and
    /// written once the disk accepts it. Otherwise the same as [`flush`](Self::flush).
    pub fn flush_timeout(&self, timeout: Duration) -> Result<()> {
        if self.is_disabled() {
            return Ok(()); // also in a fork
        }
        self.run.flush(timeout)
    }

    /// Writes what is left and closes the event file, for all handles. Later calls that log are ignored, counted and reported.
    /// Child runs with other handles are flushed and stay open. On a closed writer, returns the same result again.
    ///
    /// If nothing was logged, the event file is removed, because TensorBoard would show a run without data for it. So a writer
    /// that only opens child runs leaves no run of its own.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if the last attempt to write has failed. The records that were not written are lost. The
    /// [`stats`](Self::stats) of another handle has their number: `accepted_count - flushed_count`. [`Error::Closed`](crate::Error::Closed) in a fork of the process
    /// that opened the writer.
    pub fn close(self) -> Result<()> {
        let timeout = self.run.close_timeout();
        self.close_timeout(timeout)
    }

    /// Does the same as [`close`](Self::close), but waits at most `timeout`, for this run and its child runs together. `close`
    /// and the drop of the last handle wait for as long as a disk hangs. After this call, no drop of a handle waits.
    ///
    /// ```
    /// use std::time::Duration;
    /// use summary_writer::{Error, SummaryWriter};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = SummaryWriter::create_file_writer(dir.path())?;
    /// summary.scalar("loss", 0.5, 0);
    /// match summary.close_timeout(Duration::from_secs(10)) {
    ///     Err(Error::TimedOut { pending_bytes }) => eprintln!("{pending_bytes} bytes may be lost"),
    ///     other => other?,
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TimedOut`](crate::Error::TimedOut) if the time is over and no attempt to write has failed. The writer's thread
    /// continues, and what it has not written when the process ends is lost. Otherwise the same as [`close`](Self::close).
    pub fn close_timeout(self, timeout: Duration) -> Result<()> {
        if self.is_disabled() {
            return Ok(()); // also in a fork
        }
        self.guard.note_panic();
        self.run.close(timeout)
    }

    /// Returns what the writer has done so far.
    pub fn stats(&self) -> Stats {
        self.run.counters.add_to(self.run.queue.stats())
    }

    /// Returns the run directory as an absolute path, or `None` for a stream and for a disabled writer.
    #[doc(alias = "get_logdir")]
    #[doc(alias = "log_dir")]
    pub fn logdir(&self) -> Option<&Path> {
        self.run.dir()
    }

    /// Returns the path of the event file, or `None` for a stream, for a disabled writer and in a fork of the process. If the
    /// file is deleted while the writer is open, a new one replaces it, and this returns the new path. Once the writer is closed,
    /// the file exists only if something was logged.
    pub fn path(&self) -> Option<PathBuf> {
        self.run.path()
    }
}

/// Locks a mutex. The data in it stays consistent if a thread panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
