//! The bytes of an event to its fields, where they stand, and whether they are an event at all. Nothing is copied.
//!
//! What is an event is for prost to say, and this says the same of any bytes: a test compares the two.

/// The depth to which prost follows messages and groups.
pub(super) const MAX_DEPTH: u32 = 100;

/// The messages of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Event,
    SourceMetadata,
    SessionLog,
    TaggedRunMetadata,
    Summary,
    Value,
    Image,
    Audio,
    Histogram,
    Tensor,
    Shape,
    Dim,
    Metadata,
    PluginData,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Type {
    Varint,
    Fixed64,
    Fixed32,
    Bytes,
    /// In UTF-8.
    Text,
    Message(Kind),
    /// Repeated: one by one, or a row of them.
    Varints,
    Fixed64s,
    Fixed32s,
}

impl Kind {
    /// The type of a field; `None` if `proto/` does not have it, and anything fits.
    #[inline]
    pub(super) fn field(self, number: u32) -> Option<Type> {
        Some(match (self, number) {
            (Self::Event, 1) => Type::Fixed64,
            (Self::Event, 2) => Type::Varint,
            (Self::Event, 3) => Type::Text,
            (Self::Event, 4) => Type::Bytes,
            (Self::Event, 5) => Type::Message(Self::Summary),
            (Self::Event, 7) => Type::Message(Self::SessionLog),
            (Self::Event, 8) => Type::Message(Self::TaggedRunMetadata),
            (Self::Event, 10) => Type::Message(Self::SourceMetadata),
            (Self::SourceMetadata, 1) => Type::Text,
            (Self::SessionLog, 1) => Type::Varint,
            (Self::SessionLog, 2 | 3) => Type::Text,
            (Self::TaggedRunMetadata, 1) => Type::Text,
            (Self::TaggedRunMetadata, 2) => Type::Bytes,
            (Self::Summary, 1) => Type::Message(Self::Value),
            (Self::Value, 1) => Type::Text,
            (Self::Value, 2) => Type::Fixed32,
            (Self::Value, 4) => Type::Message(Self::Image),
            (Self::Value, 5) => Type::Message(Self::Histogram),
            (Self::Value, 6) => Type::Message(Self::Audio),
            (Self::Value, 8) => Type::Message(Self::Tensor),
            (Self::Value, 9) => Type::Message(Self::Metadata),
            (Self::Image, 1..=3) => Type::Varint,
            (Self::Image, 4) => Type::Bytes,
            (Self::Audio, 1) => Type::Fixed32,
            (Self::Audio, 2 | 3) => Type::Varint,
            (Self::Audio, 4) => Type::Bytes,
            (Self::Audio, 5) => Type::Text,
            (Self::Histogram, 1..=5) => Type::Fixed64,
            (Self::Histogram, 6 | 7) => Type::Fixed64s,
            (Self::Tensor, 1) => Type::Varint,
            (Self::Tensor, 2) => Type::Message(Self::Shape),
            (Self::Tensor, 4 | 8) => Type::Bytes,
            (Self::Tensor, 5 | 9) => Type::Fixed32s,
            (Self::Tensor, 6 | 12) => Type::Fixed64s,
            (Self::Tensor, 7 | 10 | 11 | 13 | 16 | 17) => Type::Varints,
            (Self::Shape, 2) => Type::Message(Self::Dim),
            (Self::Shape, 3) => Type::Varint,
            (Self::Dim, 1) => Type::Varint,
            (Self::Dim, 2) => Type::Text,
            (Self::Metadata, 1) => Type::Message(Self::PluginData),
            (Self::Metadata, 2 | 3) => Type::Text,
            (Self::Metadata, 4) => Type::Varint,
            (Self::PluginData, 1) => Type::Text,
            (Self::PluginData, 2) => Type::Bytes,
            _ => return None,
        })
    }
}

/// Whether `bytes` are a message of `kind`, `depth` messages above the limit.
pub(super) fn is_message(kind: Kind, mut bytes: &[u8], depth: u32) -> bool {
    while !bytes.is_empty() {
        let Some(field) = next_field(&mut bytes, depth) else {
            return false;
        };
        let Some(fit) = kind.field(field.number) else {
            continue;
        };
        let is_fit = match (fit, field.value) {
            (Type::Varint | Type::Varints, Value::Varint(_))
            | (Type::Fixed64 | Type::Fixed64s, Value::Fixed64(_))
            | (Type::Fixed32 | Type::Fixed32s, Value::Fixed32(_))
            | (Type::Bytes, Value::Bytes(_)) => true,
            (Type::Text, Value::Bytes(text)) => str::from_utf8(text).is_ok(),
            (Type::Message(kind), Value::Bytes(bytes)) => is_message(kind, bytes, depth - 1),
            (Type::Varints, Value::Bytes(row)) => is_row_of_varints(row),
            (Type::Fixed64s, Value::Bytes(row)) => row.len().is_multiple_of(8),
            (Type::Fixed32s, Value::Bytes(row)) => row.len().is_multiple_of(4),
            _ => false,
        };
        if !is_fit {
            return false;
        }
    }
    true
}

fn is_row_of_varints(mut row: &[u8]) -> bool {
    while !row.is_empty() {
        if varint(&mut row).is_none() {
            return false;
        }
    }
    true
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) value: Value<'a>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    /// Older than proto3, and never looked into.
    Group,
    Fixed32(u32),
}

/// Takes the first field from `bytes`; `None` if it is none, or there is none.
#[inline]
pub(super) fn next_field<'a>(bytes: &mut &'a [u8], depth: u32) -> Option<Field<'a>> {
    let (number, wire_type) = key(bytes)?;
    let value = match wire_type {
        0 => Value::Varint(varint(bytes)?),
        1 => Value::Fixed64(u64::from_le_bytes(array(bytes)?)),
        2 => {
            let count = usize::try_from(varint(bytes)?).ok()?;
            let (value, rest) = bytes.split_at_checked(count)?;
            *bytes = rest;
            Value::Bytes(value)
        }
        3 => {
            skip_group(bytes, number, depth)?;
            Value::Group
        }
        5 => Value::Fixed32(u32::from_le_bytes(array(bytes)?)),
        _ => return None,
    };
    Some(Field { number, value })
}

/// Passes over the rest of group `number`, and the groups in it.
#[cold]
fn skip_group(bytes: &mut &[u8], number: u32, depth: u32) -> Option<()> {
    loop {
        let mut ahead = *bytes;
        let (inner, wire_type) = key(&mut ahead)?;
        if wire_type == 4 {
            *bytes = ahead;
            return (inner == number).then_some(());
        }
        // The field itself counts as deep as its group's content.
        let depth = depth.checked_sub(1).filter(|depth| *depth > 0)?;
        next_field(bytes, depth)?;
    }
}

/// The number and the wire type of a field.
#[inline]
fn key(bytes: &mut &[u8]) -> Option<(u32, u32)> {
    let key = u32::try_from(varint(bytes)?).ok()?;
    let number = key >> 3;
    (number > 0).then_some((number, key & 7))
}

#[inline]
fn array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*array)
}

/// A number of up to ten bytes of seven bits each.
#[inline]
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    // Most are one byte: keys, and lengths.
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        *bytes = rest;
        return Some(first.into());
    }
    long_varint(bytes)
}

fn long_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for (i, &byte) in bytes.iter().take(10).enumerate() {
        // The tenth byte has the 64th bit.
        if i == 9 && byte > 1 {
            return None;
        }
        number |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *bytes = &bytes[i + 1..];
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_has_at_most_64_bits_and_ten_bytes() {
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        type Case<'a> = (&'a [u8], Option<(u64, usize)>);
        let cases: [Case<'_>; 8] = [
            (b"", None),
            (b"\x7f\x01", Some((127, 1))),
            (b"\x96\x01", Some((150, 2))),
            (b"\x80\0", Some((0, 2))), // longer than it need be
            (b"\x96", None),
            (&max, Some((u64::MAX, 10))),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", None),
            (b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", None),
        ];
        for (bytes, want) in cases {
            let mut rest = bytes;
            let got = varint(&mut rest).map(|number| (number, bytes.len() - rest.len()));
            assert_eq!(got, want, "{bytes:x?}");
        }
    }

    #[test]
    fn a_field_of_each_wire_type_is_taken_whole() {
        let mut bytes: &[u8] =
            b"\x08\x96\x01\x11\x01\0\0\0\0\0\0\0\x1a\x02hi\x23\x08\x01\x24\x2d\x02\0\0\0";
        let mut got = Vec::new();
        while let Some(field) = next_field(&mut bytes, MAX_DEPTH) {
            got.push(format!("{} {:?}", field.number, field.value));
        }
        assert_eq!(
            got,
            [
                "1 Varint(150)",
                "2 Fixed64(1)",
                "3 Bytes([104, 105])",
                "4 Group",
                "5 Fixed32(2)"
            ]
        );
        assert!(bytes.is_empty());
    }

    #[test]
    fn what_is_no_field_is_refused() {
        let cases: [&[u8]; 9] = [
            b"\x08",                                         // no number
            b"\x0d\0\0\0",                                   // three bytes of four
            b"\x0a\x05hi",                                   // two bytes of five
            b"\x0e\0",                                       // wire type 6
            b"\0\0",                                         // field 0
            b"\x88\x80\x80\x80\x10\0",                       // a key of 33 bits
            b"\x0c",                                         // the end of no group
            b"\x0b\x14",                                     // the end of another group
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", // 2^64 - 1 bytes
        ];
        for bytes in cases {
            let mut rest = bytes;
            assert!(next_field(&mut rest, MAX_DEPTH).is_none(), "{bytes:x?}");
        }
    }
}
