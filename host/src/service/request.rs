use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::{HeaderValue, StatusCode};

use super::limits::ServiceLimits;
use super::options::Pairs;
use super::problem::Problem;
use crate::Code;
use crate::plugin::Inputs;

/// The names and values of a query string.
pub(super) fn pairs(text: &str, limits: &ServiceLimits) -> Result<Pairs, Problem> {
    let limit = limits.query_string_bytes;
    if text.len() > limit {
        let detail = format!(
            "the query string has {} bytes; the limit is {limit}; send the parameters as the JSON body of a POST",
            text.len()
        );
        return Err(Problem::new(Code::BadRequest, detail).with_status(StatusCode::URI_TOO_LONG));
    }
    if percent_encoding::percent_decode_str(text).decode_utf8().is_err() {
        return Err(Problem::new(Code::BadRequest, "the query string is not percent-encoded UTF-8"));
    }
    Ok(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
}

/// The parameters in a body, of which the head of the request tells this media type.
pub(super) async fn from_body(
    media_type: Option<&HeaderValue>,
    body: Body,
    limits: &ServiceLimits,
) -> Result<Inputs, Problem> {
    let body = whole(body, limits).await?;
    if body.is_empty() {
        return Ok(Inputs::default());
    }
    let is_json = |value: &HeaderValue| {
        let media_type = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/json")
    };
    if !media_type.is_some_and(is_json) {
        let detail = "the body's Content-Type must be application/json";
        return Err(Problem::new(Code::BadRequest, detail).with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    Inputs::from_json(&body).map_err(|error| Problem::new(error.code, error.message))
}

/// The whole of a request's body.
async fn whole(body: Body, limits: &ServiceLimits) -> Result<Bytes, Problem> {
    let mut request = Request::new(body);
    DefaultBodyLimit::max(limits.body_bytes).apply(&mut request);
    let refuse = |status, detail: String| Problem::new(Code::BadRequest, detail).with_status(status);
    match tokio::time::timeout(limits.request_time, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = format!("the body is too large; the limit is {} bytes", limits.body_bytes);
            Err(refuse(rejection.status(), detail))
        }
        Ok(Err(rejection)) => {
            tracing::debug!("a body can't be read: {}", rejection.body_text());
            let detail = "the body can't be read: it breaks off, or its chunks are malformed";
            Err(refuse(rejection.status(), detail.to_owned()))
        }
        Err(_) => {
            let detail = format!("the body did not come within {:?}", limits.request_time);
            Err(refuse(StatusCode::REQUEST_TIMEOUT, detail))
        }
    }
}
