//! TFRecord, the container of event files: bytes to frames and back.
//!
//! A file is frames end to end, without a header or an index. A frame is a payload between its length and two
//! checksums:
//!
//! ```text
//! offset  size  field
//!      0     8  payload length n, u64 little-endian
//!      8     4  masked CRC-32C of those 8 bytes
//!     12     n  payload
//!   12+n     4  masked CRC-32C of the payload
//! ```
//!
//! [`RecordWriter`] and [`RecordReader`] work on any stream, also for other TFRecord files than TensorBoard's. Such a
//! file may be compressed as a whole (`Compression`, with the feature `flate2`); an event file never is, for
//! stock TensorBoard does not read it.
//!
//! What a payload means is not known here.

use std::iter;

#[cfg(feature = "flate2")]
mod compression;
mod crc;
mod encode;
mod read;
mod scan;

#[cfg(feature = "flate2")]
pub use compression::{Compression, Decoder, Encoder};
pub use encode::{RecordWriter, append_frame};
pub(crate) use encode::{enclose, seal};
pub use read::RecordReader;
pub(crate) use scan::{Fault, Piece, Scanner};

/// The length and its checksum.
pub(crate) const HEADER_BYTES: usize = 12;
/// The payload's checksum.
pub(crate) const FOOTER_BYTES: usize = 4;

/// The payloads of `frames`, which holds whole frames, end to end.
pub(crate) fn payloads(frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = frames;
    iter::from_fn(move || {
        let (frame, behind) = rest.split_at_checked(first_frame_bytes(rest)?)?;
        rest = behind;
        frame.get(HEADER_BYTES..frame.len() - FOOTER_BYTES)
    })
}

/// Where the frame begins that has the byte at `position`; `frames` holds whole frames, end to end.
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
    let payload_bytes = u64::from_le_bytes(*frames.first_chunk()?);
    // Framed from a slice, so the length fits.
    let bytes = usize::try_from(payload_bytes).ok()?;
    bytes.checked_add(HEADER_BYTES + FOOTER_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        // 16 bytes around each payload.
        for (position, want) in [(0, 0), (15, 0), (16, 16), (36, 16), (37, 37), (352, 37)] {
            assert_eq!(frame_start(&frames, position), want, "byte {position}");
        }
    }
}
