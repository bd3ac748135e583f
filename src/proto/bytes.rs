//! Fields of bytes, decoded with one copy. Prost makes two of a `Vec`, for it goes by way of a `Bytes`.

use prost::DecodeError;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{self, DecodeContext, WireType};

/// As `prost::encoding::bytes::merge`.
pub(super) fn merge(
    wire_type: WireType,
    value: &mut Vec<u8>,
    buf: &mut impl Buf,
    ctx: DecodeContext,
) -> Result<(), DecodeError> {
    encoding::check_wire_type(WireType::LengthDelimited, wire_type)?;
    match usize::try_from(encoding::decode_varint(buf)?) {
        Ok(len) if len <= buf.remaining() => {
            value.clear();
            value.put(buf.take(len));
            Ok(())
        }
        // The error is one that only prost can make: of a length of 1 with nothing after it.
        _ => encoding::bytes::merge(wire_type, value, &mut &[1][..], ctx),
    }
}

/// As `prost::encoding::bytes::merge_repeated`.
pub(super) fn merge_repeated(
    wire_type: WireType,
    values: &mut Vec<Vec<u8>>,
    buf: &mut impl Buf,
    ctx: DecodeContext,
) -> Result<(), DecodeError> {
    let mut value = Vec::new();
    merge(wire_type, &mut value, buf, ctx)?;
    values.push(value);
    Ok(())
}
