//! A histogram to the bytes of its value: a tensor of rows, and the metadata that brings it to its dashboard. They are those
//! that prost encodes for the same message, which would own a copy of each part.

use prost::encoding::{encode_varint, encoded_len_varint};

use super::{Histogram, Row};
use crate::proto::{DataClass, DataType};
use crate::summary::Tag;

const PLUGIN: &str = "histograms";

// The keys of the fields, `number << 3 | wire type`.
const VALUE_TAG: u8 = 1 << 3 | 2;
const VALUE_TENSOR: u8 = 8 << 3 | 2;
const VALUE_METADATA: u8 = 9 << 3 | 2;
const TENSOR_DTYPE: u8 = 1 << 3;
const TENSOR_SHAPE: u8 = 2 << 3 | 2;
const TENSOR_CONTENT: u8 = 4 << 3 | 2;
const SHAPE_DIM: u8 = 2 << 3 | 2;
const DIM_SIZE: u8 = 1 << 3;
const METADATA_PLUGIN_DATA: u8 = 1 << 3 | 2;
const METADATA_DISPLAY_NAME: u8 = 2 << 3 | 2;
const METADATA_DESCRIPTION: u8 = 3 << 3 | 2;
const METADATA_DATA_CLASS: u8 = 4 << 3;
const PLUGIN_NAME: u8 = 1 << 3 | 2;

/// A value of an event, as `Value` is, borrowed.
#[derive(Debug)]
pub(crate) struct HistogramValue<'a> {
    prefix: &'a str,
    tag: &'a Tag<'a>,
    rows: &'a [Row],
}

impl<'a> HistogramValue<'a> {
    pub(crate) fn new(prefix: &'a str, tag: &'a Tag<'_>, histogram: &'a Histogram) -> Self {
        Self {
            prefix,
            tag,
            rows: &histogram.rows,
        }
    }

    pub(crate) fn encoded_len(&self) -> usize {
        text_bytes(self.tag_bytes())
            + field_bytes(self.tensor_bytes())
            + field_bytes(self.metadata_bytes())
    }

    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        if self.tag_bytes() > 0 {
            put_head(out, VALUE_TAG, self.tag_bytes());
            out.extend_from_slice(self.prefix.as_bytes());
            out.extend_from_slice(self.tag.name.as_bytes());
        }
        put_head(out, VALUE_TENSOR, self.tensor_bytes());
        self.append_tensor(out);
        put_head(out, VALUE_METADATA, self.metadata_bytes());
        self.append_metadata(out);
    }

    fn tag_bytes(&self) -> usize {
        self.prefix.len() + self.tag.name.len()
    }

    fn append_tensor(&self, out: &mut Vec<u8>) {
        put_number(out, TENSOR_DTYPE, DataType::DtDouble as u64);
        put_head(out, TENSOR_SHAPE, self.shape_bytes());
        for size in self.shape() {
            put_head(out, SHAPE_DIM, number_bytes(size));
            put_number(out, DIM_SIZE, size);
        }
        let content_bytes = self.content_bytes();
        if content_bytes > 0 {
            put_head(out, TENSOR_CONTENT, content_bytes);
            let start = out.len();
            out.resize(start + content_bytes, 0);
            let content = out[start..].as_chunks_mut().0;
            for (bytes, number) in content.iter_mut().zip(self.rows.as_flattened()) {
                *bytes = number.to_le_bytes();
            }
        }
    }

    fn tensor_bytes(&self) -> usize {
        number_bytes(DataType::DtDouble as u64)
            + field_bytes(self.shape_bytes())
            + text_bytes(self.content_bytes())
    }

    fn shape(&self) -> [u64; 2] {
        [self.rows.len() as u64, 3]
    }

    fn shape_bytes(&self) -> usize {
        let dims = self.shape().map(|size| field_bytes(number_bytes(size)));
        dims[0] + dims[1]
    }

    fn content_bytes(&self) -> usize {
        size_of_val(self.rows)
    }

    fn append_metadata(&self, out: &mut Vec<u8>) {
        put_head(out, METADATA_PLUGIN_DATA, field_bytes(PLUGIN.len()));
        put_text(out, PLUGIN_NAME, PLUGIN);
        put_text(out, METADATA_DISPLAY_NAME, &self.tag.display_name);
        put_text(out, METADATA_DESCRIPTION, &self.tag.description);
        put_number(out, METADATA_DATA_CLASS, DataClass::Tensor as u64);
    }

    fn metadata_bytes(&self) -> usize {
        field_bytes(field_bytes(PLUGIN.len()))
            + text_bytes(self.tag.display_name.len())
            + text_bytes(self.tag.description.len())
            + number_bytes(DataClass::Tensor as u64)
    }
}

/// The length of a field whose bytes stand behind their number.
fn field_bytes(bytes: usize) -> usize {
    1 + encoded_len_varint(bytes as u64) + bytes
}

fn put_head(out: &mut Vec<u8>, key: u8, bytes: usize) {
    put_varint(out, key, bytes as u64);
}

// A field of its default value is not written.

fn text_bytes(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { field_bytes(bytes) }
}

fn put_text(out: &mut Vec<u8>, key: u8, text: &str) {
    if !text.is_empty() {
        put_head(out, key, text.len());
        out.extend_from_slice(text.as_bytes());
    }
}

fn number_bytes(number: u64) -> usize {
    if number == 0 {
        0
    } else {
        1 + encoded_len_varint(number)
    }
}

fn put_number(out: &mut Vec<u8>, key: u8, number: u64) {
    if number != 0 {
        put_varint(out, key, number);
    }
}

/// Most numbers have one byte, which is not worth a call.
fn put_varint(out: &mut Vec<u8>, key: u8, number: u64) {
    match u8::try_from(number) {
        Ok(byte @ 0..0x80) => out.extend([key, byte]),
        _ => {
            out.push(key);
            encode_varint(number, out);
        }
    }
}
