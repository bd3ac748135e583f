//! The wire format of protobuf, read where it stands: nothing is copied, and what nobody asks for is skipped, be it a
//! gigabyte of weights.

use std::cell::Cell;

use crate::error::{Error, Result};

/// What a graph may take in memory: some times what the largest needs that a page draws.
const MAX_MEMORY_BYTES: usize = 512 << 20;

/// The memory that is left. A message of two bytes is a node of hundreds, so what is kept is counted, not what is read.
#[derive(Debug)]
pub(super) struct Budget {
    left: Cell<usize>,
    /// What errors are about.
    what: &'static str,
}

impl Budget {
    pub(super) fn new(what: &'static str) -> Self {
        Self {
            left: Cell::new(MAX_MEMORY_BYTES),
            what,
        }
    }

    pub(super) fn spend(&self, bytes: usize) -> Result<()> {
        let left = self.left.get().checked_sub(bytes).ok_or_else(|| {
            let problem = format!("it takes more than {MAX_MEMORY_BYTES} bytes of memory");
            Error::invalid(self.what, problem)
        })?;
        self.left.set(left);
        Ok(())
    }

    pub(super) fn push<T>(&self, list: &mut Vec<T>, item: T) -> Result<()> {
        self.reserve(list, 1)?;
        list.push(item);
        Ok(())
    }

    /// Makes room for so many items more, and counts all of the room.
    pub(super) fn reserve<T>(&self, list: &mut Vec<T>, count: usize) -> Result<()> {
        if count > list.capacity() - list.len() {
            let more = count.max(list.capacity());
            self.spend(more.saturating_mul(size_of::<T>()))?;
            list.reserve_exact(more);
        }
        Ok(())
    }
}

/// The bytes of a message, and where they stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    bytes: &'a [u8],
    /// Of `bytes` in the file.
    offset: usize,
    /// As ONNX calls it.
    kind: &'static str,
    pub(super) budget: &'a Budget,
}

impl<'a> Message<'a> {
    pub(super) fn new(bytes: &'a [u8], kind: &'static str, budget: &'a Budget) -> Self {
        Self {
            bytes,
            offset: 0,
            kind,
            budget,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Hands over its fields in their order.
    pub(super) fn each(mut self, mut take: impl FnMut(Field<'a>) -> Result<()>) -> Result<()> {
        while !self.bytes.is_empty() {
            take(self.field()?)?;
        }
        Ok(())
    }

    fn field(&mut self) -> Result<Field<'a>> {
        let start = *self;
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let announced = self.varint()?;
                let here = *self;
                let bytes = usize::try_from(announced)
                    .ok()
                    .and_then(|count| self.take(count))
                    .ok_or_else(|| {
                        let left = here.bytes.len();
                        here.invalid(&format!("{announced} bytes are announced, {left} are left"))
                    })?;
                Value::Bytes(Message { bytes, ..here })
            }
            5 => Value::Fixed32(u32::from_le_bytes(self.array()?)),
            other => return Err(start.invalid(&format!("wire type {other}, 0, 1, 2 and 5 fit"))),
        };
        Ok(Field {
            number: key >> 3,
            value,
            at: start,
        })
    }

    fn varint(&mut self) -> Result<u64> {
        let start = *self;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(start.invalid("a number of more than 10 bytes"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((array, rest)) = self.bytes.split_first_chunk() else {
            return Err(self.invalid("the end of it within a field"));
        };
        self.bytes = rest;
        self.offset += N;
        Ok(*array)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        self.offset += count;
        Some(taken)
    }

    pub(super) fn invalid(&self, problem: &str) -> Error {
        let Self { offset, kind, .. } = self;
        let problem = format!("byte {offset}, in {kind}: {problem}");
        Error::invalid(self.budget.what, problem)
    }
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) number: u64,
    value: Value<'a>,
    at: Message<'a>,
}

#[derive(Debug)]
enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    /// With the kind of the message around it.
    Bytes(Message<'a>),
    Fixed32(u32),
}

impl<'a> Field<'a> {
    pub(super) fn message(&self, kind: &'static str) -> Result<Message<'a>> {
        match self.value {
            Value::Bytes(message) => Ok(Message { kind, ..message }),
            _ => Err(self.unfit("bytes")),
        }
    }

    pub(super) fn bytes(&self) -> Result<&'a [u8]> {
        Ok(self.message(self.at.kind)?.bytes)
    }

    pub(super) fn text(&self) -> Result<&'a str> {
        str::from_utf8(self.bytes()?).map_err(|_| self.unfit("a text in UTF-8"))
    }

    #[allow(
        clippy::cast_possible_wrap,
        reason = "the wire has negative numbers so"
    )]
    pub(super) fn integer(&self) -> Result<i64> {
        match self.value {
            Value::Varint(number) => Ok(number as i64),
            _ => Err(self.unfit("an integer")),
        }
    }

    pub(super) fn float(&self) -> Result<f32> {
        match self.value {
            Value::Fixed32(bits) => Ok(f32::from_bits(bits)),
            _ => Err(self.unfit("a float")),
        }
    }

    /// Each integer of a repeated field, which can be one or a row of them.
    #[allow(
        clippy::cast_possible_wrap,
        reason = "the wire has negative numbers so"
    )]
    pub(super) fn integers(&self, mut take: impl FnMut(i64)) -> Result<()> {
        if let Value::Bytes(mut row) = self.value {
            while !row.bytes.is_empty() {
                take(row.varint()? as i64);
            }
            return Ok(());
        }
        take(self.integer()?);
        Ok(())
    }

    /// The little-endian bytes of each number of a repeated field of floats or doubles.
    pub(super) fn fixed(&self, width: usize, mut take: impl FnMut(&[u8])) -> Result<()> {
        match self.value {
            Value::Bytes(row) if row.bytes.len().is_multiple_of(width) => {
                row.bytes.chunks_exact(width).for_each(take);
            }
            Value::Fixed32(bits) if width == 4 => take(&bits.to_le_bytes()),
            Value::Fixed64(bits) if width == 8 => take(&bits.to_le_bytes()),
            _ => return Err(self.unfit("floats")),
        }
        Ok(())
    }

    fn unfit(&self, fit: &str) -> Error {
        let number = self.number;
        self.at.invalid(&format!("field {number} is not {fit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(bytes: &[u8]) -> Result<Vec<u64>> {
        let budget = Budget::new("onnx");
        let mut numbers = Vec::new();
        Message::new(bytes, "M", &budget).each(|field| {
            numbers.push(field.number);
            Ok(())
        })?;
        Ok(numbers)
    }

    #[test]
    fn fields_of_each_wire_type_follow_each_other() {
        let bytes = b"\x08\x96\x01\x11\0\0\0\0\0\0\0\0\x1a\x02hi\x25\0\0\0\0\x82\x01\0";
        assert_eq!(numbers(bytes).unwrap(), [1, 2, 3, 4, 16]);
        assert_eq!(numbers(b"").unwrap(), [0u64; 0]);
    }

    #[test]
    fn what_is_no_field_is_refused_with_its_byte() {
        for (bytes, want) in [
            (&b"\x08"[..], "byte 1, in M: the end of it within a field"),
            (
                b"\x08\x01\x0d\0\0\0",
                "byte 3, in M: the end of it within a field",
            ),
            (
                b"\x0a\x05hi",
                "byte 2, in M: 5 bytes are announced, 2 are left",
            ),
            (
                b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x10", // 2^60
                "byte 10, in M: 1152921504606846976 bytes are announced, 0 are left",
            ),
            (b"\x0b", "byte 0, in M: wire type 3, 0, 1, 2 and 5 fit"),
            (
                b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                "byte 1, in M: a number of more than 10 bytes",
            ),
        ] {
            let error = numbers(bytes).unwrap_err().to_string();
            assert_eq!(error, format!("onnx: {want}"), "{bytes:x?}");
        }
    }

    #[test]
    fn a_field_of_another_type_is_refused() {
        let budget = Budget::new("onnx");
        for (bytes, want) in [
            (&b"\x08\x01"[..], "field 1 is not bytes"),
            (b"\x0a\x01\xff", "field 1 is not a text in UTF-8"),
        ] {
            let message = Message::new(bytes, "M", &budget);
            let error = message.each(|field| field.text().map(drop)).unwrap_err();
            assert_eq!(error.to_string(), format!("onnx: byte 0, in M: {want}"));
        }
        let message = Message::new(b"\x0a\x03abc", "M", &budget);
        assert!(message.each(|field| field.integer().map(drop)).is_err());
        assert!(message.each(|field| field.float().map(drop)).is_err());
        assert!(message.each(|field| field.fixed(4, |_| {})).is_err());
    }

    #[test]
    fn repeated_numbers_come_one_by_one_or_in_a_row() {
        let budget = Budget::new("onnx");
        let mut got = Vec::new();
        let message = Message::new(b"\x08\x05\x0a\x03\x06\x96\x01\x08\x07", "M", &budget);
        let each = message.each(|field| field.integers(|number| got.push(number)));
        each.unwrap();
        assert_eq!(got, [5, 6, 150, 7]);

        let mut got = Vec::new();
        let message = Message::new(b"\x0d\0\0\x80\x3f\x0a\x04\0\0\0\x40", "M", &budget);
        let each = message.each(|field| field.fixed(4, |bytes| got.extend_from_slice(bytes)));
        each.unwrap();
        assert_eq!(got, b"\0\0\x80\x3f\0\0\0\x40");
    }

    #[test]
    fn memory_is_counted_as_it_is_kept() {
        let budget = Budget::new("onnx");
        let mut list = Vec::new();
        budget.push(&mut list, 1u64).unwrap();
        budget.spend(MAX_MEMORY_BYTES - 16).unwrap();
        budget.push(&mut list, 2).unwrap();
        assert!(budget.push(&mut list, 3).is_err());
        assert_eq!(list, [1, 2]);

        // Of one more than two there is room for four.
        let budget = Budget::new("onnx");
        let mut list = vec![0u8; 2];
        budget.push(&mut list, 3).unwrap();
        budget.push(&mut list, 4).unwrap();
        assert_eq!(list.capacity(), 4);
        assert!(budget.spend(MAX_MEMORY_BYTES - 1).is_err());
        budget.spend(MAX_MEMORY_BYTES - 2).unwrap();
        assert!(budget.reserve(&mut list, usize::MAX).is_err());
    }
}
