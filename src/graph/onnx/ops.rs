//! What single nodes are, apart from where they stand: their operator, their type, their data.

use std::borrow::Cow;

use super::super::wire::Budget;
use super::super::{Attr, Op, Shape, name};
use super::attrs::short;
use super::messages::Node;
use super::tensor::Tensor;
use super::values::Value as Input;
use crate::error::Result;
use crate::proto::attr_value::Value;

/// The operators that need not be said to be ONNX's own.
pub(super) fn domain(name: &str) -> &str {
    match name {
        "ai.onnx" => "",
        other => other,
    }
}

/// The page folds `Const`, as it should ONNX's constants.
pub(super) fn op_name<'a>(node: &Node<'a>) -> Cow<'a, str> {
    match (domain(node.domain), node.op) {
        ("", "Constant") => "Const".into(),
        (_, op) if name::op_problem(op).is_some() => format!("{op}_").into(),
        (_, op) => op.into(),
    }
}

/// What a shape takes in a list that may have room for as many more.
pub(super) fn size_of_shape(shape: &Shape) -> usize {
    let names = shape.0.dim.iter().map(|dim| dim.name.len());
    2 * size_of_val(shape) + size_of_val(&shape.0.dim[..]) + names.sum::<usize>()
}

pub(super) fn placeholder(input: &Input<'_>, budget: &Budget) -> Result<Op> {
    let op = documented(Op::new("Placeholder"), &text(input.doc, budget)?);
    Ok(match &input.r#type {
        r#type if r#type.is_known() => {
            budget.spend(2 * size_of_shape(&r#type.shape))?;
            let op = op.attr("dtype", r#type.attr());
            let op = op.attr("shape", r#type.shape.clone());
            op.output_shape(&r#type.shape)
        }
        _ => op,
    })
}

pub(super) fn constant(tensor: &Tensor<'_>, budget: &Budget) -> Result<Op> {
    budget.spend(tensor.size_bytes().saturating_mul(3))?;
    let r#type = tensor.r#type();
    let op = Op::new("Const").attr("dtype", r#type.attr());
    let op = op.attr("shape", r#type.shape.clone());
    let op = op.output_shape(&r#type.shape);
    Ok(match tensor.value() {
        Some(value) => op.attr("value", Attr::new(Value::Tensor(value.into()), 0)),
        None if tensor.is_external => op.attr("is_external", true),
        None => op,
    })
}

pub(super) fn documented(op: Op, doc: &str) -> Op {
    match doc {
        "" => op,
        doc => op.attr("doc_string", doc),
    }
}

/// The start of a text that may be long.
pub(super) fn text<'a>(text: &'a str, budget: &Budget) -> Result<Cow<'a, str>> {
    Ok(String::from_utf8_lossy(short(text.as_bytes(), budget)?))
}
