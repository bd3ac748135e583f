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
