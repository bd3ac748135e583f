//! Records in a compressed stream: the whole file is one GZIP or ZLIB stream with the frames inside.

use std::fmt;
use std::io::{self, Read, Write};

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

use super::{RecordReader, RecordWriter};
use crate::error::{Error, Result};

/// How a TFRecord file is compressed as a whole. The names are those of TensorFlow's options. Needs the feature `flate2`,
/// which is a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// `GZIP`: a gzip file.
    Gzip,
    /// `ZLIB`: a zlib stream.
    Zlib,
}

impl<R: Read> RecordReader<Decoder<R>> {
    /// Reads records from a compressed stream. The stream must be complete: unlike a plain one it cannot be continued.
    /// Needs the feature `flate2`, which is a default.
    ///
    /// ```
    /// use summary_writer::record::{Compression, RecordReader, RecordWriter};
    ///
    /// let mut writer = RecordWriter::compressed(Vec::new(), Compression::Gzip);
    /// writer.write(b"payload")?;
    /// let file = writer.finish()?.finish()?;
    ///
    /// let mut reader = RecordReader::compressed(&file[..], Compression::Gzip);
    /// assert_eq!(reader.next_record()?, Some(&b"payload"[..]));
    /// # Ok::<(), summary_writer::Error>(())
    /// ```
    pub fn compressed(source: R, compression: Compression) -> Self {
        Self::new(Decoder(match compression {
            Compression::Gzip => Decode::Gzip(MultiGzDecoder::new(source)),
            Compression::Zlib => Decode::Zlib(ZlibDecoder::new(source)),
        }))
    }
}

impl<W: Write> RecordWriter<Encoder<W>> {
    /// Writes records into a compressed stream, which is complete after [`RecordWriter::finish`] and
    /// [`Encoder::finish`]. Needs the feature `flate2`, which is a default.
    pub fn compressed(sink: W, compression: Compression) -> Self {
        let level = flate2::Compression::default();
        Self::new(Encoder(match compression {
            Compression::Gzip => Encode::Gzip(GzEncoder::new(sink, level)),
            Compression::Zlib => Encode::Zlib(ZlibEncoder::new(sink, level)),
        }))
    }
}

/// The stream inside a compressed file, for [`RecordReader::compressed`]. Needs the feature `flate2`, which is a default.
pub struct Decoder<R>(Decode<R>);

enum Decode<R> {
    Gzip(MultiGzDecoder<R>),
    Zlib(ZlibDecoder<R>),
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Decode::Gzip(decoder) => decoder.read(buffer),
            Decode::Zlib(decoder) => decoder.read(buffer),
        }
    }
}

/// The compressing stream of [`RecordWriter::compressed`]. Needs the feature `flate2`, which is a default.
pub struct Encoder<W: Write>(Encode<W>);

enum Encode<W: Write> {
    Gzip(GzEncoder<W>),
    Zlib(ZlibEncoder<W>),
}

impl<W: Write> Encoder<W> {
    /// Ends the stream and returns its sink.
    ///
    /// # Errors
    /// [`Error::Io`] if the sink fails; the sink is lost then.
    pub fn finish(self) -> Result<W> {
        match self.0 {
            Encode::Gzip(encoder) => encoder.finish(),
            Encode::Zlib(encoder) => encoder.finish(),
        }
        .map_err(|source| Error::stream("end the compressed stream", source))
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Encode::Gzip(encoder) => encoder.write(bytes),
            Encode::Zlib(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Encode::Gzip(encoder) => encoder.flush(),
            Encode::Zlib(encoder) => encoder.flush(),
        }
    }
}

impl<R> fmt::Debug for Decoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Decode::Gzip(_) => "Decoder(Gzip)",
            Decode::Zlib(_) => "Decoder(Zlib)",
        })
    }
}

impl<W: Write> fmt::Debug for Encoder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Encode::Gzip(_) => "Encoder(Gzip)",
            Encode::Zlib(_) => "Encoder(Zlib)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results of Python's `gzip.compress(frame, mtime=0)` and `zlib.compress(frame)` for the frame of `b"payload"`.
    const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x63\x67\x80\x80\xdd\xd7\xe7\x0b\x16\x24\x56\xe6\xe4\x27\xa6\xcc\xbb\x92\x52\x0a\x00\x78\xde\x9e\x02\x17\x00\x00\x00";
    const ZLIB: &[u8] = b"\x78\x9c\x63\x67\x80\x80\xdd\xd7\xe7\x0b\x16\x24\x56\xe6\xe4\x27\xa6\xcc\xbb\x92\x52\x0a\x00\x3d\xfd\x07\x7f";

    #[test]
    fn reads_what_another_program_compressed() {
        for (compression, file) in [(Compression::Gzip, GZIP), (Compression::Zlib, ZLIB)] {
            let mut reader = RecordReader::compressed(file, compression);
            assert_eq!(
                reader.next_record().unwrap(),
                Some(&b"payload"[..]),
                "{compression:?}"
            );
            assert_eq!(reader.next_record().unwrap(), None, "{compression:?}");
        }
    }

    #[test]
    fn a_cut_or_foreign_stream_is_an_error_not_an_end() {
        for (compression, file) in [
            (Compression::Gzip, &GZIP[..GZIP.len() - 9]),
            (Compression::Zlib, &ZLIB[..ZLIB.len() - 9]),
            (Compression::Gzip, ZLIB),
            (Compression::Zlib, b"\x18\0\0\0\0\0\0\0"),
        ] {
            let mut reader = RecordReader::compressed(file, compression);
            // A reader may return the record before it notices a cut in the last bytes.
            let error = reader
                .next_record()
                .map(|_| ())
                .and_then(|()| reader.next_record());
            assert!(
                matches!(error, Err(Error::Io { .. })),
                "{compression:?}: {error:?}"
            );
        }
    }

    #[test]
    fn many_records_are_read_back_from_each_stream() {
        for compression in [Compression::Gzip, Compression::Zlib] {
            let mut writer = RecordWriter::compressed(Vec::new(), compression);
            for i in 0..1000u32 {
                writer.write(&i.to_le_bytes()).unwrap();
            }
            let file = writer.finish().unwrap().finish().unwrap();
            let mut reader = RecordReader::compressed(&file[..], compression);
            for i in 0..1000u32 {
                assert_eq!(
                    reader.next_record().unwrap(),
                    Some(&i.to_le_bytes()[..]),
                    "{i}"
                );
            }
            assert_eq!(reader.next_record().unwrap(), None);
        }
    }
}
