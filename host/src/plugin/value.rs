//! From what a caller wrote to what PostgreSQL reads: one value of a declared type, checked.

use std::borrow::Cow;

use base64::{Engine as _, alphabet, engine::GeneralPurpose, engine::general_purpose::GeneralPurposeConfig};
use callslip_ir::{Domain, Range, Scalar, ValueType};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Limits,
    decimal::Decimal,
    form::{Form, Forms, quote},
    sort, temporal,
};
use crate::nearest::nearest;
use crate::printable::printable;

/// What a caller wrote for one parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Input {
    /// A JSON value, in its source text, so that no digit of a number is lost.
    Json(Box<RawValue>),
    /// The texts of a query string or a command line, one for each time that the name was repeated.
    Text(Vec<String>),
}

impl Input {
    /// How many bytes it has.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Json(raw) => raw.get().len(),
            Self::Text(texts) => texts.iter().map(String::len).sum(),
        }
    }
}

/// A value in PostgreSQL's text form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Scalar(String),
    Array(Vec<String>),
}

/// One JSON value or text.
pub(super) enum Token<'a> {
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
        forms: &Forms,
        input: &Input,
        limits: &Limits,
    ) -> Result<Self, String> {
        let bytes = input.bytes();
        if bytes > limits.argument_bytes {
            return Err(format!("has {bytes} bytes; the limit is {}", limits.argument_bytes));
        }
        let form = forms.form(&ty.domain);
        let value = match input {
            Input::Json(raw) => Self::of_json(ty, form, raw, limits)?,
            Input::Text(texts) => Self::of_texts(ty, form, texts, limits)?,
        };
        if let Some(range) = range {
            value.check_range(range)?;
        }
        Ok(value)
    }

    fn of_json(ty: &ValueType, form: Option<&Form>, raw: &RawValue, limits: &Limits) -> Result<Self, String> {
        match Token::of(raw)? {
            Token::Null if ty.nullable => Ok(Self::Null),
            Token::Array(source) if ty.array => Self::of_json_array(&ty.domain, form, source, limits),
            // Of JSON itself, null is a value like any other.
            Token::Null if ty.array || ty.domain != Domain::Scalar(Scalar::Json) => {
                Err("can't be null; to have no value for it, leave it out".into())
            }
            _ if ty.array => Err("is not an array".into()),
            Token::Array(source) if let Domain::Sort { keys } = &ty.domain => {
                let keys_written: Vec<String> =
                    serde_json::from_str(source).map_err(|_| "has a key that is not a string".to_owned())?;
                sort::read(keys, keys_written.iter().map(String::as_str)).map(Self::Scalar)
            }
            token => scalar(&ty.domain, form, &token, raw.get()).map(Self::Scalar),
        }
    }

    fn of_json_array(
        domain: &Domain,
        form: Option<&Form>,
        source: &str,
        limits: &Limits,
    ) -> Result<Self, String> {
        let elements: Vec<&RawValue> =
            serde_json::from_str(source).map_err(|error| format!("is not JSON: {error}"))?;
        check_length(elements.len(), limits)?;
        let read = |(index, raw): (usize, &&RawValue)| {
            let token = Token::of(raw)?;
            if matches!(token, Token::Null) && *domain != Domain::Scalar(Scalar::Json) {
                return Err(format!("has a null as element {}; its elements can't be null", index + 1));
            }
            scalar(domain, form, &token, raw.get())
                .map_err(|error| format!("has an element {} that {error}", index + 1))
        };
        elements.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self::Array)
    }

    fn of_texts(
        ty: &ValueType,
        form: Option<&Form>,
        texts: &[String],
        limits: &Limits,
    ) -> Result<Self, String> {
        match texts {
            [text] if ty.nullable && text == "null" => Ok(Self::Null),
            // The only way to write an array of no elements, or one whose only element begins with a bracket.
            [text] if ty.array && text.starts_with('[') && !is_range(form, text) => {
                Self::of_json_array(&ty.domain, form, text, limits)
            }
            texts if ty.array => {
                check_length(texts.len(), limits)?;
                let read = |(index, text): (usize, &String)| {
                    scalar(&ty.domain, form, &Token::Text(text), text)
                        .map_err(|error| format!("has an element {} that {error}", index + 1))
                };
                texts.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self::Array)
            }
            [text] => scalar(&ty.domain, form, &Token::Text(text), text).map(Self::Scalar),
            texts if matches!(ty.domain, Domain::Sort { .. }) => {
                Err(format!("is given {} times; write its keys in one, separated by commas", texts.len()))
            }
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
    pub(super) fn of(raw: &'a RawValue) -> Result<Self, String> {
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

    pub(super) fn kind(&self) -> &'static str {
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

/// Whether a text that begins with a bracket is one range, and not a list of them: that is of strings and objects.
fn is_range(form: Option<&Form>, text: &str) -> bool {
    let of_ranges = |raw: &&RawValue| raw.get().starts_with(['"', '{', 'n']);
    matches!(form, Some(Form::Range(_)))
        && !serde_json::from_str::<Vec<&RawValue>>(text).is_ok_and(|list| list.iter().all(of_ranges))
}

fn check_length(elements: usize, limits: &Limits) -> Result<(), String> {
    if elements <= limits.array_elements {
        return Ok(());
    }
    Err(format!("has {elements} elements; the limit is {}", limits.array_elements))
}

/// A scalar in PostgreSQL's text form. `source` is the token's text.
pub(super) fn scalar(
    domain: &Domain,
    form: Option<&Form>,
    token: &Token<'_>,
    source: &str,
) -> Result<String, String> {
    let scalar = match domain {
        Domain::Scalar(scalar) => *scalar,
        Domain::Enum { labels, .. } => return label(labels, token),
        Domain::Sort { keys } => return sort_order(keys, token),
        Domain::Named(_) => return form.unwrap_or(&Form::Text).read(token, source),
        Domain::Cursor => return string(token),
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
        Scalar::Text => string(token),
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

/// A value of which PostgreSQL reads the text.
pub(super) fn text(token: &Token<'_>, source: &str) -> Result<String, String> {
    match token {
        Token::Bool(_) | Token::Number(_) => Ok(source.to_owned()),
        token => string(token),
    }
}

fn string(token: &Token<'_>) -> Result<String, String> {
    match token.string() {
        Some(text) if text.contains('\0') => {
            Err("holds a NUL character, which PostgreSQL can't store".into())
        }
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("is {}; it must be a string", token.kind())),
    }
}

fn label(labels: &[String], token: &Token<'_>) -> Result<String, String> {
    let written = token.string().ok_or_else(|| format!("is {}; it must be a string", token.kind()))?;
    if labels.iter().any(|label| label == written) {
        return Ok(written.to_owned());
    }
    Err(format!("is {}", one_of(labels, written)))
}

fn sort_order(keys: &[String], token: &Token<'_>) -> Result<String, String> {
    let written = token.string().ok_or_else(|| format!("is {}; it must be a string", token.kind()))?;
    // Splitting nothing gives one empty text.
    sort::read(keys, written.split(',').filter(|_| !written.is_empty()))
}

/// What a name should have been that is none of these: `none of …; did you mean …?`.
pub(super) fn one_of(names: &[String], written: &str) -> String {
    let mut message = String::from("none of ");
    let shown: Vec<_> = names.iter().take(10).map(|name| format!("`{}`", printable(name, 63))).collect();
    message.push_str(&shown.join(", "));
    if names.len() > shown.len() {
        message.push_str(", …");
    }
    if let Some(nearest) = nearest(written, names.iter().map(String::as_str)) {
        message.push_str(&format!("; did you mean `{}`?", printable(nearest, 63)));
    }
    message
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
        if index > 0 {
            literal.push(',');
        }
        quote(element, &mut literal);
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
mod tests;
