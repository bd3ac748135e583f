//! A graph that the dashboard can draw, as a `GraphDef`.

use prost::{DecodeError, Message};

use super::check::check;
use crate::error::{Error, Result};
use crate::proto::GraphDef;

/// The page becomes slow long before: graphs without weights have a few MiB.
pub(super) const MAX_GRAPH_DEF_BYTES: usize = 64 << 20;
/// Several times what the page can draw.
pub(super) const MAX_NODE_COUNT: usize = 1 << 17;
/// How much of an error of the decoder is shown: it lists all messages around the damaged one.
const MAX_REASON_BYTES: usize = 150;

/// A graph that the dashboard can draw. It has at least one node, and each node has a unique name.
///
/// It comes from a [`GraphBuilder`](super::GraphBuilder) or from bytes. [`SummaryWriter::graph`](crate::SummaryWriter::graph)
/// logs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph(pub(super) GraphDef);

impl Graph {
    /// Decodes a serialized `GraphDef`, for example that of TensorFlow's `graph.as_graph_def().SerializeToString()`.
    ///
    /// Names of nodes need not follow TensorFlow's rule, because PyTorch does not follow it either. An input that is not the
    /// name of a node is kept; the page draws no edge for it. Calls of functions that a [`GraphBuilder`](super::GraphBuilder)
    /// refuses are kept, too; the page draws them, but cannot open them.
    ///
    /// The graph keeps its weights, which make the page slow. It loses what no dashboard shows: debug information, full
    /// types, the deprecated field `version`, and in tensors resource handles, variants and 8-bit floats.
    ///
    /// # Limits
    /// - The bytes, and the graph, have at most 64 MiB.
    /// - Messages are nested at most 100 deep.
    /// - The graph has at most 131,072 nodes, including those of functions.
    ///
    /// The memory that is needed grows in proportion to the number of bytes. A file of a great many empty messages takes
    /// a few hundred times its size.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the bytes are not a `GraphDef`; if it has no node; if two nodes or two functions have the
    /// same name; if the page fails at a name; if a node takes an output that a function does not have; or if a limit is
    /// exceeded.
    pub fn from_graph_def(bytes: impl AsRef<[u8]>) -> Result<Self> {
        let bytes = bytes.as_ref();
        check_len(bytes.len())?;
        let graph = GraphDef::decode(bytes)
            .map_err(|error| decode_error("graph", "a GraphDef", bytes, &error))?;
        Self::checked(graph)
    }

    pub(super) fn checked(graph: GraphDef) -> Result<Self> {
        check(&graph)?;
        check_len(graph.encoded_len())?;
        Ok(Self(graph))
    }

    /// Serializes the graph as a `GraphDef`, which [`from_graph_def`](Self::from_graph_def) and other programs can read.
    #[must_use]
    pub fn to_graph_def(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }
}

fn check_len(len: usize) -> Result<()> {
    if len > MAX_GRAPH_DEF_BYTES {
        let problem = format!("expected a graph of at most {MAX_GRAPH_DEF_BYTES} bytes, got {len}");
        return Err(Error::invalid("graph", problem));
    }
    Ok(())
}

/// Says that `bytes` are not `kind`, how they start, because that shows which file it is, and where the decoder stopped.
pub(super) fn decode_error(
    what: &'static str,
    kind: &str,
    bytes: &[u8],
    error: &DecodeError,
) -> Error {
    let text = error.to_string();
    let start = text.len().saturating_sub(MAX_REASON_BYTES);
    let reason = match text.get(start..) {
        Some(end) if start > 0 => format!("…{end}"),
        _ => text,
    };
    let (len, start) = (bytes.len(), bytes.get(..12).unwrap_or(bytes).escape_ascii());
    let problem = format!("expected {kind}, got {len} bytes that start with \"{start}\": {reason}");
    Error::invalid(what, problem)
}
