//! What goes along the edges: values with their types.

use std::borrow::Cow;

use super::super::wire::{Field, Message};
use super::super::{Attr, Shape};
use super::ops::size_of_shape;
use crate::error::Result;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataType, TensorShapeProto};

/// A sequence of optional tensors has three levels.
const MAX_TYPE_DEPTH: usize = 8;

/// The types of elements by ONNX's number, and what TensorFlow has for them.
const TYPES: &[(&str, DataType)] = &[
    ("UNDEFINED", DataType::DtInvalid),
    ("FLOAT", DataType::DtFloat),
    ("UINT8", DataType::DtUint8),
    ("INT8", DataType::DtInt8),
    ("UINT16", DataType::DtUint16),
    ("INT16", DataType::DtInt16),
    ("INT32", DataType::DtInt32),
    ("INT64", DataType::DtInt64),
    ("STRING", DataType::DtString),
    ("BOOL", DataType::DtBool),
    ("FLOAT16", DataType::DtHalf),
    ("DOUBLE", DataType::DtDouble),
    ("UINT32", DataType::DtUint32),
    ("UINT64", DataType::DtUint64),
    ("COMPLEX64", DataType::DtComplex64),
    ("COMPLEX128", DataType::DtComplex128),
    ("BFLOAT16", DataType::DtBfloat16),
    ("FLOAT8E4M3FN", DataType::DtInvalid),
    ("FLOAT8E4M3FNUZ", DataType::DtInvalid),
    ("FLOAT8E5M2", DataType::DtInvalid),
    ("FLOAT8E5M2FNUZ", DataType::DtInvalid),
    ("UINT4", DataType::DtInvalid),
    ("INT4", DataType::DtInvalid),
    ("FLOAT4E2M1", DataType::DtInvalid),
    ("FLOAT8E8M0", DataType::DtInvalid),
    ("UINT2", DataType::DtInvalid),
    ("INT2", DataType::DtInvalid),
    ("FLOAT6E2M3", DataType::DtInvalid),
    ("FLOAT6E3M2", DataType::DtInvalid),
];

/// The name of a type and TensorFlow's.
fn element(number: i64) -> (Cow<'static, str>, DataType) {
    let known = usize::try_from(number)
        .ok()
        .and_then(|index| TYPES.get(index));
    match known {
        Some(&(name, data_type)) => (name.into(), data_type),
        None => (format!("type {number}").into(), DataType::DtInvalid),
    }
}

/// A value of a graph, without its data.
#[derive(Debug, Default)]
pub(super) struct Value<'a> {
    pub(super) name: &'a str,
    pub(super) doc: &'a str,
    pub(super) r#type: Type,
}

impl<'a> Value<'a> {
    pub(super) fn read(message: Message<'a>) -> Result<Self> {
        let mut it = Self::default();
        message.each(|field| {
            match field.number {
                1 => it.name = field.text()?,
                2 => it.r#type = Type::read(field.message("TypeProto")?)?,
                3 => it.doc = field.text()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }
}

/// The type of a value: mostly a tensor's, with its shape.
#[derive(Clone, Debug)]
pub(super) struct Type {
    pub(super) data_type: DataType,
    /// In ONNX's words; empty if it is unknown.
    name: Cow<'static, str>,
    pub(super) shape: Shape,
}

impl Default for Type {
    fn default() -> Self {
        Self {
            data_type: DataType::DtInvalid,
            name: "".into(),
            shape: Shape::unknown(),
        }
    }
}

impl Type {
    pub(super) fn read(message: Message<'_>) -> Result<Self> {
        let it = Self::read_nested(message, MAX_TYPE_DEPTH)?;
        message.budget.spend(it.name.len())?;
        Ok(it)
    }

    /// What a copy takes in a map that may have room for as many more.
    pub(super) fn size_bytes(&self) -> usize {
        2 * size_of::<(&str, Self)>() + self.name.len() + size_of_shape(&self.shape)
    }

    fn read_nested(message: Message<'_>, depth: usize) -> Result<Self> {
        let mut it = Self::default();
        message.each(|field| {
            match field.number {
                1 | 8 => {
                    it = Self::read_tensor(field.message("TypeProto.Tensor")?)?;
                    if field.number == 8 {
                        it.wrap("sparse");
                    }
                }
                4 => it = Self::read_wrapped("sequence", 1, &field, depth)?,
                5 => it = Self::read_wrapped("map", 2, &field, depth)?,
                9 => it = Self::read_wrapped("optional", 1, &field, depth)?,
                7 => it.name = "opaque".into(),
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    /// A type of several of a type, which is in the field `inner`.
    fn read_wrapped(word: &str, inner: u64, around: &Field<'_>, depth: usize) -> Result<Self> {
        let message = around.message("TypeProto")?;
        let Some(depth) = depth.checked_sub(1) else {
            let problem = format!("types are nested more than {MAX_TYPE_DEPTH} deep");
            return Err(message.invalid(&problem));
        };
        let mut it = Self::default();
        message.each(|field| {
            if field.number == inner {
                it = Self::read_nested(field.message("TypeProto")?, depth)?;
            }
            Ok(())
        })?;
        it.wrap(word);
        Ok(it)
    }

    fn wrap(&mut self, word: &str) {
        self.name = format!("{word}({})", self.name).into();
        self.data_type = DataType::DtInvalid;
        if word != "sparse" {
            self.shape = Shape::unknown();
        }
    }

    fn read_tensor(message: Message<'_>) -> Result<Self> {
        let mut it = Self::default();
        message.each(|field| {
            match field.number {
                1 => (it.name, it.data_type) = element(field.integer()?),
                2 => it.shape = read_shape(field.message("TensorShapeProto")?)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(it)
    }

    pub(super) fn tensor(number: i64, dims: &[i64]) -> Self {
        let (name, data_type) = element(number);
        let sizes = dims.iter().map(|&size| dim(size, ""));
        Self {
            data_type,
            name,
            shape: Shape(TensorShapeProto {
                dim: sizes.collect(),
                unknown_rank: false,
            }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_known(&self) -> bool {
        !self.name.is_empty()
    }

    /// TensorFlow's type, or ONNX's word where there is none.
    pub(super) fn attr(&self) -> Attr {
        match self.data_type {
            DataType::DtInvalid => Attr::from(&*self.name),
            data_type => data_type.into(),
        }
    }
}

fn read_shape(message: Message<'_>) -> Result<Shape> {
    let mut shape = TensorShapeProto::default();
    message.each(|field| {
        if field.number == 1 {
            let mut size = -1;
            let mut name = "";
            field.message("Dimension")?.each(|field| {
                match field.number {
                    1 => size = field.integer()?,
                    2 => name = field.text()?,
                    _ => {}
                }
                Ok(())
            })?;
            message.budget.spend(name.len())?;
            message.budget.push(&mut shape.dim, dim(size, name))?;
        }
        Ok(())
    })?;
    Ok(Shape(shape))
}

fn dim(size: i64, name: &str) -> Dim {
    Dim {
        size: size.max(-1),
        name: name.into(),
    }
}
