//! A value seen in the reader's buffer: its tag, and its number if it is a scalar.

use std::fmt;

use prost::Message;

use super::wire::{Fields, Kind, MAX_DEPTH};
use crate::proto::summary;
use crate::summary::scalar_of_tensor;

// The keys of the fields that are looked at, `number << 3 | wire type`.
const TAG: u32 = 1 << 3 | 2;
const SIMPLE_VALUE: u32 = 2 << 3 | 5;
const TENSOR: u32 = 8 << 3 | 2;
const METADATA: u32 = 9 << 3 | 2;
// What a value can be instead of a number or a tensor.
const IMAGE: u32 = 4 << 3 | 2;
const HISTO: u32 = 5 << 3 | 2;
const AUDIO: u32 = 6 << 3 | 2;
// Of metadata, and of the plugin data in it.
const PLUGIN_DATA: u32 = 1 << 3 | 2;
const PLUGIN_NAME: u32 = 1 << 3 | 2;
// Of a tensor, and of its shape.
const DTYPE: u32 = 1 << 3;
const TENSOR_SHAPE: u32 = 2 << 3 | 2;
const TENSOR_CONTENT: u32 = 4 << 3 | 2;
const FLOAT_VAL: u32 = 5 << 3 | 5;
const FLOAT_VAL_ROW: u32 = 5 << 3 | 2;
const DIM: u32 = 2 << 3 | 2;

/// A value is in a summary, which is in an event.
const DEPTH: u32 = MAX_DEPTH - 2;

/// A value of an [`EventRef`](crate::EventRef): a tag, and its data at the event's step.
#[derive(Clone, Copy)]
pub struct ValueRef<'a> {
    bytes: &'a [u8],
    tag: &'a str,
    scalar: Option<f32>,
}

impl<'a> ValueRef<'a> {
    /// Looks at all of `bytes`; `None` if prost would not decode them.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (mut tag, mut plugin_name) = ("", &[][..]);
        let mut data = Data::Other;
        let mut fields = Fields(bytes);
        while !fields.0.is_empty() {
            let key = fields.key()?;
            match key {
                TAG => tag = str::from_utf8(fields.bytes()?).ok()?,
                SIMPLE_VALUE => data = Data::SimpleValue(f32::from_le_bytes(fields.array()?)),
                TENSOR => {
                    // A tensor that comes again is continued, as a summary is.
                    let mut number = match data {
                        Data::Tensor(number) => number,
                        _ => TensorNumber::default(),
                    };
                    number.look(Fields(fields.bytes()?))?;
                    data = Data::Tensor(number);
                }
                METADATA => {
                    let metadata = Fields(fields.bytes()?);
                    plugin_name = check_metadata(metadata)?.unwrap_or(plugin_name);
                }
                other => {
                    fields.check(Kind::Value, other, DEPTH)?;
                    if let IMAGE | HISTO | AUDIO = other {
                        data = Data::Other;
                    }
                }
            }
        }
        let scalar = match data {
            Data::SimpleValue(value) => Some(value),
            Data::Tensor(number) => number.scalar(plugin_name),
            Data::Other => None,
        };
        Some(Self { bytes, tag, scalar })
    }

    /// Its tag.
    #[inline]
    pub fn tag(&self) -> &'a str {
        self.tag
    }

    /// The dashboard that shows it; empty where the value does not say it. Some writers say it in the first value of a tag
    /// only, and a scalar in the small form never does.
    pub fn plugin_name(&self) -> &'a str {
        let mut name = &[][..];
        let mut fields = Fields(self.bytes);
        while let Some(metadata) = fields.next_bytes(METADATA) {
            name = check_metadata(Fields(metadata)).flatten().unwrap_or(name);
        }
        str::from_utf8(name).unwrap_or_default() // it was checked
    }

    /// The number of a scalar, as [`Value::scalar`](summary::Value::scalar) gives it. `None` for other kinds.
    #[inline]
    pub fn scalar(&self) -> Option<f32> {
        self.scalar
    }

    /// The whole value as a message of its own, for what is no scalar.
    pub fn to_value(&self) -> summary::Value {
        summary::Value::decode(self.bytes).unwrap_or_default() // it was checked
    }
}

/// The plugin name, if it is said; as it was said last.
fn check_metadata(mut metadata: Fields<'_>) -> Option<Option<&[u8]>> {
    let mut name = None;
    while !metadata.0.is_empty() {
        let key = metadata.key()?;
        if key != PLUGIN_DATA {
            metadata.check(Kind::Metadata, key, DEPTH - 1)?;
            continue;
        }
        let mut data = Fields(metadata.bytes()?);
        while !data.0.is_empty() {
            let key = data.key()?;
            let mut from = data;
            data.check(Kind::PluginData, key, DEPTH - 2)?;
            if key == PLUGIN_NAME {
                name = from.bytes();
            }
        }
    }
    Some(name)
}

enum Data<'a> {
    SimpleValue(f32),
    Tensor(TensorNumber<'a>),
    Other,
}

/// What of a tensor decides whether it is a scalar, and of which number.
#[derive(Default)]
struct TensorNumber<'a> {
    dtype: u64,
    has_dims: bool,
    content: &'a [u8],
    float_count: usize,
    last_float: f32,
}

impl<'a> TensorNumber<'a> {
    fn look(&mut self, mut tensor: Fields<'a>) -> Option<()> {
        while !tensor.0.is_empty() {
            let key = tensor.key()?;
            let mut from = tensor;
            tensor.check(Kind::Tensor, key, DEPTH - 1)?;
            match key {
                DTYPE => self.dtype = from.varint()?,
                TENSOR_SHAPE => self.has_dims |= Fields(from.bytes()?).next_bytes(DIM).is_some(),
                TENSOR_CONTENT => self.content = from.bytes()?,
                FLOAT_VAL => self.add_float(from.array()?, 1),
                FLOAT_VAL_ROW => {
                    let row = from.bytes()?;
                    if let Some(float) = row.last_chunk() {
                        self.add_float(*float, row.len() / 4);
                    }
                }
                _ => {}
            }
        }
        Some(())
    }

    fn add_float(&mut self, last: [u8; 4], count: usize) {
        self.last_float = f32::from_le_bytes(last);
        self.float_count += count;
    }

    fn scalar(&self, plugin_name: &[u8]) -> Option<f32> {
        // An int32 is the lower half of what stands there.
        let [a, b, c, d, ..] = self.dtype.to_le_bytes();
        let dtype = i32::from_le_bytes([a, b, c, d]);
        let only_float = (self.float_count == 1).then_some(self.last_float);
        scalar_of_tensor(plugin_name, dtype, self.has_dims, self.content, only_float)
    }
}

// What a value holds can be a picture, which nobody wants to see as numbers.
impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueRef")
            .field("tag", &self.tag)
            .field("plugin_name", &self.plugin_name())
            .field("scalar", &self.scalar())
            .finish_non_exhaustive()
    }
}
