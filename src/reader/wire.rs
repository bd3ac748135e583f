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
    pub(super) const fn field(self, number: u32) -> Option<Type> {
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

    /// What a field with this key has to be.
    const fn check(self, key: u32) -> Check {
        match (self.field(key >> 3), key & 7) {
            (None, _) => Check::Any,
            (Some(Type::Varint | Type::Varints), 0) => Check::Varint,
            (Some(Type::Fixed64 | Type::Fixed64s), 1) => Check::Fixed64,
            (Some(Type::Fixed32 | Type::Fixed32s), 5) => Check::Fixed32,
            (Some(Type::Bytes), 2) => Check::Bytes,
            (Some(Type::Text), 2) => Check::Text,
            (Some(Type::Message(kind)), 2) => Check::Message(kind),
            (Some(Type::Varints), 2) => Check::Varints,
            (Some(Type::Fixed64s), 2) => Check::Fixed64s,
            (Some(Type::Fixed32s), 2) => Check::Fixed32s,
            _ => Check::Unfit,
        }
    }
}

/// What is to be seen to behind a key.
#[derive(Clone, Copy)]
enum Check {
    Any,
    Unfit,
    Varint,
    Fixed64,
    Fixed32,
    Bytes,
    Text,
    Message(Kind),
    Varints,
    Fixed64s,
    Fixed32s,
}

const KINDS: [Kind; 14] = [
    Kind::Event,
    Kind::SourceMetadata,
    Kind::SessionLog,
    Kind::TaggedRunMetadata,
    Kind::Summary,
    Kind::Value,
    Kind::Image,
    Kind::Audio,
    Kind::Histogram,
    Kind::Tensor,
    Kind::Shape,
    Kind::Dim,
    Kind::Metadata,
    Kind::PluginData,
];

/// Of each kind, in the order of `KINDS`, the check of each key of one byte: nearly all that there are.
static CHECKS: [[Check; 128]; KINDS.len()] = {
    let mut checks = [[Check::Any; 128]; KINDS.len()];
    let mut i = 0;
    while i < KINDS.len() {
        assert!(KINDS[i] as usize == i);
        let mut key = 0;
        while key < 128 {
            checks[i][key as usize] = KINDS[i].check(key);
            key += 1;
        }
        i += 1;
    }
    checks
};

/// The fields of a message that are left. Whatever a call asks for is taken from the front; `None` if it is not there.
#[derive(Clone, Copy, Default)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The number and the wire type of a field: `number << 3 | type`.
    #[inline]
    pub(super) fn key(&mut self) -> Option<u32> {
        let key = u32::try_from(self.varint()?).ok()?;
        (key >= 8).then_some(key)
    }

    /// A number of up to ten bytes of seven bits each.
    #[inline]
    pub(super) fn varint(&mut self) -> Option<u64> {
        // Most are one byte: keys, and lengths.
        match *self.0 {
            [byte @ 0..0x80, ref rest @ ..] => {
                self.0 = rest;
                Some(byte.into())
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for i in 0..10 {
            let byte = *self.0.get(i)?;
            number |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                self.0 = &self.0[i + 1..];
                // The tenth byte has the 64th bit.
                return (i < 9 || byte == 1).then_some(number);
            }
        }
        None
    }

    /// A number of fixed size, in little-endian order.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    /// A string, a message, or a row of numbers, which is behind its length.
    #[inline]
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.varint()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Passes over fields up to the next one that has `key`, a message or a string, and takes that.
    #[inline]
    pub(super) fn next_bytes(&mut self, key: u32) -> Option<&'a [u8]> {
        while !self.0.is_empty() {
            match self.key()? {
                got if got == key => return self.bytes(),
                other => self.skip(other, MAX_DEPTH)?,
            }
        }
        None
    }

    /// Passes over what is behind `key` in a message of `kind`, `depth` messages above the limit; `None` if it is not what
    /// such a message has there.
    pub(super) fn check(&mut self, kind: Kind, key: u32, depth: u32) -> Option<()> {
        let checks = &CHECKS[kind as usize];
        let check = match usize::try_from(key).ok().and_then(|key| checks.get(key)) {
            Some(check) => *check,
            None => kind.check(key),
        };
        match check {
            Check::Any => self.skip(key, depth)?,
            Check::Unfit => return None,
            Check::Varint => drop(self.varint()?),
            Check::Fixed64 => drop(self.array::<8>()?),
            Check::Fixed32 => drop(self.array::<4>()?),
            Check::Bytes => drop(self.bytes()?),
            Check::Text => {
                let text = self.bytes()?;
                if !text.is_ascii() {
                    str::from_utf8(text).ok()?;
                }
            }
            Check::Message(kind) => Fields(self.bytes()?).check_all(kind, depth - 1)?,
            Check::Varints => {
                let mut row = Fields(self.bytes()?);
                while !row.0.is_empty() {
                    row.varint()?;
                }
            }
            Check::Fixed64s => self.check_row(8)?,
            Check::Fixed32s => self.check_row(4)?,
        }
        Some(())
    }

    fn check_all(&mut self, kind: Kind, depth: u32) -> Option<()> {
        while !self.0.is_empty() {
            let key = self.key()?;
            self.check(kind, key, depth)?;
        }
        Some(())
    }

    fn check_row(&mut self, width: usize) -> Option<()> {
        self.bytes()?.len().is_multiple_of(width).then_some(())
    }

    /// What is behind `key`, `depth` messages and groups above the limit.
    #[inline]
    pub(super) fn skip(&mut self, key: u32, depth: u32) -> Option<()> {
        match key & 7 {
            0 => drop(self.varint()?),
            1 => drop(self.array::<8>()?),
            2 => drop(self.bytes()?),
            3 => self.skip_group(key, depth)?,
            5 => drop(self.array::<4>()?),
            _ => return None,
        }
        Some(())
    }

    /// The rest of a group, which is older than proto3 and never looked into.
    #[cold]
    fn skip_group(&mut self, key: u32, depth: u32) -> Option<()> {
        loop {
            let inner = self.key()?;
            if inner & 7 == 4 {
                return (inner >> 3 == key >> 3).then_some(());
            }
            let depth = depth.checked_sub(1).filter(|depth| *depth > 0)?;
            self.skip(inner, depth)?;
        }
    }
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
            let mut rest = Fields(bytes);
            let got = rest
                .varint()
                .map(|number| (number, bytes.len() - rest.0.len()));
            assert_eq!(got, want, "{bytes:x?}");
        }
    }

    /// The numbers of the fields that can be passed over, and whether these are all.
    fn numbers(bytes: &[u8]) -> (Vec<u32>, bool) {
        let mut fields = Fields(bytes);
        let mut numbers = Vec::new();
        while let Some(key) = fields.key() {
            if fields.skip(key, MAX_DEPTH).is_none() {
                return (numbers, false);
            }
            numbers.push(key >> 3);
        }
        (numbers, fields.0.is_empty())
    }

    #[test]
    fn a_field_of_each_wire_type_is_passed_over_whole() {
        let bytes =
            b"\x08\x96\x01\x11\x01\0\0\0\0\0\0\0\x1a\x02hi\x23\x08\x01\x24\x2d\x02\0\0\0\x82\x01\0";
        assert_eq!(numbers(bytes), (vec![1, 2, 3, 4, 5, 16], true));
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
            assert_eq!(numbers(bytes), (vec![], false), "{bytes:x?}");
        }
    }
}
