use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::sync::mpsc::{self, error::SendTimeoutError};

use super::limits::ServiceLimits;
use super::problem::{ParameterError, Problem};
use crate::plugin::Inputs;
use crate::{CallError, Code, Host, Reply};

#[derive(Clone)]
struct Service {
    host: Host,
    limits: Arc<ServiceLimits>,
}

/// The host's queries over HTTP: `GET` and `POST /q/{plugin}/{query}`, and `GET /healthz`.
pub fn router(host: Host, limits: ServiceLimits) -> Router {
    Router::new()
        .route("/q/{plugin}/{query}", get(get_query).post(post_query))
        .route("/healthz", get(health))
        .fallback(no_such_address)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .with_state(Service { host, limits: Arc::new(limits) })
}

/// The names of the plugin and the query.
type Names = Result<Path<(String, String)>, PathRejection>;

async fn get_query(
    State(service): State<Service>,
    names: Names,
    RawQuery(text): RawQuery,
    version: Version,
) -> Response {
    let Ok(Path((plugin, query))) = names else { return no_such_address().await.into_response() };
    let text = text.unwrap_or_default();
    let limit = service.limits.query_string_bytes;
    if text.len() > limit {
        let detail = format!(
            "the query string has {} bytes; the limit is {limit}; send the parameters as the JSON body of a POST",
            text.len()
        );
        return Problem::new(Code::BadRequest, detail).with_status(StatusCode::URI_TOO_LONG).into_response();
    }
    if percent_encoding::percent_decode_str(&text).decode_utf8().is_err() {
        return Problem::new(Code::BadRequest, "the query string is not percent-encoded UTF-8")
            .into_response();
    }
    let pairs = form_urlencoded::parse(text.as_bytes()).into_owned();
    call(&service, &plugin, &query, Inputs::from_pairs(pairs), version).await
}

async fn post_query(
    State(service): State<Service>,
    names: Names,
    RawQuery(text): RawQuery,
    version: Version,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let Ok(Path((plugin, query))) = names else { return no_such_address().await.into_response() };
    if text.is_some_and(|text| !text.is_empty()) {
        let detail = "a POST has its parameters in the body, and none in the query string";
        return Problem::new(Code::BadRequest, detail).into_response();
    }
    let body = match body(request, &service.limits).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let is_json = |value: &HeaderValue| {
        let media_type = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        media_type.eq_ignore_ascii_case("application/json")
    };
    if !body.is_empty() && !headers.get(header::CONTENT_TYPE).is_some_and(is_json) {
        let detail = "the body's Content-Type must be application/json";
        return Problem::new(Code::BadRequest, detail)
            .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .into_response();
    }
    let parameters = match body.as_ref() {
        b"" => Inputs::default(),
        json => match Inputs::from_json(json) {
            Ok(parameters) => parameters,
            Err(error) => return Problem::new(error.code, error.message).into_response(),
        },
    };
    call(&service, &plugin, &query, parameters, version).await
}

/// The whole of a request's body.
async fn body(request: Request, limits: &ServiceLimits) -> Result<Bytes, Problem> {
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

async fn call(
    service: &Service,
    plugin: &str,
    query: &str,
    parameters: Inputs,
    version: Version,
) -> Response {
    // What becomes of the call is in the host's log.
    let answer = answer(service, plugin, query, parameters, version).await;
    answer.unwrap_or_else(|error| problem(&error).into_response())
}

async fn answer(
    service: &Service,
    plugin: &str,
    query: &str,
    parameters: Inputs,
    version: Version,
) -> Result<Response, CallError> {
    let mut reply = service.host.call(plugin, query).params(parameters).run().await?;
    // What goes wrong before the first piece is handed on still has a status of its own.
    let first = reply.next_chunk().await?.unwrap_or_default();
    if reply.is_missing() {
        return Ok(Problem::new(Code::NotFound, "there is no such row").into_response());
    }
    let body = if reply.is_ended() {
        Body::from(first)
    } else if version < Version::HTTP_11 {
        let limit = service.limits.buffered_bytes;
        match whole(first, reply, limit).await {
            Err(CallError::ReplyTooLarge { limit: met }) if met == limit as u64 => {
                let detail = format!(
                    "the reply has more bytes than the limit of {limit} for clients of HTTP/1.0, for which it is \
                     gathered before it is sent; ask by HTTP/1.1"
                );
                return Ok(Problem::new(Code::ReplyTooLarge, detail).into_response());
            }
            whole => Body::from(whole?),
        }
    } else {
        stream(first, reply, plugin, query, service.limits.clone())
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// The whole of a reply, for a client that can't tell one that broke off from a whole one.
async fn whole(first: Bytes, mut reply: Reply<'static>, limit: usize) -> Result<Vec<u8>, CallError> {
    reply.limit_bytes(limit as u64);
    let mut whole = first.to_vec();
    while let Some(chunk) = reply.next_chunk().await? {
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

/// A piece of a body, or why it breaks off. Nothing but `None` says that it is whole.
type Piece = Result<Option<Bytes>, BrokenOff>;

#[derive(Debug, thiserror::Error)]
#[error("the reply broke off")]
struct BrokenOff;

/// A body that comes as the rows do. An error breaks the transfer off, so that what was sent can't look whole. The rows
/// are read on a task of their own: it sees that the client has gone while the database is at work, and a client that
/// reads nothing doesn't hold the connection for ever.
fn stream(
    first: Bytes,
    mut reply: Reply<'static>,
    plugin: &str,
    query: &str,
    limits: Arc<ServiceLimits>,
) -> Body {
    let (sender, receiver) = mpsc::channel::<Piece>(1);
    let (plugin, query) = (plugin.to_owned(), query.to_owned());
    tokio::spawn(async move {
        let mut piece: Piece = Ok(Some(first));
        let mut patience = limits.reading_time;
        loop {
            let goes_on = matches!(piece, Ok(Some(_)));
            let waiting = Instant::now();
            let sent = sender.send_timeout(piece, limits.stalled_after.min(patience)).await;
            patience = patience.saturating_sub(waiting.elapsed());
            match sent {
                Ok(()) if goes_on => {}
                Ok(()) | Err(SendTimeoutError::Closed(_)) => return,
                Err(SendTimeoutError::Timeout(_)) => {
                    tracing::warn!(plugin, query, "a client reads too slowly; its reply is broken off");
                    return;
                }
            }
            piece = tokio::select! {
                chunk = reply.next_chunk() => chunk.map_err(|_| BrokenOff),
                () = sender.closed() => return,
            };
        }
    });
    Body::from_stream(futures_util::stream::try_unfold(receiver, |mut receiver| async move {
        match receiver.recv().await {
            Some(piece) => Ok(piece?.map(|chunk| (chunk, receiver))),
            None => Err(BrokenOff),
        }
    }))
}

fn problem(error: &CallError) -> Problem {
    let problem = Problem::new(error.code(), error.to_string());
    match error {
        CallError::Arguments(errors) => problem.with_errors(errors.iter().map(|error| ParameterError {
            parameter: error.parameter.clone().unwrap_or_default(),
            code: error.code,
            detail: error.message.clone(),
        })),
        CallError::Refused(failure) => match &failure.parameter {
            Some(parameter) => problem.with_errors([ParameterError {
                parameter: parameter.clone(),
                code: error.code(),
                detail: failure.message.clone(),
            }]),
            None => problem,
        },
        CallError::Loan(error) => match error.sqlstate() {
            Some(sqlstate) => problem.with_extension("sqlstate", sqlstate),
            None => problem,
        },
        _ => problem,
    }
}

/// The process answers: says how much of each plugin is served, which new versions wait, and how well the host knows its
/// database. Nothing of it is for a caller to see who may not see the names of plugins.
async fn health(State(service): State<Service>) -> Json<serde_json::Value> {
    let generation = service.host.generation();
    let names = || generation.plugins().map(|(name, _)| name);
    let plugins: BTreeMap<&str, &str> =
        names().filter_map(|name| Some((name, generation.standing(name)?.as_str()))).collect();
    let waiting: BTreeMap<&str, serde_json::Value> = names()
        .filter_map(|name| {
            let waiting = generation.waiting(name)?;
            let digest = waiting.digest().map(|digest| digest.to_string());
            Some((name, json!({ "digest": digest, "findings": waiting.refusal().findings.len() })))
        })
        .collect();
    let status = service.host.catalog_status();
    let failure = status
        .failure
        .map(|failure| json!({ "code": failure.error.code().as_str(), "at": seconds(failure.at) }));
    let catalog = json!({
        "generation": generation.number(),
        "reflected_at": seconds(generation.reflected_at()),
        "checked_at": seconds(status.checked_at),
        "failure": failure,
    });
    Json(json!({ "status": "ok", "plugins": plugins, "waiting": waiting, "catalog": catalog }))
}

/// A time as seconds since 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

async fn no_such_address() -> Problem {
    Problem::new(Code::UnknownQuery, "queries are at /q/{plugin}/{query}")
}

async fn no_such_method() -> Problem {
    Problem::new(Code::BadRequest, "this address takes other methods: see the header Allow")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}
