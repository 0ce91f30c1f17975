use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Problem;
use crate::CallId;

/// The header of each answer that says what its call is known by: in the log, and among the slips.
const CALL_ID: HeaderName = HeaderName::from_static("callslip-id");

/// Gives a request the id of its call, and tells it with the answer.
pub(super) async fn identified(mut request: Request, next: Next) -> Response {
    let id = CallId::new();
    request.extensions_mut().insert(id);
    tell(next.run(request).await, id)
}

/// Tells the id with an answer: in a header, and of a problem also as its instance.
pub(super) fn tell(mut response: Response, id: CallId) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        *response.body_mut() = Body::from(problem.with_instance(id.urn()).json());
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(CALL_ID, value);
    }
    response.extensions_mut().insert(id);
    response
}
