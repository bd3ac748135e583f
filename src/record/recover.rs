//! Finds the next sound record after damage.
//!
//! After damage every byte may be the start of the next record: a header that agrees with its checksum, followed by a
//! payload that agrees with its own. The search reads each byte once, and takes linear time in any file that was not made
//! to provoke more: a wrong header passes its checksum once in 2^32 bytes.

use std::io::Read;

use super::RecordReader;
use super::frame::HEADER_BYTES;
use crate::error::{Error, Part, Result};

/// A part of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// A sound record. The reader has its payload and its frame until the next call.
    Record { offset: u64 },
    /// Bytes that are no sound record, up to the next one or the end.
    Damage {
        offset: u64,
        bytes: u64,
        fault: Fault,
    },
    /// The beginning of a record at the end of the stream, without another record after it.
    Unfinished { bytes: u64 },
}

/// Why bytes are no sound record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The length disagrees with its checksum, or is larger than the limit.
    Length,
    /// The payload disagrees with its checksum.
    Payload,
    /// A header announces more bytes than there are, although other records follow.
    Truncated,
    /// All bytes are zero.
    Zeros,
}

/// Damage whose end is not found yet.
#[derive(Debug)]
pub(super) struct Skip {
    offset: u64,
    fault: Fault,
    is_zero: bool,
}

impl Skip {
    /// The damage, if it ends at `end`.
    fn until(&self, end: u64, is_zero: bool) -> Segment {
        Segment::Damage {
            offset: self.offset,
            bytes: end - self.offset,
            fault: match self.fault {
                Fault::Length if is_zero => Fault::Zeros,
                fault => fault,
            },
        }
    }
}

impl<R: Read> RecordReader<R> {
    /// Reads the next record like [`advance`](Self::advance), but skips damage and returns it as a segment. `None` is the
    /// end of the stream for now; [`tail`](Self::tail) says what is left there.
    ///
    /// # Errors
    /// [`Error::Io`]: the source failed; the next call reads from it again.
    pub(crate) fn advance_or_skip(&mut self) -> Result<Option<Segment>> {
        self.clear_payload();
        if self.skip.is_none() {
            let offset = self.offset();
            match self.check_frame() {
                Ok(Some(frame_bytes)) => {
                    self.accept(frame_bytes);
                    return Ok(Some(Segment::Record { offset }));
                }
                // The record is unfinished, unless sound ones follow it.
                Ok(None) => {
                    return Ok(self
                        .find_buffered()
                        .map(|at| self.damage(at, Fault::Truncated)));
                }
                Err(Error::Corrupt {
                    part: Part::Payload,
                    ..
                }) => {
                    if let Some(bytes) = self.damaged_frame()? {
                        return Ok(Some(self.damage(bytes, Fault::Payload)));
                    }
                    self.start_skip(Fault::Payload);
                }
                Err(Error::Corrupt { .. } | Error::TooLarge { .. }) => {
                    self.start_skip(Fault::Length);
                }
                Err(error) => return Err(error),
            }
        }
        if !self.find_record()? {
            return Ok(None);
        }
        let end = self.offset();
        Ok(self.skip.take().map(|skip| skip.until(end, skip.is_zero)))
    }

    /// What is left at the end of the stream, after [`advance_or_skip`](Self::advance_or_skip) returned `None`.
    pub(crate) fn tail(&self) -> Option<Segment> {
        let rest = &self.buffer[self.start..self.end];
        match &self.skip {
            Some(skip) => {
                let is_zero = skip.is_zero && rest.iter().all(|&byte| byte == 0);
                Some(skip.until(self.offset() + rest.len() as u64, is_zero))
            }
            None => (!rest.is_empty()).then_some(Segment::Unfinished {
                bytes: rest.len() as u64,
            }),
        }
    }

    fn damage(&mut self, bytes: usize, fault: Fault) -> Segment {
        let offset = self.offset();
        self.pass(bytes);
        Segment::Damage {
            offset,
            bytes: bytes as u64,
            fault,
        }
    }

    fn start_skip(&mut self, fault: Fault) {
        self.skip = Some(Skip {
            offset: self.offset(),
            fault,
            is_zero: true,
        });
        self.skip_bytes(1);
    }

    /// The length of the damage at `start`, a frame whose payload is wrong. The frame ends where it says if another one
    /// begins there. Otherwise the result is `None`: it may be cut, with other records in its place.
    fn damaged_frame(&mut self) -> Result<Option<usize>> {
        let Some(frame_bytes) = self.frame_bytes(0) else {
            return Ok(None);
        };
        if self.fill(frame_bytes + HEADER_BYTES)? {
            return Ok(self.frame_bytes(frame_bytes).map(|_| frame_bytes));
        }
        // The stream ends before the next header does.
        Ok(Some(self.find_buffered().unwrap_or(frame_bytes)))
    }

    /// Goes to the next sound record; `false` if the stream ends before. A later call continues the search.
    fn find_record(&mut self) -> Result<bool> {
        while self.fill(HEADER_BYTES)? {
            if let Some(frame_bytes) = self.frame_bytes(0) {
                if !self.fill(frame_bytes)? {
                    let Some(bytes) = self.find_buffered() else {
                        return Ok(false);
                    };
                    self.skip_bytes(bytes);
                    return Ok(true);
                }
                let (got, want) = self.payload_crcs(0, frame_bytes);
                if got == want {
                    return Ok(true);
                }
            }
            self.skip_bytes(1);
        }
        Ok(false)
    }

    fn skip_bytes(&mut self, bytes: usize) {
        if let Some(skip) = &mut self.skip {
            let skipped = &self.buffer[self.start..][..bytes];
            skip.is_zero = skip.is_zero && skipped.iter().all(|&byte| byte == 0);
        }
        self.pass(bytes);
    }

    /// The distance from `start` to the first sound record after it that is all in the buffer.
    fn find_buffered(&self) -> Option<usize> {
        let buffered = self.end - self.start;
        (1..(buffered + 1).saturating_sub(HEADER_BYTES)).find(|&ahead| {
            self.frame_bytes(ahead).is_some_and(|frame_bytes| {
                frame_bytes <= buffered - ahead && {
                    let (got, want) = self.payload_crcs(ahead, frame_bytes);
                    got == want
                }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::record::append_frame;
    use crate::test_io::Script;

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

    /// The payloads, and the pieces that are no records.
    fn scan(source: impl Read) -> (Vec<Vec<u8>>, Vec<Segment>) {
        let mut reader = RecordReader::new(source);
        let (mut payloads, mut others) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(segment) = reader.advance_or_skip().unwrap() {
            let (offset, bytes) = match segment {
                Segment::Record { offset } => {
                    payloads.push(reader.payload().to_vec());
                    (offset, reader.frame().len() as u64)
                }
                Segment::Damage { offset, bytes, .. } => {
                    others.push(segment);
                    (offset, bytes)
                }
                Segment::Unfinished { .. } => panic!("{segment:?} before the end"),
            };
            assert_eq!(offset, at, "a segment begins where the last one ends");
            assert!(bytes > 0);
            at += bytes;
        }
        others.extend(reader.tail());
        (payloads, others)
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
            let mut want = vec![Segment::Damage {
                offset: edges[2] as u64,
                bytes: 21,
                fault: Fault::Payload,
            }];
            want.extend((rest > 0).then_some(Segment::Unfinished { bytes: rest as u64 }));
            assert_eq!(others, want, "{rest} bytes of the next");
        }
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
            let want = (rest > 0).then_some(Segment::Unfinished { bytes: rest as u64 });
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
            let segment = Segment::Damage {
                offset: edges[hit] as u64,
                bytes: (edges[hit + 1] - edges[hit]) as u64,
                fault: match bit / 8 - edges[hit] {
                    0..12 => Fault::Length,
                    _ => Fault::Payload,
                },
            };
            for step in [1, 7, usize::MAX] {
                let got = scan(Slow(&damaged, step));
                assert_eq!(got, (want.clone(), vec![segment]), "bit {bit}, step {step}");
            }
        }
    }

    #[test]
    fn bytes_that_are_missing_or_too_many_cost_the_records_that_they_hit() {
        let bytes = frames(&PAYLOADS);
        let edges = edges();
        let records = |from: usize, to: usize| {
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
            let want = [records(0, whole), records(4, 5)].concat();
            assert_eq!(payloads, want, "torn at byte {cut}");
            assert_eq!(others.len(), usize::from(cut > edges[whole]), "{cut}");
            // Foreign bytes are in the file at `cut`.
            let foreign = [&bytes[..cut], b"what is this", &bytes[cut..]].concat();
            let mut want = records(0, 5);
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
        let segment = Segment::Damage {
            offset: 0,
            bytes: 500,
            fault: Fault::Truncated,
        };
        assert_eq!(others, [segment]);
    }

    #[test]
    fn damage_of_zeros_only_is_reported_as_zeros() {
        for (zeros, follows) in [(12, false), (100_000, false), (1, true), (100_000, true)] {
            let mut bytes = frames(&[b"first"]);
            bytes.extend(vec![0; zeros]);
            if follows {
                bytes.extend(frames(&[b"second"]));
            }
            let segment = Segment::Damage {
                offset: 21,
                bytes: zeros as u64,
                fault: Fault::Zeros,
            };
            assert_eq!(scan(&bytes[..]).1, [segment], "{zeros} zeros");
        }
    }

    #[test]
    fn records_of_any_length_are_found_after_damage() {
        for len in [0, 1, 1023, 100_000, 3 << 20] {
            let long: Vec<u8> = (0..len).map(|i: usize| (i % 251) as u8).collect();
            for before in [1, 13, 5000] {
                let mut bytes = vec![0xff; before];
                bytes.extend(frames(&[&long, b"next"]));
                for step in [4099, usize::MAX] {
                    let (payloads, others) = scan(Slow(&bytes, step));
                    assert!(payloads == [&long[..], b"next"], "{len} after {before}");
                    assert_eq!(others.len(), 1);
                }
                let last = bytes.len() - 25;
                bytes[last] ^= 1;
                assert_eq!(scan(&bytes[..]).0, [b"next"], "{len} after {before}");
            }
        }
    }

    #[test]
    fn a_header_that_announces_more_than_an_event_can_have_is_damage() {
        // The length 2^45, and its masked CRC-32C.
        let mut bytes = vec![0, 0, 0, 0, 0, 0x20, 0, 0];
        bytes.extend(
            crc32c::crc32c(&bytes)
                .rotate_right(15)
                .wrapping_add(0xa282_ead8)
                .to_le_bytes(),
        );
        bytes.extend(frames(&PAYLOADS));
        let (payloads, others) = scan(&bytes[..]);
        assert_eq!(payloads, PAYLOADS);
        assert_eq!(others.len(), 1);
    }

    #[test]
    fn memory_does_not_grow_with_the_damage() {
        // An xorshift generator: no byte sequence repeats.
        let mut state = 1u64;
        let noise = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        });
        for damage in [vec![0; 1 << 20], noise.take(1 << 20).collect()] {
            let bytes = [damage, frames(&[b"next"])].concat();
            let mut reader = RecordReader::new(&bytes[..]);
            let segment = reader.advance_or_skip().unwrap();
            assert!(
                matches!(
                    segment,
                    Some(Segment::Damage {
                        bytes: 1_048_576,
                        ..
                    })
                ),
                "{segment:?}"
            );
            reader.advance_or_skip().unwrap();
            assert_eq!(reader.payload(), b"next");
            assert!(reader.buffer.len() <= 128 << 10, "{}", reader.buffer.len());
        }
    }

    #[test]
    fn a_search_continues_when_the_stream_grows() {
        let mut bytes = frames(&PAYLOADS);
        bytes[0] ^= 1;
        let edges = edges();
        // The first record is damaged, and the stream ends once at `cut`.
        for cut in 12..bytes.len() {
            let mut reader = RecordReader::new(Script::new([&bytes[..cut], &bytes[cut..]]));
            let (mut payloads, mut damage, mut ends) = (Vec::new(), Vec::new(), 0);
            while ends < 2 {
                match reader.advance_or_skip().unwrap() {
                    Some(Segment::Record { .. }) => payloads.push(reader.payload().to_vec()),
                    Some(segment) => damage.push(segment),
                    None => ends += 1,
                }
            }
            assert_eq!(payloads, PAYLOADS[1..], "{cut}");
            let want = Segment::Damage {
                offset: 0,
                bytes: edges[1] as u64,
                fault: Fault::Length,
            };
            assert_eq!((damage, reader.tail()), (vec![want], None), "{cut}");
        }
    }
}
