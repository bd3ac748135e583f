//! How a writer is to behave, and the way to open one.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::SummaryWriter;
use super::resume::{From, Resume};
use super::tray::{Limits, WhenFull};
use super::worker::SyncPolicy;
use crate::error::{Error, Result};
use crate::event::Step;

/// How a writer is to behave. Every default is meant for training: change one only for a reason.
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
    pub(super) flush_interval: Duration,
    pub(super) max_pending_bytes: usize,
    pub(super) when_full: WhenFull,
    pub(super) filename_suffix: String,
    pub(super) sync: SyncPolicy,
    pub(super) resume: Option<Resume>,
}

impl WriterOptions {
    /// The defaults, which [`SummaryWriter::create_file_writer`] has.
    pub fn new() -> Self {
        Self {
            flush_interval: Duration::from_millis(200),
            max_pending_bytes: 64 << 20,
            when_full: WhenFull::default(),
            filename_suffix: String::new(),
            sync: SyncPolicy::default(),
            resume: None,
        }
    }

    /// How long a record waits for others to be written with. It is the most that a killed program loses, beside images and
    /// sounds that wait for their encoder and what was logged behind them.
    ///
    /// Default: 200 ms, which is below what a person notices and above what a disk minds. [`Duration::ZERO`] writes each
    /// record before its call returns, at the cost of a few microseconds a call.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// How much may wait for the disk, in bytes. A single record that is larger is taken when nothing else waits.
    ///
    /// Default: 64 MiB, over a million scalars: enough for a disk that stalls for seconds, little beside a model.
    pub fn max_pending_bytes(mut self, bytes: usize) -> Self {
        self.max_pending_bytes = bytes;
        self
    }

    /// What a call meets when that much waits. Default: [`WhenFull::Block`], for a curve with holes misleads, and a disk
    /// that works makes room soon.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Added to the name of the event file. Default: none, for the names of two files differ without it.
    pub fn filename_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.filename_suffix = suffix.into();
        self
    }

    /// Whether data is also brought to the disk itself. Default: [`SyncPolicy::Never`], for only a loss of power or a crash of
    /// the system asks for more, and waiting for a disk costs milliseconds.
    pub fn sync(mut self, sync: SyncPolicy) -> Self {
        self.sync = sync;
        self
    }

    /// Continues a run that stopped, from `step` on: what its older files have at `step` and beyond is removed, and so is
    /// what they have torn or damaged. What is logged then goes to a new file that is read behind them. The same holds for
    /// each run below, when [`SummaryWriter::run`] first opens it. Where there is nothing yet, it is a run as any other.
    ///
    /// [`SummaryWriter::last_step`] tells where a run ended; a program that begins at a checkpoint gives the step behind
    /// that. Hyperparameters, layouts of custom scalars and embeddings stay, but a session that was ended goes on: closing
    /// the writer ends it, also where this program does not log its hyperparameters again.
    ///
    /// An older file is written anew beside itself and then replaced, so at every moment one of the two is there: a
    /// program that is killed meanwhile can do it again. Nobody may write the run any more, not in this process either.
    ///
    /// A TensorBoard that is started afterwards shows one curve without a step back. One that was watching shows it, too,
    /// with `--load_fast=false`; the fast loader that is the default keeps the old points of a tag until a new one comes,
    /// so those of a tag that is never logged again stay until it is started anew.
    ///
    /// It is one counter for all tags of a run. The runs of a [`TrainingLogger`](crate::TrainingLogger) have two, epochs and
    /// batches: for them there is [`resume_training`](Self::resume_training).
    ///
    /// Default: none, older files stay as they are.
    pub fn resume(mut self, step: impl Step) -> Self {
        let step = step.to_i64().unwrap_or_else(|nearest| nearest);
        self.resume = Some(Resume::new(From { step, batch: step }));
        self
    }

    /// [`resume`](Self::resume) for the runs of a [`TrainingLogger`](crate::TrainingLogger), which have two counters:
    /// continues from the epoch `epoch` on, with `batches` batches trained before. What counts batches, `batch_<metric>` and
    /// `evaluation_<metric>_vs_iterations`, is removed beyond that number, everything else at that epoch and beyond.
    ///
    /// A TensorBoard that was watching keeps the old epochs of a tag until it is started anew.
    ///
    /// ```
    /// use summary_writer::{TrainingLogger, UpdateFreq, WriterOptions};
    ///
    /// # let dir = tempfile::tempdir()?;
    /// # let logdir = dir.path();
    /// let (epoch, batches) = (5, 500); // of the checkpoint: five epochs of a hundred batches
    /// let options = WriterOptions::new().resume_training(epoch, batches);
    /// let summary = options.create_file_writer(logdir)?;
    /// let mut training = TrainingLogger::of(&summary)
    ///     .update_freq(UpdateFreq::Batch)
    ///     .initial_batch(batches);
    /// training.on_train_begin()?;
    /// # training.on_train_end()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resume_training(mut self, epoch: impl Step, batches: u64) -> Self {
        let step = epoch.to_i64().unwrap_or_else(|nearest| nearest);
        let batch = i64::try_from(batches).map_or(i64::MAX, |batches| batches.saturating_add(1));
        self.resume = Some(Resume::new(From { step, batch }));
        self
    }

    /// Opens a new event file in the run directory `logdir`, which is made if it is missing. A file that is there is
    /// never touched, unless the run is [resumed](Self::resume).
    ///
    /// # Errors
    /// [`Error::Io`] if the directory or the file cannot be made, or the first record not be written; nothing is left
    /// behind then. [`Error::Invalid`] if the suffix cannot be part of a file's name, or if a file of the run that is to
    /// be resumed grows meanwhile.
    pub fn create_file_writer(self, logdir: impl AsRef<Path>) -> Result<SummaryWriter> {
        if self.filename_suffix.contains(['/', '\\', '\0']) {
            return Err(Error::invalid(
                "filename suffix",
                format!(
                    "{:?} has a character that cannot be in a file's name",
                    self.filename_suffix
                ),
            ));
        }
        SummaryWriter::to_file(self, logdir.as_ref())
    }

    /// Writes the bytes of an event file to any stream, from a thread of its own, which flushes it after each batch.
    ///
    /// # Errors
    /// [`Error::Io`] if the thread cannot be started. [`Error::Invalid`] if a run is to be resumed. What goes wrong with the sink comes back from
    /// [`flush`](SummaryWriter::flush), [`close`](SummaryWriter::close) and [`stats`](SummaryWriter::stats).
    pub fn to_sink(self, sink: impl Write + Send + 'static) -> Result<SummaryWriter> {
        if self.resume.is_some() {
            let problem = "a stream has no older files, a run directory does";
            return Err(Error::invalid("resume", problem));
        }
        SummaryWriter::to_stream(self, Box::new(sink))
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            flush_interval: self.flush_interval,
            max_pending_bytes: self.max_pending_bytes,
            when_full: self.when_full,
        }
    }
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self::new()
    }
}
