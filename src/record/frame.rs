//! One frame: a payload between its length and two checksums.

use std::fmt;
use std::iter;
use std::mem;
use std::sync::LazyLock;

use byteorder::{ByteOrder, LittleEndian};

/// The length and its checksum.
pub(crate) const HEADER_BYTES: usize = 12;
/// The payload's checksum.
pub(crate) const FOOTER_BYTES: usize = 4;

/// Appends `payload` to `out` as one frame, which is 16 bytes longer than the payload.
///
/// ```
/// let mut file = Vec::new();
/// summary_writer::record::append_frame(b"payload", &mut file);
/// assert_eq!(file.len(), 7 + 16);
/// ```
pub fn append_frame(payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(HEADER_BYTES + payload.len() + FOOTER_BYTES);
    out.extend_from_slice(&header(payload.len()));
    out.extend_from_slice(payload);
    out.extend_from_slice(&footer(payload));
}

/// Writes the length of a frame whose payload is already in place: `frame` is [`HEADER_BYTES`], the payload, and
/// [`FOOTER_BYTES`]. [`seal`] adds the checksums later, on the worker.
pub(crate) fn enclose(frame: &mut [u8]) {
    let payload_bytes = frame.len() - HEADER_BYTES - FOOTER_BYTES;
    LittleEndian::write_u64(frame, payload_bytes as u64);
}

/// Writes the checksums of [enclosed](enclose) frames, which lie end to end.
pub(crate) fn seal(mut frames: &mut [u8]) {
    while let Some(bytes) = first_frame_bytes(frames)
        && let Some((frame, rest)) = mem::take(&mut frames).split_at_mut_checked(bytes)
    {
        frames = rest;
        let payload_end = bytes - FOOTER_BYTES;
        let header = header(payload_end - HEADER_BYTES);
        let footer = footer(&frame[HEADER_BYTES..payload_end]);
        frame[..HEADER_BYTES].copy_from_slice(&header);
        frame[payload_end..].copy_from_slice(&footer);
    }
}

fn header(payload_bytes: usize) -> [u8; HEADER_BYTES] {
    let len = payload_bytes as u64;
    let mut header = [0; HEADER_BYTES];
    LittleEndian::write_u64(&mut header[..8], len);
    LittleEndian::write_u32(&mut header[8..], MaskedCrc::of_length(len).0);
    header
}

fn footer(payload: &[u8]) -> [u8; FOOTER_BYTES] {
    let mut footer = [0; FOOTER_BYTES];
    LittleEndian::write_u32(&mut footer, MaskedCrc::compute(payload).0);
    footer
}

/// The payloads of `frames`, which holds whole frames, end to end.
pub(crate) fn payloads(frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = frames;
    iter::from_fn(move || {
        let (frame, after) = rest.split_at_checked(first_frame_bytes(rest)?)?;
        rest = after;
        frame.get(HEADER_BYTES..frame.len() - FOOTER_BYTES)
    })
}

/// The start of the frame that has the byte at `position`; `frames` holds whole frames, end to end.
pub(crate) fn frame_start(frames: &[u8], position: usize) -> usize {
    let mut start = 0;
    while let Some(bytes) = first_frame_bytes(&frames[start..])
        && start + bytes <= position
    {
        start += bytes;
    }
    start
}

#[inline]
fn first_frame_bytes(frames: &[u8]) -> Option<usize> {
    let payload_bytes = LittleEndian::read_u64(frames.first_chunk::<8>()?);
    // The frame was made from a slice, so the length fits.
    let bytes = usize::try_from(payload_bytes).ok()?;
    bytes.checked_add(HEADER_BYTES + FOOTER_BYTES)
}

/// A CRC-32C after TFRecord's mask: `rotate_right(crc, 15) + 0xa282ead8`, modulo 2^32. The mask keeps the checksum of
/// data that contains checksums from being degenerate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct MaskedCrc(pub(super) u32);

impl MaskedCrc {
    #[inline]
    pub(super) fn compute(bytes: &[u8]) -> Self {
        Self(
            crc32c::crc32c(bytes)
                .rotate_right(15)
                .wrapping_add(0xa282_ead8),
        )
    }

    /// The checksum of the eight bytes of a length. Small lengths are looked up: a call of `crc32c` would cost as much
    /// as the checksum of a whole scalar event.
    #[inline]
    pub(super) fn of_length(len: u64) -> Self {
        /// Enough for every event of one scalar whose tag has a usual length.
        static SMALL: LazyLock<[MaskedCrc; 256]> = LazyLock::new(|| {
            std::array::from_fn(|len| MaskedCrc::compute(&(len as u64).to_le_bytes()))
        });
        match usize::try_from(len) {
            Ok(len) if len < 256 => SMALL[len],
            _ => Self::compute(&len.to_le_bytes()),
        }
    }
}

impl fmt::Debug for MaskedCrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Event { wall_time: 1.5, step: 7, summary: [{ tag: "loss", simple_value: 0.5 }] }`, assembled by hand from the
    /// wire format; the checksums below are from an independent bitwise CRC-32C.
    const EVENT: &[u8] =
        b"\x09\0\0\0\0\0\0\xf8\x3f\x10\x07\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\0\x3f";

    #[test]
    fn frames_one_scalar_event_byte_for_byte() {
        let mut got = Vec::new();
        append_frame(EVENT, &mut got);
        assert_eq!(got[..8], [0x1a, 0, 0, 0, 0, 0, 0, 0], "length");
        assert_eq!(
            got[8..12],
            [0x12, 0x9b, 0xd8, 0x2d],
            "masked CRC of the length"
        );
        assert_eq!(got[12..38], EVENT[..], "payload, unchanged");
        assert_eq!(
            got[38..],
            [0x79, 0xe1, 0x8f, 0xbb],
            "masked CRC of the payload"
        );
    }

    #[test]
    fn sealing_frames_in_place_gives_the_same_bytes_as_appending() {
        let (mut got, mut want) = (Vec::new(), Vec::new());
        for len in [0, 1, 26, 255, 256, 70_000] {
            let payload = vec![0xa5; len];
            let mut frame = vec![0xff; HEADER_BYTES + len + FOOTER_BYTES];
            frame[HEADER_BYTES..][..len].copy_from_slice(&payload);
            enclose(&mut frame);
            got.extend(frame);
            append_frame(&payload, &mut want);
        }
        seal(&mut got);
        assert!(got == want);
    }

    #[test]
    fn gives_the_payloads_of_frames() {
        let mut frames = Vec::new();
        let want: [&[u8]; 3] = [b"first", b"", &[7; 300]];
        for payload in want {
            append_frame(payload, &mut frames);
        }
        assert!(payloads(&frames).eq(want));
        assert!(payloads(b"").next().is_none());
    }

    #[test]
    fn finds_the_start_of_the_frame_around_a_byte() {
        let mut frames = Vec::new();
        for payload_bytes in [0, 5, 300] {
            append_frame(&vec![1; payload_bytes], &mut frames);
        }
        // Each frame has 16 bytes more than its payload.
        for (position, want) in [(0, 0), (15, 0), (16, 16), (36, 16), (37, 37), (352, 37)] {
            assert_eq!(frame_start(&frames, position), want, "byte {position}");
        }
    }

    #[test]
    fn checksums_match_the_vectors_of_rfc_3720_after_the_mask() {
        // The RFC gives the CRC-32C of each; the mask was computed separately.
        let rising: Vec<u8> = (0..32).collect();
        let cases: [(&str, &[u8], u32); 5] = [
            ("empty", b"", 0xa282_ead8),
            ("digits", b"123456789", 0xc78a_b0e5),
            ("zeros", &[0; 32], 0x0fd7_fffa),
            ("ones", &[0xff; 32], 0xf909_b029),
            ("0..32", &rising, 0x951f_7892),
        ];
        for (name, bytes, want) in cases {
            assert_eq!(MaskedCrc::compute(bytes), MaskedCrc(want), "{name}");
        }
    }

    #[test]
    fn the_checksum_of_a_length_is_that_of_its_bytes() {
        // From stock files: the version record announces 0x18 bytes, a scalar `loss` 0x1a, its first tensor form 0x2e.
        for (len, want) in [
            (0x18, 0x224b_7fa3),
            (0x1a, 0x2dd8_9b12),
            (0x2e, 0xfa57_cbc5),
        ] {
            assert_eq!(MaskedCrc::of_length(len), MaskedCrc(want), "{len}");
        }
        for len in 0..1000u64 {
            let want = MaskedCrc::compute(&len.to_le_bytes());
            assert_eq!(MaskedCrc::of_length(len), want, "{len}");
        }
    }
}
