//! From what a caller wrote to what PostgreSQL reads: one value of a declared type, checked.

use std::borrow::Cow;

use base64::{Engine as _, alphabet, engine::GeneralPurpose, engine::general_purpose::GeneralPurposeConfig};
use callslip_ir::{Domain, Range, Scalar, ValueType};
use serde_json::value::RawValue;

use super::{Limits, decimal::Decimal, temporal};
use crate::nearest::nearest;
use crate::printable::printable;

/// What a caller wrote for one parameter.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// A JSON value, in its source text, so that no digit of a number is lost.
    Json(Box<RawValue>),
    /// The texts of a query string or a command line, one for each time that the name was repeated.
    Text(Vec<String>),
}

/// A value in PostgreSQL's text form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Scalar(String),
    Array(Vec<String>),
}

/// One JSON value or text.
enum Token<'a> {
    Null,
    Bool(bool),
    /// In its source text.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(&'a str),
    Object,
    /// A text that is not JSON.
    Text(&'a str),
}

/// Standard and URL-safe base64, each with or without padding.
const PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PADDING);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, PADDING);

impl Value {
    /// Reads a value of a type. The error says what is wrong, to be put after the parameter's name, and tells nothing
    /// of the value.
    pub(super) fn read(
        ty: &ValueType,
        range: Option<&Range>,
        input: &Input,
        limits: &Limits,
    ) -> Result<Self, String> {
        let bytes = match input {
            Input::Json(raw) => raw.get().len(),
            Input::Text(texts) => texts.iter().map(String::len).sum(),
        };
        if bytes > limits.argument_bytes {
            return Err(format!("has {bytes} bytes; the limit is {}", limits.argument_bytes));
        }
        let value = match input {
            Input::Json(raw) => Self::of_json(ty, raw, limits)?,
            Input::Text(texts) => Self::of_texts(ty, texts, limits)?,
        };
        if let Some(range) = range {
            value.check_range(range)?;
        }
        Ok(value)
    }

    fn of_json(ty: &ValueType, raw: &RawValue, limits: &Limits) -> Result<Self, String> {
        match Token::of(raw)? {
            Token::Null if ty.nullable => Ok(Self::Null),
            Token::Array(source) if ty.array => Self::of_json_array(&ty.domain, source, limits),
            // Of JSON itself, null is a value like any other.
            Token::Null if ty.array || ty.domain != Domain::Scalar(Scalar::Json) => {
                Err("can't be null; to have no value for it, leave it out".into())
            }
            _ if ty.array => Err("is not an array".into()),
            token => scalar(&ty.domain, &token, raw.get()).map(Self::Scalar),
        }
    }

    fn of_json_array(domain: &Domain, source: &str, limits: &Limits) -> Result<Self, String> {
        let elements: Vec<&RawValue> =
            serde_json::from_str(source).map_err(|error| format!("is not JSON: {error}"))?;
        check_length(elements.len(), limits)?;
        let read = |(index, raw): (usize, &&RawValue)| {
            let token = Token::of(raw)?;
            if matches!((&token, domain), (Token::Null, Domain::Enum { .. }))
                || matches!((&token, domain), (Token::Null, Domain::Scalar(scalar)) if *scalar != Scalar::Json)
            {
                return Err(format!("has a null as element {}; its elements can't be null", index + 1));
            }
            scalar(domain, &token, raw.get())
                .map_err(|error| format!("has an element {} that {error}", index + 1))
        };
        elements.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self::Array)
    }

    fn of_texts(ty: &ValueType, texts: &[String], limits: &Limits) -> Result<Self, String> {
        match texts {
            [text] if ty.nullable && text == "null" => Ok(Self::Null),
            // The only way to write an array of no elements, or one whose only element begins with a bracket.
            [text] if ty.array && text.starts_with('[') => Self::of_json_array(&ty.domain, text, limits),
            texts if ty.array => {
                check_length(texts.len(), limits)?;
                let read = |(index, text): (usize, &String)| {
                    scalar(&ty.domain, &Token::Text(text), text)
                        .map_err(|error| format!("has an element {} that {error}", index + 1))
                };
                texts.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self::Array)
            }
            [text] => scalar(&ty.domain, &Token::Text(text), text).map(Self::Scalar),
            texts => Err(format!("is given {} times; it is not an array", texts.len())),
        }
    }

    fn check_range(&self, range: &Range) -> Result<(), String> {
        let values = match self {
            Self::Null => return Ok(()),
            Self::Scalar(text) => std::slice::from_ref(text),
            Self::Array(elements) => elements,
        };
        let min = range.min.as_deref().and_then(Decimal::parse);
        let max = range.max.as_deref().and_then(Decimal::parse);
        let inside = values.iter().all(|text| match text.as_str() {
            "NaN" => false,
            "Infinity" => max.is_none(),
            "-Infinity" => min.is_none(),
            number => Decimal::parse(number).is_some_and(|number| {
                min.as_ref().is_none_or(|min| *min <= number) && max.as_ref().is_none_or(|max| number <= *max)
            }),
        });
        match (inside, &range.min, &range.max) {
            (true, ..) | (_, None, None) => Ok(()),
            (_, Some(min), Some(max)) => Err(format!("is not from {min} to {max}")),
            (_, Some(min), None) => Err(format!("is less than {min}")),
            (_, None, Some(max)) => Err(format!("is greater than {max}")),
        }
    }

    /// In PostgreSQL's text form; `None` is null.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Scalar(text) => Some(text.clone()),
            Self::Array(elements) => Some(array_literal(elements)),
        }
    }

    /// As JSON, as an open query sees it: numbers of 8 bytes and less as numbers, `numeric`, infinite and not-a-number
    /// ones as strings, bytes as base64.
    pub(super) fn json(&self, domain: &Domain) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Scalar(text) => scalar_json(domain, text),
            Self::Array(elements) => {
                let elements: Vec<_> = elements.iter().map(|text| scalar_json(domain, text)).collect();
                format!("[{}]", elements.join(","))
            }
        }
    }
}

impl<'a> Token<'a> {
    fn of(raw: &'a RawValue) -> Result<Self, String> {
        let source = raw.get();
        Ok(match source.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => {
                let string =
                    serde_json::from_str(source).map_err(|error| format!("is not a JSON string: {error}"))?;
                Self::String(Cow::Owned(string))
            }
            Some(b'[') => Self::Array(source),
            Some(b'{') => Self::Object,
            _ => Self::Number(source),
        })
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::String(_) | Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object => "an object",
        }
    }

    fn string(&self) -> Option<&str> {
        match self {
            Self::String(string) => Some(string),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a number, which may be written as a string as well.
    fn number(&self) -> Option<&str> {
        match self {
            Self::Number(source) => Some(source),
            token => token.string(),
        }
    }
}

fn check_length(elements: usize, limits: &Limits) -> Result<(), String> {
    if elements <= limits.array_elements {
        return Ok(());
    }
    Err(format!("has {elements} elements; the limit is {}", limits.array_elements))
}

/// A scalar in PostgreSQL's text form. `source` is the token's text.
fn scalar(domain: &Domain, token: &Token<'_>, source: &str) -> Result<String, String> {
    let scalar = match domain {
        Domain::Scalar(scalar) => *scalar,
        Domain::Enum { labels, .. } => return label(labels, token),
    };
    let expected = |what: &str| format!("is not {what}");
    let read = |what: &str, read: fn(&str) -> Option<String>| {
        token.string().and_then(read).ok_or_else(|| format!("is not {what}"))
    };
    match scalar {
        Scalar::Bool => match (token, token.string()) {
            (Token::Bool(true), _) | (_, Some("true")) => Ok("true".into()),
            (Token::Bool(false), _) | (_, Some("false")) => Ok("false".into()),
            _ => Err(expected("true or false")),
        },
        Scalar::Int2 => integer(token, i16::MIN.into(), i16::MAX.into()),
        Scalar::Int4 => integer(token, i32::MIN.into(), i32::MAX.into()),
        Scalar::Int8 => integer(token, i64::MIN, i64::MAX),
        Scalar::Float4 => {
            float(token, |text| text.parse::<f32>().ok().map(|number| (number.is_finite(), number == 0.0)))
        }
        Scalar::Float8 => {
            float(token, |text| text.parse::<f64>().ok().map(|number| (number.is_finite(), number == 0.0)))
        }
        Scalar::Numeric => {
            let text = token.number().ok_or_else(|| expected("a number"))?;
            if let Some(special) = special_number(text) {
                return Ok(special.into());
            }
            let decimal = Decimal::parse(text).ok_or_else(|| expected("a number"))?;
            if decimal.fits_numeric() {
                Ok(text.to_owned())
            } else {
                Err(expected("a number that numeric can hold"))
            }
        }
        Scalar::Text => match token.string() {
            Some(text) if text.contains('\0') => {
                Err("holds a NUL character, which PostgreSQL can't store".into())
            }
            Some(text) => Ok(text.to_owned()),
            None => Err(format!("is {}; it must be a string", token.kind())),
        },
        Scalar::Date => read("a date, such as 2026-01-31", temporal::date),
        Scalar::Time => read("a time, such as 23:59:59", temporal::time),
        Scalar::Timestamp => {
            read("a timestamp without a zone, such as 2026-01-31T23:59:59", temporal::timestamp)
        }
        Scalar::Timestamptz => read(
            "a timestamp, such as 2026-01-31T23:59:59Z or 2026-01-31T23:59:59+02:00 (in a URL, + is written %2B)",
            temporal::timestamptz,
        ),
        Scalar::Interval => read("an interval, such as `1 day 02:00` or P1DT2H", temporal::interval),
        Scalar::Uuid => read("a UUID, such as 00000000-0000-4000-8000-000000000000", uuid),
        Scalar::Bytes => read("base64, or hexadecimal after `\\x`", bytes),
        Scalar::Json => json(token, source),
    }
}

fn label(labels: &[String], token: &Token<'_>) -> Result<String, String> {
    let written = token.string().ok_or_else(|| format!("is {}; it must be a string", token.kind()))?;
    if labels.iter().any(|label| label == written) {
        return Ok(written.to_owned());
    }
    let labels = labels.iter().map(String::as_str);
    if let Some(label) = nearest(written, labels.clone()) {
        return Err(format!("is not one of its labels; did you mean `{}`?", printable(label, 63)));
    }
    let shown: Vec<_> = labels.clone().take(10).map(|label| format!("`{}`", printable(label, 63))).collect();
    let more = if labels.count() > shown.len() { ", …" } else { "" };
    Err(format!("is none of {}{more}", shown.join(", ")))
}

/// A JSON number with a fraction or an exponent is refused even where it is whole (`1.0`, `1e3`): whoever writes it
/// computes with floats, and will one day send what is not whole.
fn integer(token: &Token<'_>, min: i64, max: i64) -> Result<String, String> {
    let whole = |text: &&str| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let text = token.number().filter(whole).ok_or("is not a whole number")?;
    match text.parse::<i64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number.to_string()),
        _ => Err(format!("is not from {min} to {max}")),
    }
}

/// `parse` tells whether a number is finite and whether it is zero.
fn float(token: &Token<'_>, parse: fn(&str) -> Option<(bool, bool)>) -> Result<String, String> {
    let text = token.number().ok_or("is not a number")?;
    if let Some(special) = special_number(text) {
        return Ok(special.into());
    }
    let decimal = Decimal::parse(text).ok_or("is not a number")?;
    match parse(text) {
        Some((true, zero)) if zero == decimal.is_zero() => Ok(text.to_owned()),
        _ => Err("is out of range".into()),
    }
}

fn special_number(text: &str) -> Option<&'static str> {
    ["NaN", "Infinity", "-Infinity"].into_iter().find(|special| special.eq_ignore_ascii_case(text))
}

fn uuid(text: &str) -> Option<String> {
    let hyphens = text.len() == 36;
    let placed = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 if hyphens => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    let shaped = (hyphens || text.len() == 32) && text.bytes().enumerate().all(placed);
    shaped.then(|| text.to_ascii_lowercase())
}

fn bytes(text: &str) -> Option<String> {
    if let Some(digits) = text.strip_prefix("\\x") {
        let shaped = digits.len() % 2 == 0 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        return shaped.then(|| text.to_ascii_lowercase());
    }
    let decoded = BASE64.decode(text).or_else(|_| BASE64_URL.decode(text)).ok()?;
    let nibbles = decoded.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Some("\\x".chars().chain(nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16))).collect())
}

fn json(token: &Token<'_>, source: &str) -> Result<String, String> {
    if let Token::Text(text) = token {
        serde_json::from_str::<&RawValue>(text).map_err(|error| format!("is not JSON: {error}"))?;
    }
    // A backslash that is not itself escaped, before u0000.
    let mut rest = source;
    while let Some(at) = rest.find('\\') {
        if rest[at + 1..].starts_with("u0000") {
            return Err("holds a NUL character, which PostgreSQL can't store".into());
        }
        // Past the escaped character, which is ASCII in valid JSON.
        rest = rest.get(at + 2..).unwrap_or("");
    }
    Ok(source.to_owned())
}

/// `{"a","b"}`. Each element is quoted, so that none can be taken for a null, a brace or a comma.
fn array_literal(elements: &[String]) -> String {
    let mut literal =
        String::with_capacity(elements.iter().map(|element| element.len() + 3).sum::<usize>() + 2);
    literal.push('{');
    for (index, element) in elements.iter().enumerate() {
        literal.push_str(if index == 0 { "\"" } else { ",\"" });
        for c in element.chars() {
            if matches!(c, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(c);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}

fn scalar_json(domain: &Domain, text: &str) -> String {
    let string = |text: &str| serde_json::Value::from(text).to_string();
    match domain {
        Domain::Scalar(Scalar::Bool | Scalar::Int2 | Scalar::Int4 | Scalar::Int8 | Scalar::Json) => {
            text.to_owned()
        }
        Domain::Scalar(Scalar::Float4 | Scalar::Float8) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => serde_json::Value::from(number).to_string(),
            _ => string(text),
        },
        Domain::Scalar(Scalar::Bytes) => {
            let digits: Vec<_> = text.chars().skip(2).filter_map(|digit| digit.to_digit(16)).collect();
            let bytes: Vec<_> = digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect();
            string(&BASE64.encode(bytes))
        }
        _ => string(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(domain: Domain) -> ValueType {
        ValueType { domain, array: false, nullable: false }
    }

    fn array(scalar: Scalar) -> ValueType {
        ValueType { array: true, ..ty(Domain::Scalar(scalar)) }
    }

    fn json(ty: &ValueType, source: &str) -> Result<Option<String>, String> {
        let raw = serde_json::from_str(source).unwrap();
        Value::read(ty, None, &Input::Json(raw), &Limits::default()).map(|value| value.text())
    }

    fn texts(ty: &ValueType, texts: &[&str]) -> Result<Option<String>, String> {
        let input = Input::Text(texts.iter().map(|text| (*text).to_owned()).collect());
        Value::read(ty, None, &input, &Limits::default()).map(|value| value.text())
    }

    /// In JSON.
    fn reads(scalar: Scalar, source: &str, expected: &str) {
        assert_eq!(
            json(&ty(Domain::Scalar(scalar)), source),
            Ok(Some(expected.into())),
            "{scalar:?} {source}"
        );
    }

    fn refuses(scalar: Scalar, source: &str) {
        let read = json(&ty(Domain::Scalar(scalar)), source);
        assert!(read.is_err(), "{scalar:?} {source}: {read:?}");
    }

    #[test]
    fn integers_lose_nothing() {
        reads(Scalar::Int2, "-32768", "-32768");
        reads(Scalar::Int4, "\"2147483647\"", "2147483647");
        reads(Scalar::Int8, "9223372036854775807", "9223372036854775807");
        reads(Scalar::Int4, "-0", "0");
        for source in [
            "1.0",
            "1e3",
            "1.5",
            "\"\"",
            "\"-\"",
            "\"+1\"",
            "\" 1\"",
            "\"1_0\"",
            "true",
            "[1]",
            "{}",
            "null",
            "\"٣\"",
            "2147483648",
        ] {
            refuses(Scalar::Int4, source);
        }
        refuses(Scalar::Int2, "32768");
        refuses(Scalar::Int8, "9223372036854775808");
        refuses(Scalar::Int8, "99999999999999999999999999999999");
    }

    #[test]
    fn numbers_keep_their_digits() {
        let long = "12345678901234567890.123456789012345678901234567890";
        reads(Scalar::Numeric, long, long);
        reads(Scalar::Numeric, "\"1e-5\"", "1e-5");
        reads(Scalar::Numeric, "\"nan\"", "NaN");
        reads(Scalar::Float8, "0.1", "0.1");
        reads(Scalar::Float8, "\"-infinity\"", "-Infinity");
        reads(Scalar::Float8, "0e5", "0e5");
        for source in ["\"\"", "\"x\"", "\"1,5\"", "\"0x10\"", "true", "1e200000"] {
            refuses(Scalar::Numeric, source);
        }
        for source in ["1e999", "1e-999", "\"inf\"", "\"1 \"", "false"] {
            refuses(Scalar::Float8, source);
        }
        refuses(Scalar::Float4, "1e39");
        refuses(Scalar::Float4, "1e-60");
    }

    #[test]
    fn bools_and_texts() {
        reads(Scalar::Bool, "true", "true");
        reads(Scalar::Bool, "\"false\"", "false");
        for source in ["1", "\"yes\"", "\"TRUE\"", "null"] {
            refuses(Scalar::Bool, source);
        }
        reads(Scalar::Text, "\"\"", "");
        reads(Scalar::Text, "\"null\"", "null");
        reads(Scalar::Text, "\"'; DROP TABLE x; --\"", "'; DROP TABLE x; --");
        refuses(Scalar::Text, "7");
        refuses(Scalar::Text, "\"a\\u0000b\"");
    }

    #[test]
    fn uuids_and_bytes() {
        reads(
            Scalar::Uuid,
            "\"ABCDEF00-0000-4000-8000-000000000000\"",
            "abcdef00-0000-4000-8000-000000000000",
        );
        reads(Scalar::Uuid, "\"abcdef00000040008000000000000000\"", "abcdef00000040008000000000000000");
        for source in [
            "\"abcdef00-0000-4000-8000-00000000000\"",
            "\"abcdef0-00000-4000-8000-000000000000\"",
            "7",
            "\"{bcdef00-0000-4000-8000-000000000000}\"",
        ] {
            refuses(Scalar::Uuid, source);
        }
        reads(Scalar::Bytes, "\"AP8=\"", "\\x00ff");
        reads(Scalar::Bytes, "\"AP8\"", "\\x00ff");
        reads(Scalar::Bytes, "\"-_-_\"", "\\xfbffbf");
        reads(Scalar::Bytes, "\"\"", "\\x");
        reads(Scalar::Bytes, "\"\\\\xFF\"", "\\xff");
        for source in ["\"A\"", "\"A P8\"", "\"\\\\xF\"", "\"é\""] {
            refuses(Scalar::Bytes, source);
        }
    }

    #[test]
    fn json_is_any_json() {
        for source in ["null", "1.50", "\"a\"", "[1, {\"a\": null}]", "\"\\\\u0000\""] {
            reads(Scalar::Json, source, source);
        }
        for source in ["\"\\u0000\"", "\"\\\\\\u0000\"", "{\"\\u0000\": 1}"] {
            refuses(Scalar::Json, source);
        }
        let ty = ty(Domain::Scalar(Scalar::Json));
        assert_eq!(texts(&ty, &["{\"a\": 1}"]), Ok(Some("{\"a\": 1}".into())));
        assert!(texts(&ty, &["{a: 1}"]).is_err());
        assert!(texts(&ty, &["1 2"]).is_err());
    }

    #[test]
    fn null_only_where_it_is_a_value() {
        let nullable = ValueType { nullable: true, ..ty(Domain::Scalar(Scalar::Text)) };
        assert_eq!(json(&nullable, "null"), Ok(None));
        assert_eq!(json(&nullable, "\"null\""), Ok(Some("null".into())));
        assert_eq!(texts(&nullable, &["null"]), Ok(None));
        assert_eq!(texts(&ty(Domain::Scalar(Scalar::Text)), &["null"]), Ok(Some("null".into())));
        assert!(json(&ty(Domain::Scalar(Scalar::Text)), "null").is_err());
        let array = ValueType { nullable: true, ..array(Scalar::Int4) };
        assert_eq!(json(&array, "null"), Ok(None));
        assert!(json(&array, "[1, null]").unwrap_err().contains("element 2"));
    }

    #[test]
    fn labels_are_exact() {
        let status = ty(Domain::Enum { labels: vec!["open".into(), "done".into()], ty: None });
        assert_eq!(texts(&status, &["open"]), Ok(Some("open".into())));
        assert!(json(&status, "\"opne\"").unwrap_err().contains("did you mean `open`?"));
        assert!(json(&status, "\"x\"").unwrap_err().contains("`open`, `done`"));
        assert!(json(&status, "7").is_err());
    }

    #[test]
    fn an_array_can_hold_any_text() {
        let hostile = ["{", "}", "\"", "\\", ",", "NULL", "", "a b", "ä✓", "\\\"", "{}", "'"];
        let expected = r#"{"{","}","\"","\\",",","NULL","","a b","ä✓","\\\"","{}","'"}"#;
        assert_eq!(texts(&array(Scalar::Text), &hostile), Ok(Some(expected.into())));
        let source = serde_json::to_string(&hostile).unwrap();
        assert_eq!(json(&array(Scalar::Text), &source), Ok(Some(expected.into())));
        assert_eq!(texts(&array(Scalar::Text), &[&source]), Ok(Some(expected.into())));
    }

    #[test]
    fn arrays_of_every_length() {
        assert_eq!(json(&array(Scalar::Int4), "[]"), Ok(Some("{}".into())));
        assert_eq!(texts(&array(Scalar::Int4), &["[]"]), Ok(Some("{}".into())));
        assert_eq!(texts(&array(Scalar::Int4), &["7"]), Ok(Some("{\"7\"}".into())));
        assert_eq!(json(&array(Scalar::Json), "[null, [1]]"), Ok(Some("{\"null\",\"[1]\"}".into())));
        assert!(json(&array(Scalar::Int4), "7").unwrap_err().contains("not an array"));
        assert!(json(&array(Scalar::Int4), "[1, \"x\"]").unwrap_err().contains("element 2"));
        assert!(json(&array(Scalar::Int4), "[[1]]").is_err());
        assert!(texts(&ty(Domain::Scalar(Scalar::Int4)), &["1", "2"]).unwrap_err().contains("2 times"));
        let many = format!("[{}1]", "1,".repeat(10_000));
        assert!(json(&array(Scalar::Int4), &many).unwrap_err().contains("10001 elements"));
    }

    #[test]
    fn a_value_is_bounded() {
        let long = format!("\"{}\"", "a".repeat(300 << 10));
        assert!(json(&ty(Domain::Scalar(Scalar::Text)), &long).unwrap_err().contains("bytes"));
    }

    #[test]
    fn ranges_are_exact() {
        let range = Range { min: Some("0".into()), max: Some("9007199254740993".into()) };
        let check = |scalar, source: &str| {
            let raw = serde_json::from_str(source).unwrap();
            Value::read(&ty(Domain::Scalar(scalar)), Some(&range), &Input::Json(raw), &Limits::default())
        };
        assert!(check(Scalar::Int8, "9007199254740993").is_ok());
        assert!(check(Scalar::Int8, "9007199254740994").is_err());
        assert!(check(Scalar::Numeric, "9007199254740993.0000000000000000001").is_err());
        assert!(check(Scalar::Numeric, "\"NaN\"").is_err());
        assert!(check(Scalar::Float8, "\"Infinity\"").is_err());
        assert!(check(Scalar::Float8, "-1e-300").unwrap_err().contains("not from 0 to"));
        let array = Value::read(
            &array(Scalar::Int4),
            Some(&range),
            &Input::Text(vec!["1".into(), "-1".into()]),
            &Limits::default(),
        );
        assert!(array.is_err());
    }
}
