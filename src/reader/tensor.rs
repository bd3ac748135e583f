//! The numbers of a tensor.

use std::fmt;

use crate::proto::{DataType, TensorProto};

/// A number with the type that the writer used. Smaller integers and `bool` become [`I64`](Self::I64), and 16-bit floats
/// become [`F32`](Self::F32), without rounding.
///
/// `Display` prints the shortest digits that identify the number in its type.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the types say it")]
pub enum Number {
    F32(f32),
    F64(f64),
    I64(i64),
    U64(u64),
}

impl Number {
    /// Returns the number as `f64`. An integer beyond 2^53 becomes the nearest `f64`.
    pub fn to_f64(self) -> f64 {
        match self {
            Self::F32(number) => number.into(),
            Self::F64(number) => number,
            Self::I64(number) => number as f64,
            Self::U64(number) => number as f64,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F32(number) => number.fmt(f),
            Self::F64(number) => number.fmt(f),
            Self::I64(number) => number.fmt(f),
            Self::U64(number) => number.fmt(f),
        }
    }
}

/// Returns the dimensions of a tensor. A single element has none.
pub(super) fn shape(tensor: &TensorProto) -> Vec<i64> {
    let shape = tensor.tensor_shape.iter();
    shape
        .flat_map(|shape| shape.dim.iter().map(|dim| dim.size))
        .collect()
}

/// Returns the elements of a tensor of real numbers. Returns `None` for other types, and if the number of elements does not
/// match the shape.
pub(super) fn numbers(tensor: &TensorProto) -> Option<Vec<Number>> {
    use Number::{F32, F64, U64};
    let content = &tensor.tensor_content[..];
    let ints = &tensor.int_val[..];
    let from_halves = |to_f32: fn(u16) -> f32| {
        elements(
            content,
            |bytes| F32(to_f32(u16::from_le_bytes(bytes))),
            &tensor.half_val,
            |bits| F32(to_f32(low_half(bits))),
        )
    };
    let numbers = match tensor.dtype() {
        DataType::DtFloat => {
            let from_bytes = |bytes| F32(f32::from_le_bytes(bytes));
            elements(content, from_bytes, &tensor.float_val, F32)
        }
        DataType::DtDouble => {
            let from_bytes = |bytes| F64(f64::from_le_bytes(bytes));
            elements(content, from_bytes, &tensor.double_val, F64)
        }
        DataType::DtUint64 => {
            let from_bytes = |bytes| U64(u64::from_le_bytes(bytes));
            elements(content, from_bytes, &tensor.uint64_val, U64)
        }
        DataType::DtHalf => from_halves(half),
        DataType::DtBfloat16 => from_halves(bfloat16),
        DataType::DtInt8 => integers(content, i8::from_le_bytes, ints),
        DataType::DtUint8 => integers(content, u8::from_le_bytes, ints),
        DataType::DtInt16 => integers(content, i16::from_le_bytes, ints),
        DataType::DtUint16 => integers(content, u16::from_le_bytes, ints),
        DataType::DtInt32 => integers(content, i32::from_le_bytes, ints),
        DataType::DtUint32 => integers(content, u32::from_le_bytes, &tensor.uint32_val),
        DataType::DtInt64 => integers(content, i64::from_le_bytes, &tensor.int64_val),
        DataType::DtBool => integers(content, |[byte]| byte != 0, &tensor.bool_val),
        _ => None,
    }?;
    let count = shape(tensor)
        .into_iter()
        .try_fold(1, |count: usize, size| {
            count.checked_mul(size.try_into().ok()?)
        })?;
    (numbers.len() == count).then_some(numbers)
}

fn integers<const N: usize, A: Into<i64>, B: Into<i64> + Copy>(
    content: &[u8],
    from_bytes: fn([u8; N]) -> A,
    values: &[B],
) -> Option<Vec<Number>> {
    elements(
        content,
        |bytes| Number::I64(from_bytes(bytes).into()),
        values,
        |value| Number::I64(value.into()),
    )
}

/// Returns the elements in `content`, or in `values` if `content` is empty.
fn elements<const N: usize, T: Copy>(
    content: &[u8],
    from_bytes: impl Fn([u8; N]) -> Number,
    values: &[T],
    from_value: impl Fn(T) -> Number,
) -> Option<Vec<Number>> {
    if content.is_empty() {
        return Some(values.iter().copied().map(from_value).collect());
    }
    let (chunks, rest) = content.as_chunks();
    rest.is_empty()
        .then(|| chunks.iter().copied().map(from_bytes).collect())
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the format stores 16 bits in an i32"
)]
fn low_half(bits: i32) -> u16 {
    bits as u16
}

fn bfloat16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// Converts an IEEE 754 binary16: a sign bit, 5 exponent bits and 10 fraction bits.
fn half(bits: u16) -> f32 {
    let fraction = f32::from(bits & 0x3ff);
    let magnitude = match bits >> 10 & 0x1f {
        0 => fraction * 2f32.powi(-24),
        0x1f if fraction > 0.0 => f32::NAN,
        0x1f => f32::INFINITY,
        exponent => (fraction + 1024.0) * 2f32.powi(i32::from(exponent) - 25),
    };
    if bits >> 15 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::TensorShapeProto;
    use crate::proto::tensor_shape_proto::Dim;

    fn tensor(dtype: DataType, dims: &[i64]) -> TensorProto {
        let dim = |&size| Dim {
            size,
            ..Default::default()
        };
        TensorProto {
            dtype: dtype.into(),
            tensor_shape: Some(TensorShapeProto {
                dim: dims.iter().map(dim).collect(),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn f64s(tensor: &TensorProto) -> Option<Vec<f64>> {
        Some(numbers(tensor)?.into_iter().map(Number::to_f64).collect())
    }

    #[test]
    fn each_type_is_read_from_its_content() {
        // Little-endian. `DtHalf` is in the format of IEEE 754, and `DtBfloat16` is the upper half of an f32.
        let cases: [(DataType, &[u8], f64); 13] = [
            (DataType::DtFloat, &[0, 0, 0xc0, 0x3f], 1.5),
            (DataType::DtDouble, &[0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5),
            (DataType::DtHalf, &[0x00, 0xc2], -3.0),
            (DataType::DtBfloat16, &[0x40, 0xc0], -3.0),
            (DataType::DtInt8, &[0xff], -1.0),
            (DataType::DtUint8, &[0xff], 255.0),
            (DataType::DtInt16, &[0xfe, 0xff], -2.0),
            (DataType::DtUint16, &[0xfe, 0xff], 65_534.0),
            (DataType::DtInt32, &[0xfd, 0xff, 0xff, 0xff], -3.0),
            (DataType::DtUint32, &[0, 0, 0, 0x80], 2_147_483_648.0),
            (DataType::DtInt64, &[0xff; 8], -1.0),
            (
                DataType::DtUint64,
                &[0, 0, 0, 0, 0, 0, 0, 0x80],
                9_223_372_036_854_775_808.0,
            ),
            (DataType::DtBool, &[1], 1.0),
        ];
        for (dtype, content, want) in cases {
            let tensor = TensorProto {
                tensor_content: content.repeat(2).into(),
                ..tensor(dtype, &[2, 1])
            };
            assert_eq!(f64s(&tensor), Some(vec![want; 2]), "{dtype:?}");
            // A byte is missing.
            let cut = TensorProto {
                tensor_content: tensor.tensor_content.slice(1..),
                ..tensor
            };
            assert_eq!(f64s(&cut), None, "{dtype:?}");
        }
    }

    #[test]
    fn half_floats_are_exact() {
        // From the table of binary16 in IEEE 754: largest, smallest normal, smallest subnormal, one third.
        for (bits, want) in [
            (0x7bff, 65_504.0),
            (0x0400, 0.000_061_035_156),
            (0x0001, 0.000_000_059_604_645),
            (0x3555, 0.333_251_95),
            (0x8000, -0.0),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(half(bits).to_bits(), f32::to_bits(want), "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn number_of_elements_must_match_the_shape() {
        for (dims, count) in [(&[][..], 1), (&[2, 3], 6), (&[0], 0), (&[1, 1], 1)] {
            let with = |count| TensorProto {
                float_val: vec![0.5; count],
                ..tensor(DataType::DtFloat, dims)
            };
            assert_eq!(f64s(&with(count)), Some(vec![0.5; count]));
            assert_eq!(f64s(&with(count + 1)), None);
        }
        // Impossible shapes: too many elements, and a negative size.
        for dims in [&[i64::MAX, i64::MAX][..], &[-1]] {
            assert_eq!(f64s(&tensor(DataType::DtFloat, dims)), None);
        }
        assert_eq!(f64s(&tensor(DataType::DtString, &[0])), None);
    }
}
