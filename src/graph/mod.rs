//! Graphs: what a model is made of, for the graphs dashboard.
//!
//! A [`Graph`] has nodes with inputs, shapes, devices and attributes; [`GraphBuilder`] makes one node by node, and
//! [`Graph::from_graph_def`] takes what another program has made. A [`Model`] is made of layers. A [`RunMetadata`] says
//! what the nodes cost in a step. Pure: no file, no thread, no clock.

mod attr;
mod builder;
mod check;
mod function;
mod memory;
mod model;
mod name;
#[cfg(feature = "onnx")]
mod onnx;
mod run_metadata;
mod shape;
#[cfg(test)]
mod tests;
#[cfg_attr(
    not(feature = "onnx"),
    allow(
        dead_code,
        reason = "the sizes of fields are known without their values"
    )
)]
mod wire;

pub use attr::{Attr, Call, Item};
pub use builder::{GraphBuilder, Input, Node, Op};
pub use function::Function;
pub use model::{Layer, Model};
pub use run_metadata::{NodeStats, RunMetadata};
pub use shape::Shape;

use prost::Message;

use crate::error::{Error, Result};
use crate::proto::GraphDef;

/// More than any page draws: graphs without weights have a few MiB at most.
const MAX_GRAPH_DEF_BYTES: usize = 64 << 20;

/// A graph that the dashboard can draw: of one node or more, each with a name of its own.
///
/// It comes from a [`GraphBuilder`] or from bytes, and is logged by
/// [`SummaryWriter::graph`](crate::SummaryWriter::graph).
#[derive(Clone, Debug, PartialEq)]
pub struct Graph(GraphDef);

impl Graph {
    /// The graph of a serialized `GraphDef`, as TensorFlow's `graph.as_graph_def().SerializeToString()` gives it, or
    /// another tool.
    ///
    /// The names of nodes are not held to TensorFlow's rule, for PyTorch does not keep it and the page does not need it.
    /// An input that names no node stays; the page leaves its edge out. Calls of functions stay that a [`GraphBuilder`]
    /// refuses; the page draws the graph, and merely does not open them. What no dashboard shows is dropped:
    /// debug information, full types, the plain number of the version in which old files have none other, and of tensors
    /// resource handles, variants and floats of 8 bits. Weights are kept, and make the page slow.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are more than 64 MiB of bytes, or of those that are not dropped; if they are no
    /// `GraphDef`, with the place of the first that is none; if it takes more than 512 MiB of memory; if it has no node,
    /// if two nodes or two functions have one name, if a name is one that the page fails at, or an output of a function is
    /// taken that is not there.
    pub fn from_graph_def(bytes: impl AsRef<[u8]>) -> Result<Self> {
        let bytes = bytes.as_ref();
        if bytes.len() > MAX_GRAPH_DEF_BYTES {
            let count = bytes.len();
            let problem = format!("{count} bytes are given, at most {MAX_GRAPH_DEF_BYTES} fit");
            return Err(Error::invalid("graph", problem));
        }
        memory::check(bytes)?;
        let graph = GraphDef::decode(bytes).map_err(|source| {
            let count = bytes.len();
            Error::invalid("graph", format!("{count} bytes are no GraphDef: {source}"))
        })?;
        Self::checked(graph)
    }

    fn checked(graph: GraphDef) -> Result<Self> {
        check::check(&graph)?;
        let count = graph.encoded_len();
        if count > MAX_GRAPH_DEF_BYTES {
            let problem = format!("it has {count} bytes, at most {MAX_GRAPH_DEF_BYTES} fit");
            return Err(Error::invalid("graph", problem));
        }
        Ok(Self(graph))
    }

    /// A serialized `GraphDef`, as [`from_graph_def`](Self::from_graph_def) and other programs take it.
    #[must_use]
    pub fn to_graph_def(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }
}
