//! The queries that are served as an OpenAPI 3.1 document, at `/openapi.json`, and its page, at `/docs`.
//!
//! It is made of what was proven: a reply's schema has the columns that PostgreSQL described, and what becomes of their values
//! is what [`rows`](crate::rows) writes. The same generation always gives the same text.

mod cached;
mod document;
mod form_schema;
mod formats;
mod operation;
mod page;
mod parameter_schema;
mod reply_schema;
mod responses;
mod security;
mod value_schema;

pub(super) use cached::{Cached, get};
pub use document::document;
pub(super) use page::{file, page};

/// A reference to what all operations share.
fn component(kind: &str, name: &str) -> serde_json::Value {
    serde_json::json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// The same schema, and null.
fn or_null(mut schema: serde_json::Value) -> serde_json::Value {
    match (schema.get("type").and_then(|ty| ty.as_str()), schema.get("enum")) {
        (Some(ty), None) => schema["type"] = serde_json::json!([ty, "null"]),
        _ => return serde_json::json!({ "anyOf": [schema, { "type": "null" }] }),
    }
    schema
}
