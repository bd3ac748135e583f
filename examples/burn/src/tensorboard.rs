//! Turns what burn's learner measures into TensorBoard's scalars, and a module's parameters into histograms.
//!
//! Made to be copied: it needs `burn` with the feature `train`, `summary-writer` and `log`.

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
/// Each split has a run below that of the writer: `train`, `validation`, `test` or `test/NAME`. A metric has two tags
/// in it, by which the splits share a chart:
///
/// - `Loss/batch`: the value of one batch, at the number of batches that the split had before it. The validation has
///   none: by a count of their own, its batches would stand in the chart beside unrelated ones of the training.
/// - `Loss/epoch`: the value of the whole epoch, as burn computes it at the end, at the number of the epoch, from 1.
///
/// The numbers are as burn has them, an accuracy in percent; the tag's description has the unit. A metric that is text
/// is left out. Once burn's `launch` returns, all is logged and the logger is gone. Of tests nothing arrives yet:
/// burn 0.22 evaluates with no logger but its own.
///
/// It answers burn's early stopping and checkpointing for the epochs that it has seen. What they need of an earlier
/// process, and what burn's `summary()` prints, is read by burn's own `FileMetricLogger`, which any other logger
/// replaces: give that to `with_metric_logger` as well, before this one, where it matters.
pub(crate) struct TensorBoardLogger {
    summary: SummaryWriter,
    runs: HashMap<Split, Run>,
    metrics: HashMap<MetricId, Series>,
    /// By split, name of the metric and epoch. The final value of an epoch replaces those of its batches, for burn
    /// reads no others then: memory grows by the epoch.
    entries: HashMap<(Split, String, usize), Vec<NumericEntry>>,
}

struct Run {
    writer: SummaryWriter,
    /// Batches that the split had so far.
    batches: usize,
}

struct Series {
    name: String,
    batch: Tag<'static>,
    epoch: Tag<'static>,
}

impl TensorBoardLogger {
    /// Opens the runs of training and validation below that of `summary`.
    ///
    /// # Errors
    /// Those of [`SummaryWriter::run`].
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

    /// Counts the batches of the training from `batches` on, for one that goes on from a checkpoint, where it has had
    /// so many. Default: 0.
    #[allow(dead_code, reason = "the example has no checkpoints")]
    pub(crate) fn starting_at(mut self, batches: usize) -> Self {
        self.run(&Split::Train).batches = batches;
        self
    }

    fn run(&mut self, split: &Split) -> &mut Run {
        self.runs.entry(split.clone()).or_insert_with(|| {
            let name = run_name(split);
            let writer = self.summary.run(&name).unwrap_or_else(|error| {
                // Burn takes no error from here: better in the wrong run than nowhere.
                log::error!(
                    "the run {name:?} cannot be opened, its tags go to the one above: {error}"
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
            // Burn defines every metric before it measures. One that is of whole epochs has no entry for a batch.
            let (Some(series), Some(entry)) = (
                self.metrics.get(&metric.entry.metric_id),
                metric.numeric_entry,
            ) else {
                continue;
            };
            // The value of a batch comes with that of the epoch so far, the one of the whole epoch without. That need
            // not be a `NumericEntry::Final`: of the use of memory it is the last `Value`.
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

/// Logs a histogram of each parameter of `module`, and of its gradient where there is one, under the tags
/// `parameters/PATH` and `gradients/PATH`, as `parameters/hidden.weight`.
///
/// It waits for the device to have computed them: call it once in a while. For a place to call it from, see burn's
/// `TrainStep::optimize`, which has both.
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
            Err(error) => log::error!("{tag} cannot be read from its device: {error}"),
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
