//! TFRecord, the container format of event files.
//!
//! A file is a sequence of frames, without a file header or an index. A frame is a payload with its length and two
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
//! [`RecordWriter`] and [`RecordReader`] work on any stream and any payload, so they also write and read other TFRecord
//! files than TensorBoard's. Such a file may be compressed as a whole (`Compression`, with the feature `flate2`). An
//! event file is never compressed, because stock TensorBoard cannot read it then.

#[cfg(feature = "flate2")]
mod compression;
mod frame;
mod read;
mod recover;
mod write;

pub use crate::error::Part;
#[cfg(feature = "flate2")]
pub use compression::{Compression, Decoder, Encoder};
pub use frame::append_frame;
pub(crate) use frame::{FOOTER_BYTES, HEADER_BYTES, enclose, frame_start, payloads, seal};
pub use read::RecordReader;
pub(crate) use recover::{Fault, Segment};
pub use write::RecordWriter;
