use bytes::BytesMut;

use super::exactly;
use crate::rows::error::Malformed;

pub(super) fn bool(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let [byte] = exactly(raw)?;
    let text: &[u8] = match byte {
        0 => b"false",
        1 => b"true",
        _ => return Err(Malformed("a bool is neither 0 nor 1")),
    };
    out.extend_from_slice(text);
    Ok(())
}

pub(super) fn int2(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    exactly(raw).map(|bytes| put(i16::from_be_bytes(bytes), out))
}

pub(super) fn int4(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    exactly(raw).map(|bytes| put(i32::from_be_bytes(bytes), out))
}

pub(super) fn int8(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    exactly(raw).map(|bytes| put(i64::from_be_bytes(bytes), out))
}

pub(super) fn oid(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    exactly(raw).map(|bytes| put(u32::from_be_bytes(bytes), out))
}

pub(super) fn float4(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    exactly(raw).map(|bytes| {
        let value = f32::from_be_bytes(bytes);
        put_float(value, value.classify(), value.is_sign_negative(), out);
    })
}

pub(super) fn float8(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    exactly(raw).map(|bytes| {
        let value = f64::from_be_bytes(bytes);
        put_float(value, value.classify(), value.is_sign_negative(), out);
    })
}

fn put(value: impl itoa::Integer, out: &mut BytesMut) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn put_float(value: impl ryu::Float, class: std::num::FpCategory, negative: bool, out: &mut BytesMut) {
    let mut buffer = ryu::Buffer::new();
    let text = match class {
        std::num::FpCategory::Nan => "NaN",
        std::num::FpCategory::Infinite if negative => "-Infinity",
        std::num::FpCategory::Infinite => "Infinity",
        _ => {
            let text = buffer.format_finite(value);
            text.strip_suffix(".0").unwrap_or(text)
        }
    };
    out.extend_from_slice(text.as_bytes());
}
