//! Flattens blocks: gives each layer its full name, its device and the full names of its inputs.

use std::collections::HashMap;

use super::{INPUT_LAYER, Layer};
use crate::error::{Error, Result};

/// Deeper than anybody opens blocks, and shallow enough for recursion.
pub(super) const MAX_DEPTH: usize = 100;

/// A layer with its full name, its device, and the full names of its inputs.
pub(super) struct FlatLayer {
    pub(super) layer: Layer,
    pub(super) inputs: Vec<String>,
}

pub(super) fn flatten(layers: impl IntoIterator<Item = Layer>) -> Result<Vec<FlatLayer>> {
    let mut all = Layers::default();
    all.add(layers.into_iter().collect(), "", "", None)?;
    if all.layers.is_empty() {
        let problem = "expected at least 1 layer, got none";
        return Err(Error::invalid("model", problem));
    }
    let inputs = (0..all.layers.len()).map(|index| all.inputs(index));
    let inputs = inputs.collect::<Result<Vec<_>>>()?;
    let layers = all.layers.into_iter().zip(inputs);
    Ok(layers
        .map(|((layer, _), inputs)| FlatLayer { layer, inputs })
        .collect())
}

/// Inputs as a layer names them, and the scope of the block that contains the layer.
struct Inputs {
    names: Vec<String>,
    scope: String,
}

/// Layers in the order of their definition.
#[derive(Default)]
struct Layers {
    /// A layer without inputs takes the layer before it.
    layers: Vec<(Layer, Option<Inputs>)>,
    /// The index of each layer by its full name. A block has the index of its last layer.
    indices: HashMap<String, usize>,
}

impl Layers {
    /// Adds the layers of a block. `scope` comes before their names; it is empty, or ends in `/`. The first layer takes
    /// the inputs of the block.
    fn add(
        &mut self,
        layers: Vec<Layer>,
        scope: &str,
        device: &str,
        mut block_inputs: Option<Inputs>,
    ) -> Result<()> {
        for mut layer in layers {
            layer.name.insert_str(0, scope);
            if layer.device.is_empty() {
                layer.device = device.into();
            }
            let names = std::mem::take(&mut layer.inputs);
            let own_inputs = (!names.is_empty()).then(|| Inputs {
                names,
                scope: scope.into(),
            });
            let inputs = own_inputs.or(block_inputs.take());
            let name = layer.name.clone();
            match layer.layers.take() {
                Some(layers) => {
                    check_block(&layer, &layers)?;
                    self.add(layers, &format!("{name}/"), &layer.device, inputs)?;
                }
                None => {
                    check_kind(&layer)?;
                    self.layers.push((layer, inputs));
                }
            }
            let index = self.layers.len() - 1; // Both arms add at least one.
            if self.indices.insert(name.clone(), index).is_some() {
                let problem = "expected a unique name, got that of another layer or block";
                return Err(at_layer(&name, problem));
            }
        }
        Ok(())
    }

    /// The full names of the inputs of a layer.
    fn inputs(&self, index: usize) -> Result<Vec<String>> {
        let (layer, inputs) = &self.layers[index];
        let Some(Inputs { names, scope }) = inputs else {
            if layer.kind == INPUT_LAYER || index == 0 {
                return Ok(Vec::new());
            }
            return Ok(vec![self.layers[index - 1].0.name.clone()]);
        };
        let full_name = |name: &String| match self.find(name, scope, index) {
            Some(input) => Ok(self.layers[input].0.name.clone()),
            None => {
                let problem = format!("expected the name of another layer as input, got {name:?}");
                Err(at_layer(&layer.name, &problem))
            }
        };
        names.iter().map(full_name).collect()
    }

    /// Finds the layer for a name that `user` has as its input: in the same block, or in one around it.
    fn find(&self, name: &str, mut scope: &str, user: usize) -> Option<usize> {
        loop {
            match self.indices.get(&[scope, name].concat()) {
                Some(&index) if index != user => return Some(index),
                _ => {}
            }
            let outer = scope.strip_suffix('/')?;
            scope = outer.rfind('/').map_or("", |end| &outer[..=end]);
        }
    }
}

fn check_block(block: &Layer, layers: &[Layer]) -> Result<()> {
    let problem = if block.depth > MAX_DEPTH {
        "expected blocks nested at most 100 deep, got more"
    } else if layers.is_empty() {
        "expected at least 1 layer in the block, got none"
    } else if !block.weights.is_empty()
        || !block.params.is_empty()
        || block.output_shape.is_some()
        || block.data_type.is_some()
    {
        "a block can have only inputs and a device; give weights, parameters, shape and type to its layers"
    } else {
        return Ok(());
    };
    Err(at_layer(&block.name, problem))
}

/// TensorBoard encodes kinds as ASCII, and fails at other characters.
fn check_kind(layer: &Layer) -> Result<()> {
    if layer.kind.is_ascii() {
        return Ok(());
    }
    let problem = format!("expected a kind of ASCII text, got {:?}", layer.kind);
    Err(at_layer(&layer.name, &problem))
}

fn at_layer(name: &str, problem: &str) -> Error {
    Error::invalid("model", format!("layer {name:?}: {problem}"))
}
