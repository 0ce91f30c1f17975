use bytes::{BufMut, BytesMut};

use super::{exactly, two_digits};
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
        if !put_hundredths(value, out) {
            put_float(value, value.classify(), value.is_sign_negative(), out);
        }
    })
}

fn put(value: impl itoa::Integer, out: &mut BytesMut) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends a number that is what hundredths are, as most are that come of a `numeric` or an integer; says whether it is. No two
/// decimals of 15 digits are the same `float8`, so that one that reads back the same is the shortest that does.
fn put_hundredths(value: f64, out: &mut BytesMut) -> bool {
    let size = value.abs();
    if !(0.01..1e13).contains(&size) {
        return false;
    }
    let hundredths = (size * 100.0 + 0.5) as u64;
    if hundredths as f64 / 100.0 != size {
        return false;
    }
    if value < 0.0 {
        out.put_u8(b'-');
    }
    put(hundredths / 100, out);
    match two_digits((hundredths % 100) as u8) {
        [b'0', b'0'] => {}
        [tenths, b'0'] => out.extend_from_slice(&[b'.', tenths]),
        [tenths, rest] => out.extend_from_slice(&[b'.', tenths, rest]),
    }
    true
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::types::tests::Random;

    #[test]
    fn hundredths_are_the_shortest_that_read_back_the_same() {
        let (mut random, mut written) = (Random(0x9E37_79B9_7F4A_7C15), 0);
        let mut check = |value: f64| {
            for value in [value, -value, value.next_up(), value.next_down()] {
                let mut out = BytesMut::new();
                if put_hundredths(value, &mut out) {
                    written += 1;
                    let mut buffer = ryu::Buffer::new();
                    let shortest = buffer.format(value);
                    let shortest = shortest.strip_suffix(".0").unwrap_or(shortest);
                    assert_eq!(std::str::from_utf8(&out).unwrap(), shortest, "{value:e}");
                }
            }
        };
        for value in 0..20_000 {
            check(f64::from(value) / 100.0);
        }
        for _ in 0..300_000 {
            let bits = random.next();
            check(f64::from_bits(bits));
            check((bits >> 12 >> (bits % 50)) as f64 / 100.0);
            check((bits >> 12 >> (bits % 50)) as f64 / 1000.0);
        }
        for value in [0.0, 0.01, 0.1, 1e13, 1e13 - 0.01, 1e15, f64::MAX, f64::NAN, f64::INFINITY] {
            check(value);
        }
        assert!(written > 500_000, "{written}");
    }
}
