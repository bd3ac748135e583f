//! The types of ONNX values, and tensors with their data if that is little.

use std::borrow::Cow;

use super::super::{Attr, Shape};
use crate::proto::onnx::tensor_proto::DataLocation;
use crate::proto::onnx::tensor_proto::DataType as Element;
use crate::proto::onnx::type_proto::Value;
use crate::proto::onnx::{self, TensorShapeProto, TypeProto, tensor_shape_proto};
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataType, TensorProto};

/// A tensor with more elements is a weight, whose data is left out.
const MAX_ELEMENTS: usize = 16;

/// The type of a value, usually that of a tensor.
#[derive(Debug)]
pub(super) struct Type {
    /// [`DataType::DtInvalid`] if TensorFlow has no such type.
    data_type: DataType,
    /// In the words of ONNX, as `sequence(FLOAT)`.
    pub(super) name: Cow<'static, str>,
    pub(super) shape: Shape,
}

impl Type {
    pub(super) fn new(r#type: &TypeProto) -> Self {
        match &r#type.value {
            None => Self::other("".into()),
            Some(Value::TensorType(tensor)) => {
                Self::element(tensor.elem_type, shape(tensor.shape.as_ref()))
            }
            Some(Value::SparseTensorType(tensor)) => {
                let Self { name, shape, .. } =
                    Self::element(tensor.elem_type, shape(tensor.shape.as_ref()));
                let name = format!("sparse({name})").into();
                Self {
                    shape,
                    ..Self::other(name)
                }
            }
            Some(Value::SequenceType(it)) => Self::wrapping("sequence(", it.elem_type.as_deref()),
            Some(Value::MapType(it)) => {
                let key = Self::element(it.key_type, Shape::unknown()).name;
                Self::wrapping(&format!("map({key}, "), it.value_type.as_deref())
            }
            Some(Value::OptionalType(it)) => Self::wrapping("optional(", it.elem_type.as_deref()),
            Some(Value::OpaqueType(_)) => Self::other("opaque".into()),
        }
    }

    /// The type of a tensor.
    pub(super) fn tensor(element: i32, dims: &[i64]) -> Self {
        let dims = dims.iter().map(|&size| dim(size, ""));
        Self::element(element, Shape::from_dims(dims))
    }

    fn element(number: i32, shape: Shape) -> Self {
        let (name, data_type) = match Element::try_from(number) {
            Ok(element) => (element.as_str_name().into(), data_type(element)),
            Err(_) => (format!("type {number}").into(), DataType::DtInvalid),
        };
        Self {
            data_type,
            name,
            shape,
        }
    }

    /// A type that contains another: `start`, its name, and a bracket.
    fn wrapping(start: &str, inner: Option<&TypeProto>) -> Self {
        let inner = inner.map_or("".into(), |inner| Self::new(inner).name);
        Self::other(format!("{start}{inner})").into())
    }

    fn other(name: Cow<'static, str>) -> Self {
        Self {
            data_type: DataType::DtInvalid,
            name,
            shape: Shape::unknown(),
        }
    }

    /// The type of TensorFlow, or the name of one that only ONNX has.
    pub(super) fn attr(&self) -> Attr {
        match self.data_type {
            DataType::DtInvalid => Attr::from(&*self.name),
            data_type => data_type.into(),
        }
    }
}

fn data_type(element: Element) -> DataType {
    match element {
        Element::Float => DataType::DtFloat,
        Element::Uint8 => DataType::DtUint8,
        Element::Int8 => DataType::DtInt8,
        Element::Uint16 => DataType::DtUint16,
        Element::Int16 => DataType::DtInt16,
        Element::Int32 => DataType::DtInt32,
        Element::Int64 => DataType::DtInt64,
        Element::String => DataType::DtString,
        Element::Bool => DataType::DtBool,
        Element::Float16 => DataType::DtHalf,
        Element::Double => DataType::DtDouble,
        Element::Uint32 => DataType::DtUint32,
        Element::Uint64 => DataType::DtUint64,
        Element::Complex64 => DataType::DtComplex64,
        Element::Complex128 => DataType::DtComplex128,
        Element::Bfloat16 => DataType::DtBfloat16,
        _ => DataType::DtInvalid,
    }
}

fn shape(shape: Option<&TensorShapeProto>) -> Shape {
    let Some(shape) = shape else {
        return Shape::unknown();
    };
    Shape::from_dims(shape.dim.iter().map(|it| match &it.value {
        Some(tensor_shape_proto::dimension::Value::DimValue(size)) => dim(*size, ""),
        Some(tensor_shape_proto::dimension::Value::DimParam(name)) => dim(-1, name),
        None => dim(-1, ""),
    }))
}

fn dim(size: i64, name: &str) -> Dim {
    Dim {
        size: size.max(-1),
        name: name.into(),
    }
}

pub(super) fn without_data(r#type: Type) -> TensorProto {
    TensorProto {
        dtype: r#type.data_type.into(),
        tensor_shape: Some(r#type.shape.0),
        ..Default::default()
    }
}

pub(super) fn is_external(tensor: &onnx::TensorProto) -> bool {
    tensor.data_location() == DataLocation::External
}

/// The tensor with its data if that is little, otherwise with its type and shape.
pub(super) fn tensor(tensor: &onnx::TensorProto) -> TensorProto {
    small_tensor(tensor)
        .unwrap_or_else(|| without_data(Type::tensor(tensor.data_type, &tensor.dims)))
}

/// The tensor with its data if the file has it, and it is little.
pub(super) fn small_tensor(tensor: &onnx::TensorProto) -> Option<TensorProto> {
    let mut sizes = tensor.dims.iter().map(|&size| usize::try_from(size).ok());
    let count = sizes.try_fold(1, |count: usize, size| count.checked_mul(size?))?;
    if count > MAX_ELEMENTS || is_external(tensor) {
        return None;
    }
    let r#type = Type::tensor(tensor.data_type, &tensor.dims);
    let data_type = r#type.data_type;
    let mut small = without_data(r#type);
    let raw = &tensor.raw_data;
    let (ints, floats, doubles) = (&tensor.int32_data, &tensor.float_data, &tensor.double_data);
    match data_type {
        DataType::DtFloat => small.float_val = data(raw, floats, f32::from_le_bytes, count)?,
        DataType::DtComplex64 => {
            small.scomplex_val = data(raw, floats, f32::from_le_bytes, 2 * count)?;
        }
        DataType::DtDouble => small.double_val = data(raw, doubles, f64::from_le_bytes, count)?,
        DataType::DtComplex128 => {
            small.dcomplex_val = data(raw, doubles, f64::from_le_bytes, 2 * count)?;
        }
        DataType::DtHalf | DataType::DtBfloat16 => {
            small.half_val = data(raw, ints, |it| u16::from_le_bytes(it).into(), count)?;
        }
        DataType::DtInt8 => {
            small.int_val = data(raw, ints, |it| i8::from_le_bytes(it).into(), count)?;
        }
        DataType::DtUint8 => {
            small.int_val = data(raw, ints, |it| u8::from_le_bytes(it).into(), count)?;
        }
        DataType::DtInt16 => {
            small.int_val = data(raw, ints, |it| i16::from_le_bytes(it).into(), count)?;
        }
        DataType::DtUint16 => {
            small.int_val = data(raw, ints, |it| u16::from_le_bytes(it).into(), count)?;
        }
        DataType::DtInt32 => small.int_val = data(raw, ints, i32::from_le_bytes, count)?,
        DataType::DtInt64 => {
            small.int64_val = data(raw, &tensor.int64_data, i64::from_le_bytes, count)?;
        }
        DataType::DtUint32 => {
            let numbers = data(
                raw,
                &tensor.uint64_data,
                |it| u32::from_le_bytes(it).into(),
                count,
            )?;
            let numbers = numbers.into_iter().map(|it| it.try_into().ok());
            small.uint32_val = numbers.collect::<Option<_>>()?;
        }
        DataType::DtUint64 => {
            small.uint64_val = data(raw, &tensor.uint64_data, u64::from_le_bytes, count)?;
        }
        DataType::DtBool => {
            let numbers = data(raw, ints, |it| u8::from_le_bytes(it).into(), count)?;
            small.bool_val = numbers.into_iter().map(|it| it != 0).collect();
        }
        DataType::DtString if tensor.string_data.len() == count => {
            small.string_val = tensor.string_data.iter().map(|it| it.to_vec()).collect();
        }
        _ => return None,
    }
    Some(small)
}

/// The numbers of a tensor from its raw data or from the field of its type, if there are `count` of them.
fn data<const N: usize, T: Copy>(
    raw: &[u8],
    typed: &[T],
    from_le_bytes: impl Fn([u8; N]) -> T,
    count: usize,
) -> Option<Vec<T>> {
    if raw.is_empty() {
        return (typed.len() == count).then(|| typed.to_vec());
    }
    let (numbers, rest) = raw.as_chunks();
    (numbers.len() == count && rest.is_empty())
        .then(|| numbers.iter().map(|&bytes| from_le_bytes(bytes)).collect())
}
