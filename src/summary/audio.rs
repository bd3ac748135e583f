//! Samples of sound to WAV, and clips to one value of the audio dashboard.

use prost::Message;

use super::tensor::Tensor;
use super::{Tag, plugin, tensor_value};
use crate::error::{Error, Result};
use crate::proto::audio_plugin_data::Encoding;
use crate::proto::summary::Value;
use crate::proto::summary_metadata::PluginData;
use crate::proto::{AudioPluginData, DataClass};

/// What stands in a WAV file of ours before its samples.
const HEADER_BYTES: usize = 44;
const SAMPLE_BYTES: u16 = 2;
/// A longer one fits into no record; WAV itself ends at twice as many.
const MAX_FILE_BYTES: usize = i32::MAX as usize;
const MAX_SAMPLES: usize = (MAX_FILE_BYTES - HEADER_BYTES) / SAMPLE_BYTES as usize;
/// The samples of one moment have up to 65,535 bytes, and those of a second below 2^32: the file says both.
const MAX_CHANNELS: u16 = u16::MAX / SAMPLE_BYTES;

/// A sound for [`SummaryWriter::audio`](crate::SummaryWriter::audio).
///
/// The constructors are named by the channels (`mono`, `stereo`, `interleaved` for any number), whose samples of one moment
/// stand side by side, and by the type of a sample:
///
/// - `f32` is from -1 to 1. It becomes 16 bits as TensorFlow makes them: times 32,768 and rounded, halves away from 0. What
///   is outside is clipped to -32,768 and 32,767, which 1 itself is, and NaN is silence.
/// - `i16` is written as it is.
///
/// The samples are copied; they become a WAV file of 16-bit PCM on the writer's thread. A rate is in hertz and may be any
/// that WAV can state, and a clip may have no samples. What plays is the browser's affair: Chromium takes 3,000 to
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

/// A header fits the samples behind it.
#[derive(Clone, Debug, PartialEq)]
enum Content {
    F32([u8; HEADER_BYTES], Vec<f32>),
    I16([u8; HEADER_BYTES], Vec<i16>),
    File(Vec<u8>),
}

impl Audio {
    /// One channel of samples from -1 to 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the rate is 0 or beyond what WAV can state, or there are more samples than fit into a record.
    pub fn mono_f32(sample_rate_hz: u32, samples: impl AsRef<[f32]>) -> Result<Self> {
        Self::interleaved_f32(1, sample_rate_hz, samples)
    }

    /// Two channels of samples from -1 to 1: left, right, left, right.
    ///
    /// # Errors
    /// As [`mono_f32`](Self::mono_f32); [`Error::Invalid`] if the number of samples is odd.
    pub fn stereo_f32(sample_rate_hz: u32, samples: impl AsRef<[f32]>) -> Result<Self> {
        Self::interleaved_f32(2, sample_rate_hz, samples)
    }

    /// Any number of channels of samples from -1 to 1: the first sample of each, then the second of each.
    ///
    /// # Errors
    /// As [`mono_f32`](Self::mono_f32); [`Error::Invalid`] if there is no channel or more than 32,767, or the number of
    /// samples is not a multiple of theirs.
    pub fn interleaved_f32(
        channel_count: u16,
        sample_rate_hz: u32,
        samples: impl AsRef<[f32]>,
    ) -> Result<Self> {
        let samples = samples.as_ref();
        let header = header(channel_count, sample_rate_hz, samples.len())?;
        Ok(Self(Content::F32(header, samples.to_vec())))
    }

    /// One channel of samples of 16 bits.
    ///
    /// # Errors
    /// As [`mono_f32`](Self::mono_f32).
    pub fn mono_i16(sample_rate_hz: u32, samples: impl AsRef<[i16]>) -> Result<Self> {
        Self::interleaved_i16(1, sample_rate_hz, samples)
    }

    /// Two channels of samples of 16 bits: left, right, left, right.
    ///
    /// # Errors
    /// As [`stereo_f32`](Self::stereo_f32).
    pub fn stereo_i16(sample_rate_hz: u32, samples: impl AsRef<[i16]>) -> Result<Self> {
        Self::interleaved_i16(2, sample_rate_hz, samples)
    }

    /// Any number of channels of samples of 16 bits: the first sample of each, then the second of each.
    ///
    /// # Errors
    /// As [`interleaved_f32`](Self::interleaved_f32).
    pub fn interleaved_i16(
        channel_count: u16,
        sample_rate_hz: u32,
        samples: impl AsRef<[i16]>,
    ) -> Result<Self> {
        let samples = samples.as_ref();
        let header = header(channel_count, sample_rate_hz, samples.len())?;
        Ok(Self(Content::I16(header, samples.to_vec())))
    }

    /// A WAV file, which is written as it is: also one that was streamed and announces no length. Its beginning is looked
    /// at and no sample. What is encoded in it is for the browser to play: Chromium does PCM, floats of 32 bits, A-law and
    /// µ-law, no ADPCM.
    ///
    /// ```
    /// use summary_writer::Audio;
    ///
    /// let problem = Audio::wav(b"ID3\x04, as an MP3 begins").unwrap_err();
    /// assert_eq!(problem.to_string(), "WAV file: 22 bytes are given that do not begin as RIFF and WAVE");
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] if it does not begin as a WAV file, has no samples' chunk with a format before it, a format
    /// without channels or with a rate of 0, or does not fit into a record.
    pub fn wav(file: impl Into<Vec<u8>>) -> Result<Self> {
        let file = file.into();
        match wav_problem(&file) {
            Some(problem) => Err(Error::invalid("WAV file", problem)),
            None => Ok(Self(Content::File(file))),
        }
    }

    /// A clip without a sample, which a browser takes for one of 0 seconds.
    pub(crate) fn empty() -> Self {
        Self(Content::I16(header_bytes(1, 44_100, 0), Vec::new()))
    }

    /// What it takes in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            Content::F32(_, samples) => HEADER_BYTES + size_of_val(samples.as_slice()),
            Content::I16(_, samples) => HEADER_BYTES + size_of_val(samples.as_slice()),
            Content::File(file) => file.len(),
        }
    }

    /// The file that a browser plays.
    fn encode(self) -> Vec<u8> {
        match self.0 {
            Content::F32(header, samples) => encode(&header, &samples, to_i16),
            Content::I16(header, samples) => encode(&header, &samples, |sample| sample),
            Content::File(file) => file,
        }
    }
}

/// The beginning of the file, if such samples fit behind it.
fn header(
    channel_count: u16,
    sample_rate_hz: u32,
    sample_count: usize,
) -> Result<[u8; HEADER_BYTES]> {
    if !(1..=MAX_CHANNELS).contains(&channel_count) {
        let problem = format!("{channel_count} are given, 1 to {MAX_CHANNELS} fit");
        return Err(Error::invalid("audio channels", problem));
    }
    let max_rate_hz = u32::MAX / u32::from(channel_count * SAMPLE_BYTES);
    if !(1..=max_rate_hz).contains(&sample_rate_hz) {
        let problem = format!("{sample_rate_hz} Hz is given, 1 to {max_rate_hz} fit");
        return Err(Error::invalid("audio sample rate", problem));
    }
    if !sample_count.is_multiple_of(channel_count.into()) {
        let problem =
            format!("{sample_count} are given, a multiple of {channel_count} channels fits");
        return Err(Error::invalid("audio samples", problem));
    }
    match u32::try_from(sample_count) {
        Ok(count) if sample_count <= MAX_SAMPLES => {
            let data_bytes = count * u32::from(SAMPLE_BYTES);
            Ok(header_bytes(channel_count, sample_rate_hz, data_bytes))
        }
        _ => {
            let problem = format!("{sample_count} are given, {MAX_SAMPLES} at most fit");
            Err(Error::invalid("audio samples", problem))
        }
    }
}

/// For arguments that [`header`] has checked.
fn header_bytes(channel_count: u16, sample_rate_hz: u32, data_bytes: u32) -> [u8; HEADER_BYTES] {
    /// What follows the first two fields, without the samples.
    const REST_BYTES: u32 = 36;
    const FORMAT_BYTES: u32 = 16;
    const PCM: u16 = 1;
    let frame_bytes = channel_count * SAMPLE_BYTES;
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &(REST_BYTES + data_bytes).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &FORMAT_BYTES.to_le_bytes(),
        &PCM.to_le_bytes(),
        &channel_count.to_le_bytes(),
        &sample_rate_hz.to_le_bytes(),
        &(sample_rate_hz * u32::from(frame_bytes)).to_le_bytes(),
        &frame_bytes.to_le_bytes(),
        &(SAMPLE_BYTES * 8).to_le_bytes(),
        b"data",
        &data_bytes.to_le_bytes(),
    ];
    let mut header = [0; HEADER_BYTES];
    for (byte, field) in header.iter_mut().zip(fields.into_iter().flatten()) {
        *byte = *field;
    }
    header
}

fn encode<T: Copy>(
    header: &[u8; HEADER_BYTES],
    samples: &[T],
    to_i16: impl Fn(T) -> i16,
) -> Vec<u8> {
    let mut file = vec![0; HEADER_BYTES + samples.len() * usize::from(SAMPLE_BYTES)];
    if let Some((head, data)) = file.split_first_chunk_mut() {
        *head = *header;
        for (bytes, sample) in data.as_chunks_mut().0.iter_mut().zip(samples) {
            *bytes = to_i16(*sample).to_le_bytes();
        }
    }
    file
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "it stops at the ends of the type, and makes NaN 0"
)]
fn to_i16(sample: f32) -> i16 {
    // Adding a half away from 0 and cutting off rounds, at a fraction of the cost of `round`; in `f64`, where the sum is
    // exact.
    let scaled = f64::from(sample) * 32_768.0;
    (scaled + 0.5_f64.copysign(scaled)) as i16
}

/// Why `file` is none.
fn wav_problem(file: &[u8]) -> Option<String> {
    let given = file.len();
    if given > MAX_FILE_BYTES {
        return Some(format!(
            "it has {given} bytes, {MAX_FILE_BYTES} at most fit"
        ));
    }
    let mut chunks = match file.split_first_chunk::<12>() {
        Some((head, chunks)) if head.starts_with(b"RIFF") && head.ends_with(b"WAVE") => chunks,
        _ => {
            return Some(format!(
                "{given} bytes are given that do not begin as RIFF and WAVE"
            ));
        }
    };
    let mut has_format = false;
    while let Some((&[i, j, k, l, len @ ..], rest)) = chunks.split_first_chunk::<8>() {
        let len = usize::try_from(u32::from_le_bytes(len)).unwrap_or(usize::MAX);
        let chunk = rest.get(..len).unwrap_or(rest);
        match &[i, j, k, l] {
            b"fmt " => {
                has_format = true;
                if let Some(problem) = format_problem(chunk) {
                    return Some(problem);
                }
            }
            b"data" if has_format => return None,
            _ => {}
        }
        // A byte follows a chunk of an odd length.
        chunks = rest.get(len.saturating_add(len % 2)..).unwrap_or_default();
    }
    Some("it has no chunk of samples with a format before it".into())
}

fn format_problem(chunk: &[u8]) -> Option<String> {
    let Some(&[_, _, c0, c1, r0, r1, r2, r3, ..]) = chunk.first_chunk::<16>() else {
        let given = chunk.len();
        return Some(format!("its format has {given} bytes, 16 at least fit"));
    };
    let channel_count = u16::from_le_bytes([c0, c1]);
    let rate_hz = u32::from_le_bytes([r0, r1, r2, r3]);
    (channel_count == 0 || rate_hz == 0).then(|| {
        format!("its format has {channel_count} channels of {rate_hz} Hz, 1 at least of each fits")
    })
}

/// The clips of one step, as WAV files.
///
/// Beside each a label could stand, in a second column. The dashboard shows none, and the loader in Python takes labels for
/// clips where the data class is given.
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
    Ok(tensor_value(
        prefix,
        tag,
        plugin_data,
        DataClass::BlobSequence,
        tensor.0,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_header_and_its_samples_low_byte_first() {
        // The fields in the order of Microsoft's and IBM's specification: 3 stereo frames of 4 bytes are 12 bytes, after 36
        // more; 44,100 Hz is 0xac44, and 4 times that 0x2b110.
        let header = b"RIFF\x30\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0data\x0c\0\0\0";
        let samples = [1, -1, 256, i16::MIN, i16::MAX, 0];
        let data = b"\x01\0\xff\xff\0\x01\0\x80\xff\x7f\0\0";
        let file = Audio::stereo_i16(44_100, samples).unwrap().encode();
        assert_eq!(file, [&header[..], data].concat());
        assert!(Audio::wav(file.clone()).unwrap().encode() == file);
    }

    #[test]
    fn floats_are_rounded_and_clipped_as_tensorflow_does() {
        // 2^-15 is one step; half of it goes away from 0, and what is a hair below half goes to 0.
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
    fn what_makes_no_sound_is_refused_by_name() {
        for (result, want) in [
            (
                Audio::mono_f32(0, [0.0]),
                "audio sample rate: 0 Hz is given, 1 to 2147483647 fit",
            ),
            (
                Audio::mono_i16(1 << 31, [0]),
                "audio sample rate: 2147483648 Hz is given, 1 to 2147483647 fit",
            ),
            (
                // (2^16 - 2) * (2^16 + 2) bytes a second are 2^32 - 4.
                Audio::interleaved_i16(32_767, 65_539, []),
                "audio sample rate: 65539 Hz is given, 1 to 65538 fit",
            ),
            (
                Audio::stereo_f32(8_000, [0.0; 3]),
                "audio samples: 3 are given, a multiple of 2 channels fits",
            ),
            (
                Audio::interleaved_f32(0, 8_000, []),
                "audio channels: 0 are given, 1 to 32767 fit",
            ),
            (
                Audio::interleaved_i16(32_768, 1, []),
                "audio channels: 32768 are given, 1 to 32767 fit",
            ),
        ] {
            assert_eq!(result.unwrap_err().to_string(), want);
        }
        assert!(Audio::interleaved_i16(32_767, 65_538, []).is_ok());
        // 2^31 - 1 bytes less the header's 44 are 1,073,741,801 samples and a byte.
        assert!(header(1, 8_000, 1_073_741_801).is_ok());
        for count in [1_073_741_802, usize::MAX] {
            let error = header(1, 8_000, count).unwrap_err().to_string();
            let want = format!("audio samples: {count} are given, 1073741801 at most fit");
            assert_eq!(error, want);
        }
    }

    /// A WAV file of these chunks, each with its announced length.
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
    fn any_wav_file_is_taken_as_it_is() {
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
    fn what_is_no_wav_file_is_refused_with_the_reason() {
        let no_channel = b"\x01\0\0\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0";
        let no_rate = b"\x01\0\x01\0\0\0\0\0\x40\x1f\0\0\x01\0\x08\0";
        let data = (b"data", 2, &b"ab"[..]);
        let format = (b"fmt ", 16, &FORMAT[..]);
        for (file, want) in [
            (
                vec![],
                "0 bytes are given that do not begin as RIFF and WAVE",
            ),
            (
                b"RIFF\0\0\0\0AVI ".to_vec(),
                "12 bytes are given that do not begin as RIFF and WAVE",
            ),
            (
                wav(&[]),
                "it has no chunk of samples with a format before it",
            ),
            (
                wav(&[data, format]),
                "it has no chunk of samples with a format before it",
            ),
            (
                wav(&[format, (b"note", u32::MAX, b"")]),
                "it has no chunk of samples with a format before it",
            ),
            (
                wav(&[(b"fmt ", 14, &FORMAT[..14]), data]),
                "its format has 14 bytes, 16 at least fit",
            ),
            (
                wav(&[(b"fmt ", 16, &FORMAT[..9])]),
                "its format has 9 bytes, 16 at least fit",
            ),
            (
                wav(&[(b"fmt ", 16, no_channel), data]),
                "its format has 0 channels of 8000 Hz, 1 at least of each fits",
            ),
            (
                wav(&[(b"fmt ", 16, no_rate), data]),
                "its format has 1 channels of 0 Hz, 1 at least of each fits",
            ),
        ] {
            let error = Audio::wav(file).unwrap_err().to_string();
            assert_eq!(error, format!("WAV file: {want}"));
        }
    }

    #[test]
    fn a_wav_file_that_is_cut_is_refused_until_its_samples_begin() {
        let file = Audio::mono_i16(8_000, [1, 2]).unwrap().encode();
        for end in 0..=file.len() {
            let is_taken = Audio::wav(&file[..end]).is_ok();
            assert_eq!(is_taken, end >= HEADER_BYTES, "{end} bytes");
        }
    }

    #[test]
    fn several_clips_are_strings_of_wav() {
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
