//! Logs the model of a training.

use super::{Child, TrainingLogger};
use crate::graph::Model;

impl TrainingLogger {
    /// Sets whether [`set_model`](Self::set_model) logs the model. Default: `true`, as in Keras.
    #[must_use]
    pub fn write_graph(mut self, write_graph: bool) -> Self {
        self.write_graph = write_graph;
        self
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
}
