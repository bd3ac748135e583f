//! Logs batches, epochs, evaluations, weights and the model of a training.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{UpdateFreq, Weights};
use crate::error::{Chain, Error, Result};
use crate::event::Step;
use crate::graph::Model;
use crate::report::Reporter;
use crate::summary::{Scalar, Tag};
use crate::writer::SummaryWriter;

/// Logs what Keras' `TensorBoard` callback logs, from any training loop. Call it when a batch, an epoch or an evaluation
/// ends.
///
/// ```
/// use summary_writer::training::UpdateFreq;
/// use summary_writer::TrainingLogger;
///
/// # let dir = tempfile::tempdir()?;
/// # let logdir = dir.path();
/// # let (inputs, outputs) = (4, 2);
/// # let kernel = vec![0.5f32; inputs * outputs];
/// let mut training = TrainingLogger::new(logdir)
///     .update_freq(UpdateFreq::Batch)
///     .histogram_freq(1)
///     .write_steps_per_second(true);
/// training.on_train_begin()?;
/// for epoch in 0..3 {
///     for batch in 0..10 {
///         training.on_batch_end([("loss", 0.9f64.powi(10 * epoch + batch))]);
///     }
///     training.on_epoch_end(epoch, [("loss", 0.5), ("learning_rate", 1e-3), ("val_loss", 0.6)]);
///     training.weights(epoch, |weights| weights.add("dense/kernel", &[inputs, outputs], &kernel));
/// }
/// training.on_train_end()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | call | run | tags | step |
/// |---|---|---|---|
/// | [`on_batch_end`](Self::on_batch_end) | `train` | `batch_<metric>`, `batch_steps_per_second` | batches so far |
/// | [`on_epoch_end`](Self::on_epoch_end) | `train` | `epoch_<metric>`, `epoch_steps_per_second` | epoch |
/// | the same, for metrics that start with `val_` | `validation` | `epoch_<metric>`, without the `val_` | epoch |
/// | [`on_test_end`](Self::on_test_end) | `validation` | `evaluation_<metric>_vs_iterations` | batches so far |
/// | [`weights`](Self::weights) | `train` | `<weight>/histogram`, `<weight>/image` | epoch |
/// | [`set_model`](Self::set_model) | `train` | the graph, and `keras` | 0 |
///
/// Name metrics as in Keras: `loss`, `accuracy`, and `learning_rate`, which becomes `epoch_learning_rate`. A [`Tag`] with a
/// description can be a name, too.
///
/// [`on_train_begin`](Self::on_train_begin) opens `train` and returns an error if that fails. `validation` is opened when
/// something is first logged to it. The methods that log do not return errors; [`on_train_end`](Self::on_train_end) returns
/// the first one.
#[doc(alias = "TensorBoard")]
#[derive(Debug)]
pub struct TrainingLogger {
    parent: Parent,
    update_freq: UpdateFreq,
    histogram_freq: u64,
    write_images: bool,
    write_graph: bool,
    write_steps_per_second: bool,
    train: Option<SummaryWriter>,
    validation: Option<SummaryWriter>,
    /// The number of batches that have ended, including those before the run was resumed.
    batches: u64,
    /// The start of the epoch and the end of its last batch, if they are known.
    epoch_begin: Option<Mark>,
    last_batch: Option<Mark>,
    /// The first error.
    failure: Option<Error>,
}

#[derive(Debug)]
enum Parent {
    Logdir(PathBuf),
    Writer(SummaryWriter),
    /// The error that the writer cannot be used.
    Refused(Error),
}

/// A number of batches and the time at which it was reached.
#[derive(Clone, Copy, Debug)]
struct Mark {
    batches: u64,
    time: Instant,
}

impl TrainingLogger {
    /// Creates a logger whose runs are `train` and `validation` in `logdir`. A training that resumes from a checkpoint uses
    /// [`with_writer`](Self::with_writer) instead.
    pub fn new(logdir: impl AsRef<Path>) -> Self {
        Self::below(Parent::Logdir(logdir.as_ref().into()))
    }

    /// Creates a logger whose runs are `train` and `validation` below the run of `summary`, with its options, clock and scope.
    /// Log data of the whole training, such as hyperparameters, to `summary` itself.
    ///
    /// If the writer was opened with [`resume_training`](crate::WriterOptions::resume_training), the logger continues to count
    /// batches from the number that was given there. A writer that was opened with [`resume`](crate::WriterOptions::resume)
    /// lacks this number: [`on_train_begin`](Self::on_train_begin) returns an error then, and nothing is logged.
    pub fn with_writer(summary: &SummaryWriter) -> Self {
        match summary.resumed_batches() {
            Ok(batches) => Self {
                batches,
                ..Self::below(Parent::Writer(summary.clone()))
            },
            Err(error) => Self::below(Parent::Refused(error)),
        }
    }

    fn below(parent: Parent) -> Self {
        Self {
            parent,
            update_freq: UpdateFreq::default(),
            histogram_freq: 0,
            write_images: false,
            write_graph: true,
            write_steps_per_second: false,
            train: None,
            validation: None,
            batches: 0,
            epoch_begin: None,
            last_batch: None,
            failure: None,
        }
    }

    /// Sets which batches [`on_batch_end`](Self::on_batch_end) logs. Default: [`UpdateFreq::Epoch`], no batches, as in Keras.
    #[must_use]
    pub fn update_freq(mut self, update_freq: UpdateFreq) -> Self {
        self.update_freq = update_freq;
        self
    }

    /// Sets how often [`weights`](Self::weights) logs: in each epoch whose number is a multiple of `epochs`. Default: 0, which
    /// means never, as in Keras, because a model may have many weights.
    #[must_use]
    pub fn histogram_freq(mut self, epochs: u64) -> Self {
        self.histogram_freq = epochs;
        self
    }

    /// Sets whether [`weights`](Self::weights) logs pictures as well as histograms. It never does without the feature `png`.
    /// Default: `false`, as in Keras.
    #[must_use]
    pub fn write_images(mut self, write_images: bool) -> Self {
        self.write_images = write_images;
        self
    }

    /// Sets whether [`set_model`](Self::set_model) logs the model. Default: `true`, as in Keras.
    #[must_use]
    pub fn write_graph(mut self, write_graph: bool) -> Self {
        self.write_graph = write_graph;
        self
    }

    /// Sets whether the speed of the training is logged, in batches per second, for each epoch and for each logged batch. An
    /// epoch is measured from its start to the end of its last batch. Default: `false`, as in Keras.
    #[must_use]
    pub fn write_steps_per_second(mut self, write_steps_per_second: bool) -> Self {
        self.write_steps_per_second = write_steps_per_second;
        self
    }

    /// Opens the run `train`, and starts the first epoch. If a loop does not call this, the first call that logs opens the run,
    /// and the first epoch starts at the end of its first batch.
    ///
    /// # Errors
    /// The same as for [`SummaryWriter::create_file_writer`]. [`Error::Invalid`] if the parent was opened with
    /// [`resume`](crate::WriterOptions::resume).
    pub fn on_train_begin(&mut self) -> Result<()> {
        self.train()?;
        self.on_epoch_begin();
        Ok(())
    }

    /// Starts an epoch, so that its speed is measured from here. If a loop does not call this, an epoch starts when the previous
    /// one is logged.
    pub fn on_epoch_begin(&mut self) {
        self.epoch_begin = Some(self.mark());
        self.last_batch = self.epoch_begin;
    }

    /// Returns whether the next [`on_batch_end`](Self::on_batch_end) logs. Call it before computing expensive metrics, such as
    /// a copy from a GPU.
    pub fn is_batch_due(&self) -> bool {
        self.logs_batch(self.batches.saturating_add(1))
    }

    /// Counts a batch, and logs its metrics if [`update_freq`](Self::update_freq) includes it.
    ///
    /// To count a batch without metrics, call `on_batch_end(None::<(&str, f32)>)`.
    pub fn on_batch_end<'a, T, V>(&mut self, metrics: impl IntoIterator<Item = (T, V)>)
    where
        T: Into<Tag<'a>>,
        V: Scalar,
    {
        self.batches = self.batches.saturating_add(1);
        let mut speed = None;
        if self.write_steps_per_second {
            let mark = self.mark();
            let before = self.last_batch.replace(mark);
            speed = before.and_then(|before| mark.speed_since(before));
            self.epoch_begin.get_or_insert(mark);
        }
        if !self.logs_batch(self.batches) {
            return;
        }
        if let Some(train) = self.open(Child::Train) {
            let speed = speed.map(|speed| (Tag::new("batch_steps_per_second"), speed));
            let metrics = metrics.into_iter().map(|(tag, value)| {
                let tag = renamed(tag.into(), |name| format!("batch_{name}"));
                (tag, value.to_f32())
            });
            train.batch_scalars(self.batches, metrics.chain(speed));
        }
    }

    /// Logs the metrics of an epoch: those that start with `val_` to the run `validation`, the others to `train`.
    pub fn on_epoch_end<'a, T, V>(
        &mut self,
        epoch: impl Step,
        metrics: impl IntoIterator<Item = (T, V)>,
    ) where
        T: Into<Tag<'a>>,
        V: Scalar,
    {
        let mut of_train = Vec::new();
        let mut of_validation = Vec::new();
        for (tag, value) in metrics {
            let tag = tag.into();
            let of_run = match tag.name.starts_with(VALIDATION_PREFIX) {
                true => &mut of_validation,
                false => &mut of_train,
            };
            let name = |name: &str| {
                let name = name.strip_prefix(VALIDATION_PREFIX).unwrap_or(name);
                format!("epoch_{name}")
            };
            of_run.push((renamed(tag, name), value.to_f32()));
        }
        if self.write_steps_per_second {
            let speed = self.epoch_begin.zip(self.last_batch);
            let speed = speed.and_then(|(begin, end)| end.speed_since(begin));
            of_train.extend(speed.map(|speed| (Tag::new("epoch_steps_per_second"), speed)));
            self.on_epoch_begin();
        }
        for (child, metrics) in [(Child::Train, of_train), (Child::Validation, of_validation)] {
            if !metrics.is_empty()
                && let Some(run) = self.open(child)
            {
                run.scalars(epoch, metrics);
            }
        }
    }

    /// Logs the metrics of an evaluation. The step is the number of batches so far.
    pub fn on_test_end<'a, T, V>(&mut self, metrics: impl IntoIterator<Item = (T, V)>)
    where
        T: Into<Tag<'a>>,
        V: Scalar,
    {
        if let Some(validation) = self.open(Child::Validation) {
            let metrics = metrics.into_iter().map(|(tag, value)| {
                let name = |name: &str| format!("evaluation_{name}_vs_iterations");
                (renamed(tag.into(), name), value.to_f32())
            });
            validation.batch_scalars(self.batches, metrics);
        }
    }

    /// Logs the weights of the model. If [`histogram_freq`](Self::histogram_freq) includes the epoch, this calls the closure and
    /// returns its result. Otherwise it returns `None`.
    ///
    /// ```
    /// use summary_writer::TrainingLogger;
    /// # let dir = tempfile::tempdir()?;
    /// # let layers = [("hidden", [2, 3], vec![0.5f32; 6]), ("output", [3, 1], vec![0.25; 3])];
    ///
    /// let mut training = TrainingLogger::new(dir.path()).histogram_freq(10).write_images(true);
    /// for epoch in 0..100 {
    ///     training.weights(epoch, |weights| {
    ///         for (name, shape, kernel) in &layers {
    ///             weights.add(&format!("{name}/kernel"), shape, kernel);
    ///         }
    ///     });
    /// }
    /// training.on_train_end()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn weights<R>(
        &mut self,
        epoch: impl Step,
        add: impl FnOnce(&mut Weights<'_>) -> R,
    ) -> Option<R> {
        let epoch = epoch.to_i64().unwrap_or_else(|nearest| nearest);
        let is_turn = epoch.unsigned_abs().is_multiple_of(self.histogram_freq);
        if self.histogram_freq == 0 || !is_turn || !self.is_recording(epoch) {
            return None;
        }
        let train = self.open(Child::Train)?;
        let mut weights = Weights::new(&train, epoch, self.write_images);
        let returned = add(&mut weights);
        if let Some(error) = weights.into_failure() {
            self.report(error);
        }
        Some(returned)
    }

    /// Logs the model for the Graphs page, as [`SummaryWriter::model`](crate::SummaryWriter::model) does. Call it once,
    /// before the training or at its start.
    pub fn set_model(&mut self, model: &Model) {
        if self.write_graph
            && let Some(train) = self.open(Child::Train)
        {
            train.model(model);
        }
    }

    /// Returns the writer of the run `train`, to log other data there.
    ///
    /// # Errors
    /// The same as for [`on_train_begin`](Self::on_train_begin).
    pub fn train(&mut self) -> Result<SummaryWriter> {
        self.writer(Child::Train)
    }

    /// Returns the writer of the run `validation`, to log other data there.
    ///
    /// # Errors
    /// The same as for [`on_train_begin`](Self::on_train_begin).
    pub fn validation(&mut self) -> Result<SummaryWriter> {
        self.writer(Child::Validation)
    }

    /// Flushes both runs, and drops their handles. If the logger was created with [`with_writer`](Self::with_writer), close
    /// that writer yourself, because the program may log other data to it.
    ///
    /// # Errors
    /// The first error of the methods that return nothing: [`Error::Io`] if a run could not be opened, [`Error::Invalid`] if
    /// the values of a weight did not match its shape. Otherwise the same as for [`SummaryWriter::flush`].
    pub fn on_train_end(mut self) -> Result<()> {
        let runs = [self.train.take(), self.validation.take()];
        let flushed = runs.into_iter().flatten().map(|run| run.flush());
        let outcome = flushed.fold(Ok(()), Result::and);
        self.failure.take().map_or(outcome, Err)
    }

    fn logs_batch(&self, batch: u64) -> bool {
        let is_turn = match self.update_freq {
            UpdateFreq::Epoch => false,
            UpdateFreq::Batch => true,
            UpdateFreq::Steps(steps) => batch.is_multiple_of(steps),
        };
        is_turn && self.is_recording(batch)
    }

    /// Returns whether the parent logs this step. A disabled writer logs no step.
    fn is_recording(&self, step: impl Step) -> bool {
        match &self.parent {
            Parent::Logdir(_) | Parent::Refused(_) => true,
            Parent::Writer(summary) => summary.is_recording(step),
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            batches: self.batches,
            time: Instant::now(),
        }
    }

    fn writer(&mut self, child: Child) -> Result<SummaryWriter> {
        let (open, name) = match child {
            Child::Train => (&mut self.train, "train"),
            Child::Validation => (&mut self.validation, "validation"),
        };
        if let Some(run) = open {
            return Ok(run.clone());
        }
        let run = match &self.parent {
            Parent::Logdir(logdir) => SummaryWriter::create_file_writer(logdir.join(name))?,
            Parent::Writer(summary) => summary.run(name)?,
            Parent::Refused(error) => return Err(error.clone()),
        };
        Ok(open.insert(run).clone())
    }

    /// Returns the writer of a run. If this fails, reports the error. Used by methods that return nothing.
    fn open(&mut self, child: Child) -> Option<SummaryWriter> {
        let run = self.writer(child);
        run.map_err(|error| self.report(error)).ok()
    }

    fn report(&mut self, error: Error) {
        if self.failure.is_none() {
            let reporter = match &self.parent {
                Parent::Logdir(_) | Parent::Refused(_) => &Reporter::default(),
                Parent::Writer(summary) => summary.reporter(),
            };
            reporter.error(format_args!("the training logger: {}", Chain(&error)));
            self.failure = Some(error);
        }
    }
}

/// Keras starts the names of validation metrics with this.
const VALIDATION_PREFIX: &str = "val_";

#[derive(Clone, Copy, Debug)]
enum Child {
    Train,
    Validation,
}

impl Mark {
    /// Returns the batches per second since `before`, or `None` if there was no batch or the clock has not moved.
    #[allow(clippy::cast_possible_truncation, reason = "a scalar is an f32")]
    fn speed_since(self, before: Self) -> Option<f32> {
        let batches = self.batches - before.batches;
        let seconds = (self.time - before.time).as_secs_f64();
        (batches > 0 && seconds > 0.0).then(|| (batches as f64 / seconds) as f32)
    }
}

/// Renames a tag and keeps its description and display name.
fn renamed<'a>(mut tag: Tag<'a>, name: impl FnOnce(&str) -> String) -> Tag<'a> {
    tag.name = name(&tag.name).into();
    tag
}
