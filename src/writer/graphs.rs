//! Graphs of a run, of which there is one, and what their nodes cost.

use std::sync::atomic::Ordering;

use super::{Run, SummaryWriter};
use crate::event::Step;
use crate::graph::{Graph, Model, RunMetadata};
use crate::proto::event::What;
use crate::proto::{self, TaggedRunMetadata};
use crate::summary::Tag;

impl SummaryWriter {
    /// Logs the graph of a model, at step 0: once in a run, for of two the loaders show different ones. A second call in a
    /// run logs nothing, and is counted in [`Stats::refused_graph_count`](crate::Stats::refused_graph_count).
    ///
    /// ```
    /// use summary_writer::graph::{GraphBuilder, Op};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let mut graph = GraphBuilder::new();
    /// let pixels = graph.node("pixels", Op::new("Placeholder").output_shape([None, Some(784)]));
    /// graph.node("hidden", Op::new("Dense").input(&pixels).output_shape([None, Some(128)]));
    /// summary.graph(&graph.build()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn graph(&self, graph: &Graph) {
        for handle in self.graph_handles() {
            handle.graph_event(graph);
        }
    }

    /// Logs a model of layers: as the graph of the run, of which there is one, and as its conceptual graph, under the tag
    /// `keras` in any [`scope`](Self::scope).
    pub fn model(&self, model: &Model) {
        for handle in self.graph_handles() {
            handle.graph_event(&model.graph);
            handle.value(0, || model.keras.clone());
        }
    }

    /// Of the runs that this handle logs to, those that have no graph yet, and get one now.
    fn graph_handles(&self) -> impl Iterator<Item = Self> {
        let handle = self.is_recording(0).then(|| self.at(self.now()));
        let handles: Vec<Self> = handle.iter().flat_map(Self::each).collect();
        handles.into_iter().filter(|handle| handle.run.take_graph())
    }

    fn graph_event(&self, graph: &Graph) {
        self.whole_event(&proto::Event {
            wall_time: self.now().as_secs(),
            what: Some(What::GraphDef(graph.to_graph_def())),
            ..Default::default()
        });
    }

    /// Logs what the nodes of the run's graph cost in a step. The page lists the tags, not the steps: a tag of its own
    /// for each step shows them all. Description and display name of a tag are not shown.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use summary_writer::graph::{NodeStats, RunMetadata};
    /// # let dir = tempfile::tempdir()?;
    /// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
    ///
    /// let hidden = NodeStats::new("hidden").device("GPU:0").duration(Duration::from_micros(250)).memory(64 << 10);
    /// summary.run_metadata("step 100", &RunMetadata::new().node(hidden), 100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_metadata<'a>(
        &self,
        tag: impl Into<Tag<'a>>,
        metadata: &RunMetadata,
        step: impl Step,
    ) {
        self.whole_event(&proto::Event {
            wall_time: self.now().as_secs(),
            step: self.checked(step.to_i64()),
            what: Some(What::TaggedRunMetadata(TaggedRunMetadata {
                tag: [self.prefix(), &tag.into().name].concat(),
                run_metadata: metadata.to_bytes(),
            })),
            ..Default::default()
        });
    }
}

impl Run {
    /// Whether the run has no graph yet, and gets one now.
    fn take_graph(&self) -> bool {
        let earlier = self.graph_count.fetch_add(1, Ordering::Relaxed);
        if earlier == 1 {
            log::warn!(
                "{}a second graph of a run is not written: the loaders would show different ones",
                self.tray.run_name
            );
        }
        earlier == 0
    }
}
