//! Markdown.

use super::{Tag, plugin, tensor_value};
use crate::proto::summary::Value;
use crate::proto::{DataClass, DataType, TensorProto};

/// Of rank 0: any other rank shows as a table.
pub(crate) fn text(prefix: &str, tag: &Tag<'_>, markdown: &str) -> Value {
    let tensor = TensorProto {
        dtype: DataType::DtString.into(),
        string_val: vec![markdown.as_bytes().to_vec()],
        ..Default::default()
    };
    tensor_value(prefix, tag, plugin("text"), DataClass::Tensor, tensor)
}
