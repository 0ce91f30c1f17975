use callslip_ir::{Domain, Parameter, Presence, Range, Scalar};
use serde_json::{Number, Value, json};

use super::{form_schema, or_null};
use crate::plugin::Form;

/// What a JSON body may have for a parameter.
pub(super) fn in_body(parameter: &Parameter, form: Option<&Form>) -> Value {
    let single = match (&parameter.ty.domain, form) {
        (Domain::Named(_), Some(form)) => form_schema::of_form(form),
        (Domain::Named(_), None) => json!({}),
        (domain, _) => of_domain(domain, parameter.range.as_ref()),
    };
    let several = if parameter.ty.array { json!({ "type": "array", "items": single }) } else { single };
    let mut schema = if parameter.ty.nullable { or_null(several) } else { several };
    describe(&mut schema, parameter);
    if let Some(default) = default(parameter) {
        schema["default"] = default;
    }
    schema
}

/// What a query string may have for a parameter: an object of `parameters`.
pub(super) fn in_query_string(parameter: &Parameter) -> Value {
    let single = match &parameter.ty.domain {
        // What only PostgreSQL can read.
        Domain::Named(_) => json!({ "type": "string" }),
        domain => of_domain(domain, parameter.range.as_ref()),
    };
    let several = if parameter.ty.array { json!({ "type": "array", "items": single }) } else { single };
    let mut schema = match parameter.ty.nullable {
        true => json!({ "anyOf": [several, { "type": "string", "const": "null" }] }),
        false => several,
    };
    if let Some(default) = default(parameter) {
        schema["default"] = if default.is_null() && parameter.ty.nullable { json!("null") } else { default };
    }
    let mut object = json!({
        "name": parameter.name,
        "in": "query",
        "required": parameter.presence == Presence::Required,
    });
    describe(&mut object, parameter);
    if parameter.ty.domain == Domain::Scalar(Scalar::Json) {
        object["content"] = json!({ "application/json": { "schema": schema } });
    } else {
        object["style"] = json!("form");
        // The keys of a sort order have commas between them; the values of a list repeat its name.
        object["explode"] = json!(!matches!(parameter.ty.domain, Domain::Sort { .. }));
        object["schema"] = schema;
    }
    object
}

/// The values of a built-in type, as JSON has them.
pub(super) fn of_scalar(scalar: Scalar) -> Value {
    let integer = |format: &str, least: i64, greatest: i64| json!({ "type": "integer", "format": format, "minimum": least, "maximum": greatest });
    match scalar {
        Scalar::Bool => json!({ "type": "boolean" }),
        Scalar::Int2 => integer("int16", i16::MIN.into(), i16::MAX.into()),
        Scalar::Int4 => integer("int32", i32::MIN.into(), i32::MAX.into()),
        // Whoever reads bounds as floats would round these.
        Scalar::Int8 => json!({ "type": "integer", "format": "int64" }),
        Scalar::Float4 => json!({ "type": "number", "format": "float" }),
        Scalar::Float8 => json!({ "type": "number", "format": "double" }),
        Scalar::Numeric => json!({ "type": "number" }),
        Scalar::Text => json!({ "type": "string" }),
        Scalar::Date => json!({ "type": "string", "format": "date" }),
        Scalar::Time => json!({ "type": "string", "format": "time-local", "pattern": TIME }),
        Scalar::Timestamp => json!({ "type": "string", "format": "date-time-local", "pattern": TIMESTAMP }),
        Scalar::Timestamptz => json!({ "type": "string", "format": "date-time" }),
        Scalar::Interval => {
            json!({ "type": "string", "maxLength": 100, "examples": ["P1DT2H", "1 day 02:00"] })
        }
        Scalar::Uuid => json!({ "type": "string", "format": "uuid" }),
        Scalar::Json => json!({}),
        Scalar::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
    }
}

const TIME: &str = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$";
const TIMESTAMP: &str =
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$";

fn of_domain(domain: &Domain, range: Option<&Range>) -> Value {
    let mut schema = match domain {
        Domain::Scalar(scalar) => of_scalar(*scalar),
        Domain::Enum { labels, .. } => json!({ "type": "string", "enum": labels }),
        Domain::Sort { keys } => {
            let terms: Vec<String> = keys.iter().flat_map(|key| [key.clone(), format!("-{key}")]).collect();
            json!({ "type": "array", "items": { "type": "string", "enum": terms }, "uniqueItems": true })
        }
        Domain::Named(_) => json!({}),
        Domain::Cursor => json!({ "type": "string", "contentEncoding": "base64url" }),
    };
    let bound = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Number>().ok());
    if let Some(range) = range {
        for (name, number) in [("minimum", bound(&range.min)), ("maximum", bound(&range.max))] {
            if let Some(number) = number {
                schema[name] = number.into();
            }
        }
    }
    schema
}

/// The value of a default or an example, which is JSON text.
pub(super) fn value(parameter: &Parameter, json: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(json).ok()?;
    match (&parameter.ty.domain, value.as_str()) {
        (Domain::Sort { .. }, Some("")) => Some(json!([])),
        (Domain::Sort { .. }, Some(order)) => Some(order.split(',').collect()),
        (Domain::Scalar(Scalar::Numeric | Scalar::Float4 | Scalar::Float8 | Scalar::Int8), Some(number)) => {
            number.parse::<Number>().ok().map(Value::from)
        }
        _ => Some(value),
    }
}

fn default(parameter: &Parameter) -> Option<Value> {
    match &parameter.presence {
        Presence::Default(json) => value(parameter, json),
        Presence::Required | Presence::Optional => None,
    }
}

/// Says what it is for, and what its values are where the schema can't.
fn describe(schema: &mut Value, parameter: &Parameter) {
    let mut lines: Vec<String> = Vec::new();
    if !parameter.doc.is_empty() {
        lines.push(parameter.doc.clone());
    }
    match &parameter.ty.domain {
        Domain::Named(ty) => lines.push(format!("As PostgreSQL writes a `{}`.", ty.name.name)),
        Domain::Sort { .. } if lines.is_empty() => lines.push("Descending after a `-`.".to_owned()),
        Domain::Scalar(Scalar::Interval) => lines.push("ISO 8601's or PostgreSQL's.".to_owned()),
        _ => {}
    }
    if !lines.is_empty() {
        schema["description"] = lines.join("\n\n").into();
    }
}
