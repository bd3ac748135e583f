//! The JSON that Keras writes for a model. From it the loaders make the conceptual graph: they read names, kinds, types
//! and inputs of layers.

use std::collections::HashSet;

use serde_json::json;

use super::blocks::FlatLayer;
use super::{DataType, Shape};
use crate::proto::summary::Value;
use crate::proto::{DataClass, TensorProto};
use crate::summary::{Metadata, Tag, Tensor, plugin_tensor};

/// The tag that Keras uses.
const TAG: &str = "keras";

pub(super) fn value(name: &str, layers: &[FlatLayer]) -> Value {
    // The loaders accept only the text "1" as the version.
    let metadata = Metadata::new("graph_keras_model")
        .content(b"1")
        .data_class(DataClass::BlobSequence);
    let tensor = Tensor(TensorProto {
        dtype: DataType::DtString.into(),
        tensor_shape: Some(Shape::from([1]).0),
        string_val: vec![model(name, layers).to_string().into_bytes()],
        ..Default::default()
    });
    plugin_tensor("", &Tag::new(TAG), tensor, metadata)
}

/// A functional model in the form of Keras 3, the only form whose edges the loaders draw.
///
/// The names of layers contain those of their blocks. Keras has models in models, but these have a single input and a
/// single output.
fn model(name: &str, layers: &[FlatLayer]) -> serde_json::Value {
    let used: HashSet<&String> = layers.iter().flat_map(|user| &user.inputs).collect();
    let ends = |is_end: &dyn Fn(&FlatLayer) -> bool| {
        let ends = layers.iter().filter(|layer| is_end(layer));
        ends.map(|end| json!([end.layer.name, 0, 0]))
            .collect::<Vec<_>>()
    };
    json!({
        "class_name": "Functional",
        "config": {
            "name": name,
            "layers": layers.iter().map(layer).collect::<Vec<_>>(),
            "input_layers": ends(&|end| end.inputs.is_empty()),
            "output_layers": ends(&|end| !used.contains(&end.layer.name)),
        },
    })
}

fn layer(FlatLayer { layer, inputs }: &FlatLayer) -> serde_json::Value {
    let mut config = json!({ "name": layer.name });
    if let Some(name) = layer.data_type.and_then(data_type_name) {
        config["dtype"] = name.into();
    }
    let tensors = inputs.iter().map(|input| {
        json!({ "class_name": "__keras_tensor__", "config": { "keras_history": [input, 0, 0] } })
    });
    let tensors: Vec<_> = tensors.collect();
    let inbound_nodes = match tensors.len() {
        0 => json!([]),
        1 => json!([{ "args": tensors, "kwargs": {} }]),
        _ => json!([{ "args": [tensors], "kwargs": {} }]),
    };
    json!({
        "class_name": layer.kind,
        "config": config,
        "name": layer.name,
        "inbound_nodes": inbound_nodes,
    })
}

/// The name that Keras and the loaders use.
fn data_type_name(data_type: DataType) -> Option<String> {
    Some(match data_type {
        DataType::DtInvalid => return None,
        DataType::DtFloat => "float32".into(),
        DataType::DtDouble => "float64".into(),
        DataType::DtHalf => "float16".into(),
        other => other.as_str_name().replace("DT_", "").to_lowercase(),
    })
}
