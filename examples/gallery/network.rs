//! Graphs page: a network of layers in blocks, and the time and memory of each layer at some steps.

use std::time::Duration;

use summary_writer::graph::NodeStats;
use summary_writer::graph::RunMetadata;
use summary_writer::{Layer, Model, SummaryWriter};

use crate::Result;

/// Logs the layers. A run has one graph.
pub(crate) fn log(summary: &SummaryWriter) -> Result {
    let features = [
        Layer::new("conv", "Conv2D")
            .param("padding", "same")
            .weight("kernel", [3, 3, 1, 16])
            .output_shape([None, Some(28), Some(28), Some(16)]),
        Layer::new("pool", "MaxPooling2D").output_shape([None, Some(14), Some(14), Some(16)]),
    ];
    let layers = [
        Layer::input_layer("image", [None, Some(28), Some(28), Some(1)]),
        Layer::block("features", features).device("GPU:0"),
        Layer::new("flatten", "Flatten").output_shape([None, Some(3136)]),
        Layer::new("classes", "Dense")
            .param("activation", "softmax")
            .weight("kernel", [3136, 10])
            .weight("bias", [10])
            .output_shape([None, Some(10)]),
    ];
    summary.model(&Model::new("network", layers)?);
    Ok(())
}

/// Logs the cost of each layer. The page lists tags instead of steps, so each step has its own tag.
pub(crate) fn costs(summary: &SummaryWriter, progress: f32, step: u16) {
    if !step.is_multiple_of(5) {
        return;
    }
    let mut metadata = RunMetadata::new();
    let mut start = Duration::ZERO;
    for (layer, device, micros, bytes) in [
        ("features/conv", "GPU:0", 120, 50_176),
        ("features/pool", "GPU:0", 30, 12_544),
        ("flatten", "CPU:0", 5, 12_544),
        ("classes", "CPU:0", 60, 40),
    ] {
        let duration = Duration::from_micros(micros).mul_f32(1.0 + progress);
        let node = NodeStats::new(layer).device(device).memory(bytes);
        metadata = metadata.node(node.start(start).duration(duration));
        start += duration;
    }
    summary.run_metadata(format!("step {step}"), &metadata, step);
}
