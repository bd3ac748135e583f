//! Encodes the payload of a record in place, in one pass and without an allocation.
//!
//! A payload is built from its end. The caller leaves [`HEAD_BYTES`] free and appends the values. Then [`put_head`] writes the
//! wall time, the step and the length of the values directly before them, because the size of these fields depends on the
//! values. The bytes are the same as those that prost encodes.

use prost::Message;
use prost::bytes::BufMut;

use super::WallTime;
use crate::proto::event::What;
use crate::proto::summary::Value;
use crate::proto::{Event, SourceMetadata};

/// With version 2 the Python loader keeps the points of a tag whose step goes back.
const VERSION: &str = "brain.Event:2";
/// The program that wrote a file. Stock TensorBoard accepts up to 128 characters.
const WRITER: &str = concat!("summary-writer ", env!("CARGO_PKG_VERSION"));

// The keys of the fields: `number << 3 | wire type`.
const WALL_TIME: u8 = 1 << 3 | 1;
const STEP: u8 = 2 << 3;
const SUMMARY: u8 = 5 << 3 | 2;
const SUMMARY_VALUE: u8 = 1 << 3 | 2;
const VALUE_TAG: u8 = 1 << 3 | 2;
const VALUE_SIMPLE_VALUE: u8 = 2 << 3 | 5;

/// The most that the fields before the values take: the wall time, the step, and the key and length of the summary.
pub(crate) const HEAD_BYTES: usize = 9 + 11 + 11;

/// Writes the fields before `values_bytes` bytes of values to the end of `room`, which has [`HEAD_BYTES`] bytes. Returns the
/// offset in `room` where they start.
#[inline]
pub(crate) fn put_head(
    room: &mut [u8],
    wall_time: WallTime,
    step: i64,
    values_bytes: usize,
) -> usize {
    // Fields with their default value are not written. A negative step is written as its two's complement.
    let (time, step) = (wall_time.0, step.cast_unsigned());
    let values_bytes = values_bytes as u64;
    let time_bytes = if time == 0.0 { 0 } else { 9 };
    let step_bytes = if step == 0 { 0 } else { 1 + varint_bytes(step) };
    let start = room.len() - time_bytes - step_bytes - 1 - varint_bytes(values_bytes);

    let mut out = &mut room[start..];
    if time != 0.0 {
        out.put_u8(WALL_TIME);
        out.put_f64_le(time);
    }
    if step != 0 {
        out.put_u8(STEP);
        put_varint(step, &mut out);
    }
    out.put_u8(SUMMARY);
    put_varint(values_bytes, &mut out);
    start
}

/// The longest tag of an event that [`put_short_event`] writes, so that each length takes one byte.
pub(crate) const SHORT_TAG_BYTES: usize = 100;
/// The most that [`put_short_event`] writes: time, step, the lengths of summary, value and tag, the tag, and the number.
pub(crate) const SHORT_EVENT_BYTES: usize = 9 + 11 + 6 + SHORT_TAG_BYTES + 5;

/// Writes the event of one plain scalar, if its tag is short and neither the time nor the step is 0. Returns its length.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    reason = "the lengths are checked, and a step is written seven bits at a time"
)]
pub(crate) fn put_short_event(
    out: &mut [u8; SHORT_EVENT_BYTES],
    wall_time: WallTime,
    step: i64,
    (prefix, name): (&str, &str),
    value: f32,
) -> Option<usize> {
    let tag_bytes = prefix.len() + name.len();
    if tag_bytes > SHORT_TAG_BYTES || wall_time.0 == 0.0 || step == 0 {
        return None;
    }
    out[0] = WALL_TIME;
    out[1..9].copy_from_slice(&wall_time.0.to_le_bytes());
    out[9] = STEP;
    let mut at = 10;
    let mut step = step.cast_unsigned();
    while step >= 0x80 {
        out[at] = step as u8 | 0x80;
        step >>= 7;
        at += 1;
    }
    out[at] = step as u8;
    let tag_field = if tag_bytes == 0 {
        0
    } else {
        2 + tag_bytes as u8
    };
    let value_bytes = tag_field + 5;
    out[at + 1..at + 5].copy_from_slice(&[SUMMARY, value_bytes + 2, SUMMARY_VALUE, value_bytes]);
    at += 5;
    if tag_bytes > 0 {
        out[at..at + 2].copy_from_slice(&[VALUE_TAG, tag_bytes as u8]);
        at += 2;
        if !prefix.is_empty() {
            out[at..at + prefix.len()].copy_from_slice(prefix.as_bytes());
            at += prefix.len();
        }
        out[at..at + name.len()].copy_from_slice(name.as_bytes());
        at += name.len();
    }
    out[at] = VALUE_SIMPLE_VALUE;
    out[at + 1..at + 5].copy_from_slice(&value.to_le_bytes());
    Some(at + 5)
}

fn simple_value_body_bytes(tag_bytes: usize) -> usize {
    let tag_field = match tag_bytes {
        0 => 0,
        _ => 1 + varint_bytes(tag_bytes as u64) + tag_bytes,
    };
    tag_field + 5
}

/// Writes one plain scalar: the tag, given in two parts, and its number as `simple_value`, the smallest form that the loaders
/// read.
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

/// Appends a value of any kind.
pub(crate) fn append_value(out: &mut Vec<u8>, value: &Value) {
    out.put_u8(SUMMARY_VALUE);
    let encoded = value.encode_length_delimited(out);
    debug_assert!(encoded.is_ok(), "a `Vec` grows as needed");
}

/// Returns the payload of the first record of a file.
pub(crate) fn version(wall_time: WallTime) -> Vec<u8> {
    let event = Event {
        wall_time: wall_time.0,
        what: Some(What::FileVersion(VERSION.into())),
        source_metadata: Some(SourceMetadata {
            writer: WRITER.into(),
        }),
        ..Event::default()
    };
    event.encode_to_vec()
}

/// Returns how many bytes [`put_varint`] writes: one for every seven bits, and one for 0.
#[inline]
fn varint_bytes(number: u64) -> usize {
    // ceil(bits / 7) without a division, for numbers of 1 to 64 bits.
    let last_bit = (number | 1).ilog2() as usize;
    (last_bit * 9 + 73) / 64
}

/// Writes a varint. Most lengths and steps have one byte, so only that case is inlined.
#[inline]
fn put_varint(number: u64, out: &mut impl BufMut) {
    match u8::try_from(number) {
        Ok(byte @ 0..0x80) => out.put_u8(byte),
        _ => put_long_varint(number, out),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn put_long_varint(mut number: u64, out: &mut impl BufMut) {
    while number >= 0x80 {
        out.put_u8(number as u8 | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Summary;
    use crate::proto::summary::value::Value as Data;

    fn payload(wall_time: f64, step: i64, values: &[(&str, &str, f32)]) -> Vec<u8> {
        let mut bytes = vec![0; HEAD_BYTES];
        for (prefix, name, value) in values {
            put_simple_value(&mut bytes, prefix, name, *value);
        }
        let values_bytes = bytes.len() - HEAD_BYTES;
        let room = &mut bytes[..HEAD_BYTES];
        let start = put_head(room, WallTime(wall_time), step, values_bytes);
        let payload = bytes.split_off(start);
        let mut short = [0; SHORT_EVENT_BYTES];
        if let [(prefix, name, value)] = *values
            && let Some(len) =
                put_short_event(&mut short, WallTime(wall_time), step, (prefix, name), value)
        {
            assert_eq!(short[..len], payload);
        }
        payload
    }

    #[test]
    fn one_scalar_has_the_bytes_of_a_stock_record() {
        // Written with the stock package: wall time 1700000000.5, step 7, tag "loss", simple_value 0.25.
        let want =
            b"\x09\0\0\x20\x40\xfc\x54\xd9\x41\x10\x07\x2a\x0d\x0a\x0b\x0a\x04loss\x15\0\0\x80\x3e";
        assert_eq!(payload(1_700_000_000.5, 7, &[("", "loss", 0.25)]), want);
        assert_eq!(payload(1_700_000_000.5, 7, &[("lo", "ss", 0.25)]), want);
        let mut short = [0; SHORT_EVENT_BYTES];
        let len = put_short_event(&mut short, WallTime(1_700_000_000.5), 7, ("lo", "ss"), 0.25);
        assert_eq!(short[..len.unwrap()], want[..]);
    }

    #[test]
    fn random_events_have_the_bytes_that_prost_encodes() {
        let mut random = fastrand::Rng::with_seed(2026);
        for case in 0..20_000 {
            let wall_time = [0.0, -0.0, 1.5, -3.0, 1.7e9][random.usize(..5)];
            let step = [0, 1, -1, i64::MIN, i64::MAX, 1 << random.u32(..63)][random.usize(..6)];
            let values: Vec<(String, f32)> = (0..random.usize(1..4))
                .map(|_| {
                    let most = [3, 51, 130, 20_000][random.usize(..4)];
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
    fn version_payload_starts_like_a_stock_file() {
        // Field 1 (double 1700000000.0), field 3 with the 13 bytes of the version, as the stock writer has them.
        let want = b"\x09\0\0\0\x40\xfc\x54\xd9\x41\x1a\x0dbrain.Event:2";
        assert!(version(WallTime(1_700_000_000.0)).starts_with(want));
    }

    #[test]
    fn appended_value_has_the_bytes_of_a_plain_scalar() {
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
}
