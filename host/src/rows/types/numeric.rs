use bytes::BytesMut;

use super::{Reader, put_padded};
use crate::rows::error::Malformed;

/// The sign words of `numeric_send`.
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;

/// How many digits a numeric can have after its point.
const SCALE_MASK: u16 = 0x3FFF;

/// `numeric`: groups of four digits, the first of which counts 10000^weight.
pub(super) fn encode(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let mut reader = Reader(raw);
    let count =
        usize::try_from(reader.take_i16()?).map_err(|_| Malformed("a numeric of fewer than no digits"))?;
    let weight = i32::from(reader.take_i16()?);
    let sign = u16::from_be_bytes(reader.take()?);
    let scale = u16::from_be_bytes(reader.take()?);
    if scale > SCALE_MASK {
        return Err(Malformed("a numeric's scale is out of range"));
    }
    let digits = reader.take_bytes(count * 2)?;
    reader.end()?;
    let (groups, _) = digits.as_chunks::<2>();
    if groups.iter().any(|group| u16::from_be_bytes(*group) > 9999) {
        return Err(Malformed("a numeric's digit is out of range"));
    }
    // The group that counts 10000^exponent.
    let group = |exponent: i32| {
        let position = usize::try_from(weight - exponent).ok();
        position.and_then(|position| groups.get(position)).map_or(0, |group| u16::from_be_bytes(*group))
    };
    match sign {
        POSITIVE => {}
        NEGATIVE => out.extend_from_slice(b"-"),
        NAN => return put(b"\"NaN\"", out),
        INFINITY => return put(b"\"Infinity\"", out),
        MINUS_INFINITY => return put(b"\"-Infinity\"", out),
        _ => return Err(Malformed("a numeric's sign is unknown")),
    }
    let mut width = 1;
    for exponent in (0..=weight.max(0)).rev() {
        let group = group(exponent);
        // JSON allows no zeros before the first digit.
        if group != 0 || width == 4 || exponent == 0 {
            put_padded(group.into(), width, out);
            width = 4;
        }
    }
    if scale > 0 {
        out.extend_from_slice(b".");
        let end = out.len() + usize::from(scale);
        for exponent in 1..=i32::from(scale.div_ceil(4)) {
            put_padded(group(-exponent).into(), 4, out);
        }
        out.truncate(end);
    }
    Ok(())
}

fn put(text: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    out.extend_from_slice(text);
    Ok(())
}
