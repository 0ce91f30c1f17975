use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, BytesMut};
use uuid::Uuid;

use super::{escaped, exactly};
use crate::rows::error::Malformed;

/// `"char"`: one byte, as PostgreSQL 16 writes it: nothing for zero, octal outside of ASCII.
pub(super) fn char(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let [byte] = exactly(raw)?;
    match byte {
        0 => {}
        ascii @ 1..0x80 => out.put_u8(ascii),
        other => out.extend_from_slice(format!("\\{other:03o}").as_bytes()),
    }
    Ok(())
}

pub(super) fn char_as_json(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let mut text = BytesMut::new();
    char(raw, &mut text)?;
    escaped::text(&text, out)
}

pub(super) fn bytea(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let start = out.len();
    let length = base64::encoded_len(raw.len(), true).ok_or(Malformed("a bytea is too long"))?;
    out.resize(start + length, 0);
    STANDARD.encode_slice(raw, &mut out[start..]).map_err(|_| Malformed("a bytea is too long"))?;
    Ok(())
}

pub(super) fn uuid(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let uuid = Uuid::from_bytes(exactly(raw)?);
    out.extend_from_slice(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
    Ok(())
}

/// `json` and, below, `jsonb`: PostgreSQL has parsed it when it made the value, so it is not parsed again.
pub(super) fn json(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    check_utf8(raw)?;
    if raw.trim_ascii().is_empty() {
        return Err(Malformed("a json is empty"));
    }
    out.extend_from_slice(raw);
    Ok(())
}

/// The same on one line: a line break of valid JSON is never within a string.
pub(super) fn json_on_one_line(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let start = out.len();
    json(raw, out)?;
    for byte in &mut out[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    Ok(())
}

pub(super) fn jsonb(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    match raw {
        [1, text @ ..] => json(text, out),
        _ => Err(Malformed("a jsonb is not of version 1")),
    }
}

/// Whether a text can be written.
pub(super) fn check_utf8(raw: &[u8]) -> Result<(), Malformed> {
    // Most are ASCII, which is seen sooner.
    if raw.is_ascii() { Ok(()) } else { utf8(raw).map(drop) }
}

pub(in crate::rows) fn utf8(raw: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(raw).map_err(|_| Malformed("a text is not UTF-8"))
}
