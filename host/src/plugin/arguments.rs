use std::{collections::BTreeMap, fmt};

#[cfg(feature = "host")]
use callslip_ir::ValueType;
use callslip_ir::{Binding, Domain, Parameter, ParameterMode, Presence, QueryDeclaration};
use serde_json::value::RawValue;

use super::{
    Choice, Forms, Inputs, Limits, Shape,
    value::{Input, Value},
};
use crate::Code;
use crate::nearest::nearest;
use crate::printable::printable;

/// A request's parameters and claims, checked against what its query declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// What the plugin sees of them.
    pub shape: Shape,
    /// The values of those that are given or have a default, in PostgreSQL's text form; `None` is null.
    pub parameters: BTreeMap<String, Option<String>>,
    /// Likewise the claims that the query reads.
    pub claims: BTreeMap<String, Option<String>>,
}

/// What is wrong with one parameter or claim of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ArgumentError {
    /// What kind of error.
    pub code: Code,
    /// The parameter or claim, as the caller wrote it.
    pub parameter: Option<String>,
    /// What is wrong, naming the parameter. Of a claim's value it shows nothing.
    pub message: String,
}

/// How many unknown parameters an answer names. A request may have any number of them.
const UNKNOWN_TOLD: usize = 16;

/// Which of the two sides of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Parameter,
    Claim,
}

impl Arguments {
    /// Checks what a caller gave, and fills in defaults. A parameter that the query does not declare is an error; a
    /// claim that it does not read is ignored.
    ///
    /// JSON and text obey the same rules; in JSON, numbers may be strings as well. An integer has no fraction and no
    /// exponent, not even `1.0`. In text, `null` is null where the parameter is nullable; a repeated name is an array,
    /// and a single text that begins with `[` is an array in JSON. The keys of a sort order are a text, with commas between
    /// them, or in JSON an array. A time without a zone is UTC. Bytes are base64, or
    /// hexadecimal after `\x`. What is of any other type is a text as PostgreSQL writes it, or JSON of its [`Form`](super::Form),
    /// in a query string too.
    ///
    /// # Errors
    /// Every [`ArgumentError`] there is, those of parameters first.
    pub fn read(
        query: &QueryDeclaration,
        forms: &Forms,
        parameters: &Inputs,
        claims: &Inputs,
        limits: &Limits,
    ) -> Result<Self, Vec<ArgumentError>> {
        let mut errors = Vec::new();
        let declared = |name: &String| query.parameters.iter().any(|parameter| parameter.name == *name);
        let undeclared = || parameters.0.keys().filter(|name| !declared(name));
        errors.extend(undeclared().take(UNKNOWN_TOLD).map(|name| unknown(query, name)));
        let untold = undeclared().skip(UNKNOWN_TOLD).count();
        if untold > 0 {
            let message = format!("and {untold} more parameters that it does not have");
            errors.push(ArgumentError { code: Code::UnknownParameter, parameter: None, message });
        }
        let (seen_parameters, parameters) =
            side(Side::Parameter, &query.parameters, forms, parameters, limits, &mut errors);
        let (seen_claims, claims) = side(Side::Claim, &query.claims, forms, claims, limits, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self { shape: Shape { parameters: seen_parameters, claims: seen_claims }, parameters, claims })
    }

    /// The value of a slot, in PostgreSQL's text form; the inner `None` is null. Nothing for a parameter that is
    /// absent or that the query does not declare.
    pub fn value<'a>(&'a self, binding: &'a Binding) -> Option<Option<&'a str>> {
        match binding {
            Binding::Parameter(name) => self.parameters.get(name).map(Option::as_deref),
            Binding::Claim(name) => self.claims.get(name).map(Option::as_deref),
            Binding::Constant(value) => Some(value.as_deref()),
        }
    }
}

fn side(
    side: Side,
    declared: &[Parameter],
    forms: &Forms,
    inputs: &Inputs,
    limits: &Limits,
    errors: &mut Vec<ArgumentError>,
) -> (Vec<Choice>, BTreeMap<String, Option<String>>) {
    let (mut seen, mut values) = (Vec::new(), BTreeMap::new());
    for parameter in declared {
        match argument(side, parameter, forms, inputs.0.get(&parameter.name), limits) {
            Ok(Some(value)) => {
                if let Some(value) = choice(parameter, &value) {
                    seen.push(Choice { parameter: parameter.name.clone(), value });
                }
                values.insert(parameter.name.clone(), value.text());
            }
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    (seen, values)
}

fn argument(
    side: Side,
    parameter: &Parameter,
    forms: &Forms,
    input: Option<&Input>,
    limits: &Limits,
) -> Result<Option<Value>, ArgumentError> {
    let error = |code, message| ArgumentError { code, parameter: Some(parameter.name.clone()), message };
    let (missing, invalid) = match side {
        Side::Parameter if parameter.ty.domain == Domain::Cursor => {
            (Code::MissingParameter, Code::InvalidCursor)
        }
        Side::Parameter => (Code::MissingParameter, Code::InvalidParameter),
        Side::Claim => (Code::MissingClaim, Code::InvalidClaim),
    };
    match (input, &parameter.presence) {
        (Some(input), _) => {
            let read = Value::read(&parameter.ty, parameter.range.as_ref(), forms, input, limits);
            read.map(Some).map_err(|problem| {
                let shown =
                    if side == Side::Parameter { format!(": {}", shown(input)) } else { String::new() };
                error(invalid, format!("{side} `{}` {problem}{shown}", parameter.name))
            })
        }
        (None, Presence::Optional) => Ok(None),
        (None, Presence::Required) => Err(error(missing, format!("{side} `{}` is missing", parameter.name))),
        (None, Presence::Default(json)) => json_value(parameter, json, limits)
            .map(Some)
            .map_err(|problem| error(invalid, format!("{side} `{}`: its default {problem}", parameter.name))),
    }
}

/// The value of a claim that a row filter reads, in PostgreSQL's text form. None, if the caller has no such claim, or null.
///
/// # Errors
/// It is no value of that type.
#[cfg(feature = "host")]
pub fn claim_of_filter(
    name: &str,
    ty: &ValueType,
    claims: &Inputs,
    limits: &Limits,
) -> Result<Option<String>, ArgumentError> {
    let Some(input) = claims.0.get(name) else { return Ok(None) };
    let read = Value::read(ty, None, &Forms::default(), input, limits);
    read.map(|value| value.text()).map_err(|problem| ArgumentError {
        code: Code::InvalidClaim,
        parameter: Some(name.to_owned()),
        message: format!("claim `{name}` {problem}"),
    })
}

/// The value of a default or an example, which is JSON text. Of a named type it is a string.
pub(super) fn json_value(parameter: &Parameter, json: &str, limits: &Limits) -> Result<Value, String> {
    let raw: Box<RawValue> = serde_json::from_str(json).map_err(|error| format!("is not JSON: {error}"))?;
    Value::read(&parameter.ty, parameter.range.as_ref(), &Forms::default(), &Input::Json(raw), limits)
}

/// The text of such a value, in PostgreSQL's form; none of a null, and of what is no value.
#[cfg(feature = "host")]
pub fn text_of_json(parameter: &Parameter, json: &str, limits: &Limits) -> Option<String> {
    json_value(parameter, json, limits).ok()?.text()
}

/// What the plugin sees of a parameter that has this value.
fn choice(parameter: &Parameter, value: &Value) -> Option<String> {
    match (parameter.mode, &parameter.presence) {
        (ParameterMode::Bound, Presence::Optional) => Some("present".into()),
        (ParameterMode::Bound, _) => None,
        (ParameterMode::Seen, _) => value.text(),
        (ParameterMode::Open, _) => Some(value.json(&parameter.ty.domain)),
    }
}

fn unknown(query: &QueryDeclaration, name: &str) -> ArgumentError {
    let declared = || query.parameters.iter().map(|parameter| parameter.name.as_str());
    let help = match nearest(name, declared()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None if query.parameters.is_empty() => "it has none".into(),
        None => {
            format!("it has {}", declared().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    };
    let shown = printable(name, 63);
    ArgumentError {
        code: Code::UnknownParameter,
        message: format!("query `{}` has no parameter `{shown}`; {help}", query.name),
        parameter: Some(shown),
    }
}

fn shown(input: &Input) -> String {
    match input {
        Input::Json(raw) => format!("`{}`", printable(raw.get(), 40)),
        Input::Text(texts) => {
            let mut shown: Vec<_> =
                texts.iter().take(3).map(|text| format!("`{}`", printable(text, 40))).collect();
            if texts.len() > shown.len() {
                shown.push("…".into());
            }
            shown.join(", ")
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parameter => "parameter",
            Self::Claim => "claim",
        })
    }
}

#[cfg(test)]
mod tests {
    use callslip_ir::Scalar;

    use super::*;
    use crate::plugin::guest::{labels, parameter, query, scalar};

    fn json(body: &str) -> Inputs {
        Inputs::from_json(body.as_bytes()).unwrap()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Inputs {
        Inputs::from_pairs(pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
    }

    fn funnel() -> QueryDeclaration {
        let mut open = scalar("open", Scalar::Bool);
        (open.mode, open.presence) = (ParameterMode::Seen, Presence::Default("true".into()));
        let mut since = scalar("since", Scalar::Timestamptz);
        since.presence = Presence::Optional;
        let keys = vec!["title".into(), "closed".into()];
        let mut sort = parameter("sort", Domain::Sort { keys });
        (sort.mode, sort.presence) = (ParameterMode::Seen, Presence::Default("\"\"".into()));
        let mut query = query(vec![scalar("company", Scalar::Int4), open, since, sort]);
        query.claims = vec![scalar("tenant", Scalar::Uuid)];
        query
    }

    const TENANT: &str = r#"{"tenant": "00000000-0000-4000-8000-00000000ABCD", "iat": 7}"#;

    fn read(query: &QueryDeclaration, parameters: &Inputs) -> Result<Arguments, Vec<ArgumentError>> {
        Arguments::read(query, &Forms::default(), parameters, &json(TENANT), &Limits::default())
    }

    #[test]
    fn json_and_text_give_the_same() {
        let by_json = read(&funnel(), &json(r#"{"company": 7, "since": "2026-01-01"}"#)).unwrap();
        let by_text = read(&funnel(), &pairs(&[("since", "2026-01-01"), ("company", "7")])).unwrap();
        assert_eq!(by_json, by_text);
        let seen = |name: &str, value: &str| Choice { parameter: name.into(), value: value.into() };
        let expected = [seen("open", "true"), seen("since", "present"), seen("sort", "")];
        assert_eq!(by_json.shape.parameters, expected);
        let sorted = |inputs: &Inputs| read(&funnel(), inputs).unwrap().shape.parameters.pop();
        assert_eq!(
            sorted(&pairs(&[("company", "7"), ("sort", "-closed,title")])),
            Some(seen("sort", "-closed,title"))
        );
        assert_eq!(
            sorted(&json(r#"{"company": 7, "sort": ["-closed", "title"]}"#)),
            Some(seen("sort", "-closed,title"))
        );
        assert_eq!(by_json.shape.claims, []);
        let value = |name: &str| by_json.value(&Binding::Parameter(name.into())).flatten().map(str::to_owned);
        assert_eq!(value("company").as_deref(), Some("7"));
        assert_eq!(value("since").as_deref(), Some("2026-01-01 00:00+00"));
        assert_eq!(value("open").as_deref(), Some("true"));
        let tenant = Binding::Claim("tenant".into());
        assert_eq!(by_json.value(&tenant), Some(Some("00000000-0000-4000-8000-00000000abcd")));
        assert_eq!(by_json.value(&Binding::Claim("iat".into())), None);
        assert_eq!(by_json.value(&Binding::Constant(None)), Some(None));
    }

    #[test]
    fn the_shape_is_one_of_those_that_are_listed() {
        let shapes = match crate::plugin::Shapes::of(&funnel(), 256) {
            crate::plugin::Shapes::Closed { shapes, .. } => shapes,
            crate::plugin::Shapes::Open => panic!("it is closed"),
        };
        for body in [
            r#"{"company": 7}"#,
            r#"{"company": 7, "open": false}"#,
            r#"{"company": 7, "since": "2026-01-01T00:00Z"}"#,
            r#"{"company": 7, "open": "false", "since": "infinity"}"#,
            r#"{"company": 7, "sort": "-closed,title"}"#,
            r#"{"company": 7, "sort": ["title"]}"#,
        ] {
            let shape = read(&funnel(), &json(body)).unwrap().shape;
            assert_eq!(shapes.iter().filter(|listed| **listed == shape).count(), 1, "{body}");
        }
    }

    #[test]
    fn every_error_at_once() {
        let parameters = json(r#"{"compnay": 7, "open": 1, "since": "yesterday"}"#);
        let claims = json(r#"{"tenant": "secret"}"#);
        let errors = Arguments::read(&funnel(), &Forms::default(), &parameters, &claims, &Limits::default())
            .unwrap_err();
        let codes: Vec<_> = errors.iter().map(|error| error.code).collect();
        let invalid = Code::InvalidParameter;
        assert_eq!(
            codes,
            [Code::UnknownParameter, Code::MissingParameter, invalid, invalid, Code::InvalidClaim]
        );
        assert!(errors[0].message.contains("did you mean `company`?"), "{}", errors[0]);
        assert_eq!(errors[1].to_string(), "parameter `company` is missing");
        assert!(errors[3].message.ends_with(": `\"yesterday\"`"), "{}", errors[3]);
        assert!(!errors[4].message.contains("secret"), "{}", errors[4]);
        let missing = Arguments::read(
            &funnel(),
            &Forms::default(),
            &pairs(&[("company", "1")]),
            &json("{}"),
            &Limits::default(),
        );
        assert_eq!(missing.unwrap_err()[0].code, Code::MissingClaim);
    }

    #[test]
    fn what_is_open_is_seen_as_json() {
        for (ty, text, seen) in [
            (Scalar::Int4, "007", "7"),
            (Scalar::Text, "a\"b", "\"a\\\"b\""),
            (Scalar::Numeric, "1.50", "\"1.50\""),
            (Scalar::Float8, ".5", "0.5"),
            (Scalar::Float8, "nan", "\"NaN\""),
            (Scalar::Json, "{\"a\": 1}", "{\"a\": 1}"),
            (Scalar::Bytes, "\\x00ff", "\"AP8=\""),
            (Scalar::Timestamptz, "2026-01-01", "\"2026-01-01 00:00+00\""),
        ] {
            let mut open = scalar("a", ty);
            open.mode = ParameterMode::Open;
            let arguments =
                read(&QueryDeclaration { claims: vec![], ..query(vec![open]) }, &pairs(&[("a", text)]))
                    .unwrap();
            assert_eq!(arguments.shape.parameters[0].value, seen, "{text}");
        }
        let mut array = labels("a", &["x", "y"]);
        array.mode = ParameterMode::Open;
        array.ty.array = true;
        let query = query(vec![array]);
        assert_eq!(
            read(&query, &pairs(&[("a", "y"), ("a", "x")])).unwrap().shape.parameters[0].value,
            "[\"y\",\"x\"]"
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in
            ["", "[]", "7", "{", "{\"a\": 1, \"a\": 2}", "{\"a\": 1} {}", "{\"a\": tru}", "\u{feff}{}"]
        {
            let error = Inputs::from_json(body.as_bytes()).unwrap_err();
            assert_eq!(error.code, Code::BadRequest, "{body}");
        }
        assert!(Inputs::from_json(b"{\"a\": \"\xff\"}").is_err());
        assert!(Inputs::from_json(b"{\"a\": 1, \"a\": 2}").unwrap_err().message.contains("given twice"));
    }

    #[test]
    fn claims_may_come_as_an_object() {
        let claims = serde_json::from_str::<serde_json::Map<_, _>>(TENANT).unwrap();
        let parameters = pairs(&[("company", "7")]);
        let read = |claims| {
            Arguments::read(&funnel(), &Forms::default(), &parameters, &claims, &Limits::default()).unwrap()
        };
        assert_eq!(read(Inputs::from_object(&claims)), read(json(TENANT)));
    }
}
