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
struct Numeric<'a> {
    groups: &'a [[u8; 2]],
    weight: i32,
    sign: u16,
    /// The digits after its point.
    scale: u16,
}

impl<'a> Numeric<'a> {
    fn read(raw: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(raw);
        let count = usize::try_from(reader.take_i16()?)
            .map_err(|_| Malformed("a numeric of fewer than no digits"))?;
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
        Ok(Self { groups, weight, sign, scale })
    }
}

/// Appends all digits, and as many after the point as the number's scale.
pub(super) fn text(raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    let Numeric { groups, weight, sign, scale } = Numeric::read(raw)?;
    // The group that counts 10000^exponent.
    let group = |exponent: i32| {
        let position = usize::try_from(weight - exponent).ok();
        position.and_then(|position| groups.get(position)).map_or(0, |group| u16::from_be_bytes(*group))
    };
    match sign {
        POSITIVE => {}
        NEGATIVE => out.extend_from_slice(b"-"),
        NAN => return put(b"NaN", out),
        INFINITY => return put(b"Infinity", out),
        MINUS_INFINITY => return put(b"-Infinity", out),
        _ => return Err(Malformed("a numeric's sign is unknown")),
    }
    let mut width = 1;
    for exponent in (0..=weight.max(0)).rev() {
        let group = group(exponent);
        // There are no zeros before the first digit.
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

/// The number times 10^scale, exactly.
///
/// # Errors
/// It has more digits than `precision`, or more after its point than `scale`; it is not finite.
#[cfg(feature = "arrow")]
pub(in crate::rows) fn unscaled(raw: &[u8], precision: u8, scale: i8) -> Result<i128, Malformed> {
    const TOO_LONG: Malformed = Malformed("a numeric has more digits than its column was declared with");
    let Numeric { groups, weight, sign, .. } = Numeric::read(raw)?;
    let negative = match sign {
        POSITIVE => false,
        NEGATIVE => true,
        NAN | INFINITY | MINUS_INFINITY => {
            return Err(Malformed("NaN and infinity are no decimals; ask for numbers as strings"));
        }
        _ => return Err(Malformed("a numeric's sign is unknown")),
    };
    let power = |exponent: i32| {
        u32::try_from(exponent).ok().and_then(|exponent| 10_i128.checked_pow(exponent)).ok_or(TOO_LONG)
    };
    // What was read counts 10^unit.
    let (mut value, mut unit) = (0_i128, 0);
    for (position, group) in (0_i32..).zip(groups) {
        let group = i128::from(u16::from_be_bytes(*group));
        let next = 4 * (weight - position) + i32::from(scale);
        if next >= 0 {
            value = value.checked_mul(10_000).and_then(|value| value.checked_add(group)).ok_or(TOO_LONG)?;
            unit = next;
        } else if group != 0 {
            let beyond = if next > -4 { power(-next)? } else { return Err(TOO_LONG) };
            if group % beyond != 0 {
                return Err(TOO_LONG);
            }
            value = value
                .checked_mul(power(unit)?)
                .and_then(|value| value.checked_add(group / beyond))
                .ok_or(TOO_LONG)?;
            unit = 0;
        }
    }
    let value = if value == 0 { 0 } else { value.checked_mul(power(unit)?).ok_or(TOO_LONG)? };
    if value >= power(precision.into())? {
        return Err(TOO_LONG);
    }
    Ok(if negative { -value } else { value })
}

fn put(text: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
    out.extend_from_slice(text);
    Ok(())
}
