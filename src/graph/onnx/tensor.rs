//! Tensors that stand in the file, of which those of few elements are in the graph with their data.

use super::super::wire::{Budget, Field, Message};
use super::values::Type;
use crate::error::Result;
use crate::proto::tensor_shape_proto::Dim;
use crate::proto::{DataType, TensorProto};

/// A tensor of more elements is weights, and stays in the file.
const MAX_ELEMENTS: usize = 16;
/// As many of the largest, which are complex numbers of two doubles.
const MAX_DATA_BYTES: usize = MAX_ELEMENTS * 16;
/// As many of those that the wire has as integers, each of which is kept in eight bytes.
const MAX_INTEGER_BYTES: usize = MAX_ELEMENTS * 8;

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
                1 => read_dims(&field, &mut dims, budget)?,
                2 => it.element = field.integer()?,
                8 => it.name = field.text()?,
                14 => it.is_external = field.integer()? == 1,
                4 | 5 | 6 | 7 | 9 | 10 | 11 if !it.is_large => it.read_data(&field, budget)?,
                _ => {}
            }
            Ok(())
        })?;
        it.dims = dims;
        Ok(it)
    }

    fn read_data(&mut self, field: &Field<'a>, budget: &Budget) -> Result<()> {
        if field.number == 6 {
            self.is_large = self.strings.len() == MAX_ELEMENTS;
            return match self.is_large {
                true => Ok(()),
                false => budget.push(&mut self.strings, field.bytes()?),
            };
        }
        // Of integers, a row has a byte for each at least.
        let row = field.bytes().unwrap_or_default();
        if row.len() > MAX_DATA_BYTES {
            self.is_large = true;
            return Ok(());
        }
        let mut read = Vec::new();
        self.width = match field.number {
            4 => 4,
            9 => 0,
            _ => 8,
        };
        match field.number {
            4 | 10 => field.fixed(self.width, |bytes| read.extend_from_slice(bytes))?,
            9 => read.extend_from_slice(field.bytes()?),
            _ => field.integers(|number| {
                // One more than fits shows that they are too many.
                if read.len() <= MAX_INTEGER_BYTES {
                    read.extend_from_slice(&number.to_le_bytes());
                }
            })?,
        }
        let max_bytes = match field.number {
            4 | 9 | 10 => MAX_DATA_BYTES,
            _ => MAX_INTEGER_BYTES,
        };
        if read.len() > max_bytes - self.numbers.len().min(max_bytes) {
            self.is_large = true;
            return Ok(());
        }
        budget.reserve(&mut self.numbers, read.len())?;
        self.numbers.extend_from_slice(&read);
        Ok(())
    }

    /// A tensor that is mostly zeros; its data stays in the file.
    pub(super) fn read_sparse(message: Message<'a>) -> Result<Self> {
        let mut it = Self::default();
        let mut dims = Vec::new();
        message.each(|field| {
            match field.number {
                1 => it = Self::read(field.message("TensorProto")?)?,
                3 => read_dims(&field, &mut dims, message.budget)?,
                _ => {}
            }
            Ok(())
        })?;
        it.is_large = true;
        it.dims = dims;
        Ok(it)
    }

    pub(super) fn r#type(&self) -> Type {
        Type::tensor(self.element, &self.dims)
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
        let r#type = self.r#type();
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

/// Adds the sizes that are in a field.
fn read_dims(field: &Field<'_>, dims: &mut Vec<i64>, budget: &Budget) -> Result<()> {
    let mut count = 0;
    field.integers(|_| count += 1)?;
    budget.reserve(dims, count)?;
    field.integers(|size| dims.push(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_is_too_much_is_not_kept() {
        let budget = Budget::new("onnx");
        // Integers in a row; the bytes of 16 doubles are as many as fit of anything.
        let row =
            |field: u8, count: u8| [&[field << 3 | 2, count][..], &vec![1; count.into()]].concat();
        for (bytes, kept_bytes) in [
            (row(7, 16), 16 * 8),
            (row(7, 17), 0),
            (row(5, 127), 0),
            (row(9, 127), 127),
            ([row(9, 127), row(9, 127)].concat(), 254),
            ([row(9, 127), row(9, 127), row(9, 3)].concat(), 254),
            ([row(7, 16), row(7, 1)].concat(), 16 * 8),
        ] {
            let message = Message::new(&bytes, "TensorProto", &budget);
            let tensor = Tensor::read(message).unwrap();
            assert_eq!(tensor.numbers.len(), kept_bytes, "{bytes:?}");
        }
        let strings = b"\x32\0".repeat(17);
        let message = Message::new(&strings, "TensorProto", &budget);
        assert_eq!(Tensor::read(message).unwrap().strings.len(), 16);
    }
}
