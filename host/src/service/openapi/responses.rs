use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::problem::{Problem, STATUSES};
use super::component;
use crate::Code;

/// The statuses that a request is refused with, whatever its code: those that [`Problem::with_status`] is given.
const OF_REQUESTS: [StatusCode; 5] = [
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::URI_TOO_LONG,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
];

/// The codes of each status.
fn codes() -> BTreeMap<StatusCode, Vec<Code>> {
    let mut codes: BTreeMap<StatusCode, Vec<Code>> = BTreeMap::new();
    let of_requests = OF_REQUESTS.map(|status| (Code::BadRequest, status));
    let of_any = [(Code::ServerFailed, StatusCode::INTERNAL_SERVER_ERROR)];
    for (code, status) in STATUSES.iter().copied().chain(of_requests).chain(of_any) {
        codes.entry(status).or_default().push(code);
    }
    codes
}

/// The answers to a call that went wrong, by status: references to [`shared_responses`].
pub(super) fn of_calls() -> Map<String, Value> {
    let refer = |status: &StatusCode| (status.as_str().to_owned(), component("responses", &name(*status)));
    codes().keys().map(refer).collect()
}

/// The name of the answer to who has the reply already.
pub(super) const NOT_MODIFIED: &str = "NotModified";

/// The answers that operations share, by name: problems, and [`NOT_MODIFIED`].
pub(super) fn shared_responses() -> Map<String, Value> {
    let problems = codes().into_iter().map(|(status, codes)| (name(status), response(status, &codes)));
    let same = json!({
        "description": "The reply is still the one whose `ETag` the request named in `If-None-Match`.",
        "headers": { "Callslip-Id": component("headers", "CallId"), "ETag": component("headers", "ETag") },
    });
    problems.chain([(NOT_MODIFIED.to_owned(), same)]).collect()
}

/// `NotFound`.
fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().split_whitespace().collect()
}

fn response(status: StatusCode, codes: &[Code]) -> Value {
    let told: Vec<String> = codes.iter().map(|code| format!("`{code}`: {}", code.title())).collect();
    let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let mut response = json!({
        "description": told.join("; "),
        "headers": { "Callslip-Id": component("headers", "CallId") },
        "content": {
            (Problem::MEDIA_TYPE): {
                "schema": {
                    "allOf": [component("schemas", "Problem")],
                    "properties": { "status": { "const": status.as_u16() }, "code": { "enum": names } },
                },
            },
        },
    });
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response["headers"]["Retry-After"] = component("headers", "RetryAfter");
    }
    response
}

/// The schemas that [`shared_responses`] refer to.
pub(super) fn shared_schemas() -> Map<String, Value> {
    let code = || json!({ "type": "string", "pattern": "^CS[0-9]{4}$", "description": "The stable code." });
    let text = |description: &str| json!({ "type": "string", "description": description });
    let problem = json!({
        "description": "An error, as RFC 9457 writes it.",
        "type": "object",
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "The code as a URI." },
            "title": text("What the code means."),
            "status": { "type": "integer", "description": "The status of the answer." },
            "detail": text("What is wrong this time, and how to mend it."),
            "code": code(),
            "instance": { "type": "string", "format": "uri-reference", "description": "A name of this one occurrence." },
            "errors": {
                "type": "array",
                "description": "What is wrong with each parameter.",
                "items": component("schemas", "ParameterError"),
            },
            "sqlstate": text("What PostgreSQL calls it."),
        },
        "required": ["type", "title", "status", "detail", "code"],
        "examples": [{
            "type": "urn:callslip:problem:CS1004",
            "title": Code::MissingParameter.title(),
            "status": 400,
            "detail": "parameter `company` is missing",
            "code": Code::MissingParameter.as_str(),
            "errors": [{
                "parameter": "company",
                "code": Code::MissingParameter.as_str(),
                "detail": "parameter `company` is missing",
            }],
        }],
    });
    let parameter = json!({
        "type": "object",
        "properties": {
            "parameter": text("The parameter's name."),
            "code": code(),
            "detail": text("What is wrong with its value."),
        },
        "required": ["parameter", "code", "detail"],
        "additionalProperties": false,
    });
    [("Problem", problem), ("ParameterError", parameter)]
        .map(|(name, schema)| (name.to_owned(), schema))
        .into_iter()
        .collect()
}
