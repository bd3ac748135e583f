//! Opening a writer: its options, and where it writes.

use std::fmt;
use std::io::Write;
#[cfg(feature = "object-store")]
use std::path::PathBuf;
use std::path::{self, Path};
use std::sync::Arc;
use std::time::Duration;

pub use super::queue::WhenFull;
pub use super::worker::SyncPolicy;

use super::SummaryWriter;
use super::condition::Condition;
use super::queue::Limits;
use super::resume::{self, Resume};
use super::run::{Place, Run};
use super::sink::Stream;
use crate::error::{Error, Result};
use crate::event::{Step, ToWallTime, WallTime};
use crate::location::{Location, location};
use crate::platform;
use crate::rank::{Rank, RankPolicy};
#[cfg(feature = "object-store")]
use crate::store::StoreDir;

/// Opening a writer.
impl SummaryWriter {
    /// Creates an event file in the run directory `logdir`, and the directory if it does not exist. Existing files are never
    /// changed. [`WriterOptions`] has the settings.
    ///
    /// If two writers write to one run, stock TensorBoard does not show all points. So give each process, and each writer
    /// that is open at the same time, a directory of its own: [`unique_logdir`](crate::unique_logdir) creates one. Event files
    /// of other processes in `logdir` are reported once, unless the run is [resumed](WriterOptions::resume).
    ///
    /// # Errors
    /// [`Error::Io`] if the directory or the file cannot be created, or if the first record cannot be written. Nothing is left
    /// behind then. [`Error::Invalid`] if `logdir` is a URL such as `s3://bucket/run`, or starts with `~` or `$HOME`, which only
    /// a shell replaces. A `file://` URL of an absolute path is used as that path.
    #[doc(alias = "FileWriter")]
    pub fn create_file_writer(logdir: impl AsRef<Path>) -> Result<Self> {
        WriterOptions::new().create_file_writer(logdir)
    }

    /// Creates a writer that writes nothing and has no file and no thread, for processes that should not log. Its calls cost a
    /// few nanoseconds and succeed. Its runs, scopes and so on are disabled, too. [`WriterOptions::rank`] disables the writers of
    /// all ranks of a training but one.
    ///
    /// ```
    /// use summary_writer::SummaryWriter;
    /// # let dir = tempfile::tempdir()?;
    /// # let (logdir, is_dry_run) = (dir.path(), true);
    ///
    /// let summary = match is_dry_run {
    ///     false => SummaryWriter::create_file_writer(logdir)?,
    ///     true => SummaryWriter::disabled(),
    /// };
    /// summary.scalar("loss", 0.5, 0);
    /// summary.close()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "create_noop_writer")]
    pub fn disabled() -> Self {
        let run = Run::closed(WriterOptions::new());
        Self::new(run.into()).with_condition(Condition::Never)
    }

    /// Returns the highest step that was logged in the run directory `logdir`. Returns `None` if there is no step or no such
    /// directory. Damage in the files is skipped. Hyperparameters, layouts of custom scalars and graphs do not count, because
    /// they have no step of their own. The runs below `logdir` do not count either: the steps of a
    /// [`TrainingLogger`](crate::TrainingLogger) are in `logdir.join("train")`.
    ///
    /// This reads all files of the run. Pass the next step to [`WriterOptions::resume`](WriterOptions::resume) to
    /// continue the run after its end, or the step after a checkpoint to continue from there.
    ///
    /// ```
    /// use summary_writer::{SummaryWriter, WriterOptions};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let logdir = dir.path().join("run");
    /// let first = SummaryWriter::last_step(&logdir)?.map_or(0, |last| last + 1);
    /// let summary = WriterOptions::new().resume(first).create_file_writer(&logdir)?;
    /// for step in first..first + 100 {
    ///     summary.scalar("loss", 0.5, step);
    /// }
    /// summary.close()?;
    /// assert_eq!(SummaryWriter::last_step(&logdir)?, Some(99));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] if the directory or a file in it cannot be read.
    pub fn last_step(logdir: impl AsRef<Path>) -> Result<Option<i64>> {
        resume::last_step(logdir.as_ref())
    }
}

/// The flush interval of a writer to a disk or a stream.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// The settings of a writer. Every default is meant for training, so change one only for a reason.
///
/// ```
/// use std::time::Duration;
/// use summary_writer::{SyncPolicy, WriterOptions};
///
/// # let dir = tempfile::tempdir()?;
/// # let logdir = dir.path();
/// let summary = WriterOptions::new()
///     .flush_interval(Duration::from_secs(1))
///     .sync(SyncPolicy::OnClose)
///     .create_file_writer(logdir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct WriterOptions {
    /// The default of a disk and that of an object store differ.
    pub(super) flush_interval: Option<Duration>,
    pub(super) max_pending_bytes: usize,
    pub(super) when_full: WhenFull,
    pub(super) filename_suffix: String,
    pub(super) sync: SyncPolicy,
    pub(super) resume: Option<Resume>,
    pub(super) stderr: bool,
    pub(super) clock: Clock,
    pub(super) is_unthreaded: bool,
    pub(super) max_file_bytes: Option<u64>,
    pub(super) close_timeout: Option<Duration>,
    #[cfg(feature = "object-store")]
    pub(super) spill_dir: Option<PathBuf>,
    pub(super) encoder_threads: usize,
    rank: Option<(Rank, RankPolicy)>,
}

impl WriterOptions {
    /// Returns the defaults, which [`SummaryWriter::create_file_writer`] uses.
    pub fn new() -> Self {
        Self {
            flush_interval: None,
            max_pending_bytes: 64 << 20,
            when_full: WhenFull::default(),
            filename_suffix: String::new(),
            sync: SyncPolicy::default(),
            resume: None,
            stderr: true,
            clock: Clock::System,
            is_unthreaded: !platform::HAS_THREADS,
            max_file_bytes: None,
            close_timeout: None,
            #[cfg(feature = "object-store")]
            spill_dir: None,
            encoder_threads: 1,
            rank: None,
        }
    }

    /// Sets how long a record waits for others, so that they are written together. A program that is killed loses at most the
    /// records of this time, and images and audio clips that were not encoded yet.
    ///
    /// Default: 200 ms, too short for a person to notice and long enough to write many records at once. [`Duration::ZERO`]
    /// writes each record before its call returns, which takes a few microseconds for each call.
    ///
    /// In an object store, the default is 10 s at first, and grows with the age of the run to 60 s after an hour: each upload
    /// is a request that costs money, and sends the newest object again.
    #[doc(alias = "flush_secs")]
    #[doc(alias = "flush_millis")]
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = Some(interval);
        self
    }

    /// Sets how many bytes may wait for the disk, of this writer and its child runs together. A run without pending records
    /// accepts one record of any size, so that a slow file of another run cannot block it.
    ///
    /// Images and audio clips may take three quarters of it, so that a program that logs them faster than they are encoded
    /// leaves room to scalars.
    ///
    /// Default: 64 MiB, over a million scalars. That is enough for a disk that stalls for seconds, and little compared with a
    /// model.
    #[doc(alias = "max_queue")]
    #[doc(alias = "max_queue_size")]
    pub fn max_pending_bytes(mut self, bytes: usize) -> Self {
        self.max_pending_bytes = bytes;
        self
    }

    /// Sets what a call does when `max_pending_bytes` wait. Default: [`WhenFull::Block`], because a curve with gaps misleads,
    /// and a working disk makes room within moments. If a write has failed, no call waits for room: its record is rejected.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Sets when data is synced to the disk. Default: [`SyncPolicy::Never`], because it matters only if the power fails or the
    /// operating system crashes, and a sync takes milliseconds.
    pub fn sync(mut self, sync: SyncPolicy) -> Self {
        self.sync = sync;
        self
    }

    /// Continues a run that stopped, from `step` on. Removes the records at `step` and later from the older files, and records
    /// that are unfinished or damaged. With `step` 0 these are all points, so do not resume if a run has data but its
    /// checkpoint is missing. The removal is reported: at the level `info`, or as a warning if no point is left. New data goes
    /// to a new file, which the loaders read after the older ones. The same happens to each child run when
    /// [`SummaryWriter::run`] first opens it. If there is no run yet, a new one starts.
    ///
    /// [`SummaryWriter::last_step`] returns where a run ended. A program that continues from a checkpoint passes the step after
    /// it. Embeddings at `step` and later are removed, too. Hyperparameters and layouts of custom scalars stay. If the run has
    /// hyperparameters and its session has ended, the session is open again. Closing the writer ends it, even if this program
    /// does not call [`hparams`](SummaryWriter::hparams). If `step` is above 0, the graph stays, and the first graph that this
    /// program logs is ignored, because a run has one graph. Otherwise the graph is removed.
    ///
    /// A step that is lower than the last kept step of its tag is reported. Texts, hyperparameters and layouts are not checked,
    /// because programs log them at every start.
    ///
    /// An older file is replaced by a new version that was written next to it, so one of the two exists at every moment. If the
    /// program is killed while it opens the writer, it can open it in the same way again.
    ///
    /// While the run is opened, no other writer may write to it. The other writer would continue in the old file, which was
    /// replaced. If a writer of this process has the run open, or if a file grows while it is read, opening returns
    /// [`Error::Invalid`]. If a file of another process was written in the last seconds, or if that process is known to run, a
    /// warning is logged before anything is removed.
    ///
    /// A TensorBoard that is started later shows one curve without a step back. A running one shows the same with
    /// `--load_fast=false`. The fast loader, which is the default, keeps the old points of a tag until a new point arrives, so
    /// the points of a tag that is never logged again stay until TensorBoard is restarted.
    ///
    /// The step applies to all tags of a run. A [`TrainingLogger`](crate::TrainingLogger) counts both epochs and batches: use
    /// [`resume_training`](Self::resume_training) for it.
    ///
    /// Default: none, so older files stay as they are.
    #[doc(alias = "purge_step")]
    pub fn resume(mut self, step: impl Step) -> Self {
        let step = step.to_i64().unwrap_or_else(|nearest| nearest);
        self.resume = Some(Resume {
            step,
            batches: None,
        });
        self
    }

    /// Continues the runs of a [`TrainingLogger`](crate::TrainingLogger) like [`resume`](Self::resume), from the epoch `epoch`
    /// on, after `batches` trained batches. Records of its `on_batch_end` and `on_test_end` are kept if their step is at most
    /// `batches`. All other records are kept if their step is below `epoch`.
    ///
    /// [`TrainingLogger::with_writer`](crate::TrainingLogger::with_writer) reads `batches` from the writer, and counts on from
    /// it.
    ///
    /// A running TensorBoard may keep the old epochs of a tag until it is restarted. With `--load_fast=false`, it can only drop
    /// all points of a run from one step on, and batches and epochs need different steps.
    ///
    /// ```
    /// use summary_writer::training::UpdateFreq;
    /// use summary_writer::{TrainingLogger, WriterOptions};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let logdir = dir.path();
    /// let (epoch, batches) = (5, 500); // the checkpoint: epochs 0 to 4 are done, each of 100 batches
    /// let options = WriterOptions::new().resume_training(epoch, batches);
    /// let summary = options.create_file_writer(logdir)?;
    /// let mut training = TrainingLogger::with_writer(&summary).update_freq(UpdateFreq::Batch);
    /// training.on_train_begin()?;
    /// training.on_batch_end([("loss", 0.5)]); // batch 501
    /// # training.on_train_end()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// For a checkpoint inside an epoch, `epoch` is the epoch that is half done, and `batches` are all batches so far: after
    /// half of epoch 3 of 100 batches each, `resume_training(3, 350)`.
    ///
    /// [`create_file_writer`](Self::create_file_writer) returns [`Error::Invalid`] if there are more epochs than batches, unless
    /// `batches` is 0.
    #[doc(alias = "initial_epoch")]
    pub fn resume_training(mut self, epoch: impl Step, batches: u64) -> Self {
        let step = epoch.to_i64().unwrap_or_else(|nearest| nearest);
        self.resume = Some(Resume {
            step,
            batches: Some(batches),
        });
        self
    }

    /// Starts a new event file once one has this many bytes. Both loaders show the files of a run as one. The size counts whole
    /// batches, so a file can be a little larger.
    ///
    /// Default: no limit on a disk, because one file is the easiest to copy. In an object store 32 MiB, because the newest object
    /// is in memory, and is uploaded again with each batch.
    pub fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = Some(bytes);
        self
    }

    /// Sets how long [`close`](SummaryWriter::close) and the drop of the last handle wait for a disk or an object store that
    /// does not take the data. [`SummaryWriter::close_timeout`] sets it for one call.
    ///
    /// Default: no limit on a disk, and 60 s in an object store, whose network may be gone for hours. A writer to a store tries
    /// again until then. The rest is lost, unless `spill_dir` names a directory for it.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = Some(timeout);
        self
    }

    /// Sets a local directory for the records that an object store has not taken when the writer gives up at its close. They
    /// become an event file in a directory with the path of the run. Copy it into the run to add them.
    ///
    /// Default: none, so these records are lost. [`SummaryWriter::close`] returns an error in both cases.
    #[cfg(feature = "object-store")]
    pub fn spill_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.spill_dir = Some(dir.into());
        self
    }

    /// Sets which processes of a training write, and where. `rank` is a [`Rank`], or the `Option` that [`Rank::from_env`]
    /// returns: the same line also works for a program that runs alone, which has no rank and writes to the directory that it
    /// opens.
    ///
    /// With [`RankPolicy::Main`], rank 0 writes, and the writers of the other ranks are [disabled](SummaryWriter::disabled). They
    /// create nothing. [`RankPolicy::Only`] chooses another rank. With [`RankPolicy::Each`], each rank writes to a child run of
    /// its own, such as `rank-00003`. The ranks need not communicate, so no call can wait for another rank.
    ///
    /// All ranks must open one directory. A name with a time differs between processes:
    /// [`unique_logdir_for`](crate::unique_logdir_for) returns the same directory to all of them.
    ///
    /// ```
    /// use summary_writer::{Rank, RankPolicy, WriterOptions, unique_logdir_for};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let logs = dir.path();
    /// let (rank, logdir) = (Rank::from_env(), unique_logdir_for(logs, "baseline-7")?);
    /// let summary = WriterOptions::new().rank(rank, RankPolicy::Main).create_file_writer(&logdir)?;
    /// let own = WriterOptions::new().rank(rank, RankPolicy::Each).create_file_writer(logdir.join("ranks"))?;
    /// for step in 0..100 {
    ///     summary.scalar("loss", 0.9f64.powi(step), step); // one curve, from rank 0
    ///     own.scalar("samples_per_second", 1000 + step, step); // a curve for each rank
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Default: no rank, so every process writes.
    pub fn rank(mut self, rank: impl Into<Option<Rank>>, policy: RankPolicy) -> Self {
        self.rank = rank.into().map(|rank| (rank, policy));
        self
    }

    /// Sets a suffix for the name of the event file. Default: none, because file names differ even without a suffix.
    pub fn filename_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.filename_suffix = suffix.into();
        self
    }

    /// Sets the clock that gives each record its wall time: a function that returns seconds since 1970, a
    /// [`SystemTime`](std::time::SystemTime) or a [`WallTime`]. Each call that logs reads the clock once, on the calling
    /// thread. A number that is not finite is replaced by the time of the system.
    ///
    /// Default: [`SystemTime::now`](std::time::SystemTime::now), which resolves less than a microsecond. Reading it is a large
    /// part of the cost of [`scalar`](SummaryWriter::scalar). A program that logs millions of scalars per second can read a
    /// clock that costs less and steps every few milliseconds, such as `CLOCK_REALTIME_COARSE` on Linux:
    ///
    /// ```
    /// # #[cfg(target_os = "linux")] {
    /// use rustix::time::{ClockId, clock_gettime};
    /// use summary_writer::WriterOptions;
    ///
    /// let coarse = || {
    ///     let time = clock_gettime(ClockId::RealtimeCoarse);
    ///     time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    /// };
    /// let options = WriterOptions::new().clock(coarse);
    /// # let summary = options.to_sink(Vec::new()).unwrap();
    /// # summary.scalar("loss", 0.5, 0);
    /// # }
    /// ```
    ///
    /// A test that compares files sets a fixed time: `WriterOptions::new().clock(|| 1.7e9)`.
    pub fn clock<T: ToWallTime>(mut self, clock: impl Fn() -> T + Send + Sync + 'static) -> Self {
        self.clock = Clock::Custom(Arc::new(move || clock().to_wall_time()));
        self
    }

    /// Sets how many threads encode images, animations and audio clips. Each child run has as many of its own. The
    /// first one starts with the first such record, and another one when all are busy. The records keep the order of their
    /// calls, so a record that is encoded before an earlier one waits for it.
    ///
    /// Default: 1, because one thread encodes about a hundred images of 1024 × 1024 pixels in a second, and a training needs
    /// the other cores itself. More threads help a program that logs more images than that while some cores are idle. 0 is
    /// an error when the writer is opened: [`Error::Invalid`].
    ///
    /// ```
    /// use summary_writer::WriterOptions;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let logdir = dir.path();
    /// let summary = WriterOptions::new().encoder_threads(2).create_file_writer(logdir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encoder_threads(mut self, count: usize) -> Self {
        self.encoder_threads = count;
        self
    }

    /// Starts no thread: each call encodes and writes its record before it returns, images and audio included. So the calls
    /// wait for the disk, and [`flush_interval`](Self::flush_interval) has no meaning. If a write hangs, no timeout ends the
    /// wait. A call does not fail if the disk does: the data is kept, and the next call tries again.
    ///
    /// Default: off, because a training should not wait for a disk. On WebAssembly, where there are no threads, it is always on.
    /// A program in a browser writes into memory by [`to_sink`](Self::to_sink), and gives a [`clock`](Self::clock).
    pub fn unthreaded(mut self) -> Self {
        self.is_unthreaded = true;
        self
    }

    /// Sets whether problems of calls that return nothing, such as a step that goes back, are reported on stderr when the
    /// program has no logger of the crate [`log`](https://docs.rs/log). Such a report is one line for each cause, and starts
    /// with `summary-writer:`. With a logger, they are logged there, and stderr is not used.
    ///
    /// Default: `true`, because an unseen problem can cost a training. A program that draws on the whole terminal sets `false`,
    /// and looks at [`SummaryWriter::stats`] or installs a logger. Setting the environment variable
    /// `SUMMARY_WRITER_LOG` to `off` does the same for all writers of a process.
    pub fn stderr(mut self, stderr: bool) -> Self {
        self.stderr = stderr;
        self
    }

    /// Creates an event file in the run directory `logdir`, and the directory if it does not exist. Existing files are never
    /// changed, unless the run is [resumed](Self::resume).
    ///
    /// # Errors
    /// [`Error::Io`] if the directory or the file cannot be created, or if the first record cannot be written. Nothing is left
    /// behind then. [`Error::Invalid`] if `logdir` is a URL such as `s3://bucket/run` or starts with `~` or `$HOME`, if the
    /// suffix cannot be part of a file name, if [`RankPolicy::Only`] names a rank that does not exist, or if the run to resume
    /// is open in another writer of this process or grows meanwhile.
    pub fn create_file_writer(self, logdir: impl AsRef<Path>) -> Result<SummaryWriter> {
        self.check_suffix()?;
        let mut logdir = logdir.as_ref().to_path_buf();
        logdir.extend(self.rank_dir());
        let logdir = match location(&logdir)? {
            _ if !self.is_written()? => return Ok(SummaryWriter::disabled()),
            Location::Local(logdir) => logdir,
            #[cfg(feature = "object-store")]
            Location::Store(dir) => return self.open_in_store(dir),
        };
        // The program may change its working directory later.
        let dir = path::absolute(logdir)
            .map_err(|error| Error::io("create the directory", logdir, error))?;
        let run = Run::open_dir(self, Place::Local(dir))?;
        Ok(SummaryWriter::new(run.into()))
    }

    fn check_suffix(&self) -> Result<()> {
        let suffix = &self.filename_suffix;
        if suffix.contains(['/', '\\', '\0']) {
            let problem = format!("it must not have `/`, `\\` or a NUL, got {suffix:?}");
            return Err(Error::invalid("filename suffix", problem));
        }
        // After a `:`, Windows writes to a second stream of the file, which no listing shows. It removes the others.
        if cfg!(windows) && (suffix.contains(':') || suffix.ends_with(['.', ' '])) {
            let problem = format!(
                "on Windows it must not have `:` and not end in `.` or a space, got {suffix:?}"
            );
            return Err(Error::invalid("filename suffix", problem));
        }
        Ok(())
    }

    /// Writes to the directory `path` of any object store. [`create_file_writer`](Self::create_file_writer) takes URLs of the
    /// stores that most programs use.
    ///
    /// The builders of [`crate::object_store`], such as `AmazonS3Builder`, panic if `rustls` has no provider. Install one first:
    /// `rustls::crypto::ring::default_provider().install_default()`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use summary_writer::WriterOptions;
    /// use summary_writer::object_store::memory::InMemory;
    ///
    /// let store = Arc::new(InMemory::new());
    /// let summary = WriterOptions::new().object_store(store, "logs/run")?;
    /// summary.scalar("loss", 0.5, 0);
    /// summary.close()?;
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`] if the store does not accept an object within 10 s. [`Error::Invalid`] if `path` has an empty part, or `.`
    /// or `..`.
    #[cfg(feature = "object-store")]
    pub fn object_store(
        self,
        store: Arc<dyn object_store::ObjectStore>,
        path: impl AsRef<str>,
    ) -> Result<SummaryWriter> {
        self.check_suffix()?;
        let mut path = path.as_ref().to_owned();
        if let Some(dir) = self.rank_dir() {
            let separator = if path.is_empty() { "" } else { "/" };
            path += &[separator, &dir].concat();
        }
        let dir = StoreDir::in_store(store, &path)?;
        if !self.is_written()? {
            return Ok(SummaryWriter::disabled());
        }
        self.open_in_store(dir)
    }

    #[cfg(feature = "object-store")]
    fn open_in_store(self, dir: StoreDir) -> Result<SummaryWriter> {
        if self.is_unthreaded {
            let problem = "a writer to an object store needs a thread; use a local directory";
            return Err(Error::invalid("unthreaded", problem));
        }
        dir.check_access()?;
        let run = Run::open_dir(self, Place::Store(dir))?;
        Ok(SummaryWriter::new(run.into()))
    }

    /// Writes the bytes of an event file to any stream, from a thread of its own. The thread flushes the stream after each
    /// batch.
    ///
    /// # Errors
    /// [`Error::Io`] if the thread cannot be started. [`Error::Invalid`] if [`resume`](Self::resume) is set. Errors of the stream are
    /// returned by [`flush`](SummaryWriter::flush), [`close`](SummaryWriter::close) and [`stats`](SummaryWriter::stats).
    pub fn to_sink(self, sink: impl Write + Send + 'static) -> Result<SummaryWriter> {
        if self.resume.is_some() {
            let problem = "only a run directory can be resumed, a stream has no older files";
            return Err(Error::invalid("resume", problem));
        }
        if matches!(self.clock, Clock::System) && !platform::HAS_CLOCK {
            let problem = "this platform has no clock; set one with WriterOptions::clock";
            return Err(Error::invalid("clock", problem));
        }
        if !self.is_written()? {
            return Ok(SummaryWriter::disabled());
        }
        let run = Run::open_stream(self, Stream(Box::new(sink)))?;
        Ok(SummaryWriter::new(run.into()))
    }

    /// Returns the child run of this process.
    fn rank_dir(&self) -> Option<String> {
        match self.rank? {
            (rank, RankPolicy::Each) => Some(format!("rank-{:05}", rank.index())),
            _ => None,
        }
    }

    /// Returns whether this process writes.
    fn is_written(&self) -> Result<bool> {
        let writer = match self.rank {
            None | Some((_, RankPolicy::Each)) => return Ok(true),
            Some((_, RankPolicy::Main)) => 0,
            Some((_, RankPolicy::Only(writer))) => writer,
        };
        let rank = self.rank.map(|(rank, _)| rank);
        if let Some(size) = rank.and_then(Rank::size).filter(|size| writer >= *size) {
            let problem = format!(
                "`RankPolicy::Only` must have a rank below the size {size}, got {writer}: no process would write"
            );
            return Err(Error::invalid("rank", problem));
        }
        Ok(rank.is_none_or(|rank| rank.index() == writer))
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            flush_interval: match self.is_unthreaded {
                true => Duration::ZERO,
                false => self.flush_interval.unwrap_or(FLUSH_INTERVAL),
            },
            max_pending_bytes: self.max_pending_bytes,
            when_full: self.when_full,
            writes_encoded_at_once: true,
            encoder_threads: self.encoder_threads,
        }
    }
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Gives records their wall time.
#[derive(Clone)]
pub(super) enum Clock {
    System,
    Custom(Arc<dyn Fn() -> Option<WallTime> + Send + Sync>),
}

impl Clock {
    #[inline]
    pub(super) fn now(&self) -> WallTime {
        let custom = match self {
            Self::System => None,
            Self::Custom(clock) => clock(),
        };
        custom.unwrap_or_else(WallTime::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Custom(_) => "Custom",
        })
    }
}
