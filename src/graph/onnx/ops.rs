//! Single nodes: their name, operator, type and data.

use super::super::{Attr, Op, name};
use super::attrs;
use super::values::{Type, is_external, small_tensor};
use crate::proto::attr_value::Value;
use crate::proto::onnx::{NodeProto, TensorProto, ValueInfoProto};

/// The name to show: that of the node, or of its first output.
pub(super) fn label(node: &NodeProto) -> &str {
    let mut names = [&node.name].into_iter().chain(&node.output);
    names.find(|name| !name.is_empty()).map_or("", |name| name)
}

/// The domain of an operator; empty for the operators of ONNX itself.
pub(super) fn domain(name: &str) -> &str {
    if name == "ai.onnx" { "" } else { name }
}

/// The operator. The page draws `Const` as a small mark, which suits the constants of ONNX.
pub(super) fn op_name(node: &NodeProto) -> String {
    match (domain(&node.domain), &*node.op_type) {
        ("", "Constant") => "Const".into(),
        (_, op) if name::op_problem(op).is_some() => format!("{op}_"),
        (_, op) => op.into(),
    }
}

pub(super) fn placeholder(input: &ValueInfoProto) -> Op {
    let op = described(Op::new("Placeholder"), &input.doc_string);
    match &input.r#type {
        Some(r#type) if r#type.value.is_some() => typed(op, &Type::new(r#type)),
        _ => op,
    }
}

pub(super) fn constant(tensor: &TensorProto) -> Op {
    let op = typed(
        Op::new("Const"),
        &Type::tensor(tensor.data_type, &tensor.dims),
    );
    match small_tensor(tensor) {
        Some(value) => op.attr("value", Attr::new(Value::Tensor(value.into()), 0)),
        None if is_external(tensor) => op.attr("is_external", true),
        None => op,
    }
}

pub(super) fn typed(op: Op, r#type: &Type) -> Op {
    let op = op.attr("dtype", r#type.attr());
    let op = op.attr("shape", r#type.shape.clone());
    op.output_shape(&r#type.shape)
}

pub(super) fn described(op: Op, description: &str) -> Op {
    match description {
        "" => op,
        text => op.attr("doc_string", attrs::text(text)),
    }
}
