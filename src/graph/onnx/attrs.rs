//! Converts ONNX attributes to those of a graph.

use super::super::Attr;
use super::names::part;
use super::values::{Type, tensor, without_data};
use crate::proto::TensorProto;
use crate::proto::attr_value::{ListValue, Value};
use crate::proto::onnx::attribute_proto::AttributeType;
use crate::proto::onnx::{self, AttributeProto, GraphProto};

/// Longer texts are cut, because some tools put whole stack traces into their nodes.
const MAX_TEXT_BYTES: usize = 1000;
/// A longer list shows as its length.
const MAX_ITEMS: usize = 256;

/// The graphs that an attribute consists of, each with the name of its scope; `None` for an attribute of another type.
pub(super) fn bodies(attribute: &AttributeProto) -> Option<Vec<(String, &GraphProto)>> {
    if !attribute.ref_attr_name.is_empty() {
        return None;
    }
    let name = part(&attribute.name);
    match kind(attribute) {
        Ok(AttributeType::Graph) => {
            let graph = attribute.g.as_deref();
            Some(graph.map(|graph| (name, graph)).into_iter().collect())
        }
        Ok(AttributeType::Graphs) => {
            let graphs = attribute.graphs.iter().enumerate();
            let graphs = graphs.map(|(index, graph)| (format!("{name}_{index}"), graph));
            Some(graphs.collect())
        }
        _ => None,
    }
}

/// The value of an attribute that is not a graph.
pub(super) fn attr(attribute: &AttributeProto) -> Attr {
    if !attribute.ref_attr_name.is_empty() {
        return Attr::placeholder(&attribute.ref_attr_name);
    }
    let kind = match kind(attribute) {
        Ok(kind) => kind,
        Err(number) => return format!("unknown attribute type {number}").into(),
    };
    match kind {
        AttributeType::Float => attribute.f().into(),
        AttributeType::Int => attribute.i().into(),
        AttributeType::String => Attr::bytes(start(attribute.s())),
        AttributeType::Tensor => {
            let tensor = attribute.t.as_deref().map(tensor);
            Attr::new(Value::Tensor(tensor.unwrap_or_default().into()), 0)
        }
        AttributeType::SparseTensor => {
            let tensor = attribute.sparse_tensor.as_deref().map(sparse);
            Attr::new(Value::Tensor(tensor.unwrap_or_default().into()), 0)
        }
        AttributeType::Floats => list(&attribute.floats, "floats", |floats| floats.to_vec().into()),
        AttributeType::Ints => list(&attribute.ints, "integers", |ints| ints.to_vec().into()),
        AttributeType::Strings => list(&attribute.strings, "strings", |strings| {
            texts(strings.iter().map(|text| start(text).to_vec()))
        }),
        AttributeType::Tensors => list(&attribute.tensors, "tensors", |items| {
            tensors(items.iter().map(tensor))
        }),
        AttributeType::SparseTensors => list(&attribute.sparse_tensors, "tensors", |items| {
            tensors(items.iter().map(sparse))
        }),
        AttributeType::TypeProto => {
            let types = attribute.tp.iter();
            texts(types.map(|it| Type::new(it).name.into_owned().into()))
        }
        AttributeType::TypeProtos => list(&attribute.type_protos, "types", |types| {
            texts(
                types
                    .iter()
                    .map(|it| Type::new(it).name.into_owned().into()),
            )
        }),
        // `bodies` takes graphs, and `kind` returns no type that is undefined.
        AttributeType::Graph | AttributeType::Graphs | AttributeType::Undefined => "".into(),
    }
}

/// The type of an attribute. Old files do not say it, so it is that of the field that is present.
fn kind(attribute: &AttributeProto) -> Result<AttributeType, i32> {
    let kind = AttributeType::try_from(attribute.r#type).map_err(|_| attribute.r#type)?;
    if kind != AttributeType::Undefined {
        return Ok(kind);
    }
    let present = [
        (attribute.f.is_some(), AttributeType::Float),
        (attribute.i.is_some(), AttributeType::Int),
        (attribute.s.is_some(), AttributeType::String),
        (attribute.t.is_some(), AttributeType::Tensor),
        (attribute.g.is_some(), AttributeType::Graph),
        (!attribute.floats.is_empty(), AttributeType::Floats),
        (!attribute.strings.is_empty(), AttributeType::Strings),
        (!attribute.tensors.is_empty(), AttributeType::Tensors),
        (!attribute.graphs.is_empty(), AttributeType::Graphs),
    ];
    let kind = present
        .into_iter()
        .find_map(|(is_present, kind)| is_present.then_some(kind));
    // Without any field it is an empty list.
    Ok(kind.unwrap_or(AttributeType::Ints))
}

/// A text that may be long.
pub(super) fn text(text: &str) -> Attr {
    String::from_utf8_lossy(start(text.as_bytes()))
        .into_owned()
        .into()
}

fn start(text: &[u8]) -> &[u8] {
    text.get(..MAX_TEXT_BYTES).unwrap_or(text)
}

fn list<T>(items: &[T], word: &str, convert: impl Fn(&[T]) -> Attr) -> Attr {
    match items.len() {
        0..=MAX_ITEMS => convert(items),
        count => format!("{count} {word}").into(),
    }
}

fn texts(texts: impl Iterator<Item = Vec<u8>>) -> Attr {
    let list = ListValue {
        s: texts.collect(),
        ..Default::default()
    };
    Attr::new(Value::List(list.into()), 0)
}

fn tensors(tensors: impl Iterator<Item = TensorProto>) -> Attr {
    let list = ListValue {
        tensor: tensors.collect(),
        ..Default::default()
    };
    Attr::new(Value::List(list.into()), 0)
}

fn sparse(tensor: &onnx::SparseTensorProto) -> TensorProto {
    let data_type = tensor.values.as_ref().map_or(0, |values| values.data_type);
    without_data(Type::tensor(data_type, &tensor.dims))
}
