use callslip_ir::{Domain, Parameter, ParameterMode, Presence};
use serde_json::{Value, json};

/// A parameter on a line: `int4, bound, default 20, from 1 to 100`.
pub(super) fn line(parameter: &Parameter) -> String {
    let mut parts = vec![type_name(parameter), mode(parameter.mode).to_owned()];
    match &parameter.ty.domain {
        Domain::Enum { labels, .. } => parts.push(format!("one of {}", labels.join(", "))),
        Domain::Sort { keys } => parts.push(format!("a sort by {}", keys.join(", "))),
        Domain::Named(_) => parts.push("a string in PostgreSQL's own form".to_owned()),
        Domain::Cursor => parts.push("the `next` of the page before".to_owned()),
        Domain::Scalar(_) => {}
    }
    if parameter.ty.nullable {
        parts.push("or null".to_owned());
    }
    parts.push(match &parameter.presence {
        Presence::Required => "required".to_owned(),
        Presence::Optional => "optional".to_owned(),
        Presence::Default(json) => format!("default {json}"),
    });
    if let Some(range) = &parameter.range {
        parts.push(match (&range.min, &range.max) {
            (Some(min), Some(max)) => format!("from {min} to {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, Some(max)) => format!("at most {max}"),
            (None, None) => "any".to_owned(),
        });
    }
    parts.join(", ")
}

pub(super) fn to_json(parameter: &Parameter) -> Value {
    let labels = match &parameter.ty.domain {
        Domain::Enum { labels, .. } => Some(labels),
        _ => None,
    };
    let sort_keys = match &parameter.ty.domain {
        Domain::Sort { keys } => Some(keys),
        _ => None,
    };
    let default = match &parameter.presence {
        // Validation has read it as JSON.
        Presence::Default(json) => serde_json::from_str::<Value>(json).ok(),
        _ => None,
    };
    json!({
        "name": parameter.name,
        "doc": parameter.doc,
        "type": type_name(parameter),
        "labels": labels,
        "sort_keys": sort_keys,
        "cursor": parameter.ty.domain == Domain::Cursor,
        "nullable": parameter.ty.nullable,
        "mode": mode(parameter.mode),
        "required": parameter.presence == Presence::Required,
        "default": default,
        "min": parameter.range.as_ref().and_then(|range| range.min.as_ref()),
        "max": parameter.range.as_ref().and_then(|range| range.max.as_ref()),
    })
}

fn type_name(parameter: &Parameter) -> String {
    let name = parameter.ty.type_name().to_string();
    name.strip_prefix("pg_catalog.").map(str::to_owned).unwrap_or(name)
}

fn mode(mode: ParameterMode) -> &'static str {
    match mode {
        ParameterMode::Bound => "bound",
        ParameterMode::Seen => "seen",
        ParameterMode::Open => "open",
    }
}
