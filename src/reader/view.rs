//! An event seen in the reader's buffer: time, step, tags and numbers, without a copy of anything.

use std::fmt;

use prost::Message;

use super::wire::{Field, Kind, MAX_DEPTH, Value, is_message, next_field};
use crate::proto::{Event, summary};
use crate::summary::scalar_of_tensor;

// The fields that are looked at, by their numbers in `proto/`.
const EVENT_WALL_TIME: u32 = 1;
const EVENT_STEP: u32 = 2;
const EVENT_SUMMARY: u32 = 5;
/// What an event can have instead of a summary: file version, graph, session log, run metadata.
const EVENT_OTHERS: [u32; 4] = [3, 4, 7, 8];
const SUMMARY_VALUE: u32 = 1;
const VALUE_TAG: u32 = 1;
const VALUE_SIMPLE_VALUE: u32 = 2;
const VALUE_TENSOR: u32 = 8;
/// Image, histogram, audio.
const VALUE_OTHERS: [u32; 3] = [4, 5, 6];
const VALUE_METADATA: u32 = 9;
const METADATA_PLUGIN_DATA: u32 = 1;
const PLUGIN_DATA_PLUGIN_NAME: u32 = 1;
const TENSOR_DTYPE: u32 = 1;
const TENSOR_SHAPE: u32 = 2;
const TENSOR_CONTENT: u32 = 4;
const TENSOR_FLOAT_VAL: u32 = 5;
const SHAPE_DIM: u32 = 2;

/// An event in the buffer of its [`EventReader`](crate::EventReader), from
/// [`next_event`](crate::EventReader::next_event). It is sound as a whole.
#[derive(Clone, Copy)]
pub struct EventRef<'a> {
    payload: &'a [u8],
    wall_time: f64,
    step: i64,
    /// The fields of the event from its summary on; empty if it has none.
    summaries: &'a [u8],
}

impl<'a> EventRef<'a> {
    /// Whether prost would decode `payload`.
    pub(super) fn is_event(payload: &[u8]) -> bool {
        is_message(Kind::Event, payload, MAX_DEPTH)
    }

    pub(super) fn new(payload: &'a [u8]) -> Self {
        let mut event = Self {
            payload,
            wall_time: 0.0,
            step: 0,
            summaries: &[],
        };
        // A field that comes again counts as it came last, but a summary is continued: unless the event became something
        // else in between.
        each(payload, |field, from| match (field.number, field.value) {
            (EVENT_WALL_TIME, Value::Fixed64(bits)) => event.wall_time = f64::from_bits(bits),
            (EVENT_STEP, Value::Varint(step)) => event.step = step.cast_signed(),
            (EVENT_SUMMARY, _) if event.summaries.is_empty() => event.summaries = from,
            (other, _) if EVENT_OTHERS.contains(&other) => event.summaries = &[],
            _ => {}
        });
        event
    }

    /// Seconds since 1970.
    pub fn wall_time(&self) -> f64 {
        self.wall_time
    }

    /// The counter of the program that wrote it.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// Its values, one after the other. None if it is no summary, as the first event of a file, which has its version.
    pub fn values(&self) -> Values<'a> {
        Values {
            summaries: self.summaries,
            values: &[],
        }
    }

    /// The whole event as a message of its own.
    pub fn to_event(&self) -> Event {
        Event::decode(self.payload).unwrap_or_default() // it was checked
    }
}

/// The values of an [`EventRef`].
#[derive(Clone)]
pub struct Values<'a> {
    /// The fields of the event that are left.
    summaries: &'a [u8],
    /// The fields of its summary that are left.
    values: &'a [u8],
}

impl<'a> Iterator for Values<'a> {
    type Item = ValueRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<ValueRef<'a>> {
        loop {
            if let Some(value) = next_bytes(&mut self.values, SUMMARY_VALUE) {
                return Some(ValueRef::new(value));
            }
            self.values = next_bytes(&mut self.summaries, EVENT_SUMMARY)?;
        }
    }
}

/// A value of an [`EventRef`]: a tag, and its data at the event's step.
#[derive(Clone, Copy)]
pub struct ValueRef<'a> {
    bytes: &'a [u8],
    tag: &'a str,
    plugin_name: &'a str,
    data: Data<'a>,
}

#[derive(Clone, Copy)]
enum Data<'a> {
    SimpleValue(f32),
    /// The fields of the value from its tensor on.
    Tensor(&'a [u8]),
    Other,
}

impl<'a> ValueRef<'a> {
    #[inline]
    fn new(bytes: &'a [u8]) -> Self {
        let mut value = Self {
            bytes,
            tag: "",
            plugin_name: "",
            data: Data::Other,
        };
        each(bytes, |field, from| match (field.number, field.value) {
            (VALUE_TAG, Value::Bytes(tag)) => value.tag = text(tag),
            (VALUE_SIMPLE_VALUE, Value::Fixed32(bits)) => {
                value.data = Data::SimpleValue(f32::from_bits(bits));
            }
            // A tensor is continued as a summary is.
            (VALUE_TENSOR, _) if !matches!(value.data, Data::Tensor(_)) => {
                value.data = Data::Tensor(from);
            }
            (VALUE_METADATA, Value::Bytes(mut metadata)) => {
                while let Some(mut data) = next_bytes(&mut metadata, METADATA_PLUGIN_DATA) {
                    while let Some(name) = next_bytes(&mut data, PLUGIN_DATA_PLUGIN_NAME) {
                        value.plugin_name = text(name);
                    }
                }
            }
            (other, _) if VALUE_OTHERS.contains(&other) => value.data = Data::Other,
            _ => {}
        });
        value
    }

    /// Its tag.
    pub fn tag(&self) -> &'a str {
        self.tag
    }

    /// The dashboard that shows it; empty where the value does not say it. Some writers say it in the first value of a tag
    /// only, and a scalar in the small form never does.
    pub fn plugin_name(&self) -> &'a str {
        self.plugin_name
    }

    /// The number of a scalar, as [`Value::scalar`](summary::Value::scalar) gives it. `None` for other kinds.
    pub fn scalar(&self) -> Option<f32> {
        match self.data {
            Data::SimpleValue(value) => Some(value),
            Data::Tensor(tensors) => self.tensor_scalar(tensors),
            Data::Other => None,
        }
    }

    fn tensor_scalar(&self, mut tensors: &'a [u8]) -> Option<f32> {
        let (mut dtype, mut has_dims, mut content) = (0u64, false, &[][..]);
        let (mut floats, mut float_count) = (None, 0);
        while let Some(tensor) = next_bytes(&mut tensors, VALUE_TENSOR) {
            each(tensor, |field, _| match (field.number, field.value) {
                (TENSOR_DTYPE, Value::Varint(number)) => dtype = number,
                (TENSOR_SHAPE, Value::Bytes(mut shape)) => {
                    has_dims |= next_bytes(&mut shape, SHAPE_DIM).is_some();
                }
                (TENSOR_CONTENT, Value::Bytes(bytes)) => content = bytes,
                (TENSOR_FLOAT_VAL, Value::Fixed32(bits)) => {
                    floats = Some(f32::from_bits(bits));
                    float_count += 1;
                }
                (TENSOR_FLOAT_VAL, Value::Bytes(row)) => {
                    if let Some(float) = row.last_chunk() {
                        floats = Some(f32::from_le_bytes(*float));
                    }
                    float_count += row.len() / 4;
                }
                _ => {}
            });
        }
        let only_float = floats.filter(|_| float_count == 1);
        // An int32 is the lower half of what stands there.
        let [a, b, c, d, ..] = dtype.to_le_bytes();
        let dtype = i32::from_le_bytes([a, b, c, d]);
        scalar_of_tensor(self.plugin_name, dtype, has_dims, content, only_float)
    }

    /// The whole value as a message of its own, for what is no scalar.
    pub fn to_value(&self) -> summary::Value {
        summary::Value::decode(self.bytes).unwrap_or_default() // it was checked
    }
}

/// Hands over the fields of a message, each with the bytes from it on.
#[inline]
fn each<'a>(mut bytes: &'a [u8], mut take: impl FnMut(Field<'a>, &'a [u8])) {
    let mut from = bytes;
    while let Some(field) = next_field(&mut bytes, MAX_DEPTH) {
        take(field, from);
        from = bytes;
    }
}

/// Takes fields from `bytes` up to the next one that is `number`, a message or a string.
#[inline]
fn next_bytes<'a>(bytes: &mut &'a [u8], number: u32) -> Option<&'a [u8]> {
    loop {
        match next_field(bytes, MAX_DEPTH)? {
            Field {
                number: got,
                value: Value::Bytes(value),
            } if got == number => return Some(value),
            _ => {}
        }
    }
}

#[inline]
fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default() // it was checked
}

// What a value holds can be a picture, which nobody wants to see as numbers.
impl fmt::Debug for EventRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventRef")
            .field("wall_time", &self.wall_time)
            .field("step", &self.step)
            .field("values", &self.values())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Values<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueRef")
            .field("tag", &self.tag)
            .field("plugin_name", &self.plugin_name)
            .field("scalar", &self.scalar())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
