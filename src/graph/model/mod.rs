//! Layers to a graph of operations, and to the conceptual graph that Keras calls the model.

mod blocks;
mod keras;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use blocks::{MAX_DEPTH, Placed};

use super::{Attr, Graph, GraphBuilder, Op, Shape, name};
use crate::error::{Error, Result};
use crate::proto::DataType;
use crate::proto::summary::Value;

/// What Keras calls a layer that data comes in by.
const INPUT_LAYER: &str = "InputLayer";

/// A model as people think of it: layers, in a row or as a graph, and in blocks.
///
/// The dashboard gets it twice. The *op graph* has a node for each layer, with its kind as op, its parameters as
/// attributes, its weights as nodes within, its device, and shapes at the edges; a block is a scope. The *conceptual
/// graph* is what Keras logs: layers within the model, with kind and type only.
///
/// ```
/// use summary_writer::graph::{Layer, Model};
///
/// let model = Model::new("digits", [
///     Layer::input_layer("pixels", [None, Some(784)]),
///     Layer::new("hidden", "Dense")
///         .weight("kernel", [784, 128])
///         .weight("bias", [128])
///         .param("activation", "relu")
///         .output_shape([None, Some(128)]),
///     Layer::new("logits", "Dense").weight("kernel", [128, 10]).weight("bias", [10]).output_shape([None, Some(10)]),
/// ])?;
///
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
/// summary.model(&model);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub(crate) graph: Graph,
    pub(crate) keras: Value,
}

impl Model {
    /// A model of these layers. A layer that names no input takes the layer before it, across the edges of blocks.
    ///
    /// # Errors
    /// [`Error::Invalid`], with the name of the layer, if there is no layer; if two layers or weights have one name; if a
    /// name breaks the rule of [`GraphBuilder`], which holds for that of the model, too; if an input names no layer; if
    /// the kind of a layer is not ASCII, at which the loaders fail; if a block is empty, or has what only a layer has; or
    /// if blocks are nested more than 100 deep.
    pub fn new(name: impl Into<String>, layers: impl IntoIterator<Item = Layer>) -> Result<Self> {
        let name = name.into();
        if let Some(problem) = name::rule_problem(&name).or_else(|| name::problem(&name)) {
            return Err(Error::invalid("model", format!("{name:?}: {problem}")));
        }
        let layers = blocks::placed(layers)?;
        let graph = graph(&layers).map_err(|error| match error {
            Error::Invalid { problem, .. } => Error::invalid("model", problem),
            other => other,
        })?;
        let keras = keras::value(&name, &layers);
        Ok(Self { graph, keras })
    }
}

/// A layer of a [`Model`], or a block of layers.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Layer {
    name: String,
    kind: String,
    inputs: Vec<String>,
    device: String,
    data_type: Option<DataType>,
    output_shape: Option<Shape>,
    params: BTreeMap<String, Attr>,
    weights: Vec<(String, Shape)>,
    /// Of a block.
    layers: Option<Vec<Layer>>,
    /// How deep blocks are in each other, this one counted.
    depth: usize,
}

impl Layer {
    /// A layer of this kind: `Dense`, `Conv2D`, `LayerNorm`, any ASCII text.
    pub fn new(name: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            inputs: Vec::new(),
            device: String::new(),
            data_type: None,
            output_shape: None,
            params: BTreeMap::new(),
            weights: Vec::new(),
            layers: None,
            depth: 0,
        }
    }

    /// Where data of this shape comes in: a layer without inputs, not even the one before it.
    pub fn input_layer(name: impl Into<String>, shape: impl Into<Shape>) -> Self {
        Self::new(name, INPUT_LAYER).output_shape(shape)
    }

    /// Layers in a box, which has inputs and a device only: they go to its first layer, and to all layers without a
    /// device. The names of the layers count within the block, so that blocks can be alike.
    pub fn block(name: impl Into<String>, layers: impl IntoIterator<Item = Layer>) -> Self {
        let mut layers: Vec<Self> = layers.into_iter().collect();
        let depth = layers.iter().map(|layer| layer.depth).max();
        let depth = depth.unwrap_or_default().saturating_add(1);
        if depth > MAX_DEPTH {
            // It is refused in the end, and not kept until then: the stack is too short to drop just any depth.
            layers.clear();
        }
        Self {
            layers: Some(layers),
            depth,
            ..Self::new(name, "")
        }
    }

    /// Adds an input, by its name in the same block, in one around it, or whole, as `encoder/attention`. That of a block
    /// stands for its last layer. Default: the layer before.
    pub fn input(mut self, layer: impl Into<String>) -> Self {
        self.inputs.push(layer.into());
        self
    }

    /// The shape of what comes out, with `None` for the batch. It labels the edges from there. Default: unknown.
    pub fn output_shape(mut self, shape: impl Into<Shape>) -> Self {
        self.output_shape = Some(shape.into());
        self
    }

    /// The type of what comes out. Default: not said.
    pub fn data_type(mut self, data_type: DataType) -> Self {
        self.data_type = Some(data_type);
        self
    }

    /// Where it runs, as [`Op::device`] says. Default: where its block does.
    pub fn device(mut self, device: impl Into<String>) -> Self {
        self.device = device.into();
        self
    }

    /// Adds what the layer was made with, an attribute of its node: units, strides, the activation. A second value of a
    /// name replaces the first.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Attr>) -> Self {
        self.params.insert(name.into(), value.into());
        self
    }

    /// Adds what the layer learns, a node within its own. The attribute `weight_count` has the number of all.
    pub fn weight(mut self, name: impl Into<String>, shape: impl Into<Shape>) -> Self {
        self.weights.push((name.into(), shape.into()));
        self
    }

    /// The number of all weights, where it is known.
    fn weight_count(&self) -> Option<u64> {
        let mut counts = self.weights.iter().map(|(_, shape)| shape.element_count());
        counts.try_fold(0, |sum: u64, count| sum.checked_add(count?))
    }
}

/// The op graph: a node for each layer and each weight.
fn graph(layers: &[Placed]) -> Result<Graph> {
    let mut graph = GraphBuilder::new();
    for Placed { layer, inputs } in layers {
        let mut op = Op::new(&layer.kind).device(&layer.device);
        for input in inputs {
            op = op.input(input);
        }
        for (name, shape) in &layer.weights {
            let weight = Op::new("Variable").device(&layer.device);
            let name = format!("{}/{name}", layer.name);
            op = op.input(&graph.node(name, weight.output_shape(shape)));
        }
        if let (Some(count), false) = (layer.weight_count(), layer.weights.is_empty()) {
            op = op.attr("weight_count", count);
        }
        if let Some(data_type) = layer.data_type {
            op = op.attr("dtype", data_type);
        }
        if let Some(shape) = &layer.output_shape {
            op = op.output_shape(shape);
        }
        for (name, value) in &layer.params {
            op = op.attr(name, value.clone());
        }
        graph.node(&layer.name, op);
    }
    graph.build()
}
