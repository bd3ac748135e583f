//! What goes along the edges: values with their types, and tensors that stand in the file.

use std::borrow::Cow;

use super::super::{Attr, Shape};
use super::wire::{Field, Message};
use crate::error::Result;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataType, TensorProto, TensorShapeProto};

/// A tensor of more elements is weights, and stays in the file.
const MAX_ELEMENTS: usize = 16;
/// As many of the largest, which are complex numbers of two doubles.
const MAX_DATA_BYTES: usize = MAX_ELEMENTS * 16;
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
    data_type: DataType,
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
        Self::read_nested(message, MAX_TYPE_DEPTH)
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

    pub(super) fn of(tensor: &Tensor<'_>) -> Self {
        let (name, data_type) = element(tensor.element);
        let sizes = tensor.dims.iter().map(|&size| dim(size, ""));
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

/// A tensor in the file, with its data if that is little.
#[derive(Debug, Default)]
pub(super) struct Tensor<'a> {
    pub(super) name: &'a str,
    pub(super) is_external: bool,
    element: i64,
    dims: Vec<i64>,
    is_large: bool,
    strings: Vec<&'a [u8]>,
    /// Numbers of `width` bytes, in little-endian order.
    numbers: Vec<u8>,
    width: usize,
}

impl<'a> Tensor<'a> {
    pub(super) fn read(message: Message<'a>) -> Result<Self> {
        let budget = message.budget;
        let mut it = Self::default();
        let mut dims = Vec::new();
        message.each(|field| {
            match field.number {
                1 => {
                    let mut count = 0;
                    field.integers(|_| count += 1)?;
                    budget.spend(count * size_of::<i64>())?;
                    field.integers(|size| dims.push(size))?;
                }
                2 => it.element = field.integer()?,
                8 => it.name = field.text()?,
                14 => it.is_external = field.integer()? == 1,
                4 | 5 | 6 | 7 | 9 | 10 | 11 if !it.is_large => it.read_data(&field)?,
                _ => {}
            }
            Ok(())
        })?;
        it.dims = dims;
        Ok(it)
    }

    fn read_data(&mut self, field: &Field<'a>) -> Result<()> {
        let row = field.bytes().unwrap_or_default();
        let is_full = match field.number {
            6 => self.strings.len() == MAX_ELEMENTS,
            _ => self.numbers.len() > MAX_DATA_BYTES,
        };
        if is_full || row.len() > MAX_DATA_BYTES {
            self.is_large = true;
            return Ok(());
        }
        let numbers = &mut self.numbers;
        match field.number {
            4 | 10 => {
                self.width = if field.number == 4 { 4 } else { 8 };
                field.fixed(self.width, |bytes| numbers.extend_from_slice(bytes))
            }
            6 => {
                self.strings.push(field.bytes()?);
                Ok(())
            }
            9 => {
                self.width = 0;
                numbers.extend_from_slice(field.bytes()?);
                Ok(())
            }
            _ => {
                self.width = 8;
                field.integers(|number| numbers.extend_from_slice(&number.to_le_bytes()))
            }
        }
    }

    /// A tensor that is mostly zeros; its data stays in the file.
    pub(super) fn read_sparse(message: Message<'a>) -> Result<Self> {
        let mut it = Self::default();
        let mut dims = Vec::new();
        message.each(|field| {
            match field.number {
                1 => it = Self::read(field.message("TensorProto")?)?,
                3 => field.integers(|size| dims.push(size))?,
                _ => {}
            }
            Ok(())
        })?;
        message.budget.spend(dims.len() * size_of::<i64>())?;
        it.is_large = true;
        it.dims = dims;
        Ok(it)
    }

    fn element_count(&self) -> Option<usize> {
        let mut sizes = self.dims.iter().map(|&size| usize::try_from(size).ok());
        sizes.try_fold(1, |count: usize, size| count.checked_mul(size?))
    }

    /// What its data and its shape take in a graph.
    pub(super) fn size_bytes(&self) -> usize {
        let strings = self
            .strings
            .iter()
            .map(|text| size_of::<Vec<u8>>() + text.len());
        // A byte can become a number of four.
        4 * self.numbers.len() + strings.sum::<usize>() + self.dims.len() * size_of::<Dim>()
    }

    pub(super) fn without_data(&self) -> TensorProto {
        let r#type = Type::of(self);
        TensorProto {
            dtype: r#type.data_type.into(),
            tensor_shape: Some(r#type.shape.0),
            ..Default::default()
        }
    }

    /// The tensor with its data, if that is here and little.
    pub(super) fn value(&self) -> Option<TensorProto> {
        let count = self.element_count()?;
        if self.is_large || self.is_external || count > MAX_ELEMENTS {
            return None;
        }
        let mut tensor = self.without_data();
        let fits = match tensor.dtype() {
            DataType::DtInvalid => false,
            DataType::DtString => {
                let strings = self.strings.iter().map(|text| text.to_vec());
                tensor.string_val = strings.collect();
                self.strings.len() == count
            }
            data_type => self.numbers_to(&mut tensor, data_type, count),
        };
        fits.then_some(tensor)
    }

    /// Whether there are as many numbers as there should be; then they are in the field that shows them as such.
    fn numbers_to(&self, tensor: &mut TensorProto, data_type: DataType, count: usize) -> bool {
        let size = match data_type {
            DataType::DtBool | DataType::DtInt8 | DataType::DtUint8 => 1,
            DataType::DtInt16 | DataType::DtUint16 => 2,
            DataType::DtHalf | DataType::DtBfloat16 => 2,
            DataType::DtInt32 | DataType::DtUint32 | DataType::DtFloat => 4,
            DataType::DtComplex128 => 16,
            _ => 8,
        };
        // Numbers that are narrower than the field they stand in are its first bytes.
        let (step, width) = match self.width {
            0 => (size, size),
            width => (width, width.min(size)),
        };
        let parts = self.numbers.chunks(step);
        let bytes: Vec<u8> = parts
            .flat_map(|part| part.iter().take(width))
            .copied()
            .collect();
        if bytes.len() != count * size {
            return false;
        }
        let floats = || bytes.as_chunks().0.iter().map(|&it| f32::from_le_bytes(it));
        let doubles = || bytes.as_chunks().0.iter().map(|&it| f64::from_le_bytes(it));
        let shorts = || bytes.as_chunks().0.iter().map(|&it| u16::from_le_bytes(it));
        match data_type {
            DataType::DtFloat => tensor.float_val = floats().collect(),
            DataType::DtComplex64 => tensor.scomplex_val = floats().collect(),
            DataType::DtDouble => tensor.double_val = doubles().collect(),
            DataType::DtComplex128 => tensor.dcomplex_val = doubles().collect(),
            DataType::DtHalf | DataType::DtBfloat16 => {
                tensor.half_val = shorts().map(i32::from).collect();
            }
            DataType::DtUint16 => tensor.int_val = shorts().map(i32::from).collect(),
            DataType::DtInt16 => {
                tensor.int_val = shorts().map(|it| it.cast_signed().into()).collect();
            }
            DataType::DtUint8 => tensor.int_val = bytes.iter().map(|&it| it.into()).collect(),
            DataType::DtInt8 => {
                tensor.int_val = bytes.iter().map(|it| it.cast_signed().into()).collect();
            }
            DataType::DtBool => tensor.bool_val = bytes.iter().map(|&it| it != 0).collect(),
            DataType::DtInt32 => {
                let numbers = bytes.as_chunks().0.iter();
                tensor.int_val = numbers.map(|&it| i32::from_le_bytes(it)).collect();
            }
            DataType::DtUint32 => {
                let numbers = bytes.as_chunks().0.iter();
                tensor.uint32_val = numbers.map(|&it| u32::from_le_bytes(it)).collect();
            }
            DataType::DtInt64 => {
                let numbers = bytes.as_chunks().0.iter();
                tensor.int64_val = numbers.map(|&it| i64::from_le_bytes(it)).collect();
            }
            _ => {
                let numbers = bytes.as_chunks().0.iter();
                tensor.uint64_val = numbers.map(|&it| u64::from_le_bytes(it)).collect();
            }
        }
        true
    }
}
