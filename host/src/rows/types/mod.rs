//! One file a family of types. Each reads PostgreSQL's binary form and appends its text; what JSON makes of that is said
//! here.

pub(super) mod array;
mod date_time;
mod escaped;
mod interval;
mod network;
mod number;
pub(super) mod numeric;
pub(super) mod string;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::Type;

use super::error::Malformed;
use super::style::{Numbers, Style};

/// Appends a value in PostgreSQL's binary form as JSON. After an error a part of it may be appended.
pub(super) type Encode = fn(&[u8], &mut BytesMut) -> Result<(), Malformed>;

/// The scalar types that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScalarType {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    /// An `int8` or `numeric` that is to be a string of JSON.
    Int8AsString,
    NumericAsString,
    Text,
    Char,
    Bytea,
    Date,
    Time,
    Timetz,
    Timestamp,
    Timestamptz,
    Interval,
    Uuid,
    Json,
    /// A `json` without its line breaks.
    JsonOnOneLine,
    Jsonb,
    Network,
    Macaddr,
    Macaddr8,
}

impl ScalarType {
    pub(super) fn of(ty: &Type) -> Option<Self> {
        Some(match *ty {
            Type::BOOL => Self::Bool,
            Type::INT2 => Self::Int2,
            Type::INT4 => Self::Int4,
            Type::INT8 => Self::Int8,
            Type::OID => Self::Oid,
            Type::FLOAT4 => Self::Float4,
            Type::FLOAT8 => Self::Float8,
            Type::NUMERIC => Self::Numeric,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => Self::Text,
            Type::CHAR => Self::Char,
            Type::BYTEA => Self::Bytea,
            Type::DATE => Self::Date,
            Type::TIME => Self::Time,
            Type::TIMETZ => Self::Timetz,
            Type::TIMESTAMP => Self::Timestamp,
            Type::TIMESTAMPTZ => Self::Timestamptz,
            Type::INTERVAL => Self::Interval,
            Type::UUID => Self::Uuid,
            Type::JSON => Self::Json,
            Type::JSONB => Self::Jsonb,
            Type::INET | Type::CIDR => Self::Network,
            Type::MACADDR => Self::Macaddr,
            Type::MACADDR8 => Self::Macaddr8,
            _ => return None,
        })
    }

    /// The same, written in this style.
    pub(super) fn in_style(self, style: Style) -> Self {
        match (self, style) {
            (Self::Int8, Style { numbers: Numbers::AsStrings, .. }) => Self::Int8AsString,
            (Self::Numeric, Style { numbers: Numbers::AsStrings, .. }) => Self::NumericAsString,
            (Self::Json, Style { one_line: true, .. }) => Self::JsonOnOneLine,
            _ => self,
        }
    }

    /// What writes its values as JSON, to be chosen once a column.
    pub(super) fn encode(self) -> Encode {
        match self {
            Self::Bool => number::bool,
            Self::Int2 => number::int2,
            Self::Int4 => number::int4,
            Self::Int8 => number::int8,
            Self::Oid => number::oid,
            Self::Float4 => |raw, out| number_or_word(out, |out| number::float4(raw, out)),
            Self::Float8 => |raw, out| number_or_word(out, |out| number::float8(raw, out)),
            Self::Numeric => |raw, out| number_or_word(out, |out| numeric::text(raw, out)),
            Self::Int8AsString => |raw, out| quoted(out, |out| number::int8(raw, out)),
            Self::NumericAsString => |raw, out| quoted(out, |out| numeric::text(raw, out)),
            Self::Text => escaped::text,
            Self::Char => string::char_as_json,
            Self::Bytea => |raw, out| quoted(out, |out| string::bytea(raw, out)),
            Self::Uuid => |raw, out| quoted(out, |out| string::uuid(raw, out)),
            Self::Json => string::json,
            Self::JsonOnOneLine => string::json_on_one_line,
            Self::Jsonb => string::jsonb,
            Self::Date => |raw, out| quoted(out, |out| date_time::date(raw, out)),
            Self::Time => |raw, out| quoted(out, |out| date_time::time(raw, out)),
            Self::Timetz => |raw, out| quoted(out, |out| date_time::timetz(raw, out)),
            Self::Timestamp => |raw, out| quoted(out, |out| date_time::timestamp(raw, out)),
            Self::Timestamptz => |raw, out| quoted(out, |out| date_time::timestamptz(raw, out)),
            Self::Interval => |raw, out| quoted(out, |out| interval::text(raw, out)),
            Self::Network => |raw, out| quoted(out, |out| network::inet(raw, out)),
            Self::Macaddr => |raw, out| quoted(out, |out| network::macaddr::<6>(raw, out)),
            Self::Macaddr8 => |raw, out| quoted(out, |out| network::macaddr::<8>(raw, out)),
        }
    }

    /// Appends a value as plain text: that of its JSON, and where that is a string, what the string says. After an error a part
    /// of it may be appended.
    pub(super) fn text(self, raw: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
        match self {
            Self::Float4 => number::float4(raw, out),
            Self::Float8 => number::float8(raw, out),
            Self::Int8AsString => number::int8(raw, out),
            Self::Numeric | Self::NumericAsString => numeric::text(raw, out),
            Self::Text => {
                string::check_utf8(raw)?;
                out.extend_from_slice(raw);
                Ok(())
            }
            Self::Char => string::char(raw, out),
            Self::Bytea => string::bytea(raw, out),
            Self::Uuid => string::uuid(raw, out),
            Self::Date => date_time::date(raw, out),
            Self::Time => date_time::time(raw, out),
            Self::Timetz => date_time::timetz(raw, out),
            Self::Timestamp => date_time::timestamp(raw, out),
            Self::Timestamptz => date_time::timestamptz(raw, out),
            Self::Interval => interval::text(raw, out),
            Self::Network => network::inet(raw, out),
            Self::Macaddr => network::macaddr::<6>(raw, out),
            Self::Macaddr8 => network::macaddr::<8>(raw, out),
            Self::Bool
            | Self::Int2
            | Self::Int4
            | Self::Int8
            | Self::Oid
            | Self::Json
            | Self::JsonOnOneLine
            | Self::Jsonb => self.encode()(raw, out),
        }
    }

    /// Whether its text may have any character, and not only digits, ASCII letters, and of the others none that a format has a
    /// meaning for.
    pub(super) fn is_any_text(self) -> bool {
        matches!(self, Self::Text | Self::Char | Self::Json | Self::JsonOnOneLine | Self::Jsonb)
    }
}

/// Appends a string of JSON of a text in which nothing has to be escaped.
fn quoted(
    out: &mut BytesMut,
    put: impl FnOnce(&mut BytesMut) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    out.put_u8(b'"');
    put(out)?;
    out.put_u8(b'"');
    Ok(())
}

/// Appends a number, or as a string what JSON has no number for: `"NaN"`, `"-Infinity"`.
fn number_or_word(
    out: &mut BytesMut,
    put: impl FnOnce(&mut BytesMut) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let start = out.len();
    put(out)?;
    if !out.last().is_some_and(u8::is_ascii_digit) {
        let word = out[start..].to_vec();
        out.truncate(start);
        return quoted(out, |out| {
            out.extend_from_slice(&word);
            Ok(())
        });
    }
    Ok(())
}

/// A value of a fixed length.
pub(super) fn exactly<const N: usize>(raw: &[u8]) -> Result<[u8; N], Malformed> {
    raw.try_into().map_err(|_| Malformed("a value has another length than its type"))
}

/// What was not read yet of a value.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    #[cfg(feature = "arrow")]
    pub(super) fn new(raw: &'a [u8]) -> Self {
        Self(raw)
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed("a value ends too early"))?;
        self.0 = rest;
        Ok(*first)
    }

    fn take_i16(&mut self) -> Result<i16, Malformed> {
        self.take().map(i16::from_be_bytes)
    }

    pub(super) fn take_i32(&mut self) -> Result<i32, Malformed> {
        self.take().map(i32::from_be_bytes)
    }

    fn take_bytes(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (first, rest) = self.0.split_at_checked(length).ok_or(Malformed("a value ends too early"))?;
        self.0 = rest;
        Ok(first)
    }

    pub(super) fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed("a value goes on after its end")) }
    }
}

/// Appends a number in decimal digits, at least `width` of them.
fn put_padded(value: u64, width: usize, out: &mut BytesMut) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value);
    let zeros = width.saturating_sub(digits.len()).min(ZEROS.len());
    out.extend_from_slice(&ZEROS[..zeros]);
    out.extend_from_slice(digits.as_bytes());
}

const ZEROS: &[u8; 8] = b"00000000";

/// The two digits of a number below 100.
const fn two_digits(value: u8) -> [u8; 2] {
    [b'0' + value / 10, b'0' + value % 10]
}

/// Appends the fraction of a second, without the zeros at its end; nothing if it is zero.
fn put_fraction(microseconds: u32, out: &mut BytesMut) {
    if microseconds == 0 {
        return;
    }
    let pair = |value: u32| two_digits((value % 100) as u8);
    let ([a, b], [c, d], [e, f]) =
        (pair(microseconds / 10_000), pair(microseconds / 100), pair(microseconds));
    let text = [b'.', a, b, c, d, e, f];
    let zeros = text.iter().rev().take_while(|digit| **digit == b'0').count();
    // So many bytes as are known beforehand are copied without a call.
    out.extend_from_slice(&text);
    out.truncate(out.len() - zeros);
}

#[cfg(test)]
pub(super) mod tests;
