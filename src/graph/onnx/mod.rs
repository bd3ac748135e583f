//! An ONNX file to a graph. The weights stay in the file.
//!
//! ```text
//! ONNX                            graph
//! input of the graph              Placeholder
//! output of the graph             Identity of the value
//! initializer, Constant           Const
//! node                            node with its name, or with its first output's
//! value, output i of a node       input `node`, or `node:i`
//! body of a loop, branch          scope `node/attribute`
//! function, in a call of it       scope `node`
//! ```

mod attrs;
mod convert;
mod messages;
mod names;
mod ops;
mod tensor;
#[cfg(test)]
mod tests;
mod values;

use std::collections::HashSet;

use convert::{ATTRIBUTE_BYTES, Functions, Nodes, Scope};
use messages::{Model, Node};
use ops::domain;

use super::wire::{Budget, Message};
use super::{Graph, GraphBuilder};
use crate::error::{Error, Result};

impl Graph {
    /// The graph of a serialized ONNX model, as it stands in a file, without its weights.
    ///
    /// Nodes have their names, or that of their first output if they have none. A `/` makes scopes, and so does a dot in
    /// names as `layer1.0.conv1`, in a file without any `/`. Characters that TensorFlow's rule forbids become `_`;
    /// doubles get the name of their operator, or a number, behind theirs.
    ///
    /// Inputs of the graph show as `Placeholder`, outputs as `Identity`, constants and initializers as `Const`: with type
    /// and shape, and with the data if that is 16 elements at most. The body of a loop, a branch, or a function of the
    /// model in each of its calls is a scope within its node, and leads to it by dotted arrows. The card of a node lists
    /// its attributes, but of a list of more than 256 items its length. Shapes are those in the file;
    /// `onnx.shape_inference.infer_shapes` puts in more.
    ///
    /// Files beside the model, in which large ones have their weights, are not opened.
    ///
    /// ```no_run
    /// use summary_writer::{Graph, SummaryWriter};
    ///
    /// let summary = SummaryWriter::create_file_writer("runs/resnet50")?;
    /// summary.graph(&Graph::from_onnx(std::fs::read("resnet50.onnx")?)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] with the place of the first byte that is no ONNX, or the name of a node that takes a value from
    /// nowhere; if there is no graph, or no node in it; if it has more than 131,072 nodes, bodies and functions more than
    /// 64 deep in each other, or functions of more than 256 MiB in all their calls; or if it takes more than 512 MiB of
    /// memory, weights not counted, or more than 64 MiB as a `GraphDef`.
    pub fn from_onnx(bytes: impl AsRef<[u8]>) -> Result<Self> {
        let budget = Budget::new("onnx");
        let model = Model::read(Message::new(bytes.as_ref(), "ModelProto", &budget))?;
        let Some(graph) = model.graph else {
            return Err(Error::invalid("onnx", "it has no graph: is it a model?"));
        };
        let graph = messages::Graph::read(graph)?;
        let about = about(&model, &graph, &budget)?;
        let mut functions = Functions::new();
        for function in model.functions {
            let key = (domain(function.domain), function.name, function.overload);
            budget.spend(2 * (size_of_val(&key) + size_of_val(&function)))?;
            functions.entry(key).or_insert(function);
        }

        let called = functions.values().flat_map(|function| &function.nodes);
        let names = graph.nodes.iter().chain(called).map(Node::label);
        let names = names.chain(graph.inputs.iter().map(|input| input.name));
        let names = names.chain(graph.initializers.iter().map(|tensor| tensor.name));
        let mut nodes = Nodes::new(names, &functions, &budget);
        let outputs = nodes.add_graph(graph, Scope::default())?;
        let outputs: HashSet<_> = outputs.into_iter().collect();
        let mut builder = GraphBuilder::new();
        for (name, mut op) in nodes.nodes {
            if outputs.contains(&name) {
                for (key, value) in &about {
                    budget.spend(ATTRIBUTE_BYTES + value.len())?;
                    op = op.attr(*key, value);
                }
            }
            builder.node(name, op);
        }
        builder.build()
    }
}

/// What is told of the model as a whole: attributes of its outputs, for a graph has none.
fn about(
    model: &Model<'_>,
    graph: &messages::Graph<'_>,
    budget: &Budget,
) -> Result<Vec<(&'static str, String)>> {
    let opsets = model.opsets.iter().take(20);
    let opsets = opsets.map(|(domain, version)| match *domain {
        "" => format!("ai.onnx {version}"),
        domain => format!("{domain} {version}"),
    });
    let opsets = opsets.collect::<Vec<_>>().join(", ");
    let producer = format!("{} {}", model.producer_name, model.producer_version);
    let mut about = Vec::new();
    for (key, value) in [
        ("model", graph.name),
        ("model_doc_string", model.doc),
        ("graph_doc_string", graph.doc),
        ("producer", producer.trim()),
        ("opset", &opsets),
    ] {
        if !value.is_empty() {
            about.push((key, ops::text(value, budget)?.into_owned()));
        }
    }
    Ok(about)
}
