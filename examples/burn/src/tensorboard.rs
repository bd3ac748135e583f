//! Logs the metrics of burn as scalars, and the parameters of a module as histograms.
//!
//! Copy this file into your program. It needs the crates `burn` with the feature `train`, `summary-writer` and `log`.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricAttributes, MetricDefinition, MetricId, NumericEntry};
use summary_writer::{Error, Step, SummaryWriter, Tag};

/// Logs burn's numeric metrics: `with_metric_logger(TensorBoardLogger::new(&summary)?)`.
///
/// Each split has its own child run: `train`, `validation`, `test` or `test/NAME`. A metric has two tags:
///
/// - `Loss/batch` is the value of one batch. Its step is the number of earlier batches of the split. Validation batches are
///   not logged, because their count does not match the batches of the training in the same chart.
/// - `Loss/epoch` is the value of the whole epoch, as burn computes it. Its step is the epoch, counted from 1.
///
/// The units are those of burn, such as percent for an accuracy. The description of the tag has the unit. Metrics that are
/// text are not logged. When burn's `launch` returns, everything is logged, and the logger is dropped. Tests are not logged
/// yet, because burn 0.22 evaluates with its own logger only.
///
/// Burn's early stopping and checkpointing also read metrics from this logger. It knows the epochs of this process only. If
/// you need earlier ones, or burn's `summary()`, pass a `FileMetricLogger` to `with_metric_logger` first, and then this logger.
pub(crate) struct TensorBoardLogger {
    summary: SummaryWriter,
    runs: HashMap<Split, Run>,
    metrics: HashMap<MetricId, Series>,
    /// The key is the split, the name of the metric and the epoch. The final value of an epoch replaces those of its batches,
    /// because burn then reads nothing else, and so that little memory is needed.
    entries: HashMap<(Split, String, usize), Vec<NumericEntry>>,
}

struct Run {
    writer: SummaryWriter,
    /// The number of batches of the split so far.
    batches: usize,
}

struct Series {
    name: String,
    batch: Tag<'static>,
    epoch: Tag<'static>,
}

impl TensorBoardLogger {
    /// Opens the child runs of `summary` for training and validation.
    ///
    /// # Errors
    /// The same as for [`SummaryWriter::run`].
    pub(crate) fn new(summary: &SummaryWriter) -> Result<Self, Error> {
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
        })
    }

    /// Starts to count training batches at `batches`. Use it when a training resumes from a checkpoint. Default: 0.
    #[allow(dead_code, reason = "the example has no checkpoints")]
    pub(crate) fn starting_at(mut self, batches: usize) -> Self {
        self.run(&Split::Train).batches = batches;
        self
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
        Split::Train => "train".into(),
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

/// Logs a histogram of each parameter of `module`, and of its gradient if it has one. The tags are `parameters/PATH` and
/// `gradients/PATH`, for example `parameters/hidden.weight`.
///
/// It waits for the device, so do not call it in every step. `TrainStep::optimize` of burn has both arguments.
pub(crate) fn log_module(
    summary: &SummaryWriter,
    module: &impl Module,
    gradients: &GradientsParams,
    step: impl Step,
) {
    module.visit(&mut Visitor {
        summary,
        gradients,
        step,
        path: Vec::new(),
    });
}

struct Visitor<'a, S> {
    summary: &'a SummaryWriter,
    gradients: &'a GradientsParams,
    step: S,
    path: Vec<String>,
}

impl<S: Step> Visitor<'_, S> {
    fn histogram<const D: usize>(&self, group: &str, tensor: &Tensor<D>) {
        let tag = format!("{group}/{}", self.path.join("."));
        match tensor.try_to_vec_as::<f32>() {
            Ok(values) => self.summary.histogram(tag, values, self.step),
            Err(error) => log::error!("cannot read {tag} from its device: {error}"),
        }
    }
}

impl<S: Step> ModuleVisitor for Visitor<'_, S> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.histogram("parameters", &param.val());
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.histogram("gradients", &gradient);
        }
    }

    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
}
