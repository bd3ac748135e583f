//! The model as Keras writes it, for the conceptual graph: JSON, of which the loaders read names, kinds, types and inputs.

use std::collections::HashSet;

use super::{Placed, Shape};
use crate::proto::summary::Value;
use crate::proto::{DataClass, DataType, TensorProto};
use crate::summary::{Metadata, Tag, Tensor, plugin_tensor};

/// Keras's own.
const TAG: &str = "keras";

pub(super) fn value(name: &str, layers: &[Placed]) -> Value {
    // The loaders take no other version than the text "1".
    let metadata = Metadata::new("graph_keras_model")
        .content(b"1")
        .data_class(DataClass::BlobSequence);
    let tensor = Tensor(TensorProto {
        dtype: DataType::DtString.into(),
        tensor_shape: Some(Shape::from([1]).0),
        string_val: vec![json(name, layers).into_bytes()],
        ..Default::default()
    });
    plugin_tensor("", &Tag::new(TAG), tensor, metadata)
}

/// A functional model in the form of Keras 3, the only one of which the loaders draw the edges.
///
/// Blocks are in the names: a model within a model would need one way in and one way out.
fn json(name: &str, layers: &[Placed]) -> String {
    let used: HashSet<&String> = layers.iter().flat_map(|user| &user.inputs).collect();
    let ends = |of: &dyn Fn(&Placed) -> bool| {
        let ends = layers.iter().filter(|layer| of(layer));
        joined(ends.map(|end| format!("[{},0,0]", text(&end.layer.name))))
    };
    format!(
        r#"{{"class_name":"Functional","config":{{"name":{},"layers":[{}],"input_layers":[{}],"output_layers":[{}]}}}}"#,
        text(name),
        joined(layers.iter().map(layer_json)),
        ends(&|placed| placed.inputs.is_empty()),
        ends(&|placed| !used.contains(&placed.layer.name)),
    )
}

fn layer_json(Placed { layer, inputs }: &Placed) -> String {
    let name = text(&layer.name);
    let data_type = layer.data_type.and_then(data_type_name);
    let data_type = data_type.map(|name| format!(r#","dtype":"{name}""#));
    let tensors = joined(inputs.iter().map(|input| {
        let input = text(input);
        format!(r#"{{"class_name":"__keras_tensor__","config":{{"keras_history":[{input},0,0]}}}}"#)
    }));
    let inbound = match inputs.len() {
        0 => String::new(),
        1 => format!(r#"{{"args":[{tensors}],"kwargs":{{}}}}"#),
        _ => format!(r#"{{"args":[[{tensors}]],"kwargs":{{}}}}"#),
    };
    format!(
        r#"{{"class_name":{},"config":{{"name":{name}{}}},"name":{name},"inbound_nodes":[{inbound}]}}"#,
        text(&layer.kind),
        data_type.unwrap_or_default(),
    )
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(",")
}

/// A JSON string.
fn text(text: &str) -> String {
    let mut json = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..' ' => json.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => json.push(character),
        }
    }
    json.push('"');
    json
}

/// As Keras and the loaders call it.
fn data_type_name(data_type: DataType) -> Option<&'static str> {
    Some(match data_type {
        DataType::DtInvalid => return None,
        DataType::DtFloat => "float32",
        DataType::DtDouble => "float64",
        DataType::DtHalf => "float16",
        DataType::DtBfloat16 => "bfloat16",
        DataType::DtInt8 => "int8",
        DataType::DtInt16 => "int16",
        DataType::DtInt32 => "int32",
        DataType::DtInt64 => "int64",
        DataType::DtUint8 => "uint8",
        DataType::DtUint16 => "uint16",
        DataType::DtUint32 => "uint32",
        DataType::DtUint64 => "uint64",
        DataType::DtComplex64 => "complex64",
        DataType::DtComplex128 => "complex128",
        DataType::DtBool => "bool",
        DataType::DtString => "string",
        DataType::DtResource => "resource",
        DataType::DtVariant => "variant",
    })
}
