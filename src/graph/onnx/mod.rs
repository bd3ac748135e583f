//! Makes the graph of an ONNX model. The weights are left out.
//!
//! ```text
//! ONNX                            graph
//! input of the graph              Placeholder
//! output of the graph             Identity of the value
//! initializer, Constant           Const
//! node                            node with its name, or with that of its first output
//! value, output i of a node       input `node`, or `node:i`
//! body of a loop, branch          scope `node/attribute`
//! function, in a call of it       scope `node`
//! ```

mod attrs;
mod convert;
mod names;
mod ops;
#[cfg(test)]
mod tests;
mod values;

use std::borrow::Cow;
use std::collections::BTreeMap;

use prost::Message;
use prost::bytes::Bytes;

use super::builder::graph_def;
use super::graph_def::{Graph, decode_error};
use crate::error::{Error, Result};
use crate::proto::AttrValue;
use crate::proto::onnx::ModelProto;

/// More properties of a model are left out, because each output of the graph has them.
const MAX_PROPERTIES: usize = 50;
const MAX_KEY_LETTERS: usize = 100;
/// The largest message that protobuf libraries write.
const MAX_MODEL_BYTES: usize = 0x7fff_ffff;

/// From ONNX models.
impl Graph {
    /// Creates the graph of a serialized ONNX model, the content of a `.onnx` file, without its weights. Needs the feature
    /// `onnx`.
    ///
    /// A node keeps its name; one without a name gets that of its first output. A `/` in a name makes a scope. In a file
    /// without any `/`, a dot does so in names like `layer1.0.conv1`. Characters that TensorFlow does not allow become
    /// `_`. If a name is taken already, the operator or a number is appended.
    ///
    /// Inputs of the graph become `Placeholder` nodes, outputs `Identity` nodes, constants and initializers `Const` nodes. They
    /// show type and shape, and up to 16 elements of data. The body of a loop, a branch, and each call of one of the model's
    /// functions is a scope within its node, and dotted arrows lead from there to the node. The card of a node lists its
    /// attributes; of a list with more than 256 items it shows the length. The outputs also have the name, the producer, the
    /// operator sets and the first 50 metadata properties of the model (`metadata.author`). Shapes are those in the file;
    /// `onnx.shape_inference.infer_shapes` adds more.
    ///
    /// Large models keep their weights in other files, which are not opened. A `Vec<u8>` is decoded without copying the
    /// weights; a slice is copied first.
    ///
    /// ```no_run
    /// use summary_writer::{Graph, SummaryWriter};
    ///
    /// let summary = SummaryWriter::create_file_writer("runs/resnet50")?;
    /// summary.graph(&Graph::from_onnx(std::fs::read("resnet50.onnx")?)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Limits
    /// - The model has less than 2 GiB, as any protobuf message.
    /// - Messages are nested at most 100 deep, which allows about 30 bodies within each other. Bodies and calls of
    ///   functions together are nested at most 64 deep.
    /// - The graph has at most 131,072 nodes, including those of bodies and of functions in each of their calls.
    /// - The functions have at most 256 MiB in all their calls.
    /// - The graph has at most 64 MiB.
    ///
    /// The memory that is needed grows in proportion to the size of the file. For most models it is little more than the
    /// file itself, but a file of a great many empty messages takes a few hundred times its size.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the bytes are not an ONNX model, if the model has no graph or no node, if a node takes a
    /// value that nothing makes, or if a limit is exceeded.
    #[doc(alias = "add_onnx_graph")]
    pub fn from_onnx<'a>(model: impl Into<Cow<'a, [u8]>>) -> Result<Self> {
        let bytes = Bytes::from(model.into().into_owned());
        let len = bytes.len();
        if len > MAX_MODEL_BYTES {
            let problem = format!("expected a model of at most {MAX_MODEL_BYTES} bytes, got {len}");
            return Err(Error::invalid("onnx", problem));
        }
        let model = ModelProto::decode(bytes.clone())
            .map_err(|error| decode_error("onnx", "an ONNX model", &bytes, &error))?;
        Self::checked(graph_def(convert::nodes(&model)?, Vec::new()))
    }
}

/// Describes the model as a whole. A graph has no attributes, so its outputs get these.
fn description(model: &ModelProto) -> BTreeMap<String, AttrValue> {
    let graph = model.graph.as_ref();
    let opsets = model.opset_import.iter().take(20);
    let opsets = opsets.map(|opset| match opset.domain.as_str() {
        "" => format!("ai.onnx {}", opset.version),
        domain => format!("{domain} {}", opset.version),
    });
    let opsets = opsets.collect::<Vec<_>>().join(", ");
    let producer = format!("{} {}", model.producer_name, model.producer_version);
    let texts = [
        ("model", graph.map_or("", |graph| &graph.name)),
        ("model_doc_string", &model.doc_string),
        (
            "graph_doc_string",
            graph.map_or("", |graph| &graph.doc_string),
        ),
        ("producer", producer.trim()),
        ("opset", &opsets),
    ];
    let texts = texts.into_iter().filter(|(_, text)| !text.is_empty());
    let texts = texts.map(|(key, text)| (key.to_owned(), text));
    let properties = model.metadata_props.iter().take(MAX_PROPERTIES);
    let properties = properties.map(|it| {
        let key: String = it.key.chars().take(MAX_KEY_LETTERS).collect();
        (format!("metadata.{key}"), &*it.value)
    });
    texts
        .chain(properties)
        .map(|(key, text)| (key, attrs::text(text).value))
        .collect()
}
