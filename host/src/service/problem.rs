use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Code;

/// An error as HTTP tells it: `application/problem+json` of RFC 9457.
///
/// `code` is the stable code; `type` is the same code as a URI, as the RFC wants it.
#[derive(Clone, Debug, Serialize)]
pub struct Problem(Box<Members>);

#[derive(Clone, Debug, Serialize)]
struct Members {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ParameterError>,
    #[serde(flatten)]
    extensions: Map<String, Value>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is wrong with one parameter of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParameterError {
    /// The parameter's name.
    pub parameter: String,
    /// The stable code.
    #[serde(serialize_with = "as_code")]
    pub code: Code,
    /// What is wrong with its value.
    pub detail: String,
}

/// The members that RFC 9457 and Callslip define: an extension can't have their names.
const MEMBERS: [&str; 7] = ["type", "title", "status", "detail", "code", "instance", "errors"];

/// The statuses of what goes wrong at a call. All else is a fault on this side that the caller can't mend: 500.
pub(super) const STATUSES: &[(Code, StatusCode)] = &[
    (Code::UnknownPlugin, StatusCode::NOT_FOUND),
    (Code::UnknownQuery, StatusCode::NOT_FOUND),
    (Code::UnknownParameter, StatusCode::BAD_REQUEST),
    (Code::MissingParameter, StatusCode::BAD_REQUEST),
    (Code::InvalidParameter, StatusCode::BAD_REQUEST),
    (Code::MissingClaim, StatusCode::FORBIDDEN),
    (Code::InvalidClaim, StatusCode::FORBIDDEN),
    (Code::BadRequest, StatusCode::BAD_REQUEST),
    (Code::Refused, StatusCode::UNPROCESSABLE_ENTITY),
    (Code::NotFound, StatusCode::NOT_FOUND),
    (Code::Forbidden, StatusCode::FORBIDDEN),
    (Code::RejectedValue, StatusCode::BAD_REQUEST),
    (Code::OutOfDatabaseTime, StatusCode::TOO_MANY_REQUESTS),
    (Code::InvalidCursor, StatusCode::BAD_REQUEST),
    (Code::NotAcceptable, StatusCode::NOT_ACCEPTABLE),
    (Code::Unauthenticated, StatusCode::UNAUTHORIZED),
    (Code::NotAllowed, StatusCode::FORBIDDEN),
    (Code::TooManyRequests, StatusCode::TOO_MANY_REQUESTS),
    (Code::DatabaseUnavailable, StatusCode::SERVICE_UNAVAILABLE),
    (Code::PoolExhausted, StatusCode::SERVICE_UNAVAILABLE),
    (Code::TooManyCalls, StatusCode::SERVICE_UNAVAILABLE),
    (Code::StatementFailed, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::StatementTimeout, StatusCode::GATEWAY_TIMEOUT),
    (Code::UnreadableValue, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::TooManyRows, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::ReplyTooLarge, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::StaleStatement, StatusCode::SERVICE_UNAVAILABLE),
    (Code::NoTransaction, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::TransactionAborted, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::NothingLent, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::PrivilegedRole, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::CallTimeout, StatusCode::GATEWAY_TIMEOUT),
    (Code::NotPermitted, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::NotReady, StatusCode::SERVICE_UNAVAILABLE),
    (Code::PluginTrapped, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::PluginTimeout, StatusCode::GATEWAY_TIMEOUT),
    (Code::PluginOutOfMemory, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::PluginOutputTooLarge, StatusCode::INTERNAL_SERVER_ERROR),
    (Code::PluginDegraded, StatusCode::SERVICE_UNAVAILABLE),
    (Code::PluginSuspended, StatusCode::SERVICE_UNAVAILABLE),
    (Code::NoCursor, StatusCode::INTERNAL_SERVER_ERROR),
];

impl Problem {
    /// A problem with the status that its code has. The detail says what is wrong this time, and how to mend it
    /// where the caller can.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Members {
            r#type: format!("urn:callslip:problem:{code}"),
            title: code.title(),
            status: status(code).as_u16(),
            detail: detail.into(),
            code: code.as_str(),
            instance: None,
            errors: Vec::new(),
            extensions: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// The same with another status, where the code alone does not tell, such as a plugin's own refusal.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status.as_u16();
        self
    }

    /// The same with a URI of this one occurrence, by which it can be found in the logs.
    #[must_use]
    pub fn with_instance(mut self, instance: impl Into<String>) -> Self {
        self.0.instance = Some(instance.into());
        self
    }

    /// The same with what is wrong with each parameter.
    #[must_use]
    pub fn with_errors(mut self, errors: impl IntoIterator<Item = ParameterError>) -> Self {
        self.0.errors.extend(errors);
        self
    }

    /// The same with a member of the host's own. A name that the format has itself is ignored.
    #[must_use]
    pub fn with_extension(mut self, name: &str, value: impl Into<Value>) -> Self {
        if !MEMBERS.contains(&name) {
            self.0.extensions.insert(name.to_owned(), value.into());
        }
        self
    }

    /// The same that says after how many seconds another try may do better. Without, that is one second where the service is
    /// not available.
    #[must_use]
    pub fn with_retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, seconds.into())
    }

    /// The same with one header more.
    #[must_use]
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// What the media type of every problem is.
    pub(super) const MEDIA_TYPE: &'static str = "application/problem+json";

    /// Its text.
    pub(super) fn json(&self) -> String {
        // It has text, numbers and JSON: writing these does not fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The status of a code.
fn status(code: Code) -> StatusCode {
    STATUSES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or(StatusCode::INTERNAL_SERVER_ERROR, |(_, status)| *status)
}

fn as_code<S: serde::Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.as_str())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let own = AppendHeaders(self.0.headers.clone());
        let mut response = (status, own, self.json()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Self::MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE && !headers.contains_key(header::RETRY_AFTER) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(1));
        }
        // For whoever knows more of the occurrence than it does.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::json;

    use super::*;

    #[test]
    fn every_code_of_a_call_has_a_status_of_its_own_choice() {
        let listed: HashSet<Code> = STATUSES.iter().map(|(code, _)| *code).collect();
        assert_eq!(listed.len(), STATUSES.len(), "a code is listed twice");
        for &code in Code::ALL {
            let of_a_call = matches!(&code.as_str()[..4], "CS10" | "CS11" | "CS12");
            assert_eq!(listed.contains(&code), of_a_call, "{code} {}", code.title());
        }
    }

    #[test]
    fn a_request_is_the_callers_fault_and_nothing_else_is() {
        for &code in Code::ALL {
            let status = status(code);
            assert!(status.is_client_error() || status.is_server_error(), "{code}: {status}");
            assert_eq!(status.is_client_error(), code.as_str().starts_with("CS10"), "{code}: {status}");
        }
    }

    #[test]
    fn a_problem_is_json_with_the_members_of_the_rfc() {
        let problem = Problem::new(Code::InvalidParameter, "2 parameters can't be read")
            .with_instance("/requests/7")
            .with_errors([ParameterError {
                parameter: "limit".to_owned(),
                code: Code::InvalidParameter,
                detail: "at most 500".to_owned(),
            }])
            .with_extension("query", "funnel")
            .with_extension("status", 200);
        assert_eq!(
            serde_json::to_value(&problem).unwrap(),
            json!({
                "type": "urn:callslip:problem:CS1005",
                "title": "a parameter has a value that it can't have",
                "status": 400,
                "detail": "2 parameters can't be read",
                "code": "CS1005",
                "instance": "/requests/7",
                "errors": [{ "parameter": "limit", "code": "CS1005", "detail": "at most 500" }],
                "query": "funnel",
            })
        );
        let keys = serde_json::to_value(Problem::new(Code::NotFound, "")).unwrap();
        assert_eq!(keys.as_object().unwrap().len(), 5, "empty members are left out: {keys}");
    }

    #[test]
    fn a_reply_has_the_status_and_the_media_type() {
        let response = Problem::new(Code::PoolExhausted, "none in 2 s").into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        let response = Problem::new(Code::PluginSuspended, "").with_retry_after(32).into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "32");
        let response = Problem::new(Code::Refused, "no").with_status(StatusCode::FORBIDDEN).into_response();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert!(!response.headers().contains_key(header::RETRY_AFTER));
    }
}
