//! Time and memory that the nodes of a graph took in a step.

use std::time::Duration;

use prost::Message;

use super::{Shape, name};
use crate::proto::{self, AllocatorMemoryUsed, DeviceStepStats, NodeExecStats};
use crate::proto::{NodeOutput, StepStats, TensorDescription};

/// The device of a node that sets none.
const CPU: &str = "/device:CPU:0";

/// Time, memory, device and actual shapes of the nodes of a graph in one step.
///
/// The page colors the graph of the run by it, adds up scopes, and hatches the other nodes. Log it in the run of the graph,
/// with a separate tag for each step: [`SummaryWriter::run_metadata`](crate::SummaryWriter::run_metadata).
///
/// ```
/// use std::time::Duration;
///
/// use summary_writer::graph::{NodeStats, RunMetadata};
///
/// let metadata = RunMetadata::new()
///     .node(NodeStats::new("hidden/MatMul").device("GPU:0").duration(Duration::from_micros(250)).memory(64 << 10))
///     .node(NodeStats::new("softmax").start(Duration::from_micros(250)).duration(Duration::from_micros(40)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct RunMetadata(StepStats);

impl RunMetadata {
    /// Creates metadata without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node. A node can be added several times: the page shows it from the first start to the last end, with its
    /// largest memory.
    pub fn node(mut self, node: NodeStats) -> Self {
        let devices = &mut self.0.dev_stats;
        match devices.iter_mut().find(|it| it.device == node.device) {
            Some(device) => device.node_stats.push(node.stats),
            None => devices.push(DeviceStepStats {
                device: node.device,
                node_stats: vec![node.stats],
            }),
        }
        self
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let metadata = proto::RunMetadata {
            step_stats: Some(self.0.clone()),
        };
        metadata.encode_to_vec()
    }
}

/// Time and memory that one node took.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct NodeStats {
    device: String,
    stats: NodeExecStats,
}

impl NodeStats {
    /// Creates the statistics of a node, given by its full name ([`Node::name`](super::Node::name)). The page ignores names
    /// that the graph does not have.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            device: CPU.into(),
            stats: NodeExecStats {
                node_name: name.into(),
                ..Default::default()
            }
            .starting(Duration::ZERO),
        }
    }

    /// Sets when the node started, since the start of the step. A scope takes the time from its first start to its last
    /// end. Default: zero.
    pub fn start(mut self, start: Duration) -> Self {
        self.stats = self.stats.starting(start);
        self
    }

    /// Sets how long the node ran. The page counts in microseconds; less than one becomes one. Default: none, and no color.
    pub fn duration(mut self, duration: Duration) -> Self {
        let is_some = !duration.is_zero();
        self.stats.all_end_rel_micros = micros(duration).max(is_some.into());
        self
    }

    /// Sets how many bytes the node took. Default: none, and no color.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.stats.memory = vec![AllocatorMemoryUsed {
            total_bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            ..Default::default()
        }];
        self
    }

    /// Sets the device, which replaces that in the graph. `GPU:0` is written as `/device:GPU:0`. The page hides the node if
    /// the name does not end in `device:KIND:NUMBER`, until the user selects the device. Default: `CPU:0`.
    pub fn device(mut self, device: impl AsRef<str>) -> Self {
        let device = name::device(device.as_ref());
        self.device = if device.is_empty() {
            CPU.into()
        } else {
            device.into_owned()
        };
        self
    }

    /// Adds the shape of the next output; the first call sets that of output 0. The info card shows it.
    pub fn output_shape(mut self, shape: impl Into<Shape>) -> Self {
        let output = &mut self.stats.output;
        output.push(NodeOutput {
            slot: i32::try_from(output.len()).unwrap_or(i32::MAX),
            tensor_description: Some(TensorDescription {
                shape: Some(shape.into().0),
                ..Default::default()
            }),
        });
        self
    }
}

impl NodeExecStats {
    /// Sets a start that is one microsecond late, because the page takes 0 for a missing time.
    fn starting(mut self, start: Duration) -> Self {
        self.all_start_micros = micros(start).saturating_add(1);
        self
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_grouped_by_device() {
        let metadata = RunMetadata::new()
            .node(NodeStats::new("a").device("").device("GPU:1"))
            .node(
                NodeStats::new("b")
                    .start(Duration::from_micros(9))
                    .duration(Duration::from_micros(300))
                    .memory(300)
                    .output_shape([2, 3])
                    .output_shape(Shape::scalar()),
            )
            .node(NodeStats::new("c").device("/device:GPU:1"));
        // RunMetadata, assembled by hand from the wire format.
        let want = [
            &b"\x0a\x55"[..],                                            // step_stats
            b"\x0a\x1d\x0a\x0d/device:GPU:1",                            // dev_stats: device
            b"\x12\x05\x0a\x01a\x10\x01",                                // node_stats: name, start
            b"\x12\x05\x0a\x01c\x10\x01",                                // node_stats: name, start
            b"\x0a\x34\x0a\x0d/device:CPU:0",                            // dev_stats: device
            b"\x12\x23\x0a\x01b\x10\x0a\x28\xac\x02", // node_stats: name, start, end
            b"\x32\x03\x10\xac\x02",                  // memory: total
            b"\x3a\x0c\x1a\x0a\x12\x08\x12\x02\x08\x02\x12\x02\x08\x03", // output: shape
            b"\x3a\x06\x08\x01\x1a\x02\x12\x00",      // output: slot, scalar
        ];
        assert_eq!(metadata.to_bytes(), want.concat());
    }

    #[test]
    fn times_are_whole_microseconds() {
        for (duration, start, end) in [
            (Duration::ZERO, 1, 0),
            (Duration::from_nanos(1), 1, 1),
            (Duration::from_nanos(1_999), 2, 1),
            (Duration::from_secs(2), 2_000_001, 2_000_000),
            (Duration::MAX, i64::MAX, i64::MAX),
        ] {
            let stats = NodeStats::new("a").start(duration).duration(duration).stats;
            assert_eq!(stats.all_start_micros, start, "{duration:?}");
            assert_eq!(stats.all_end_rel_micros, end, "{duration:?}");
        }
        assert_eq!(NodeStats::new("a").stats.all_start_micros, 1);
        let memory = NodeStats::new("a").memory(u64::MAX).stats.memory;
        assert_eq!(memory[0].total_bytes, i64::MAX);
    }
}
