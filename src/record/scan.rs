//! A stream of bytes, damaged anywhere, to its sound frames and what lies between them.
//!
//! Behind damage the next sound record is looked for at every byte: where a header agrees with its checksum, and the
//! payload that it announces with its own. Each byte is read once, and the time is linear in them whatever they are: a
//! file can be full of headers that announce much, so the checksum of a long range is not computed from its bytes but
//! from two checksums of all that stands before its ends.

use std::collections::VecDeque;
use std::io::{self, Read};

use super::crc::MaskedCrc;
use super::{FOOTER_BYTES, HEADER_BYTES};
use crate::error::{Error, Result};

/// The most that protobuf allows a message to have: what no event can be larger than.
const MAX_RECORD_BYTES: u64 = i32::MAX as u64;
/// Read at a time, and the most that the buffer grows ahead of bytes that really arrived.
const READ_BYTES: usize = 64 << 10;
const GROW_BYTES: usize = 1 << 20;
/// The distance of the checksums of all that stands before.
const MARK_BYTES: usize = 1 << 10;
/// From here on two of them and the bytes to the next are less work than the bytes of the range.
const LONG_BYTES: usize = 8 << 10;

/// Reads all of a stream, which ends where it first says so.
#[derive(Debug)]
pub(crate) struct Scanner<R> {
    source: R,
    is_at_end: bool,
    /// `buffer[start..end]` is not yet passed; `start <= end <= buffer.len()`. Before `start` there is all from the last
    /// mark on.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Of `start`, from the first byte of the stream.
    offset: u64,
    /// The length of the last sound frame, which ends at `start`.
    last_frame_bytes: usize,
    /// What is left to say at the end.
    unfinished: Option<Piece>,
    /// Checksums of all bytes before each multiple of [`MARK_BYTES`], from the one at or before `start` to the one at or
    /// before `end`.
    marks: VecDeque<u32>,
    /// Of all bytes before `end`.
    crc: u32,
}

/// What stands in a stream at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A sound record. [`Scanner::frame`] has it until the next call.
    Record { offset: u64 },
    /// Bytes that are no sound record, up to the next one or to the end.
    Damage {
        offset: u64,
        bytes: u64,
        fault: Fault,
    },
    /// The beginning of a record at the end of the stream, without another behind it.
    Unfinished { offset: u64, bytes: u64 },
}

/// Why bytes are no sound record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The length disagrees with its checksum, or is more than a record may have.
    Length,
    /// The payload disagrees with its checksum.
    Payload,
    /// A header announces more than there is, and other records follow all the same.
    Cut,
    /// All bytes are zero.
    Zeros,
}

impl<R: Read> Scanner<R> {
    /// Reads from `source`, which needs no buffer of its own.
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            is_at_end: false,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            last_frame_bytes: 0,
            unfinished: None,
            marks: VecDeque::from([0]),
            crc: 0,
        }
    }

    /// What comes next, or `None` at the end of the stream.
    ///
    /// # Errors
    /// [`Error::Io`] if the source refuses.
    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>> {
        if let Some(unfinished) = self.unfinished.take() {
            return Ok(Some(unfinished));
        }
        let offset = self.offset;
        self.last_frame_bytes = 0;
        if !self.fill(HEADER_BYTES)? {
            let bytes = self.pass_rest();
            return Ok((bytes > 0).then_some(Piece::Unfinished { offset, bytes }));
        }
        let Some(frame_bytes) = self.announced(0) else {
            return self.lost_length().map(Some);
        };
        if !self.fill(frame_bytes)? {
            let is_followed = self.find_record()?.0;
            let bytes = self.offset - offset;
            return Ok(Some(if is_followed {
                let fault = Fault::Cut;
                Piece::Damage {
                    offset,
                    bytes,
                    fault,
                }
            } else {
                Piece::Unfinished { offset, bytes }
            }));
        }
        if self.is_sound(frame_bytes) {
            self.pass(frame_bytes);
            self.last_frame_bytes = frame_bytes;
            return Ok(Some(Piece::Record { offset }));
        }
        // The record ends where it says if another one begins there; if not, it may be cut, with others in its place.
        let is_followed =
            self.fill(frame_bytes + HEADER_BYTES)? && self.announced(frame_bytes).is_some();
        if is_followed {
            self.pass(frame_bytes);
        } else if !self.find_record()?.0 {
            // Then it is not cut. What is left of the next header is the beginning of that one.
            let end = offset + frame_bytes as u64;
            let rest = self.offset - end;
            if rest < HEADER_BYTES as u64 {
                self.unfinished = (rest > 0).then_some(Piece::Unfinished {
                    offset: end,
                    bytes: rest,
                });
                return Ok(Some(Piece::Damage {
                    offset,
                    bytes: end - offset,
                    fault: Fault::Payload,
                }));
            }
        }
        Ok(Some(Piece::Damage {
            offset,
            bytes: self.offset - offset,
            fault: Fault::Payload,
        }))
    }

    /// The frame of the last [`Piece::Record`].
    pub(crate) fn frame(&self) -> &[u8] {
        &self.buffer[self.start - self.last_frame_bytes..self.start]
    }

    /// The payload of the last [`Piece::Record`].
    pub(crate) fn payload(&self) -> &[u8] {
        let frame = self.frame();
        let end = frame.len().saturating_sub(FOOTER_BYTES);
        frame.get(HEADER_BYTES..end).unwrap_or_default()
    }

    fn lost_length(&mut self) -> Result<Piece> {
        let offset = self.offset;
        let (_, is_zero) = self.find_record()?;
        Ok(Piece::Damage {
            offset,
            bytes: self.offset - offset,
            fault: if is_zero { Fault::Zeros } else { Fault::Length },
        })
    }

    /// Passes at least one byte, and all before the next sound record or the end. Says whether there is one, and whether
    /// what was passed is zeros.
    fn find_record(&mut self) -> Result<(bool, bool)> {
        let mut is_zero = true;
        loop {
            is_zero &= self.buffer[self.start] == 0;
            self.pass(1);
            if !self.fill(HEADER_BYTES)? {
                is_zero &= self.buffer[self.start..self.end].iter().all(|&b| b == 0);
                self.pass_rest();
                return Ok((false, is_zero));
            }
            if let Some(frame_bytes) = self.announced(0)
                && self.fill(frame_bytes)?
                && self.is_sound(frame_bytes)
            {
                return Ok((true, is_zero));
            }
        }
    }

    /// The length of the frame whose header stands `ahead` bytes behind `start`, if it is one.
    fn announced(&self, ahead: usize) -> Option<usize> {
        let header = &self.buffer[self.start + ahead..][..HEADER_BYTES];
        let len = u64::from(le_u32(header)) | u64::from(le_u32(&header[4..])) << 32;
        // The cheap test comes first: this is asked at every byte of a damaged stretch.
        if len > MAX_RECORD_BYTES || MaskedCrc::of_length(len) != MaskedCrc(le_u32(&header[8..])) {
            return None;
        }
        Some(HEADER_BYTES + usize::try_from(len).ok()? + FOOTER_BYTES)
    }

    /// Whether the payload of the frame at `start`, which is in the buffer, agrees with its checksum.
    fn is_sound(&self, frame_bytes: usize) -> bool {
        let (from, to) = (
            self.start + HEADER_BYTES,
            self.start + frame_bytes - FOOTER_BYTES,
        );
        let got = if to - from < LONG_BYTES {
            MaskedCrc::of(&self.buffer[from..to])
        } else {
            MaskedCrc::of_last(to - from, self.crc_before(to), self.crc_before(from))
        };
        got == MaskedCrc(le_u32(&self.buffer[to..]))
    }

    /// The checksum of all bytes of the stream before `buffer[at]`, which is not before `start`.
    fn crc_before(&self, at: usize) -> u32 {
        let first_mark = self.start - self.since_mark();
        let mark = (at - first_mark) / MARK_BYTES;
        let from = first_mark + mark * MARK_BYTES;
        crc32c::crc32c_append(self.marks[mark], &self.buffer[from..at])
    }

    /// How far `start` is behind the last mark.
    fn since_mark(&self) -> usize {
        // The remainder is less than `MARK_BYTES`.
        usize::try_from(self.offset % MARK_BYTES as u64).unwrap_or_default()
    }

    fn pass(&mut self, bytes: usize) {
        let marks = (self.since_mark() + bytes) / MARK_BYTES;
        self.marks.drain(..marks);
        self.start += bytes;
        self.offset += bytes as u64;
    }

    fn pass_rest(&mut self) -> u64 {
        let bytes = self.end - self.start;
        self.pass(bytes);
        bytes as u64
    }

    /// Reads until `count` bytes stand from `start` on; `false` if the stream ends before.
    fn fill(&mut self, count: usize) -> Result<bool> {
        while self.end - self.start < count {
            if self.is_at_end {
                return Ok(false);
            }
            // What is moved is never more than what was passed since the last time, so all moves together are linear.
            let passed = self.start - self.since_mark();
            if passed >= self.end - passed {
                self.buffer.copy_within(passed..self.end, 0);
                self.start -= passed;
                self.end -= passed;
            }
            let missing = count - (self.end - self.start);
            let room = self.end + missing.clamp(READ_BYTES, GROW_BYTES);
            if self.buffer.len() < room {
                self.buffer.resize(room, 0);
            }
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.is_at_end = true,
                Ok(read) => self.take(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::stream("read", error)),
            }
        }
        Ok(true)
    }

    /// Adds `count` bytes that were read behind `end`, with their marks.
    fn take(&mut self, count: usize) {
        let last = self.end + count;
        // `end` is as far behind a mark as `start`, and as it is behind `start`.
        let mut since_mark = (self.since_mark() + self.end - self.start) % MARK_BYTES;
        while self.end < last {
            let step = (MARK_BYTES - since_mark).min(last - self.end);
            self.crc = crc32c::crc32c_append(self.crc, &self.buffer[self.end..self.end + step]);
            self.end += step;
            since_mark += step;
            if since_mark == MARK_BYTES {
                self.marks.push_back(self.crc);
                since_mark = 0;
            }
        }
    }
}

/// The first four bytes of `bytes`, which has them.
fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::append_frame;

    const PAYLOADS: [&[u8]; 5] = [b"first", b"", b"third", b"the fourth record", b"5"];

    fn frames(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for payload in payloads {
            append_frame(payload, &mut bytes);
        }
        bytes
    }

    /// Where each of [`PAYLOADS`] begins, and where the last one ends.
    fn edges() -> Vec<usize> {
        let ends = PAYLOADS.iter().scan(0, |at, payload| {
            *at += 16 + payload.len();
            Some(*at)
        });
        [0].into_iter().chain(ends).collect()
    }

    #[test]
    fn a_damaged_payload_before_an_unfinished_record_costs_its_own_record_only() {
        let bytes = frames(&PAYLOADS);
        let edges = edges();
        for rest in 0..16 {
            let mut damaged = bytes[..edges[3] + rest].to_vec();
            damaged[edges[2] + 13] ^= 1;
            let (payloads, others) = scan(&damaged[..]);
            assert_eq!(payloads, PAYLOADS[..2], "{rest} bytes of the next");
            let mut want = vec![Piece::Damage {
                offset: edges[2] as u64,
                bytes: 21,
                fault: Fault::Payload,
            }];
            want.extend((rest > 0).then_some(Piece::Unfinished {
                offset: edges[3] as u64,
                bytes: rest as u64,
            }));
            assert_eq!(others, want, "{rest} bytes of the next");
        }
    }

    /// A source that gives `step` bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// The payloads, and the pieces that are none.
    fn scan(source: impl Read) -> (Vec<Vec<u8>>, Vec<Piece>) {
        let mut scanner = Scanner::new(source);
        let (mut payloads, mut others) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(piece) = scanner.next_piece().unwrap() {
            let (offset, bytes) = match piece {
                Piece::Record { offset } => {
                    payloads.push(scanner.payload().to_vec());
                    (offset, scanner.frame().len() as u64)
                }
                Piece::Damage { offset, bytes, .. } | Piece::Unfinished { offset, bytes } => {
                    others.push(piece);
                    (offset, bytes)
                }
            };
            assert_eq!(offset, at, "a piece begins where the last one ends");
            assert!(bytes > 0);
            at += bytes;
        }
        assert_eq!(scanner.next_piece().unwrap(), None);
        (payloads, others)
    }

    #[test]
    fn a_file_that_is_cut_at_any_byte_has_the_whole_records_before() {
        let bytes = frames(&PAYLOADS);
        let edges = edges();
        for cut in 0..=bytes.len() {
            let whole = edges.iter().filter(|&&edge| edge <= cut).count() - 1;
            let (payloads, others) = scan(&bytes[..cut]);
            assert_eq!(payloads, PAYLOADS[..whole], "cut at byte {cut}");
            let rest = cut - edges[whole];
            let want = (rest > 0).then_some(Piece::Unfinished {
                offset: edges[whole] as u64,
                bytes: rest as u64,
            });
            assert_eq!(others, Vec::from_iter(want), "cut at byte {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_costs_one_record_wherever_it_is() {
        let bytes = frames(&PAYLOADS);
        let edges = edges();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let hit = edges.iter().filter(|&&edge| edge <= bit / 8).count() - 1;
            let mut want: Vec<_> = PAYLOADS.iter().map(|payload| payload.to_vec()).collect();
            want.remove(hit);
            let piece = Piece::Damage {
                offset: edges[hit] as u64,
                bytes: (edges[hit + 1] - edges[hit]) as u64,
                fault: match bit / 8 - edges[hit] {
                    0..12 => Fault::Length,
                    _ => Fault::Payload,
                },
            };
            for step in [1, 7, usize::MAX] {
                let got = scan(Slow(&damaged, step));
                assert_eq!(got, (want.clone(), vec![piece]), "bit {bit}, step {step}");
            }
        }
    }

    #[test]
    fn bytes_that_are_missing_or_too_many_cost_the_records_that_they_hit() {
        let bytes = frames(&PAYLOADS);
        let edges = edges();
        let lines = |from: usize, to: usize| {
            PAYLOADS[from..to]
                .iter()
                .map(|payload| payload.to_vec())
                .collect::<Vec<_>>()
        };
        for cut in 1..edges[4] {
            // One record is torn at `cut`, and the file goes on with the last one.
            let torn = [&bytes[..cut], &bytes[edges[4]..]].concat();
            let whole = edges.iter().filter(|&&edge| edge <= cut).count() - 1;
            let (payloads, others) = scan(&torn[..]);
            let want = [lines(0, whole), lines(4, 5)].concat();
            assert_eq!(payloads, want, "torn at byte {cut}");
            assert_eq!(others.len(), usize::from(cut > edges[whole]), "{cut}");
            // Foreign bytes stand before it.
            let foreign = [&bytes[..cut], b"what is this", &bytes[cut..]].concat();
            let mut want = lines(0, 5);
            if cut > edges[whole] {
                want.remove(whole);
            }
            assert_eq!(scan(&foreign[..]).0, want, "foreign bytes at {cut}");
        }
    }

    #[test]
    fn a_torn_record_whose_length_reaches_beyond_the_end_hides_nothing() {
        let mut bytes = frames(&[&[7; 1000]]);
        bytes.truncate(500);
        bytes.extend(frames(&PAYLOADS));
        let (payloads, others) = scan(&bytes[..]);
        assert_eq!(payloads, PAYLOADS);
        let piece = Piece::Damage {
            offset: 0,
            bytes: 500,
            fault: Fault::Cut,
        };
        assert_eq!(others, [piece]);
    }

    #[test]
    fn zeros_are_told_from_other_damage() {
        for (zeros, follows) in [(12, false), (100_000, false), (1, true), (100_000, true)] {
            let mut bytes = frames(&[b"first"]);
            bytes.extend(vec![0; zeros]);
            if follows {
                bytes.extend(frames(&[b"second"]));
            }
            let piece = Piece::Damage {
                offset: 21,
                bytes: zeros as u64,
                fault: Fault::Zeros,
            };
            assert_eq!(scan(&bytes[..]).1, [piece], "{zeros} zeros");
        }
    }

    #[test]
    fn records_of_any_length_are_found_behind_damage() {
        // Around the lengths where the checksum of a range is taken from those of its ends.
        for len in [0, 1, 1023, 1024, 8191, 8192, 8193, 100_000, 3 << 20] {
            let long: Vec<u8> = (0..len).map(|i: usize| (i % 251) as u8).collect();
            for before in [1, 13, 1011, 1012, 1013, 5000] {
                let mut bytes = vec![0xff; before];
                bytes.extend(frames(&[&long, b"next"]));
                for step in [4099, usize::MAX] {
                    let (payloads, others) = scan(Slow(&bytes, step));
                    assert!(payloads == [&long[..], b"next"], "{len} behind {before}");
                    assert_eq!(others.len(), 1);
                }
                let last = bytes.len() - 25;
                bytes[last] ^= 1;
                assert_eq!(scan(&bytes[..]).0, [b"next"], "{len} behind {before}");
            }
        }
    }

    #[test]
    fn a_header_that_announces_more_than_an_event_can_have_is_damage() {
        let mut bytes = (1u64 << 45).to_le_bytes().to_vec();
        bytes.extend(MaskedCrc::of(&bytes).0.to_le_bytes());
        bytes.extend(frames(&PAYLOADS));
        let (payloads, others) = scan(&bytes[..]);
        assert_eq!(payloads, PAYLOADS);
        assert_eq!(others.len(), 1);
    }

    /// Each header announces all that follows and a byte of the next record, so that it is not taken for a record which is
    /// followed by another: taken byte by byte, this is 2^15 payloads of 192 KiB on average.
    #[test]
    fn headers_that_announce_all_that_follows_take_linear_time() {
        let count = 1u64 << 15;
        let mut bytes = Vec::new();
        for i in 0..count {
            let len = (count - i - 1) * 12 + 1;
            bytes.extend(len.to_le_bytes());
            bytes.extend(MaskedCrc::of_length(len).0.to_le_bytes());
        }
        bytes.extend(frames(&PAYLOADS));
        assert_eq!(scan(&bytes[..]).0, PAYLOADS);
    }
}
