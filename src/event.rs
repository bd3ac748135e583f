//! Wall time, step and values to the payload of one record.
//!
//! A payload is built backwards: the values first, behind room for the fields of the event, whose size depends on
//! theirs; then those fields, ending where the values begin. So a record is built in its place, in one pass, without an
//! allocation. The bytes are those that prost encodes for the same message.

mod scan;

use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;
use prost::bytes::BufMut;
use prost::encoding::encoded_len_varint;

use crate::error::{Error, Result};
use crate::proto::summary::Value;
pub(crate) use scan::{Kind, Point, scan};

/// What the version record says. Version 2 tells the loaders that steps are not to be guessed at.
const VERSION: &str = "brain.Event:2";
/// In `source_metadata` of the version record; stock TensorBoard takes up to 128 characters.
const WRITER: &str = concat!("summary-writer ", env!("CARGO_PKG_VERSION"));

// The keys of the fields, `number << 3 | wire type`.
const WALL_TIME: u8 = 1 << 3 | 1;
const STEP: u8 = 2 << 3;
const FILE_VERSION: u8 = 3 << 3 | 2;
const SUMMARY: u8 = 5 << 3 | 2;
const SOURCE_METADATA: u8 = 10 << 3 | 2;
const SOURCE_METADATA_WRITER: u8 = 1 << 3 | 2;
const SUMMARY_VALUE: u8 = 1 << 3 | 2;
const VALUE_TAG: u8 = 1 << 3 | 2;
const VALUE_SIMPLE_VALUE: u8 = 2 << 3 | 5;

/// A point in time: seconds since 1970, finite. The fast loader gives up the rest of a file at a NaN.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct WallTime(f64);

impl WallTime {
    /// The time `secs` seconds after the start of 1970, UTC.
    ///
    /// # Errors
    /// [`Error::Invalid`] if `secs` is not finite.
    pub fn from_secs(secs: f64) -> Result<Self> {
        if secs.is_finite() {
            Ok(Self(secs))
        } else {
            Err(Error::invalid(
                "wall time",
                format!("{secs} seconds are given, a finite number fits"),
            ))
        }
    }

    /// Seconds since the start of 1970, UTC.
    pub fn as_secs(self) -> f64 {
        self.0
    }
}

impl From<SystemTime> for WallTime {
    fn from(time: SystemTime) -> Self {
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_secs_f64(),
            Err(before) => -before.duration().as_secs_f64(),
        })
    }
}

/// What [`SummaryWriter::at`](crate::SummaryWriter::at) takes for a time: seconds since 1970 as `f64`, a
/// [`SystemTime`], or a [`WallTime`].
pub trait ToWallTime: sealed::WallTime {
    /// The time, or `None` for a number that is not finite.
    fn to_wall_time(self) -> Option<WallTime>;
}

impl ToWallTime for f64 {
    fn to_wall_time(self) -> Option<WallTime> {
        WallTime::from_secs(self).ok()
    }
}

impl ToWallTime for SystemTime {
    fn to_wall_time(self) -> Option<WallTime> {
        Some(self.into())
    }
}

impl ToWallTime for WallTime {
    fn to_wall_time(self) -> Option<WallTime> {
        Some(self)
    }
}

/// The caller's counter: any integer, or the thread's [`CurrentStep`](crate::CurrentStep). A step beyond `i64` is written as the nearest that fits, and reported.
pub trait Step: Copy + sealed::Step {
    /// The step as it is written, or `Err` with the nearest one that fits.
    fn to_i64(self) -> Result<i64, i64>;
}

macro_rules! steps {
    ($($integer:ty)*) => {$(
        impl sealed::Step for $integer {}
        impl Step for $integer {
            #[allow(unused_comparisons, reason = "of unsigned types none is negative")]
            fn to_i64(self) -> Result<i64, i64> {
                i64::try_from(self).map_err(|_| if self < 0 { i64::MIN } else { i64::MAX })
            }
        }
    )*};
}

steps!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

#[allow(unnameable_types, reason = "so that nobody else implements them")]
pub(crate) mod sealed {
    pub trait WallTime {}
    impl WallTime for f64 {}
    impl WallTime for std::time::SystemTime {}
    impl WallTime for super::WallTime {}

    pub trait Step {}
}

/// Room for the fields before the values: the wall time, a step, the key and the length of the summary.
pub(crate) const HEAD_BYTES: usize = 9 + 11 + 11;

/// Writes the fields that stand before `values_bytes` bytes of values to the end of `room`, which has [`HEAD_BYTES`], and
/// returns where they start.
#[inline]
pub(crate) fn put_head(
    room: &mut [u8],
    wall_time: WallTime,
    step: i64,
    values_bytes: usize,
) -> usize {
    // A field of its default value is not written. Negative steps are written as their two's complement.
    let (time, step) = (wall_time.0, step.cast_unsigned());
    let values_bytes = values_bytes as u64;
    let time_bytes = if time == 0.0 { 0 } else { 9 };
    let step_bytes = if step == 0 {
        0
    } else {
        1 + encoded_len_varint(step)
    };
    let start = room.len() - time_bytes - step_bytes - 1 - encoded_len_varint(values_bytes);

    let mut out = &mut room[start..];
    put_wall_time(wall_time, &mut out);
    if step != 0 {
        out.put_u8(STEP);
        put_varint(step, &mut out);
    }
    out.put_u8(SUMMARY);
    put_varint(values_bytes, &mut out);
    start
}

/// The length of what [`put_simple_value`] writes for a tag of `tag_bytes` bytes.
pub(crate) fn simple_value_bytes(tag_bytes: usize) -> usize {
    let body = simple_value_body_bytes(tag_bytes);
    1 + encoded_len_varint(body as u64) + body
}

fn simple_value_body_bytes(tag_bytes: usize) -> usize {
    let tag_field = match tag_bytes {
        0 => 0,
        _ => 1 + encoded_len_varint(tag_bytes as u64) + tag_bytes,
    };
    tag_field + 5
}

/// Writes one plain scalar: the tag, in two parts, and its number in the smallest form that the loaders know.
#[inline]
pub(crate) fn put_simple_value(out: &mut impl BufMut, prefix: &str, name: &str, value: f32) {
    let tag_bytes = prefix.len() + name.len();
    out.put_u8(SUMMARY_VALUE);
    put_varint(simple_value_body_bytes(tag_bytes) as u64, out);
    if tag_bytes > 0 {
        out.put_u8(VALUE_TAG);
        put_varint(tag_bytes as u64, out);
        out.put_slice(prefix.as_bytes());
        out.put_slice(name.as_bytes());
    }
    out.put_u8(VALUE_SIMPLE_VALUE);
    out.put_f32_le(value);
}

/// A length of one byte, also with two in front.
#[allow(clippy::cast_possible_truncation, reason = "it is short")]
const fn short(text: &str) -> u8 {
    assert!(text.len() + 2 < 0x80);
    text.len() as u8
}

#[inline]
fn put_wall_time(wall_time: WallTime, out: &mut impl BufMut) {
    if wall_time.0 != 0.0 {
        out.put_u8(WALL_TIME);
        out.put_f64_le(wall_time.0);
    }
}

/// Most lengths have one byte, which is not worth a call.
#[inline]
fn put_varint(number: u64, out: &mut impl BufMut) {
    match u8::try_from(number) {
        Ok(byte @ 0..0x80) => out.put_u8(byte),
        _ => put_long_varint(number, out),
    }
}

// In a loop: prost's is unrolled, a kilobyte in every program.
#[allow(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn put_long_varint(mut number: u64, out: &mut impl BufMut) {
    while number >= 0x80 {
        out.put_u8(number as u8 | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

/// Appends a value of any kind.
pub(crate) fn append_value(out: &mut Vec<u8>, value: &Value) {
    append_encoded(out, value.encoded_len(), |out| value.encode_raw(out));
}

/// Appends a value that has no message: `append` appends `bytes` bytes, which are a `Value`.
pub(crate) fn append_encoded(out: &mut Vec<u8>, bytes: usize, append: impl FnOnce(&mut Vec<u8>)) {
    out.put_u8(SUMMARY_VALUE);
    put_varint(bytes as u64, out);
    append(out);
}

/// The payload of the first record of a file. Every program has this code: without the messages it is a small one.
pub(crate) fn version(wall_time: WallTime) -> Vec<u8> {
    const VERSION_LEN: u8 = short(VERSION);
    const WRITER_LEN: u8 = short(WRITER);
    let mut time = Vec::new();
    put_wall_time(wall_time, &mut time);
    [
        &time[..],
        &[FILE_VERSION, VERSION_LEN],
        VERSION.as_bytes(),
        &[SOURCE_METADATA, WRITER_LEN + 2],
        &[SOURCE_METADATA_WRITER, WRITER_LEN],
        WRITER.as_bytes(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::proto::event::What;
    use crate::proto::summary::value::Value as Data;
    use crate::proto::{Event, SourceMetadata, Summary};

    fn payload(wall_time: f64, step: i64, values: &[(&str, &str, f32)]) -> Vec<u8> {
        let mut bytes = vec![0; HEAD_BYTES];
        for (prefix, name, value) in values {
            let before = bytes.len();
            put_simple_value(&mut bytes, prefix, name, *value);
            assert_eq!(
                bytes.len() - before,
                simple_value_bytes(prefix.len() + name.len())
            );
        }
        let values_bytes = bytes.len() - HEAD_BYTES;
        let room = &mut bytes[..HEAD_BYTES];
        let start = put_head(room, WallTime(wall_time), step, values_bytes);
        bytes.split_off(start)
    }

    #[test]
    fn one_scalar_has_the_bytes_of_a_stock_record() {
        // Written with the stock package: wall time 1700000000.5, step 7, tag "loss", simple_value 0.25.
        let want =
            b"\x09\0\0\x20\x40\xfc\x54\xd9\x41\x10\x07\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\x80\x3e";
        assert_eq!(payload(1_700_000_000.5, 7, &[("", "loss", 0.25)]), want);
        assert_eq!(payload(1_700_000_000.5, 7, &[("lo", "ss", 0.25)]), want);
    }

    #[test]
    fn random_events_have_the_bytes_that_prost_encodes() {
        let mut random = fastrand::Rng::with_seed(2026);
        for case in 0..20_000 {
            let wall_time = [0.0, -0.0, 1.5, -3.0, 1.7e9][random.usize(..5)];
            let step = [0, 1, -1, i64::MIN, i64::MAX, 1 << random.u32(..63)][random.usize(..6)];
            let values: Vec<(String, f32)> = (0..random.usize(1..4))
                .map(|_| {
                    let most = [3, 40, 130, 20_000][random.usize(..4)];
                    let chars = random.usize(..most);
                    (
                        vec!['é'; chars].into_iter().collect(),
                        f32::from_bits(random.u32(..)),
                    )
                })
                .collect();
            let want = Event {
                wall_time,
                step,
                what: Some(What::Summary(Summary {
                    value: values
                        .iter()
                        .map(|(tag, value)| Value {
                            tag: tag.clone(),
                            metadata: None,
                            value: Some(Data::SimpleValue(*value)),
                        })
                        .collect(),
                })),
                source_metadata: None,
            }
            .encode_to_vec();
            let values: Vec<_> = values
                .iter()
                .map(|(tag, value)| {
                    let (prefix, name) = tag.split_at(tag.len() / 4 * 2);
                    (prefix, name, *value)
                })
                .collect();
            assert!(payload(wall_time, step, &values) == want, "case {case}");
        }
    }

    #[test]
    fn the_version_has_the_bytes_that_prost_encodes() {
        for wall_time in [0.0, 1_700_000_000.5] {
            let want = Event {
                wall_time,
                what: Some(What::FileVersion("brain.Event:2".into())),
                source_metadata: Some(SourceMetadata {
                    writer: concat!("summary-writer ", env!("CARGO_PKG_VERSION")).into(),
                }),
                ..Default::default()
            };
            assert_eq!(version(WallTime(wall_time)), want.encode_to_vec());
        }
    }

    #[test]
    fn a_value_of_any_kind_is_framed_as_the_small_one_is() {
        let value = Value {
            tag: "loss".into(),
            metadata: None,
            value: Some(Data::SimpleValue(0.25)),
        };
        let (mut got, mut want) = (Vec::new(), Vec::new());
        append_value(&mut got, &value);
        put_simple_value(&mut want, "", "loss", 0.25);
        assert_eq!(got, want);
    }

    #[test]
    fn steps_beyond_the_range_become_the_nearest_that_fits() {
        assert_eq!(7u8.to_i64(), Ok(7));
        assert_eq!((-7i16).to_i64(), Ok(-7));
        assert_eq!(i64::MIN.to_i64(), Ok(i64::MIN));
        assert_eq!(u64::MAX.to_i64(), Err(i64::MAX));
        assert_eq!((1u64 << 63).to_i64(), Err(i64::MAX));
        assert_eq!(i128::MIN.to_i64(), Err(i64::MIN));
    }

    #[test]
    fn wall_times_are_seconds_since_1970_and_finite() {
        let early = UNIX_EPOCH - Duration::from_millis(1500);
        assert_eq!(WallTime::from(early).as_secs(), -1.5);
        let late = UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
        assert_eq!(WallTime::from(late).as_secs(), 1_700_000_000.25);
        for secs in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(WallTime::from_secs(secs).is_err());
            assert_eq!(secs.to_wall_time(), None);
        }
    }
}
