use callslip_ir::Scalar;
use serde_json::{Map, Value, json};

use super::{or_null, parameter_schema};
use crate::plugin::Form;

/// How a value of a named type may be written in a JSON body. A string is always as PostgreSQL writes the value.
pub(super) fn of_form(form: &Form) -> Value {
    let or_text = |schema: Value| json!({ "anyOf": [schema, { "type": "string" }] });
    match form {
        Form::Text => json!({ "type": ["string", "number", "boolean"] }),
        Form::Scalar(scalar) => parameter_schema::of_scalar(*scalar),
        Form::Array(element) => or_text(json!({ "type": "array", "items": part(element) })),
        Form::Range(bound) => or_text(range(bound)),
        Form::Multirange(bound) => or_text(json!({ "type": "array", "items": or_text(range(bound)) })),
        Form::Composite(attributes) => {
            let properties: Map<String, Value> =
                attributes.iter().map(|(name, form)| (name.clone(), part(form))).collect();
            or_text(json!({ "type": "object", "properties": properties, "additionalProperties": false }))
        }
    }
}

/// A value within another one may be null.
fn part(form: &Form) -> Value {
    match form {
        Form::Scalar(Scalar::Json) => of_form(form),
        form => or_null(of_form(form)),
    }
}

/// `{"lower": …, "upper": …, "bounds": "[)"}`; a bound that is null or left out is infinite.
fn range(bound: &Form) -> Value {
    let bounds = json!({ "enum": ["[)", "[]", "()", "(]"], "default": "[)" });
    json!({
        "anyOf": [
            {
                "type": "object",
                "properties": { "lower": part(bound), "upper": part(bound), "bounds": bounds, "empty": { "const": false } },
                "additionalProperties": false,
            },
            {
                "type": "object",
                "properties": { "empty": { "const": true } },
                "required": ["empty"],
                "additionalProperties": false,
            },
        ],
    })
}
