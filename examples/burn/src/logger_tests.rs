//! Tests of the logger: they call it as burn does, and read the event files.

use std::path::Path;
use std::sync::Arc;

use burn::train::logger::{InMemoryMetricLogger, MetricLogger};
use burn::train::metric::store::{MetricsUpdate, NumericMetricUpdate, Split};
use burn::train::metric::{
    AccuracyMetric, LossMetric, Metric, MetricDefinition, MetricEntry, MetricId, NumericEntry,
    SerializedEntry,
};
use summary_writer::SummaryWriter;

use crate::TensorBoardLogger;
use crate::read_back::values;

fn logger(logdir: &Path) -> (SummaryWriter, TensorBoardLogger) {
    let summary = SummaryWriter::create_file_writer(logdir).unwrap();
    let mut logger = TensorBoardLogger::with_writer(&summary).unwrap();
    define(&mut logger);
    (summary, logger)
}

fn define(logger: &mut impl MetricLogger) {
    fn definition(metric: &impl Metric) -> MetricDefinition {
        MetricDefinition::new(MetricId::new(metric.name()), metric)
    }
    logger.log_metric_definition(definition(&LossMetric::new()));
    logger.log_metric_definition(definition(&AccuracyMetric::new()));
}

/// Returns an update as burn makes it. Only a final value has no running mean.
fn entry(metric: &str, numeric: Option<NumericEntry>) -> NumericMetricUpdate {
    let serialized = numeric.as_ref().map(NumericEntry::serialize);
    let serialized = SerializedEntry::new(String::new(), serialized.unwrap_or_default());
    let running = match &numeric {
        Some(NumericEntry::Final(_)) | None => None,
        Some(_) => Some(NumericEntry::Value(-1.0)),
    };
    let id = MetricId::new(Arc::new(metric.to_owned()));
    NumericMetricUpdate::new(MetricEntry::new(id, serialized), numeric, running)
}

fn batch(metric: &str, value: f64) -> MetricsUpdate {
    let numeric = NumericEntry::Aggregated {
        aggregated_value: value,
        count: 32,
    };
    MetricsUpdate::new(vec![], vec![entry(metric, Some(numeric))])
}

fn end(metric: &str, value: f64) -> MetricsUpdate {
    let numeric = Some(NumericEntry::Final(value));
    MetricsUpdate::new(vec![], vec![entry(metric, numeric)])
}

type Point = (String, i64, f32);

fn points(run: &Path) -> Vec<Point> {
    let mut points = Vec::new();
    for (step, value) in values(run) {
        points.extend(value.scalar().map(|y| (value.tag, step, y)));
    }
    points
}

fn point(tag: &str, step: i64, value: f32) -> Point {
    (tag.to_owned(), step, value)
}

#[test]
fn splits_are_runs_and_batches_and_epochs_are_steps() {
    let dir = tempfile::tempdir().unwrap();
    let (summary, mut logger) = logger(dir.path());
    for epoch in 1..=2 {
        for value in [4.0, 2.0] {
            logger.log(batch("Loss", value), epoch, &Split::Train);
        }
        logger.log(end("Loss", 3.0), epoch, &Split::Train);
        logger.log(batch("Loss", 8.0), epoch, &Split::Valid);
        logger.log(end("Loss", 8.0), epoch, &Split::Valid);
    }
    drop(logger);
    summary.close().unwrap();

    let train = [
        point("Loss/batch", 0, 4.0),
        point("Loss/batch", 1, 2.0),
        point("Loss/epoch", 1, 3.0),
        point("Loss/batch", 2, 4.0),
        point("Loss/batch", 3, 2.0),
        point("Loss/epoch", 2, 3.0),
    ];
    assert_eq!(points(&dir.path().join("train")), train);
    let validation = [point("Loss/epoch", 1, 8.0), point("Loss/epoch", 2, 8.0)];
    assert_eq!(points(&dir.path().join("validation")), validation);
}

#[test]
fn batches_are_counted_from_the_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let (summary, logger) = logger(dir.path());
    let mut logger = logger.resume(2, 90);
    logger.log(batch("Loss", 0.5), 3, &Split::Train);
    logger.log(end("Loss", 0.5), 3, &Split::Train);
    drop(logger);
    summary.close().unwrap();
    let want = [point("Loss/batch", 90, 0.5), point("Loss/epoch", 3, 0.5)];
    assert_eq!(points(&dir.path().join("train")), want);
}

#[test]
fn metric_without_batch_values_has_an_epoch_value() {
    let dir = tempfile::tempdir().unwrap();
    let (summary, mut logger) = logger(dir.path());
    let without = || MetricsUpdate::new(vec![], vec![entry("Accuracy", None)]);
    logger.log(without(), 1, &Split::Train);
    logger.log(without(), 1, &Split::Train);
    // Like burn's AUROC: no running mean, and not `Final`.
    let mut whole = entry("Accuracy", Some(NumericEntry::Value(75.0)));
    whole.running_entry = None;
    logger.log(MetricsUpdate::new(vec![], vec![whole]), 1, &Split::Train);
    logger.log(batch("Loss", 0.5), 2, &Split::Train);
    drop(logger);
    summary.close().unwrap();
    let want = [
        point("Accuracy/epoch", 1, 75.0),
        point("Loss/batch", 2, 0.5),
    ];
    assert_eq!(points(&dir.path().join("train")), want);
}

#[test]
fn each_test_split_has_a_run_or_a_group_if_its_name_is_not_a_valid_run_name() {
    let dir = tempfile::tempdir().unwrap();
    let (summary, mut logger) = logger(dir.path());
    for name in ["held out", "../out"] {
        let split = Split::Test(Some(Arc::new(name.to_owned())));
        logger.log(batch("Loss", 0.5), 1, &split);
        logger.log(batch("Loss", 0.25), 1, &split);
    }
    logger.log(batch("Loss", 1.0), 1, &Split::Test(None));
    drop(logger);
    summary.close().unwrap();
    let want = [point("Loss/batch", 0, 0.5), point("Loss/batch", 1, 0.25)];
    assert_eq!(points(&dir.path().join("test/held out")), want);
    let want = [
        point("test/../out/Loss/batch", 0, 0.5),
        point("test/../out/Loss/batch", 1, 0.25),
    ];
    assert_eq!(points(dir.path()), want);
    let want = [point("Loss/batch", 0, 1.0)];
    assert_eq!(points(&dir.path().join("test")), want);
}

/// The expected values come from burn's own logger.
#[test]
fn reads_the_same_entries_as_burns_logger() {
    let dir = tempfile::tempdir().unwrap();
    let (_summary, mut ours) = logger(dir.path());
    let mut burns = InMemoryMetricLogger::new();
    define(&mut burns);
    let read = |logger: &mut dyn MetricLogger, name: &str, epoch, split: &Split| {
        let entries = logger.read_numeric(name, epoch, split).unwrap();
        entries
            .iter()
            .map(NumericEntry::serialize)
            .collect::<Vec<_>>()
    };

    let updates = [
        (Split::Train, 1, batch("Loss", 4.0)),
        (Split::Train, 1, batch("Accuracy", 50.0)),
        (Split::Train, 1, batch("Loss", 2.0)),
        (Split::Valid, 1, batch("Loss", 8.0)),
        (Split::Train, 2, batch("Loss", 1.0)),
    ];
    for (split, epoch, update) in updates {
        ours.log(update.clone(), epoch, &split);
        burns.log(update, epoch, &split);
    }
    for name in ["Loss", "Accuracy", "none"] {
        for split in [Split::Train, Split::Valid, Split::Test(None)] {
            for epoch in 1..=3 {
                let want = read(&mut burns, name, epoch, &split);
                let got = read(&mut ours, name, epoch, &split);
                assert_eq!(got, want, "{name}, {split}, epoch {epoch}");
            }
        }
    }

    // The final value replaces those of the batches, and burn uses the final value if there is one.
    ours.log(end("Loss", 3.0), 1, &Split::Train);
    assert_eq!(read(&mut ours, "Loss", 1, &Split::Train), ["3,final"]);
    assert_eq!(read(&mut ours, "Loss", 2, &Split::Train), ["1,32"]);
}
