//! Attributes of ONNX to those of a graph.

use super::super::Attr;
use super::messages::{Attribute, List};
use super::names::part;
use super::tensor::Tensor;
use super::wire::{Budget, Message};
use crate::error::Result;
use crate::proto::attr_value::{ListValue, Value};

/// A longer text is cut: some tools put whole stack traces into their nodes.
const MAX_TEXT_BYTES: usize = 1000;

/// Numbers of kinds whose attributes are parts of the graph.
const GRAPH: i64 = 5;
const GRAPHS: i64 = 10;

/// The graphs in an attribute, each with the name of its scope; none of an attribute of another kind.
pub(super) fn graphs<'a>(it: &Attribute<'a>) -> Option<Vec<(String, Message<'a>)>> {
    let name = part(it.name);
    let graphs = it.graphs.iter().enumerate();
    match kind(it) {
        GRAPH => Some(it.graph.map(|graph| (name, graph)).into_iter().collect()),
        GRAPHS => Some(
            graphs
                .map(|(index, graph)| (format!("{name}_{index}"), *graph))
                .collect(),
        ),
        _ => None,
    }
}

/// What counts of an attribute's fields: that of its kind.
pub(super) fn attr(it: Attribute<'_>, budget: &Budget) -> Result<Attr> {
    if !it.reference.is_empty() {
        budget.spend(it.reference.len())?;
        return Ok(Attr::placeholder(it.reference));
    }
    Ok(match kind(&it) {
        1 => it.float.unwrap_or_default().into(),
        2 => it.integer.unwrap_or_default().into(),
        3 => Attr::bytes(short(it.string.unwrap_or_default(), budget)?),
        4 | 11 => tensor(&it.tensor.unwrap_or_default(), budget)?,
        6 => list(it.floats, "floats", budget)?,
        7 => list(it.integers, "integers", budget)?,
        8 => strings(&it.strings, budget)?,
        9 | 12 => tensors(&it.tensors, budget)?,
        13 | 14 => {
            let names = it.types.items.iter().map(|r#type| r#type.name().to_owned());
            names.collect::<Vec<_>>().into()
        }
        other => format!("an attribute of the kind {other}").into(),
    })
}

/// The kind by its number. That of an old file, which has none, is that of the field that is there.
fn kind(it: &Attribute<'_>) -> i64 {
    if it.kind != 0 {
        return it.kind;
    }
    [
        (it.float.is_some(), 1),
        (it.integer.is_some(), 2),
        (it.string.is_some(), 3),
        (it.tensor.is_some(), 4),
        (it.graph.is_some(), GRAPH),
        (it.floats.count > 0, 6),
        (it.integers.count > 0, 7),
        (it.strings.count > 0, 8),
        (it.tensors.count > 0, 9),
        (!it.graphs.is_empty(), GRAPHS),
        (it.types.count > 0, 14),
    ]
    .into_iter()
    // An empty list of anything.
    .find_map(|(is_there, kind)| is_there.then_some(kind))
    .unwrap_or(7)
}

/// The start of a text.
pub(super) fn short<'a>(text: &'a [u8], budget: &Budget) -> Result<&'a [u8]> {
    let start = text.get(..MAX_TEXT_BYTES).unwrap_or(text);
    budget.spend(start.len())?;
    Ok(start)
}

/// The tensor with its data, or with its type and shape only.
fn tensor(it: &Tensor<'_>, budget: &Budget) -> Result<Attr> {
    let tensor = it.value().unwrap_or_else(|| it.without_data());
    budget.spend(size_of_val(&tensor) + it.size_bytes())?;
    Ok(Value::Tensor(tensor).into())
}

fn tensors(them: &List<Tensor<'_>>, budget: &Budget) -> Result<Attr> {
    let mut list = ListValue::default();
    for it in &them.items {
        let tensor = it.value().unwrap_or_else(|| it.without_data());
        budget.spend(size_of_val(&tensor) + it.size_bytes())?;
        list.tensor.push(tensor);
    }
    Ok(whole(list, them.count, them.is_whole(), "tensors"))
}

fn strings(them: &List<&[u8]>, budget: &Budget) -> Result<Attr> {
    let mut list = ListValue::default();
    for text in &them.items {
        list.s.push(short(text, budget)?.to_vec());
        budget.spend(size_of::<Vec<u8>>())?;
    }
    Ok(whole(list, them.count, them.is_whole(), "strings"))
}

fn list<T>(them: List<T>, word: &str, budget: &Budget) -> Result<Attr>
where
    Vec<T>: Into<Attr>,
{
    if !them.is_whole() {
        return Ok(format!("{} {word}", them.count).into());
    }
    budget.spend(size_of_val(&them.items[..]))?;
    Ok(them.items.into())
}

/// A list that is whole, or how long it is.
fn whole(list: ListValue, count: usize, is_whole: bool, word: &str) -> Attr {
    match is_whole {
        true => Value::List(list).into(),
        false => format!("{count} {word}").into(),
    }
}
