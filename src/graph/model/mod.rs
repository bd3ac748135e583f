//! Models of layers: converts layers to an op graph and to the conceptual graph of Keras.

mod blocks;
mod keras;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use blocks::{FlatLayer, MAX_DEPTH};

use super::{Attr, Graph, GraphBuilder, Op, Shape, name};
use crate::error::{Error, Result};
use crate::proto::DataType;
use crate::proto::summary::Value;

/// The kind that Keras gives to the layers through which data comes in.
const INPUT_LAYER: &str = "InputLayer";

/// A model of layers, in sequence or as a graph, with blocks of layers.
///
/// It is logged as two graphs. The *op graph* has a node for each layer with its kind as op, its parameters as attributes,
/// its weights as nodes inside it, its device, and shapes at the edges; a block is a scope. The *conceptual graph* is the
/// one that Keras logs: the layers of the model with kind and type only.
///
/// ```
/// use summary_writer::{Layer, Model};
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
    /// Creates a model. A layer without inputs takes the layer before it, also across the edge of a block.
    ///
    /// # Errors
    /// [`Error::Invalid`], with the name of the layer, if
    /// - there is no layer, or a block is empty;
    /// - two layers or weights have the same name;
    /// - a name, or that of the model, breaks the rule of [`GraphBuilder`];
    /// - an input is not the name of a layer;
    /// - the kind of a layer is not ASCII, because the loaders fail at it;
    /// - a block has weights, parameters, a shape or a type, which belong to its layers;
    /// - blocks are nested more than 100 deep, or the graph is too large for a [`GraphBuilder`].
    pub fn new(name: impl Into<String>, layers: impl IntoIterator<Item = Layer>) -> Result<Self> {
        let name = name.into();
        if let Some(problem) = name::rule_problem(&name).or_else(|| name::problem(&name)) {
            return Err(Error::invalid("model", format!("{name:?}: {problem}")));
        }
        let layers = blocks::flatten(layers)?;
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
    /// The layers of a block.
    layers: Option<Vec<Layer>>,
    /// How deep blocks are nested, including this one.
    depth: usize,
}

impl Layer {
    /// Creates a layer of a kind: `Dense`, `Conv2D`, `LayerNorm`, or any ASCII text.
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

    /// Creates a layer through which data of this shape comes in. It has no inputs, not even the layer before it.
    pub fn input_layer(name: impl Into<String>, shape: impl Into<Shape>) -> Self {
        Self::new(name, INPUT_LAYER).output_shape(shape)
    }

    /// Creates a block of layers. It can have inputs, which its first layer takes, and a device, which its layers without
    /// one get. The names of layers need to be unique only within their block.
    pub fn block(name: impl Into<String>, layers: impl IntoIterator<Item = Layer>) -> Self {
        let mut layers: Vec<Self> = layers.into_iter().collect();
        let depth = layers.iter().map(|layer| layer.depth).max();
        let depth = depth.unwrap_or_default().saturating_add(1);
        if depth > MAX_DEPTH {
            // `Model::new` refuses the block. Deeper layers are not kept, because dropping them would overflow the stack.
            layers.clear();
        }
        Self {
            layers: Some(layers),
            depth,
            ..Self::new(name, "")
        }
    }

    /// Adds an input by its name in the same block or in one around it, or by its full name, as `encoder/attention`. The
    /// name of a block means its last layer. Default: the layer before.
    pub fn input(mut self, layer: impl Into<String>) -> Self {
        self.inputs.push(layer.into());
        self
    }

    /// Sets the shape of the output, with `None` for the batch. The page writes it at the edges. Default: unknown.
    pub fn output_shape(mut self, shape: impl Into<Shape>) -> Self {
        self.output_shape = Some(shape.into());
        self
    }

    /// Sets the type of the output. Default: none.
    pub fn data_type(mut self, data_type: DataType) -> Self {
        self.data_type = Some(data_type);
        self
    }

    /// Sets the device, as [`Op::device`] does. Default: that of the block.
    pub fn device(mut self, device: impl Into<String>) -> Self {
        self.device = device.into();
        self
    }

    /// Adds a parameter, as units, strides or the activation, or replaces the one of the same name. It becomes an
    /// attribute of the node.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Attr>) -> Self {
        self.params.insert(name.into(), value.into());
        self
    }

    /// Adds a weight, which becomes a node inside that of the layer. The attribute `weight_count` is the total number of
    /// elements.
    pub fn weight(mut self, name: impl Into<String>, shape: impl Into<Shape>) -> Self {
        self.weights.push((name.into(), shape.into()));
        self
    }

    /// The number of elements of all weights, if all shapes are known.
    fn weight_count(&self) -> Option<u64> {
        let mut counts = self.weights.iter().map(|(_, shape)| shape.element_count());
        counts.try_fold(0, |sum: u64, count| sum.checked_add(count?))
    }
}

/// The op graph: a node for each layer and each weight.
fn graph(layers: &[FlatLayer]) -> Result<Graph> {
    let mut graph = GraphBuilder::new();
    for FlatLayer { layer, inputs } in layers {
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
