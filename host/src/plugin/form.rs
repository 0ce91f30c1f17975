//! Types that are made of others, as JSON: what becomes the text that PostgreSQL's input functions read.

use std::collections::HashMap;

use callslip_ir::{Domain, QueryDeclaration, Scalar, TypeName};
use serde_json::value::RawValue;

use super::{
    Inputs,
    value::{Input, Token, one_of, scalar, text},
};
use crate::catalog::{Catalog, Oid, PG_CATALOG, TypeKind};

/// How deep types that are made of others are followed; what is deeper is written as PostgreSQL writes it.
const DEEPEST: u32 = 8;

/// The forms of a query's parameters and claims whose types are named, by these types.
#[derive(Clone, Debug, Default)]
pub struct Forms(HashMap<TypeName, Form>);

/// How a value of a type is written as JSON. A string is always as PostgreSQL writes the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A string, number or bool, as PostgreSQL reads its text.
    Text,
    /// As a parameter of this built-in type is.
    Scalar(Scalar),
    /// An array; null is an element like any other.
    Array(Box<Form>),
    /// `{"lower": …, "upper": …, "bounds": "[)"}` of these bounds, or `{"empty": true}`.
    Range(Box<Form>),
    /// An array of ranges of these bounds.
    Multirange(Box<Form>),
    /// An object with these attributes.
    Composite(Vec<(String, Form)>),
}

impl Forms {
    /// The forms of a query's parameters and claims, given what their types' names mean.
    pub fn of(
        query: &QueryDeclaration,
        catalog: &Catalog,
        resolve: impl Fn(&TypeName) -> Option<Oid>,
    ) -> Self {
        let named = query.parameters.iter().chain(&query.claims).filter_map(|its| match &its.ty.domain {
            Domain::Named(ty) => Some(ty),
            _ => None,
        });
        let form = |ty: &TypeName| Some((ty.clone(), Form::of(catalog, resolve(ty)?)));
        Self(named.filter_map(form).collect())
    }

    /// The form of a domain, if it is a named type.
    pub(crate) fn form(&self, domain: &Domain) -> Option<&Form> {
        match domain {
            Domain::Named(ty) => self.0.get(ty),
            _ => None,
        }
    }
}

impl Form {
    /// The form of a type.
    pub fn of(catalog: &Catalog, oid: Oid) -> Self {
        Self::within(catalog, oid, DEEPEST)
    }

    fn within(catalog: &Catalog, oid: Oid, depth: u32) -> Self {
        let Some(depth) = depth.checked_sub(1) else { return Self::Text };
        let Some(ty) = catalog.type_by_oid(catalog.base_type(oid)) else { return Self::Text };
        let of = |oid: Oid| Self::within(catalog, oid, depth);
        match &ty.kind {
            TypeKind::Array { element } => Self::Array(Box::new(of(*element))),
            TypeKind::Range { subtype, .. } => Self::Range(Box::new(of(*subtype))),
            TypeKind::Multirange { range } => match of(*range) {
                Self::Range(bound) => Self::Multirange(bound),
                _ => Self::Text,
            },
            TypeKind::Composite { attributes } => {
                Self::Composite(attributes.iter().map(|its| (its.name.clone(), of(its.ty))).collect())
            }
            TypeKind::Base if ty.schema == PG_CATALOG => {
                let json = (ty.name == "json").then_some(Scalar::Json);
                json.or_else(|| Scalar::ALL.into_iter().find(|its| its.type_name() == ty.name))
                    .map_or(Self::Text, Self::Scalar)
            }
            TypeKind::Base | TypeKind::Enum { .. } | TypeKind::Domain { .. } | TypeKind::Pseudo => Self::Text,
        }
    }

    /// The text of a value that stands by itself. `source` is the token's text.
    pub(super) fn read(&self, token: &Token<'_>, source: &str) -> Result<String, String> {
        // In a query string JSON is told by what no text of PostgreSQL's begins with.
        let json = match (self, token) {
            (Self::Range(_) | Self::Composite(_), Token::Text(text)) => text.starts_with('{'),
            (Self::Multirange(_), Token::Text(text)) => text.starts_with('['),
            _ => false,
        };
        if json {
            let raw: &RawValue =
                serde_json::from_str(source).map_err(|error| format!("is not JSON: {error}"))?;
            return self.read(&Token::of(raw)?, source);
        }
        match (self, token) {
            (Self::Range(bound), Token::Object) => range(bound, source),
            (Self::Composite(attributes), Token::Object) => composite(attributes, source),
            (Self::Multirange(bound), Token::Array(_)) => {
                let mut literal = String::from("{");
                for (index, raw) in elements(source)?.into_iter().enumerate() {
                    if index > 0 {
                        literal.push(',');
                    }
                    let range = Self::Range(bound.clone()).part(raw, || format!("range {}", index + 1))?;
                    let range = range.ok_or_else(|| format!("has a null as range {}", index + 1))?;
                    if !is_one_range(&range) {
                        return Err(format!("has a range {} that is not written as one", index + 1));
                    }
                    literal.push_str(&range);
                }
                literal.push('}');
                Ok(literal)
            }
            (Self::Array(element), Token::Array(_)) => {
                let mut literal = String::from("{");
                for (index, raw) in elements(source)?.into_iter().enumerate() {
                    if index > 0 {
                        literal.push(',');
                    }
                    match element.part(raw, || format!("element {}", index + 1))? {
                        Some(text) => quote(&text, &mut literal),
                        None => literal.push_str("NULL"),
                    }
                }
                literal.push('}');
                Ok(literal)
            }
            (Self::Scalar(its), _) => scalar(&Domain::Scalar(*its), None, token, source),
            (Self::Range(_), Token::Array(_) | Token::Bool(_) | Token::Number(_)) => {
                Err(format!("is {}; {RANGE}", token.kind()))
            }
            (Self::Composite(attributes), Token::Array(_) | Token::Bool(_) | Token::Number(_)) => {
                let names: Vec<String> = attributes.iter().map(|(name, _)| name.clone()).collect();
                Err(format!(
                    "is {}; it must be an object with the members {}",
                    token.kind(),
                    names.join(", ")
                ))
            }
            _ => text(token, source),
        }
    }

    /// The text of a value that is part of another; none of a null.
    fn part(&self, raw: &RawValue, what: impl FnOnce() -> String) -> Result<Option<String>, String> {
        match Token::of(raw)? {
            Token::Null => Ok(None),
            token => self
                .read(&token, raw.get())
                .map(Some)
                .map_err(|error| format!("has a {} that {error}", what())),
        }
    }
}

const RANGE: &str =
    "it must be an object with the members lower, upper and bounds, or a string such as `[1,10)`";

fn elements(source: &str) -> Result<Vec<&RawValue>, String> {
    serde_json::from_str(source).map_err(|error| format!("is not JSON: {error}"))
}

/// The members of an object, none twice and none but those.
fn members(source: &str, names: &[String]) -> Result<HashMap<String, Box<RawValue>>, String> {
    let inputs: Inputs =
        serde_json::from_str(source).map_err(|error| format!("is not such JSON: {error}"))?;
    let mut members = HashMap::new();
    for (name, input) in inputs.0 {
        if !names.contains(&name) {
            return Err(format!("has the member `{}`, which is {}", shown(&name), one_of(names, &name)));
        }
        if let Input::Json(raw) = input {
            members.insert(name, raw);
        }
    }
    Ok(members)
}

fn shown(name: &str) -> String {
    crate::printable::printable(name, 63)
}

/// `["lower","upper")`; a bound that is null or left out is infinite.
fn range(bound: &Form, source: &str) -> Result<String, String> {
    let names = ["lower", "upper", "bounds", "empty"].map(str::to_owned);
    let members = members(source, &names)?;
    let is_empty = match members.get("empty").map(|raw| raw.get()) {
        Some("true") => true,
        None | Some("false") => false,
        Some(_) => return Err("has a member `empty` that is not true or false".into()),
    };
    if is_empty {
        return match members.len() {
            1 => Ok("empty".into()),
            _ => Err("is empty, and so it has neither bounds nor anything else".into()),
        };
    }
    let bounds = match members.get("bounds").map(|raw| raw.get()) {
        None | Some("\"[)\"") => ['[', ')'],
        Some("\"[]\"") => ['[', ']'],
        Some("\"()\"") => ['(', ')'],
        Some("\"(]\"") => ['(', ']'],
        Some(_) => return Err("has a member `bounds` that is none of `[)`, `[]`, `()`, `(]`".into()),
    };
    let mut literal = String::from(bounds[0]);
    for (name, after) in [("lower", ','), ("upper", bounds[1])] {
        if let Some(raw) = members.get(name)
            && let Some(text) = bound.part(raw, || format!("member `{name}`"))?
        {
            quote(&text, &mut literal);
        }
        literal.push(after);
    }
    Ok(literal)
}

/// Whether a text is no more than one range, whatever its bounds are: ranges within a multirange have no quotes around them.
fn is_one_range(text: &str) -> bool {
    let text = text.trim();
    let Some(bounds) = text.strip_prefix(['[', '(']).and_then(|rest| rest.strip_suffix([']', ')'])) else {
        return text.eq_ignore_ascii_case("empty");
    };
    let (mut is_quoted, mut bounds) = (false, bounds.chars());
    while let Some(c) = bounds.next() {
        match c {
            '\\' if bounds.next().is_none() => return false,
            '"' => is_quoted = !is_quoted,
            ']' | ')' if !is_quoted => return false,
            _ => {}
        }
    }
    !is_quoted
}

/// `("a","b",)`; an attribute that is null or left out is null.
fn composite(attributes: &[(String, Form)], source: &str) -> Result<String, String> {
    let names: Vec<String> = attributes.iter().map(|(name, _)| name.clone()).collect();
    let members = members(source, &names)?;
    let mut literal = String::from("(");
    for (index, (name, form)) in attributes.iter().enumerate() {
        if index > 0 {
            literal.push(',');
        }
        if let Some(raw) = members.get(name)
            && let Some(text) = form.part(raw, || format!("member `{}`", shown(name)))?
        {
            quote(&text, &mut literal);
        }
    }
    literal.push(')');
    Ok(literal)
}

/// Between quotes, where PostgreSQL takes a text for itself, whatever is in it: in arrays, ranges and rows alike.
pub(super) fn quote(text: &str, literal: &mut String) {
    literal.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            literal.push('\\');
        }
        literal.push(c);
    }
    literal.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &Form, json: &str) -> Result<String, String> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        form.read(&Token::of(raw)?, raw.get())
    }

    fn texts(form: &Form, text: &str) -> Result<String, String> {
        form.read(&Token::Text(text), text)
    }

    fn dates() -> Form {
        Form::Range(Box::new(Form::Scalar(Scalar::Date)))
    }

    fn address() -> Form {
        Form::Composite(vec![
            ("street".into(), Form::Scalar(Scalar::Text)),
            ("zip".into(), Form::Scalar(Scalar::Int4)),
            ("tags".into(), Form::Array(Box::new(Form::Text))),
            ("moved".into(), dates()),
            ("notes".into(), Form::Scalar(Scalar::Json)),
        ])
    }

    #[test]
    fn a_range_is_an_object_or_a_string() {
        for (json, expected) in [
            (r#"{"lower": "2026-01-01", "upper": "2026-02-01"}"#, r#"["2026-01-01","2026-02-01")"#),
            (r#"{"lower": "2026-01-01", "upper": null, "bounds": "(]"}"#, r#"("2026-01-01",]"#),
            ("{}", "[,)"),
            (r#"{"empty": true}"#, "empty"),
            (r#""[2026-01-01,)""#, "[2026-01-01,)"),
        ] {
            assert_eq!(read(&dates(), json).as_deref(), Ok(expected), "{json}");
        }
        assert_eq!(texts(&dates(), r#"{"upper": "2026-01-01"}"#).as_deref(), Ok(r#"[,"2026-01-01")"#));
        assert_eq!(texts(&dates(), "empty").as_deref(), Ok("empty"));
        let texts_of = Form::Range(Box::new(Form::Text));
        assert_eq!(
            read(&texts_of, r#"{"lower": "a\",\\b)", "upper": ""}"#).as_deref(),
            Ok(r#"["a\",\\b)","")"#)
        );
        for (json, wrong) in [
            (r#"{"lower": "yesterday"}"#, "has a member `lower` that is not a date"),
            (r#"{"lover": "2026-01-01"}"#, "did you mean `lower`?"),
            (r#"{"bounds": "["}"#, "none of `[)`"),
            (r#"{"empty": true, "lower": null}"#, "neither bounds"),
            (r#"{"empty": 1}"#, "not true or false"),
            (r#"{"lower": null, "lower": "2026-01-01"}"#, "given twice"),
            ("[1, 2]", "is an array; it must be an object with the members lower, upper and bounds"),
            ("7", "is a number"),
        ] {
            let error = read(&dates(), json).unwrap_err();
            assert!(error.contains(wrong), "{json}: {error}");
        }
    }

    #[test]
    fn a_composite_is_an_object_of_its_attributes() {
        let json = r#"{"street": "O'Brien \"\\\" (), ", "zip": 101, "tags": ["a,b", null, "\""], "moved": {"lower": "2026-01-01"},
                       "notes": {"k": [1, null]}}"#;
        let expected = r#"("O'Brien \"\\\" (), ","101","{\"a,b\",NULL,\"\\\"\"}","[\"2026-01-01\",)","{\"k\": [1, null]}")"#;
        assert_eq!(read(&address(), json).as_deref(), Ok(expected));
        assert_eq!(read(&address(), r#"{"zip": null, "street": ""}"#).as_deref(), Ok(r#"("",,,,)"#));
        assert_eq!(read(&address(), r#""(a,1,,,)""#).as_deref(), Ok("(a,1,,,)"));
        assert_eq!(texts(&address(), r#"{"zip": 7}"#).as_deref(), Ok(r#"(,"7",,,)"#));
        assert_eq!(texts(&address(), "(a,1,,,)").as_deref(), Ok("(a,1,,,)"));
        for (json, wrong) in [
            (r#"{"zip": 1.5}"#, "has a member `zip` that is not a whole number"),
            (
                r#"{"moved": {"lower": 7}}"#,
                "has a member `moved` that has a member `lower` that is not a date",
            ),
            (r#"{"zap": 1}"#, "did you mean `zip`?"),
            ("[1]", "with the members street, zip, tags, moved, notes"),
        ] {
            let error = read(&address(), json).unwrap_err();
            assert!(error.contains(wrong), "{json}: {error}");
        }
    }

    #[test]
    fn a_multirange_is_an_array_of_ranges() {
        let form = Form::Multirange(Box::new(Form::Scalar(Scalar::Int4)));
        let json = r#"[{"lower": 1, "upper": 3}, "[5,7]"]"#;
        assert_eq!(read(&form, json).as_deref(), Ok(r#"{["1","3"),[5,7]}"#));
        assert_eq!(texts(&form, json).as_deref(), Ok(r#"{["1","3"),[5,7]}"#));
        assert_eq!(texts(&form, "{[1,3)}").as_deref(), Ok("{[1,3)}"));
        assert_eq!(read(&form, "[]").as_deref(), Ok("{}"));
        assert_eq!(read(&form, "[null]"), Err("has a null as range 1".into()));
        assert_eq!(read(&form, r#"["(\"1\",2)", " EMPTY "]"#).as_deref(), Ok(r#"{("1",2), EMPTY }"#));
        // One string is one range.
        for text in ["[1,2),[5,9)", "[1,2)}", "[1,2", "", "empty,[1,2)", r#"[1,"2)"#, r"[1,2\)"] {
            let json = serde_json::to_string(&[text]).unwrap();
            assert_eq!(read(&form, &json), Err("has a range 1 that is not written as one".into()), "{text}");
        }
    }

    #[test]
    fn any_other_type_is_its_text() {
        assert_eq!(read(&Form::Text, r#""10.0.0.0/8""#).as_deref(), Ok("10.0.0.0/8"));
        assert_eq!(read(&Form::Text, "7").as_deref(), Ok("7"));
        assert!(read(&Form::Text, r#""a\u0000b""#).unwrap_err().contains("NUL"));
        assert!(read(&Form::Text, "{}").unwrap_err().contains("must be a string"));
    }
}
