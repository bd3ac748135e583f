//! Burn's metrics as scalars, and what is logged once at the start of a training.

use std::collections::HashMap;
use std::path::Path;

use burn::module::Module;
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricAttributes, MetricDefinition, MetricId, NumericEntry};
use serde::Serialize;
use summary_writer::{Error, HParams, SummaryWriter, Tag};

use crate::module::layers;
use crate::watch::Watched;

pub(crate) const TRAIN_RUN: &str = "train";

/// Logs burn's numeric metrics: `with_metric_logger(TensorBoardLogger::new("runs/digits")?)`.
///
/// Each split has its own child run: `train`, `validation`, `test` or `test/NAME`. A metric has two tags:
///
/// - `Loss/batch` is the value of one batch. Its step is the number of earlier batches of the split. Validation batches are
///   not logged, because their count does not match the batches of the training in the same chart.
/// - `Loss/epoch` is the value of the whole epoch, as burn computes it. Its step is the epoch, counted from 1.
///
/// The units are those of burn, such as percent for an accuracy. The description of the tag has the unit. The learning rate
/// is a metric: `metric_train_numeric(LearningRateMetric::new())`. Metrics that are text are not logged. Tests are not logged
/// yet, because burn 0.22 evaluates with its own logger only.
///
/// When burn's `launch` returns, everything is logged, and the logger is dropped. The files are closed when the last handle
/// of the writer is dropped, which may be in the [`Watched`] model. To read errors of the disk, keep a
/// [`summary`](Self::summary), and close it. Burn writes the messages of the crate `log` to `experiment.log`.
///
/// Burn's early stopping and checkpointing also read metrics from this logger. It has the epochs of this process only. If you
/// need earlier ones, or burn's `summary()`, pass a `FileMetricLogger` to `with_metric_logger` first, and then this logger.
#[derive(Debug)]
pub struct TensorBoardLogger {
    summary: SummaryWriter,
    runs: HashMap<Split, Run>,
    metrics: HashMap<MetricId, Series>,
    /// The key is the split, the name of the metric and the epoch. The final value of an epoch replaces those of its batches,
    /// because burn then reads nothing else, and so that little memory is needed.
    entries: HashMap<(Split, String, usize), Vec<NumericEntry>>,
    /// The epochs before a resumed training.
    epochs: usize,
}

#[derive(Debug)]
struct Run {
    writer: SummaryWriter,
    /// The number of batches of the split so far.
    batches: usize,
}

#[derive(Debug)]
struct Series {
    name: String,
    batch: Tag<'static>,
    epoch: Tag<'static>,
}

impl TensorBoardLogger {
    /// Creates event files in `logdir/train` and `logdir/validation`, and in `logdir` for the hyperparameters and the layers.
    /// Use a new directory for each training: `unique_logdir("runs/digits")?` makes one.
    ///
    /// # Errors
    /// The same as for [`SummaryWriter::create_file_writer`].
    pub fn new(logdir: impl AsRef<Path>) -> Result<Self, Error> {
        Self::with_writer(&SummaryWriter::create_file_writer(logdir)?)
    }

    /// Logs to child runs of `summary`. Use it if the writer needs options.
    ///
    /// # Errors
    /// The same as for [`SummaryWriter::run`].
    pub fn with_writer(summary: &SummaryWriter) -> Result<Self, Error> {
        let mut runs = HashMap::new();
        for split in [Split::Train, Split::Valid] {
            let writer = summary.run(run_name(&split))?;
            runs.insert(split, Run { writer, batches: 0 });
        }
        Ok(Self {
            summary: summary.clone(),
            runs,
            metrics: HashMap::new(),
            entries: HashMap::new(),
            epochs: 0,
        })
    }

    /// Logs hyperparameters, so that the training is a row on the HParams page. `config` is any struct that serializes, such
    /// as one that derives burn's `Config`. [`HParams::from_serialize`] describes the names.
    ///
    /// # Errors
    /// The same as for [`HParams::from_serialize`].
    pub fn hparams(self, config: &impl Serialize) -> Result<Self, Error> {
        self.summary.hparams(HParams::from_serialize(config)?);
        Ok(self)
    }

    /// Continues after `epochs` epochs with `batches` training batches together. Use it when the learner continues from a
    /// checkpoint: `.resume(5, 5 * batches)` for burn's `.checkpoint(5)`. Call it before [`watch`](Self::watch). Default: 0
    /// and 0.
    pub fn resume(mut self, epochs: usize, batches: usize) -> Self {
        self.epochs = epochs;
        self.run(&Split::Train).batches = batches;
        self
    }

    /// Logs the [layers](layers) of `model` as graphs, and returns a model that logs histograms of its parameters and
    /// gradients every `every` epochs while the learner trains it. If `every` is 0, it logs no histograms.
    ///
    /// # Errors
    /// The same as for [`layers`].
    pub fn watch<M: Module>(&self, model: M, every: usize) -> Result<Watched<M>, Error> {
        self.summary.model(&layers("model", &model)?);
        Ok(Watched::new(model, &self.summary, every, self.epochs))
    }

    /// Returns a handle of the writer, to log other data, and to close it after the training.
    pub fn summary(&self) -> SummaryWriter {
        self.summary.clone()
    }

    fn run(&mut self, split: &Split) -> &mut Run {
        self.runs.entry(split.clone()).or_insert_with(|| {
            let name = run_name(split);
            let writer = self.summary.run(&name).unwrap_or_else(|error| {
                // This method cannot return an error to burn, so the data goes to the parent run.
                log::error!(
                    "cannot open the run {name:?}, so its data goes to the parent run: {error}"
                );
                self.summary.scope(&name)
            });
            Run { writer, batches: 0 }
        })
    }
}

fn run_name(split: &Split) -> String {
    match split {
        Split::Train => TRAIN_RUN.into(),
        Split::Valid => "validation".into(),
        Split::Test(None) => "test".into(),
        Split::Test(Some(name)) => format!("test/{name}"),
    }
}

impl MetricLogger for TensorBoardLogger {
    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        let unit = match definition.attributes {
            MetricAttributes::Numeric(numeric) => numeric.unit,
            MetricAttributes::None => None,
        };
        let unit = unit.map(|unit| format!("In {unit}."));
        let description: Vec<String> = definition.description.into_iter().chain(unit).collect();
        let tag = |of| {
            Tag::new(format!("{}/{of}", definition.name)).description(description.join("\n\n"))
        };
        let series = Series {
            name: definition.name.to_string(),
            batch: tag("batch"),
            epoch: tag("epoch"),
        };
        self.metrics.insert(definition.metric_id, series);
    }

    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        let run = self.run(split);
        let (writer, batch) = (run.writer.clone(), run.batches);
        let mut is_batch = true;
        for metric in update.entries_numeric {
            // Burn defines every metric before it logs it. A metric of whole epochs has no entry for a batch.
            let (Some(series), Some(entry)) = (
                self.metrics.get(&metric.entry.metric_id),
                metric.numeric_entry,
            ) else {
                continue;
            };
            // Only the value of a batch comes with a running value of the epoch. The value of a whole epoch need not be a
            // `NumericEntry::Final`: for the use of memory, it is the last `Value`.
            let is_final = metric.running_entry.is_none();
            is_batch &= !is_final;
            if is_final {
                writer.scalar(&series.epoch, entry.current(), epoch);
            } else if *split != Split::Valid {
                writer.scalar(&series.batch, entry.current(), batch);
            }

            let key = (split.clone(), series.name.clone(), epoch);
            let entries = self.entries.entry(key).or_default();
            if matches!(entry, NumericEntry::Final(_)) {
                entries.clear();
            }
            entries.push(entry);
        }
        self.run(split).batches += usize::from(is_batch);
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        let key = (split.clone(), name.to_owned(), epoch);
        Ok(self.entries.get(&key).cloned().unwrap_or_default())
    }

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}

#[cfg(test)]
#[path = "logger_tests.rs"]
mod tests;
