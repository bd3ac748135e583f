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

#[cfg(feature = "flate2")]
mod compression;
mod crc;
mod encode;
mod read;

#[cfg(feature = "flate2")]
pub use compression::{Compression, Decoder, Encoder};
pub(crate) use encode::seal;
pub use encode::{RecordWriter, append_frame};
pub use read::RecordReader;

/// The length and its checksum.
pub(crate) const HEADER_BYTES: usize = 12;
/// The payload's checksum.
pub(crate) const FOOTER_BYTES: usize = 4;

/// Where the frame begins that has the byte at `position`; `frames` holds whole frames, end to end.
pub(crate) fn frame_start(frames: &[u8], position: usize) -> usize {
    let mut start = 0;
    while let Some(&len) = frames[start..].first_chunk() {
        // Framed from a slice, so the length fits.
        let payload_bytes = usize::try_from(u64::from_le_bytes(len)).unwrap_or(usize::MAX);
        let end = start
            .saturating_add(HEADER_BYTES + FOOTER_BYTES)
            .saturating_add(payload_bytes);
        if end > position {
            break;
        }
        start = end;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

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
