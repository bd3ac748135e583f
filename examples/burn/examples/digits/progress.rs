//! Prints a line for each epoch. Without its terminal interface, burn's own renderer prints a line for each batch.

use std::collections::HashMap;

use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};

#[derive(Default)]
pub(crate) struct Progress {
    epochs: usize,
    names: HashMap<MetricId, String>,
    train: Vec<String>,
    validation: Vec<String>,
}

impl Progress {
    /// Returns the name and the value of a metric, if the value is that of a whole epoch.
    fn describe(&self, state: &MetricState) -> Option<String> {
        match state {
            MetricState::Numeric(entry, Some(NumericEntry::Final(value))) => {
                let name = self.names.get(&entry.metric_id)?;
                Some(format!("{name} {value:.4}"))
            }
            _ => None,
        }
    }
}

impl MetricsRendererTraining for Progress {
    fn update_train(&mut self, state: MetricState) {
        self.train.extend(self.describe(&state));
    }

    fn update_valid(&mut self, state: MetricState) {
        self.validation.extend(self.describe(&state));
    }
}

impl TrainingProgressLogger for Progress {
    fn start(&mut self, epochs: usize, _: usize, _: Option<usize>, _: Option<&str>) {
        self.epochs = epochs;
    }

    fn update_epoch(&mut self, epoch: usize) {
        let (train, validation) = (self.train.join(", "), self.validation.join(", "));
        println!(
            "Epoch {epoch} of {}: {train}; validation: {validation}",
            self.epochs
        );
        self.train.clear();
        self.validation.clear();
    }

    fn start_split(&mut self, _: &str, _: usize) {}
    fn update_split(&mut self, _: usize) {}
    fn end_split(&mut self) {}
    fn end(&mut self) {}
    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRenderer for Progress {
    fn register_metric(&mut self, definition: MetricDefinition) {
        let name = definition.name.to_string();
        self.names.insert(definition.metric_id, name);
    }

    fn manual_close(&mut self) {}
}

/// Unused, but the trait `MetricsRenderer` requires it.
impl MetricsRendererEvaluation for Progress {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl EvaluationProgressLogger for Progress {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}
