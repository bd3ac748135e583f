//! Layers in blocks to layers in one row, with whole names.

use std::collections::HashMap;

use super::{INPUT_LAYER, Layer};
use crate::error::{Error, Result};

/// Far from the end of the stack, and deeper than anybody opens.
pub(super) const MAX_DEPTH: usize = 100;

/// A layer in its place. Its name is whole, and so are those of its inputs; it has its block's device.
pub(super) struct Placed {
    pub(super) layer: Layer,
    pub(super) inputs: Vec<String>,
}

pub(super) fn placed(layers: impl IntoIterator<Item = Layer>) -> Result<Vec<Placed>> {
    let mut row = Row::default();
    let around = Around {
        scope: String::new(),
        device: String::new(),
    };
    row.add_all(layers.into_iter().collect(), &around, None)?;
    if row.layers.is_empty() {
        return Err(Error::invalid("model", "it has no layer, one or more fit"));
    }
    let inputs = (0..row.layers.len())
        .map(|index| row.inputs(index))
        .collect::<Result<Vec<_>>>()?;
    let layers = row.layers.into_iter().zip(inputs);
    Ok(layers
        .map(|((layer, _), inputs)| Placed { layer, inputs })
        .collect())
}

/// What a block is to the layers in it.
struct Around {
    /// Before their names; empty, or ends in `/`.
    scope: String,
    device: String,
}

/// Names that a layer gives as its inputs, and the block in which they are meant.
#[derive(Clone)]
struct Inputs {
    names: Vec<String>,
    scope: String,
}

#[derive(Default)]
struct Row {
    /// A layer without inputs of its own takes the one before.
    layers: Vec<(Layer, Option<Inputs>)>,
    /// Of each layer and block by its whole name: which layer it stands for.
    places: HashMap<String, usize>,
}

impl Row {
    /// Adds the layers of a block, whose first takes `entry`.
    fn add_all(
        &mut self,
        layers: Vec<Layer>,
        around: &Around,
        mut entry: Option<Inputs>,
    ) -> Result<()> {
        for mut layer in layers {
            layer.name.insert_str(0, &around.scope);
            if layer.device.is_empty() {
                layer.device.clone_from(&around.device);
            }
            let names = std::mem::take(&mut layer.inputs);
            let given = (!names.is_empty()).then(|| Inputs {
                names,
                scope: around.scope.clone(),
            });
            // The entry of a block is that of its first layer, whether it takes it or not.
            let inputs = given.or(entry.take());
            let name = layer.name.clone();
            match layer.layers.take() {
                Some(layers) => {
                    check_block(&layer, &layers)?;
                    let inner = Around {
                        scope: format!("{name}/"),
                        device: layer.device,
                    };
                    self.add_all(layers, &inner, inputs)?;
                }
                None => {
                    check_kind(&layer)?;
                    self.layers.push((layer, inputs));
                }
            }
            let place = self.layers.len() - 1; // both arms have added one
            if self.places.insert(name.clone(), place).is_some() {
                return Err(at_layer(&name, "another layer or block has its name"));
            }
        }
        Ok(())
    }

    /// The whole names of the inputs of a layer.
    fn inputs(&self, index: usize) -> Result<Vec<String>> {
        let (layer, inputs) = &self.layers[index];
        let Some(Inputs { names, scope }) = inputs else {
            let before = index
                .checked_sub(1)
                .and_then(|before| self.layers.get(before));
            let before = before.filter(|_| layer.kind != INPUT_LAYER);
            return Ok(before
                .iter()
                .map(|(before, _)| before.name.clone())
                .collect());
        };
        let find = |name: &String| {
            let place = self.find(name, scope, index).ok_or_else(|| {
                let problem = format!("it has the input {name:?}, no other layer has that name");
                at_layer(&layer.name, &problem)
            })?;
            Ok(self.layers[place].0.name.clone())
        };
        names.iter().map(find).collect()
    }

    /// The layer that a name in a block stands for: one of the block, or of one around it, but not `user` itself.
    fn find(&self, name: &str, mut scope: &str, user: usize) -> Option<usize> {
        loop {
            let place = self.places.get(&[scope, name].concat());
            match place {
                Some(&place) if place != user => return Some(place),
                _ => {}
            }
            let outer = scope.strip_suffix('/')?;
            scope = outer.rfind('/').map_or("", |end| &outer[..=end]);
        }
    }
}

fn check_block(block: &Layer, layers: &[Layer]) -> Result<()> {
    let problem = if block.depth > MAX_DEPTH {
        "blocks are nested more than 100 deep"
    } else if layers.is_empty() {
        "the block has no layer, one or more fit"
    } else if !block.weights.is_empty()
        || !block.params.is_empty()
        || block.output_shape.is_some()
        || block.data_type.is_some()
    {
        "a block has inputs and a device; weights, parameters, shape and type are its layers'"
    } else {
        return Ok(());
    };
    Err(at_layer(&block.name, problem))
}

/// The Python loader turns kinds into ASCII, or fails.
fn check_kind(layer: &Layer) -> Result<()> {
    if layer.kind.is_ascii() {
        return Ok(());
    }
    let problem = format!("its kind is {:?}, ASCII text fits", layer.kind);
    Err(at_layer(&layer.name, &problem))
}

fn at_layer(name: &str, problem: &str) -> Error {
    Error::invalid("model", format!("layer {name:?}: {problem}"))
}
