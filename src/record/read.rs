//! Reads records from a stream, and continues where the stream ended.

use std::io::{self, Read};
use std::ops::Range;

use byteorder::{ByteOrder, LittleEndian};

use super::frame::{FOOTER_BYTES, HEADER_BYTES, MaskedCrc};
use super::recover::Skip;
use crate::error::{Error, Part, Result};

/// Protobuf allows no larger message, so no event is larger.
const DEFAULT_MAX_RECORD_BYTES: u64 = i32::MAX as u64;
/// Read at a time.
const READ_BYTES: usize = 64 << 10;
/// The buffer grows at most this far ahead of the bytes that arrived, so that an announced length alone takes no memory.
const GROW_BYTES: usize = 1 << 20;

/// Reads records from any stream, including one that is still being written.
///
/// When the stream ends, within a record or between two, the result is `Ok(None)`; the same call continues once there
/// is more. The checksums are always checked.
///
/// ```
/// use summary_writer::record::{RecordReader, append_frame};
///
/// let mut file = Vec::new();
/// append_frame(b"payload", &mut file);
///
/// let mut reader = RecordReader::new(&file[..]);
/// assert_eq!(reader.next_record()?, Some(&b"payload"[..]));
/// assert_eq!(reader.next_record()?, None);
/// # Ok::<(), summary_writer::Error>(())
/// ```
#[doc(alias = "TFRecordDataset")]
#[doc(alias = "tf_record_iterator")]
#[derive(Debug)]
pub struct RecordReader<R> {
    source: R,
    max_record_bytes: u64,
    /// `buffer[start..end]` was read and not yet returned; `start <= end <= buffer.len()`.
    pub(super) buffer: Vec<u8>,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The payload of the last record, if the last call found one.
    payload: Range<usize>,
    /// The offset of `start` in the stream.
    offset: u64,
    /// The damage after which the next record is unknown.
    damage: Option<Error>,
    /// The damage that [`advance_or_skip`](Self::advance_or_skip) has not yet skipped to its end.
    pub(super) skip: Option<Skip>,
}

impl<R: Read> RecordReader<R> {
    /// Reads from `source`, which needs no buffer of its own.
    pub fn new(source: R) -> Self {
        Self {
            source,
            max_record_bytes: DEFAULT_MAX_RECORD_BYTES,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            payload: 0..0,
            offset: 0,
            damage: None,
            skip: None,
        }
    }

    /// Refuses records with a longer payload. Default: 2 GiB - 1, the limit of a protobuf message.
    ///
    /// Memory follows the bytes that arrive, not the announced length, with or without this limit.
    #[must_use]
    pub fn max_record_bytes(mut self, limit: u64) -> Self {
        self.max_record_bytes = limit;
        self
    }

    /// The offset of the next record, in bytes from the start of the stream.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next payload, or `None` while there is no whole record.
    ///
    /// # Errors
    /// - [`Error::Corrupt`] in [`Part::Payload`]: the record is skipped, and the next call reads the one after it.
    /// - [`Error::Corrupt`] in [`Part::Length`] and [`Error::TooLarge`]: the start of the next record is unknown or too
    ///   far away; every later call returns the same error.
    /// - [`Error::Io`]: the source failed; the next call reads from it again.
    pub fn next_record(&mut self) -> Result<Option<&[u8]>> {
        Ok(if self.advance()? {
            Some(self.payload())
        } else {
            None
        })
    }

    /// Like [`next_record`](Self::next_record), but leaves the payload in [`payload`](Self::payload).
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<bool> {
        self.payload = 0..0;
        if let Some(damage) = &self.damage {
            return Err(damage.clone());
        }
        match self.check_frame() {
            Ok(Some(frame_bytes)) => {
                self.accept(frame_bytes);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => Err(self.after_error(error)),
        }
    }

    #[cold]
    fn after_error(&mut self, error: Error) -> Error {
        match error {
            Error::Io { .. } => {}
            Error::Corrupt {
                part: Part::Payload,
                ..
            } => self.pass(self.frame_bytes(0).unwrap_or_default()),
            _ => self.damage = Some(error.clone()),
        }
        error
    }

    /// The payload of the last record.
    #[inline]
    pub(crate) fn payload(&self) -> &[u8] {
        &self.buffer[self.payload.clone()]
    }

    /// The frame of the last record; empty if the last call found none.
    pub(crate) fn frame(&self) -> &[u8] {
        let Range { start, end } = self.payload;
        if end == 0 {
            return &[];
        }
        &self.buffer[start - HEADER_BYTES..end + FOOTER_BYTES]
    }

    /// Reads the frame at `start` and returns its length; `None` if the stream ends within it.
    #[inline]
    pub(super) fn check_frame(&mut self) -> Result<Option<usize>> {
        if !self.fill(HEADER_BYTES)? {
            return Ok(None);
        }
        let Some(frame_bytes) = self.frame_bytes(0) else {
            return Err(self.length_error());
        };
        if !self.fill(frame_bytes)? {
            return Ok(None);
        }
        let (got, want) = self.payload_crcs(0, frame_bytes);
        if got == want {
            return Ok(Some(frame_bytes));
        }
        Err(Error::Corrupt {
            offset: self.offset,
            part: Part::Payload,
            got: got.0,
            want: want.0,
        })
    }

    /// Takes the frame at `start` as the last record.
    #[inline]
    pub(super) fn accept(&mut self, frame_bytes: usize) {
        self.payload = self.start + HEADER_BYTES..self.start + frame_bytes - FOOTER_BYTES;
        self.pass(frame_bytes);
    }

    pub(super) fn clear_payload(&mut self) {
        self.payload = 0..0;
    }

    #[inline]
    pub(super) fn pass(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// The length of the frame whose header is `ahead` bytes after `start`; `None` if the header is damaged or the frame
    /// too long.
    #[inline]
    pub(super) fn frame_bytes(&self, ahead: usize) -> Option<usize> {
        let header = &self.buffer[self.start + ahead..][..HEADER_BYTES];
        let len = LittleEndian::read_u64(header);
        // The cheap comparison comes first, because a search for a record tests every byte.
        if len > self.limit() || MaskedCrc::of_length(len).0 != LittleEndian::read_u32(&header[8..])
        {
            return None;
        }
        Some(HEADER_BYTES + usize::try_from(len).ok()? + FOOTER_BYTES)
    }

    /// The longest payload that is accepted, and that memory can address.
    #[inline]
    fn limit(&self) -> u64 {
        let addressable = usize::MAX / 2 - HEADER_BYTES - FOOTER_BYTES;
        self.max_record_bytes.min(addressable as u64)
    }

    #[cold]
    fn length_error(&self) -> Error {
        let header = &self.buffer[self.start..][..HEADER_BYTES];
        let len = LittleEndian::read_u64(header);
        let got = MaskedCrc::of_length(len).0;
        let want = LittleEndian::read_u32(&header[8..]);
        if got == want {
            return Error::TooLarge {
                offset: self.offset,
                len,
                limit: self.limit(),
            };
        }
        Error::Corrupt {
            offset: self.offset,
            part: Part::Length,
            got,
            want,
        }
    }

    /// The checksum of the payload of a frame `ahead` bytes after `start`, and the one that the frame states.
    #[inline]
    pub(super) fn payload_crcs(&self, ahead: usize, frame_bytes: usize) -> (MaskedCrc, MaskedCrc) {
        let frame = &self.buffer[self.start + ahead..][..frame_bytes];
        let (rest, footer) = frame.split_at(frame_bytes - FOOTER_BYTES);
        let want = MaskedCrc(LittleEndian::read_u32(footer));
        (MaskedCrc::compute(&rest[HEADER_BYTES..]), want)
    }

    /// Reads until the buffer holds `count` bytes from `start` on; `false` if the source ends before.
    #[inline]
    pub(super) fn fill(&mut self, count: usize) -> Result<bool> {
        while self.end - self.start < count {
            if !self.read(count)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads once, towards `count` bytes from `start` on; `false` if the source ends.
    #[cold]
    fn read(&mut self, count: usize) -> Result<bool> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let missing = count - self.end;
        let room = self.end + missing.clamp(READ_BYTES, GROW_BYTES);
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        // Not beyond a large record: the beginning of the next one would have to be moved.
        let room = self.buffer.len().min(self.end + missing.max(READ_BYTES));
        loop {
            match self.source.read(&mut self.buffer[self.end..room]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::stream("read a record", error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::append_frame;
    use crate::test_io::Script;

    fn frames(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for payload in payloads {
            append_frame(payload, &mut bytes);
        }
        bytes
    }

    /// The version record of a stock writer: `Event { wall_time: 1700000000.0, file_version: "brain.Event:2" }`.
    const STOCK: &[u8] = b"\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22\
        \x09\0\0\0\x40\xfc\x54\xd9\x41\x1a\x0dbrain.Event:2\xec\xed\x8f\x9d";

    #[test]
    fn reads_a_record_of_another_writer() {
        let mut reader = RecordReader::new(STOCK);
        assert_eq!(reader.next_record().unwrap(), Some(&STOCK[12..36]));
        assert_eq!(reader.offset(), 40);
        assert_eq!(reader.next_record().unwrap(), None);
    }

    #[test]
    fn continues_a_file_that_is_cut_at_any_byte() {
        let payloads: [&[u8]; 3] = [b"first", b"", b"third"];
        let bytes = frames(&payloads);
        for cut in 0..=bytes.len() {
            let mut reader = RecordReader::new(Script::new([&bytes[..cut], &bytes[cut..]]));
            let mut got = Vec::new();
            let mut ends = 0;
            while ends < 2 {
                match reader.next_record().unwrap() {
                    Some(payload) => got.push(payload.to_vec()),
                    None => ends += 1,
                }
            }
            assert_eq!(got, payloads, "cut at byte {cut}");
        }
    }

    #[test]
    fn an_error_names_the_part_and_offset_of_every_flipped_bit() {
        let bytes = frames(&[b"first", b"second", b"third"]);
        let (start, end) = (5 + 16, 5 + 16 + 6 + 16); // of the second record
        for bit in start * 8..end * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut reader = RecordReader::new(&damaged[..]);
            assert_eq!(reader.next_record().unwrap(), Some(&b"first"[..]));
            let in_length = bit / 8 < start + 12;
            for _ in 0..if in_length { 3 } else { 1 } {
                match reader.next_record() {
                    Err(Error::Corrupt {
                        offset,
                        part,
                        got,
                        want,
                    }) => {
                        assert_eq!(offset, start as u64, "bit {bit}");
                        assert_eq!(part == Part::Length, in_length, "bit {bit}");
                        assert_ne!(got, want, "bit {bit}");
                    }
                    other => panic!("bit {bit}: {other:?}"),
                }
            }
            if !in_length {
                assert_eq!(
                    reader.next_record().unwrap(),
                    Some(&b"third"[..]),
                    "bit {bit}"
                );
            }
        }
    }

    #[test]
    fn a_large_record_is_read_in_place_and_small_ones_in_blocks() {
        /// Notes how much each call returned.
        struct Calls<'a>(&'a [u8], Vec<usize>);
        impl Read for Calls<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.0.read(buffer)?;
                self.1.push(count);
                Ok(count)
            }
        }

        let large = vec![7; GROW_BYTES / 2];
        let small = vec![7; 100];
        let mut bytes = frames(&[&large, &large, &large]);
        for _ in 0..1000 {
            append_frame(&small, &mut bytes); // 116 bytes, 113 KiB in all
        }
        let mut reader = RecordReader::new(Calls(&bytes, Vec::new()));
        for want in [&large, &large, &large] {
            assert_eq!(reader.next_record().unwrap(), Some(&want[..]));
        }
        let rest = large.len() + HEADER_BYTES + FOOTER_BYTES - READ_BYTES;
        let of_large = [READ_BYTES, rest];
        assert_eq!(reader.source.1, of_large.repeat(3));
        for i in 0..1000 {
            assert_eq!(reader.next_record().unwrap(), Some(&small[..]), "{i}");
        }
        assert_eq!(reader.source.1[6..], [READ_BYTES, 116_000 - READ_BYTES]);
    }

    #[test]
    fn refuses_a_length_above_the_limit_and_accepts_one_at_it() {
        let bytes = frames(&[b"12345"]);
        let mut reader = RecordReader::new(&bytes[..]).max_record_bytes(5);
        assert_eq!(reader.next_record().unwrap(), Some(&b"12345"[..]));

        let mut reader = RecordReader::new(&bytes[..]).max_record_bytes(4);
        for _ in 0..2 {
            let error = reader.next_record().unwrap_err();
            assert_eq!(
                error.to_string(),
                "record at byte 0 has 5 bytes, the limit is 4"
            );
        }
    }

    #[test]
    fn an_announced_length_takes_no_memory_before_its_bytes_arrive() {
        // A sound header that announces 2^30 bytes, and nothing after it.
        let mut bytes = (1u64 << 30).to_le_bytes().to_vec();
        bytes.extend(MaskedCrc::compute(&bytes).0.to_le_bytes());
        let mut reader = RecordReader::new(&bytes[..]).max_record_bytes(u64::MAX);
        assert_eq!(reader.next_record().unwrap(), None);
        assert!(reader.buffer.len() <= HEADER_BYTES + GROW_BYTES);
    }

    #[test]
    fn reads_from_a_source_again_after_its_error() {
        let bytes = frames(&[b"payload"]);
        let script = Script::new([&bytes[..9], &bytes[9..]]).failing_between();
        let mut reader = RecordReader::new(script);
        assert_eq!(
            reader.next_record().unwrap_err().to_string(),
            "could not read a record"
        );
        assert_eq!(reader.next_record().unwrap(), Some(&b"payload"[..]));
    }
}
