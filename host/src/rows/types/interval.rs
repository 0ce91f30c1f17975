use bytes::{BufMut, BytesMut};

use super::{Reader, put_fraction, put_padded};
use crate::rows::error::Malformed;

/// `interval`, as PostgreSQL writes it under `IntervalStyle = iso_8601`.
pub(super) fn text(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let mut reader = Reader(raw);
    let microseconds = i64::from_be_bytes(reader.take()?);
    let days = reader.take_i32()?;
    let months = reader.take_i32()?;
    reader.end()?;
    match (microseconds, days, months) {
        (0, 0, 0) => out.extend_from_slice(b"PT0S"),
        // PostgreSQL 17.
        (i64::MAX, i32::MAX, i32::MAX) => out.extend_from_slice(b"infinity"),
        (i64::MIN, i32::MIN, i32::MIN) => out.extend_from_slice(b"-infinity"),
        _ => {
            out.put_u8(b'P');
            put_part(i64::from(months / 12), b'Y', out);
            put_part(i64::from(months % 12), b'M', out);
            put_part(i64::from(days), b'D', out);
            if microseconds != 0 {
                out.put_u8(b'T');
                put_part(microseconds / 3_600_000_000, b'H', out);
                put_part(microseconds / 60_000_000 % 60, b'M', out);
                put_seconds(microseconds % 60_000_000, out);
            }
        }
    }
    Ok(())
}

fn put_part(value: i64, unit: u8, out: &mut BytesMut) {
    if value != 0 {
        put_sign(value, out);
        put_padded(value.unsigned_abs(), 1, out);
        out.put_u8(unit);
    }
}

fn put_seconds(microseconds: i64, out: &mut BytesMut) {
    if microseconds != 0 {
        put_sign(microseconds, out);
        put_padded(microseconds.unsigned_abs() / 1_000_000, 1, out);
        put_fraction((microseconds.unsigned_abs() % 1_000_000) as u32, out);
        out.put_u8(b'S');
    }
}

fn put_sign(value: i64, out: &mut BytesMut) {
    if value < 0 {
        out.put_u8(b'-');
    }
}
