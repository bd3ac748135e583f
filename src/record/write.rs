//! Writes records to a stream.

use std::io::{self, Write};

use super::frame::append_frame;
use crate::error::{Error, Result};

/// Writes records to any stream, on the caller's thread.
///
/// For training data use [`SummaryWriter`](crate::SummaryWriter), which does not let its caller wait for a disk.
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
#[doc(alias = "TFRecordWriter")]
#[derive(Debug)]
pub struct RecordWriter<W: Write> {
    sink: W,
    /// Frames that the sink has not taken yet, from `written` on. They are kept after a failure, because nothing may
    /// follow a torn record.
    pending: Vec<u8>,
    written: usize,
}

impl<W: Write> RecordWriter<W> {
    /// Writes to `sink`, with one `write` call for each record. Wrap a file in a [`BufWriter`](std::io::BufWriter).
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
    /// [`Error::Io`] if the sink fails. The record is kept, and the next call continues at the byte where the sink
    /// stopped: do not write the record again.
    pub fn write(&mut self, payload: &[u8]) -> Result<()> {
        append_frame(payload, &mut self.pending);
        self.write_pending()
    }

    /// Writes what a failure left over and flushes the sink.
    ///
    /// # Errors
    /// [`Error::Io`] if the sink fails.
    pub fn flush(&mut self) -> Result<()> {
        self.write_pending()?;
        self.sink
            .flush()
            .map_err(|source| Error::stream("flush the sink", source))
    }

    /// Flushes and returns the sink.
    ///
    /// # Errors
    /// [`Error::Io`] if the sink fails; the sink is lost then.
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

    #[test]
    fn continues_at_the_byte_where_the_sink_stopped() {
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
