//! Attributes of ONNX to those of a graph.

use super::super::Attr;
use super::super::wire::{Budget, Message};
use super::messages::{Attribute, List};
use super::names::part;
use super::tensor::Tensor;
use super::values::Type;
use crate::error::Result;
use crate::proto::attr_value::{ListValue, Value};

/// A longer text is cut: some tools put whole stack traces into their nodes.
const MAX_TEXT_BYTES: usize = 1000;

/// Numbers of kinds whose attributes are parts of the graph.
const GRAPH: i64 = 5;
const GRAPHS: i64 = 10;

/// Whether the attribute is a part of the graph.
pub(super) fn is_graph(it: &Attribute<'_>) -> bool {
    [GRAPH, GRAPHS].contains(&kind(it))
}

/// The graphs in such an attribute, each with the name of its scope.
pub(super) fn graphs<'a>(it: &Attribute<'a>) -> impl Iterator<Item = (String, Message<'a>)> {
    let is_list = kind(it) == GRAPHS;
    let graphs = match is_list {
        true => &it.graphs,
        false => it.graph.as_slice(),
    };
    let name = part(it.name);
    graphs
        .iter()
        .enumerate()
        .map(move |(index, graph)| match is_list {
            true => (format!("{name}_{index}"), *graph),
            false => (name.clone(), *graph),
        })
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
        13 | 14 => types(&it.types, budget)?,
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
    Ok(Attr::new(Value::Tensor(tensor.into()), 0))
}

fn tensors(them: &List<Tensor<'_>>, budget: &Budget) -> Result<Attr> {
    let mut list = ListValue::default();
    for it in &them.items {
        let tensor = it.value().unwrap_or_else(|| it.without_data());
        budget.spend(it.size_bytes())?;
        budget.push(&mut list.tensor, tensor)?;
    }
    Ok(whole(list, them.count, them.is_whole(), "tensors"))
}

fn types(them: &List<Type>, budget: &Budget) -> Result<Attr> {
    let mut list = ListValue::default();
    for it in &them.items {
        budget.spend(it.name().len())?;
        budget.push(&mut list.s, it.name().into())?;
    }
    Ok(whole(list, them.count, them.is_whole(), "types"))
}

fn strings(them: &List<&[u8]>, budget: &Budget) -> Result<Attr> {
    let mut list = ListValue::default();
    for text in &them.items {
        budget.push(&mut list.s, short(text, budget)?.to_vec())?;
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
    budget.spend(2 * size_of_val(&them.items[..]))?; // with room for as many
    Ok(them.items.into())
}

/// A list that is whole, or how long it is.
fn whole(list: ListValue, count: usize, is_whole: bool, word: &str) -> Attr {
    match is_whole {
        true => Attr::new(Value::List(list.into()), 0),
        false => format!("{count} {word}").into(),
    }
}
