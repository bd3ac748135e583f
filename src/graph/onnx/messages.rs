//! The messages of an ONNX file, as far as a graph shows them: each field by its number, each text where it stands.

use std::iter;

use super::super::wire::{Field, Message};
use super::tensor::Tensor;
use super::values::{Type, Value};
use crate::error::Result;

/// A longer list shows as its length.
const MAX_ITEMS: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Model<'a> {
    pub(super) producer_name: &'a str,
    pub(super) producer_version: &'a str,
    pub(super) doc: &'a str,
    pub(super) graph: Option<Message<'a>>,
    pub(super) opsets: Vec<(&'a str, i64)>,
    pub(super) functions: Vec<Function<'a>>,
}

impl<'a> Model<'a> {
    pub(super) fn read(message: Message<'a>) -> Result<Self> {
        let mut it = Self::default();
        message.each(|field| {
            match field.number {
                2 => it.producer_name = field.text()?,
                3 => it.producer_version = field.text()?,
                6 => it.doc = field.text()?,
                7 => it.graph = Some(field.message("GraphProto")?),
                8 => message.budget.push(&mut it.opsets, opset(&field)?)?,
                25 => {
                    let function = Function::read(field.message("FunctionProto")?)?;
                    message.budget.push(&mut it.functions, function)?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }
}

fn opset<'a>(field: &Field<'a>) -> Result<(&'a str, i64)> {
    let mut opset = ("", 0);
    field.message("OperatorSetIdProto")?.each(|field| {
        match field.number {
            1 => opset.0 = field.text()?,
            2 => opset.1 = field.integer()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(opset)
}

#[derive(Debug, Default)]
pub(super) struct Graph<'a> {
    pub(super) name: &'a str,
    pub(super) doc: &'a str,
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) initializers: Vec<Tensor<'a>>,
    pub(super) inputs: Vec<Value<'a>>,
    pub(super) outputs: Vec<Value<'a>>,
    /// Of values between nodes.
    pub(super) values: Vec<Value<'a>>,
}

impl<'a> Graph<'a> {
    pub(super) fn read(message: Message<'a>) -> Result<Self> {
        let budget = message.budget;
        let mut it = Self::default();
        let value = |field: &Field<'a>| Value::read(field.message("ValueInfoProto")?);
        message.each(|field| match field.number {
            1 => budget.push(&mut it.nodes, Node::read(field.message("NodeProto")?)?),
            2 => {
                it.name = field.text()?;
                Ok(())
            }
            5 => {
                let tensor = Tensor::read(field.message("TensorProto")?)?;
                budget.push(&mut it.initializers, tensor)
            }
            10 => {
                it.doc = field.text()?;
                Ok(())
            }
            11 => budget.push(&mut it.inputs, value(&field)?),
            12 => budget.push(&mut it.outputs, value(&field)?),
            13 => budget.push(&mut it.values, value(&field)?),
            15 => {
                let tensor = Tensor::read_sparse(field.message("SparseTensorProto")?)?;
                budget.push(&mut it.initializers, tensor)
            }
            _ => Ok(()),
        })?;
        Ok(it)
    }
}

#[derive(Debug, Default)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    pub(super) domain: &'a str,
    pub(super) overload: &'a str,
    /// How many bytes it has.
    pub(super) len: usize,
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) values: Vec<Value<'a>>,
}

impl<'a> Function<'a> {
    fn read(message: Message<'a>) -> Result<Self> {
        let budget = message.budget;
        let mut it = Self {
            len: message.len(),
            ..Self::default()
        };
        message.each(|field| {
            match field.number {
                1 => it.name = field.text()?,
                4 => budget.push(&mut it.inputs, field.text()?)?,
                5 => budget.push(&mut it.outputs, field.text()?)?,
                7 => budget.push(&mut it.nodes, Node::read(field.message("NodeProto")?)?)?,
                10 => it.domain = field.text()?,
                12 => {
                    let value = Value::read(field.message("ValueInfoProto")?)?;
                    budget.push(&mut it.values, value)?;
                }
                13 => it.overload = field.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }
}

#[derive(Debug, Default)]
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) op: &'a str,
    pub(super) domain: &'a str,
    pub(super) overload: &'a str,
    pub(super) doc: &'a str,
    /// One that is left out is empty, and so are outputs that nobody wants.
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
    pub(super) attributes: Vec<Message<'a>>,
}

impl<'a> Node<'a> {
    fn read(message: Message<'a>) -> Result<Self> {
        let budget = message.budget;
        let mut it = Self::default();
        message.each(|field| {
            match field.number {
                1 => budget.push(&mut it.inputs, field.text()?)?,
                2 => budget.push(&mut it.outputs, field.text()?)?,
                3 => it.name = field.text()?,
                4 => it.op = field.text()?,
                5 => budget.push(&mut it.attributes, field.message("AttributeProto")?)?,
                6 => it.doc = field.text()?,
                7 => it.domain = field.text()?,
                8 => it.overload = field.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    /// What it shows as: its name, or that of its first output.
    pub(super) fn label(&self) -> &'a str {
        let mut names = iter::once(&self.name).chain(&self.outputs);
        names.find(|name| !name.is_empty()).unwrap_or(&"")
    }
}

/// The first items of a list, and how many there are.
#[derive(Debug)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    pub(super) count: usize,
}

impl<T> List<T> {
    fn add(&mut self, item: T) {
        self.count = self.count.saturating_add(1);
        if self.items.len() < MAX_ITEMS {
            self.items.push(item);
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.items.len() == self.count
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            count: 0,
        }
    }
}

/// An attribute: of its fields one counts, which `kind` tells, or the fields that are there.
#[derive(Debug, Default)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    /// The attribute of the function around the node that it stands for.
    pub(super) reference: &'a str,
    /// 0 in old files.
    pub(super) kind: i64,
    pub(super) float: Option<f32>,
    pub(super) integer: Option<i64>,
    pub(super) string: Option<&'a [u8]>,
    pub(super) floats: List<f32>,
    pub(super) integers: List<i64>,
    pub(super) strings: List<&'a [u8]>,
    pub(super) tensor: Option<Tensor<'a>>,
    pub(super) tensors: List<Tensor<'a>>,
    pub(super) graph: Option<Message<'a>>,
    pub(super) graphs: Vec<Message<'a>>,
    pub(super) types: List<Type>,
}

impl<'a> Attribute<'a> {
    pub(super) fn read(message: Message<'a>) -> Result<Self> {
        let mut it = Self::default();
        let tensor = |field: &Field<'a>| Tensor::read(field.message("TensorProto")?);
        let sparse = |field: &Field<'a>| Tensor::read_sparse(field.message("SparseTensorProto")?);
        message.each(|field| {
            match field.number {
                1 => it.name = field.text()?,
                2 => it.float = Some(field.float()?),
                3 => it.integer = Some(field.integer()?),
                4 => it.string = Some(field.bytes()?),
                5 => it.tensor = Some(tensor(&field)?),
                6 => it.graph = Some(field.message("GraphProto")?),
                7 => field.fixed(4, |bytes| {
                    it.floats
                        .add(bytes.try_into().map_or(0.0, f32::from_le_bytes));
                })?,
                8 => field.integers(|number| it.integers.add(number))?,
                9 => it.strings.add(field.bytes()?),
                10 => it.tensors.add(tensor(&field)?),
                11 => {
                    let graph = field.message("GraphProto")?;
                    message.budget.push(&mut it.graphs, graph)?;
                }
                14 | 15 => it.types.add(Type::read(field.message("TypeProto")?)?),
                20 => it.kind = field.integer()?,
                21 => it.reference = field.text()?,
                22 => it.tensor = Some(sparse(&field)?),
                23 => it.tensors.add(sparse(&field)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }
}
