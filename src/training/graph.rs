//! The model of a training, as the graph of its run.

use super::{Child, TrainingLogger};
use crate::graph::Model;

impl TrainingLogger {
    /// Whether [`set_model`](Self::set_model) logs. Default: `true`, as in Keras.
    #[must_use]
    pub fn write_graph(mut self, write_graph: bool) -> Self {
        self.write_graph = write_graph;
        self
    }

    /// Logs the model as the Graphs page shows it, as [`SummaryWriter::model`](crate::SummaryWriter::model) does: once,
    /// before or at the beginning.
    pub fn set_model(&mut self, model: &Model) {
        if self.write_graph
            && let Some(train) = self.open(Child::Train)
        {
            train.model(model);
        }
    }
}
