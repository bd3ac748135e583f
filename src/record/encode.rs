//! Payloads to frames, appended to a buffer or written to a stream.

use std::io::{self, Write};
use std::mem;

use super::crc::MaskedCrc;
use super::{FOOTER_BYTES, HEADER_BYTES, first_frame_bytes};
use crate::error::{Error, Result};

/// Appends `payload` to `out` as one frame: 16 bytes more than it has.
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

/// Makes a frame of the room that was left around a payload, but for its checksums: `frame` is [`HEADER_BYTES`], the payload,
/// and [`FOOTER_BYTES`]. A record is so built in its place.
pub(crate) fn enclose(frame: &mut [u8]) {
    let payload_bytes = frame.len() - HEADER_BYTES - FOOTER_BYTES;
    frame[..8].copy_from_slice(&(payload_bytes as u64).to_le_bytes());
}

/// Fills in the checksums of frames that are [enclosed](enclose), end to end.
pub(crate) fn seal(mut frames: &mut [u8]) {
    while let Some(bytes) = first_frame_bytes(frames)
        && let Some((frame, behind)) = mem::take(&mut frames).split_at_mut_checked(bytes)
    {
        frames = behind;
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
    header[..8].copy_from_slice(&len.to_le_bytes());
    header[8..].copy_from_slice(&MaskedCrc::of_length(len).0.to_le_bytes());
    header
}

fn footer(payload: &[u8]) -> [u8; FOOTER_BYTES] {
    MaskedCrc::of(payload).0.to_le_bytes()
}

/// Writes records to any stream: general TFRecord output, on the caller's thread.
///
/// For training data use [`SummaryWriter`](crate::SummaryWriter), which does not make its caller wait.
///
/// ```
/// use summary_writer::record::{RecordReader, RecordWriter};
///
/// let mut writer = RecordWriter::new(Vec::new());
/// writer.write(b"first")?;
/// writer.write(b"second")?;
/// let bytes = writer.finish()?;
///
/// let mut reader = RecordReader::new(&bytes[..]);
/// assert_eq!(reader.next_record()?, Some(&b"first"[..]));
/// assert_eq!(reader.next_record()?, Some(&b"second"[..]));
/// assert_eq!(reader.next_record()?, None);
/// # Ok::<(), summary_writer::Error>(())
/// ```
#[derive(Debug)]
pub struct RecordWriter<W: Write> {
    sink: W,
    /// Frames, and which part of them the sink has taken: nothing may follow a torn record, so a failure keeps the rest.
    pending: Vec<u8>,
    written: usize,
}

impl<W: Write> RecordWriter<W> {
    /// Writes to `sink`, one `write` call a record. Wrap a file in a [`BufWriter`](std::io::BufWriter).
    pub fn new(sink: W) -> Self {
        Self {
            sink,
            pending: Vec::new(),
            written: 0,
        }
    }

    /// Writes `payload` as one record.
    ///
    /// # Errors
    /// [`Error::Io`] if the sink refuses. The record is kept all the same, and the next call goes on at the byte where
    /// the sink stopped: do not write it again.
    pub fn write(&mut self, payload: &[u8]) -> Result<()> {
        append_frame(payload, &mut self.pending);
        self.write_pending()
    }

    /// Writes what a failure left over and flushes the sink.
    ///
    /// # Errors
    /// [`Error::Io`] if the sink refuses.
    pub fn flush(&mut self) -> Result<()> {
        self.write_pending()?;
        self.sink
            .flush()
            .map_err(|source| Error::stream("flush the sink", source))
    }

    /// Flushes, and gives the sink back.
    ///
    /// # Errors
    /// [`Error::Io`] if the sink refuses; the sink is lost then.
    pub fn finish(mut self) -> Result<W> {
        self.flush()?;
        Ok(self.sink)
    }

    fn write_pending(&mut self) -> Result<()> {
        while self.written < self.pending.len() {
            match self.sink.write(&self.pending[self.written..]) {
                Ok(0) => {
                    let error = io::ErrorKind::WriteZero.into();
                    return Err(Error::stream("write a record", error));
                }
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::stream("write a record", error)),
            }
        }
        self.pending.clear();
        self.written = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_io::Tape;

    /// `Event { wall_time: 1.5, step: 7, summary: [{ tag: "loss", simple_value: 0.5 }] }`, assembled by hand from the
    /// wire format; the checksums below from an independent bitwise CRC-32C.
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
        assert_eq!(got[12..38], EVENT[..], "payload, untouched");
        assert_eq!(
            got[38..],
            [0x79, 0xe1, 0x8f, 0xbb],
            "masked CRC of the payload"
        );
    }

    #[test]
    fn seals_records_in_their_places_to_the_same_bytes() {
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
    fn goes_on_at_the_byte_where_the_sink_stopped() {
        let mut want = Vec::new();
        for payload in [&b"first"[..], b"second", b"third"] {
            append_frame(payload, &mut want);
        }
        for stop in 0..want.len() {
            let tape = Tape::new().failing_after(stop);
            let mut writer = RecordWriter::new(tape.clone());
            let refused = [&b"first"[..], b"second", b"third"]
                .into_iter()
                .filter(|payload| writer.write(payload).is_err())
                .count();
            assert!(refused > 0, "stopped at byte {stop}");
            assert_eq!(tape.bytes(), want[..stop], "stopped at byte {stop}");
            tape.recover();
            writer.flush().unwrap();
            assert_eq!(tape.bytes(), want, "stopped at byte {stop}");
        }
    }
}
