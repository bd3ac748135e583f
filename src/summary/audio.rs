//! Audio clips: samples or WAV files, and the value of the audio dashboard.

use prost::Message;
use prost::bytes::BufMut;

use super::check::check_range;
use super::tensor::Tensor;
use super::{Tag, plugin, tensor_value};
use crate::error::{Error, Result};
use crate::proto::audio_plugin_data::Encoding;
use crate::proto::summary::Value;
use crate::proto::summary_metadata::PluginData;
use crate::proto::{AudioPluginData, DataClass};

/// The length of a WAV header of PCM samples.
const HEADER_BYTES: usize = 44;
const SAMPLE_BYTES: u16 = 2;
/// The limit of a record. The limit of WAV is twice as high.
const MAX_FILE_BYTES: usize = i32::MAX as usize;
const MAX_SAMPLES: usize = (MAX_FILE_BYTES - HEADER_BYTES) / SAMPLE_BYTES as usize;
/// A WAV header has 16 bits for the length of a frame, which is one sample of each channel.
const MAX_CHANNELS: u16 = u16::MAX / SAMPLE_BYTES;

/// A sound for [`SummaryWriter::audio`](crate::SummaryWriter::audio).
///
/// The constructors are named after the channels (`mono`, `stereo`, or `interleaved` for any number) and after the type of a
/// sample:
///
/// - `f32` is from -1 to 1. Samples are converted to 16 bits as TensorFlow does it: times 32,768 and rounded, halves away
///   from 0. Samples outside are clipped to -32,768 and 32,767; so is 1 itself. NaN becomes silence.
/// - `i16` is written unchanged.
///
/// The samples are copied. The encoder thread makes a WAV file of 16-bit PCM from them. A sample rate is in hertz, and any
/// rate that a WAV file can state is valid; a clip may be empty. The browser decides what it plays: Chromium plays 3,000 to
/// 768,000 Hz and up to 32 channels.
///
/// ```
/// use std::f32::consts::TAU;
/// use summary_writer::Audio;
/// # let dir = tempfile::tempdir()?;
/// # let summary = summary_writer::SummaryWriter::create_file_writer(dir.path())?;
///
/// let rate_hz = 16_000;
/// let tone: Vec<f32> = (0..rate_hz).map(|i| (TAU * 440.0 * i as f32 / rate_hz as f32).sin()).collect();
/// summary.audio("tone", Audio::mono_f32(rate_hz, &tone)?, 0);
///
/// // Left, right, left, right.
/// summary.audio("click", Audio::stereo_i16(44_100, [0, 0, i16::MAX, 0, 0, 0])?, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Audio(Content);

#[derive(Clone, Debug, PartialEq)]
enum Content {
    F32(Format, Vec<f32>),
    I16(Format, Vec<i16>),
    File(Vec<u8>),
}

impl Audio {
    /// Creates a clip of one channel from samples between -1 and 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the rate is 0 or more than a WAV file can state, or if there are more samples than a record can
    /// hold.
    pub fn mono_f32(sample_rate_hz: u32, samples: impl AsRef<[f32]>) -> Result<Self> {
        Self::interleaved_f32(1, sample_rate_hz, samples)
    }

    /// Creates a clip of two channels from samples between -1 and 1: left, right, left, right.
    ///
    /// # Errors
    /// As for [`mono_f32`](Self::mono_f32); [`Error::Invalid`] if the number of samples is odd.
    pub fn stereo_f32(sample_rate_hz: u32, samples: impl AsRef<[f32]>) -> Result<Self> {
        Self::interleaved_f32(2, sample_rate_hz, samples)
    }

    /// Creates a clip of any number of channels from samples between -1 and 1: the first sample of each channel, then the
    /// second of each.
    ///
    /// # Errors
    /// As for [`mono_f32`](Self::mono_f32); [`Error::Invalid`] if there are 0 or more than 32,767 channels, or if the number
    /// of samples is not a multiple of the number of channels.
    pub fn interleaved_f32(
        channel_count: u16,
        sample_rate_hz: u32,
        samples: impl AsRef<[f32]>,
    ) -> Result<Self> {
        let samples = samples.as_ref();
        let format = Format::new(channel_count, sample_rate_hz, samples.len())?;
        Ok(Self(Content::F32(format, samples.to_vec())))
    }

    /// Creates a clip of one channel from samples of 16 bits.
    ///
    /// # Errors
    /// As for [`mono_f32`](Self::mono_f32).
    pub fn mono_i16(sample_rate_hz: u32, samples: impl AsRef<[i16]>) -> Result<Self> {
        Self::interleaved_i16(1, sample_rate_hz, samples)
    }

    /// Creates a clip of two channels from samples of 16 bits: left, right, left, right.
    ///
    /// # Errors
    /// As for [`stereo_f32`](Self::stereo_f32).
    pub fn stereo_i16(sample_rate_hz: u32, samples: impl AsRef<[i16]>) -> Result<Self> {
        Self::interleaved_i16(2, sample_rate_hz, samples)
    }

    /// Creates a clip of any number of channels from samples of 16 bits: the first sample of each channel, then the second
    /// of each.
    ///
    /// # Errors
    /// As for [`interleaved_f32`](Self::interleaved_f32).
    pub fn interleaved_i16(
        channel_count: u16,
        sample_rate_hz: u32,
        samples: impl AsRef<[i16]>,
    ) -> Result<Self> {
        let samples = samples.as_ref();
        let format = Format::new(channel_count, sample_rate_hz, samples.len())?;
        Ok(Self(Content::I16(format, samples.to_vec())))
    }

    /// Takes a WAV file, which is written unchanged. It may be a streamed file that states no length. Only its headers are
    /// checked, not its samples. The browser decides which encodings it plays: Chromium plays PCM, 32-bit floats, A-law and
    /// µ-law, but not ADPCM.
    ///
    /// ```
    /// use summary_writer::Audio;
    ///
    /// let problem = Audio::wav(b"ID3\x04, as an MP3 begins").unwrap_err();
    /// assert_eq!(problem.to_string(), "WAV file: expected RIFF and WAVE at the start, got 22 other bytes");
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if the file does not begin as a WAV file, if it has no samples after a format, if its format has no
    /// channels or a rate of 0, or if the file is larger than a record.
    pub fn wav(file: impl Into<Vec<u8>>) -> Result<Self> {
        let file = file.into();
        match check_wav(&file) {
            Ok(()) => Ok(Self(Content::File(file))),
            Err(problem) => Err(Error::invalid("WAV file", problem)),
        }
    }

    /// Creates a clip without samples, which a browser shows as a clip of 0 seconds.
    pub(crate) fn empty() -> Self {
        let format = Format {
            channel_count: 1,
            sample_rate_hz: 44_100,
        };
        Self(Content::I16(format, Vec::new()))
    }

    /// The memory that the clip occupies, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            Content::F32(_, samples) => HEADER_BYTES + size_of_val(&samples[..]),
            Content::I16(_, samples) => HEADER_BYTES + size_of_val(&samples[..]),
            Content::File(file) => file.len(),
        }
    }

    /// Returns the file that a browser plays.
    fn encode(self) -> Vec<u8> {
        match self.0 {
            Content::F32(format, samples) => format.encode(samples.into_iter().map(to_i16)),
            Content::I16(format, samples) => format.encode(samples.into_iter()),
            Content::File(file) => file,
        }
    }
}

/// The format of samples that fit into a WAV file.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Format {
    channel_count: u16,
    sample_rate_hz: u32,
}

impl Format {
    fn new(channel_count: u16, sample_rate_hz: u32, sample_count: usize) -> Result<Self> {
        check_range("audio channels", channel_count, 1..=MAX_CHANNELS)?;
        // A WAV header has 32 bits for the bytes of a second.
        let max_rate_hz = u32::MAX / u32::from(channel_count * SAMPLE_BYTES);
        check_range("audio sample rate", sample_rate_hz, 1..=max_rate_hz)?;
        check_range("audio samples", sample_count, 0..=MAX_SAMPLES)?;
        if !sample_count.is_multiple_of(channel_count.into()) {
            let problem = format!(
                "expected a multiple of {channel_count}, one sample per channel, got {sample_count}"
            );
            return Err(Error::invalid("audio samples", problem));
        }
        Ok(Self {
            channel_count,
            sample_rate_hz,
        })
    }

    /// Returns a WAV file of 16-bit PCM.
    #[allow(clippy::cast_possible_truncation, reason = "`new` limits the samples")]
    fn encode(self, samples: impl ExactSizeIterator<Item = i16>) -> Vec<u8> {
        const PCM: u16 = 1;
        let frame_bytes = self.channel_count * SAMPLE_BYTES;
        let data_bytes = samples.len() as u32 * u32::from(SAMPLE_BYTES);
        let mut file = Vec::with_capacity(HEADER_BYTES + data_bytes as usize);
        file.put_slice(b"RIFF");
        file.put_u32_le(36 + data_bytes);
        file.put_slice(b"WAVEfmt ");
        file.put_u32_le(16);
        file.put_u16_le(PCM);
        file.put_u16_le(self.channel_count);
        file.put_u32_le(self.sample_rate_hz);
        file.put_u32_le(self.sample_rate_hz * u32::from(frame_bytes));
        file.put_u16_le(frame_bytes);
        file.put_u16_le(8 * SAMPLE_BYTES);
        file.put_slice(b"data");
        file.put_u32_le(data_bytes);
        samples.for_each(|sample| file.put_i16_le(sample));
        file
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the cast clips, and makes NaN 0"
)]
fn to_i16(sample: f32) -> i16 {
    // Adding a half away from 0 and cutting off is faster than `round`. The sum is exact in `f64`.
    let scaled = f64::from(sample) * 32_768.0;
    (scaled + 0.5_f64.copysign(scaled)) as i16
}

/// Returns why `file` is not a WAV file that a browser may play.
fn check_wav(file: &[u8]) -> Result<(), String> {
    let file_bytes = file.len();
    if file_bytes > MAX_FILE_BYTES {
        return Err(format!(
            "expected at most {MAX_FILE_BYTES} bytes, got {file_bytes}"
        ));
    }
    let mut chunks = match file.split_first_chunk::<12>() {
        Some((head, chunks)) if head.starts_with(b"RIFF") && head.ends_with(b"WAVE") => chunks,
        _ => {
            return Err(format!(
                "expected RIFF and WAVE at the start, got {file_bytes} other bytes"
            ));
        }
    };
    let mut has_format = false;
    while let Some((&[a, b, c, d, len @ ..], rest)) = chunks.split_first_chunk::<8>() {
        let len = usize::try_from(u32::from_le_bytes(len)).unwrap_or(usize::MAX);
        match &[a, b, c, d] {
            b"fmt " => {
                check_wav_format(rest.get(..len).unwrap_or(rest))?;
                has_format = true;
            }
            b"data" if has_format => return Ok(()),
            _ => {}
        }
        // A chunk of an odd length is padded by one byte.
        chunks = rest.get(len.saturating_add(len % 2)..).unwrap_or_default();
    }
    Err("expected a chunk of samples after a format, got none".into())
}

fn check_wav_format(chunk: &[u8]) -> Result<(), String> {
    let Some(&[_, _, c0, c1, r0, r1, r2, r3, ..]) = chunk.first_chunk::<16>() else {
        let given = chunk.len();
        return Err(format!("expected at least 16 bytes of format, got {given}"));
    };
    let channel_count = u16::from_le_bytes([c0, c1]);
    let rate_hz = u32::from_le_bytes([r0, r1, r2, r3]);
    if channel_count == 0 || rate_hz == 0 {
        return Err(format!(
            "expected channels and a sample rate, got {channel_count} channels of {rate_hz} Hz"
        ));
    }
    Ok(())
}

/// The value of the audio dashboard: the clips of one step as WAV files.
///
/// A second column could hold labels. But the dashboard does not show them, and with a data class the Python loader takes
/// them for clips.
pub(crate) fn audios(prefix: &str, tag: &Tag<'_>, clips: Vec<Audio>) -> Result<Value> {
    let content = AudioPluginData {
        version: 0,
        encoding: Encoding::Wav.into(),
    };
    let plugin_data = PluginData {
        content: content.encode_to_vec(),
        ..plugin("audio")
    };
    let files = clips.into_iter().map(Audio::encode);
    let tensor = Tensor::strings([files.len()], files)?;
    let class = DataClass::BlobSequence;
    Ok(tensor_value(prefix, tag, plugin_data, class, tensor.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_a_header_and_little_endian_samples() {
        // The fields in the order of Microsoft's and IBM's specification. 3 stereo frames of 4 bytes are 12 bytes, after 36
        // others; 44,100 Hz is 0xac44, and 4 times that is 0x2b110.
        let header = b"RIFF\x30\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0data\x0c\0\0\0";
        let samples = [1, -1, 256, i16::MIN, i16::MAX, 0];
        let data = b"\x01\0\xff\xff\0\x01\0\x80\xff\x7f\0\0";
        let file = Audio::stereo_i16(44_100, samples).unwrap().encode();
        assert_eq!(file, [&header[..], data].concat());
        assert!(Audio::wav(file.clone()).unwrap().encode() == file);
    }

    #[test]
    fn floats_are_rounded_and_clipped_as_tensorflow_does() {
        // One step is 2^-15. Half a step is rounded away from 0, and the next smaller number to 0.
        let step = 1.0_f32 / 32_768.0;
        let samples = [
            (0.0, 0),
            (-0.0, 0),
            (1.0, i16::MAX),
            (-1.0, i16::MIN),
            (1.0 - step, i16::MAX),
            (0.5, 16_384),
            (-0.25, -8_192),
            (0.5 * step, 1),
            (-0.5 * step, -1),
            (1.5 * step, 2),
            (-2.5 * step, -3),
            ((0.5 * step).next_down(), 0),
            (-(0.5 * step).next_down(), 0),
            (32_766.5 * step, i16::MAX),
            (7.0, i16::MAX),
            (-7.0, i16::MIN),
            (f32::MAX, i16::MAX),
            (f32::INFINITY, i16::MAX),
            (f32::NEG_INFINITY, i16::MIN),
            (f32::NAN, 0),
            (-f32::NAN, 0),
            (f32::from_bits(1), 0),
        ];
        for (sample, want) in samples {
            assert_eq!(to_i16(sample), want, "{sample:e}");
        }
        let (floats, want): (Vec<_>, Vec<_>) = samples.into_iter().unzip();
        let got = Audio::stereo_f32(8_000, floats).unwrap().encode();
        assert_eq!(got, Audio::stereo_i16(8_000, want).unwrap().encode());
    }

    #[test]
    fn an_invalid_clip_is_rejected_with_the_reason() {
        for (result, want) in [
            (
                Audio::mono_f32(0, [0.0]),
                "audio sample rate: expected 1 to 2147483647, got 0",
            ),
            (
                Audio::mono_i16(1 << 31, [0]),
                "audio sample rate: expected 1 to 2147483647, got 2147483648",
            ),
            (
                // (2^16 - 2) * (2^16 + 2) bytes a second are 2^32 - 4.
                Audio::interleaved_i16(32_767, 65_539, []),
                "audio sample rate: expected 1 to 65538, got 65539",
            ),
            (
                Audio::stereo_f32(8_000, [0.0; 3]),
                "audio samples: expected a multiple of 2, one sample per channel, got 3",
            ),
            (
                Audio::interleaved_f32(0, 8_000, []),
                "audio channels: expected 1 to 32767, got 0",
            ),
            (
                Audio::interleaved_i16(32_768, 1, []),
                "audio channels: expected 1 to 32767, got 32768",
            ),
        ] {
            assert_eq!(result.unwrap_err().to_string(), want);
        }
        assert!(Audio::interleaved_i16(32_767, 65_538, []).is_ok());
        // 2^31 - 1 bytes less the header's 44 are 1,073,741,801 samples and a byte.
        assert!(Format::new(1, 8_000, 1_073_741_801).is_ok());
        for count in [1_073_741_802, usize::MAX] {
            let error = Format::new(1, 8_000, count).unwrap_err().to_string();
            let want = format!("audio samples: expected 0 to 1073741801, got {count}");
            assert_eq!(error, want);
        }
    }

    /// A WAV file of these chunks, each with the length that it states.
    fn wav(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let mut file = b"RIFF\xff\xff\xff\xffWAVE".to_vec();
        for (id, len, bytes) in chunks {
            file.extend(*id);
            file.extend(len.to_le_bytes());
            file.extend(*bytes);
        }
        file
    }

    /// A-law, 1 channel, 8,000 Hz.
    const FORMAT: &[u8; 16] = b"\x06\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0";

    #[test]
    fn any_wav_file_is_written_unchanged() {
        let format = (b"fmt ", 16, &FORMAT[..]);
        for (case, file) in [
            ("plain", wav(&[format, (b"data", 2, b"ab")])),
            ("streamed", wav(&[format, (b"data", u32::MAX, b"abc")])),
            ("without samples", wav(&[format, (b"data", 0, b"")])),
            (
                "with a chunk of an odd length",
                wav(&[(b"note", 3, b"abc\0"), format, (b"data", 0, b"")]),
            ),
            (
                "with more in its format",
                wav(&[
                    (b"fmt ", 18, &[&FORMAT[..], b"\0\0"].concat()),
                    (b"data", 0, b""),
                ]),
            ),
        ] {
            let audio = Audio::wav(file.clone());
            assert!(audio.unwrap().encode() == file, "{case}");
        }
    }

    #[test]
    fn another_file_is_rejected_with_the_reason() {
        let no_channel = b"\x01\0\0\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0";
        let no_rate = b"\x01\0\x01\0\0\0\0\0\x40\x1f\0\0\x01\0\x08\0";
        let data = (b"data", 2, &b"ab"[..]);
        let format = (b"fmt ", 16, &FORMAT[..]);
        for (file, want) in [
            (
                vec![],
                "expected RIFF and WAVE at the start, got 0 other bytes",
            ),
            (
                b"RIFF\0\0\0\0AVI ".to_vec(),
                "expected RIFF and WAVE at the start, got 12 other bytes",
            ),
            (
                wav(&[]),
                "expected a chunk of samples after a format, got none",
            ),
            (
                wav(&[data, format]),
                "expected a chunk of samples after a format, got none",
            ),
            (
                wav(&[format, (b"note", u32::MAX, b"")]),
                "expected a chunk of samples after a format, got none",
            ),
            (
                wav(&[(b"fmt ", 14, &FORMAT[..14]), data]),
                "expected at least 16 bytes of format, got 14",
            ),
            (
                wav(&[(b"fmt ", 16, &FORMAT[..9])]),
                "expected at least 16 bytes of format, got 9",
            ),
            (
                wav(&[(b"fmt ", 16, no_channel), data]),
                "expected channels and a sample rate, got 0 channels of 8000 Hz",
            ),
            (
                wav(&[(b"fmt ", 16, no_rate), data]),
                "expected channels and a sample rate, got 1 channels of 0 Hz",
            ),
        ] {
            let error = Audio::wav(file).unwrap_err().to_string();
            assert_eq!(error, format!("WAV file: {want}"));
        }
    }

    #[test]
    fn a_wav_file_cut_before_its_samples_is_rejected() {
        let file = Audio::mono_i16(8_000, [1, 2]).unwrap().encode();
        for end in 0..=file.len() {
            let is_valid = Audio::wav(&file[..end]).is_ok();
            assert_eq!(is_valid, end >= HEADER_BYTES, "{end} bytes");
        }
    }

    #[test]
    fn several_clips_are_a_tensor_of_wav_files() {
        let clips = [
            Audio::mono_f32(8_000, [0.5]).unwrap(),
            Audio::stereo_i16(16_000, [1, 2]).unwrap(),
        ];
        let value = audios("a/", &Tag::new("b").description("*c*"), clips.to_vec()).unwrap();
        assert_eq!(value.tag, "a/b");
        let metadata = value.metadata.unwrap();
        assert_eq!(metadata.summary_description, "*c*");
        assert_eq!(metadata.data_class(), DataClass::BlobSequence);
        let plugin_data = metadata.plugin_data.unwrap();
        assert_eq!(plugin_data.plugin_name, "audio");
        assert_eq!(plugin_data.content, b"\x10\x0b", "field 2 is 11");
        let Some(crate::proto::summary::value::Value::Tensor(tensor)) = value.value else {
            panic!("no tensor");
        };
        assert_eq!(tensor.tensor_shape.unwrap().dim[0].size, 2);
        assert_eq!(tensor.string_val, clips.map(Audio::encode));
    }
}
