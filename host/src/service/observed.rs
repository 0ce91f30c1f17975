use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use super::metrics::InFlight;
use super::query_path::QueryPath;
use super::state::Service;
use crate::printable::printable;
use crate::{Observation, RequestEnded, TraceContext};

/// Tells of each request when it has ended, whatever that is: its answer is handed on, or its client has gone. A query's is a part
/// of a trace: of the client's, or of its own.
pub(super) async fn observe(service: State<Service>, request: Request, next: Next) -> Response {
    observe_with(service, request, |request| next.run(request)).await
}

/// The same of a request that is answered so.
pub(super) async fn observe_with(
    State(service): State<Service>,
    mut request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().into());
    let peer = request.extensions().get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| *peer);
    let watched = {
        let path = request.uri().path();
        let query = QueryPath::of(path).filter(|_| route.is_some());
        Watched::begin(&service, query.as_ref(), (request.method(), path, request.headers()), route, peer)
    };
    if let Some(trace) = watched.trace() {
        request.extensions_mut().insert(trace.clone());
    }
    let is_head = request.method() == Method::HEAD;
    let response = answer(request).await;
    watched.answer(response, is_head)
}

/// How much is told of the path of a request.
const PATH_CHARACTERS: usize = 200;

/// A request that is at hand. It is told of when this is dropped.
pub(super) struct Watched {
    service: Service,
    began: Instant,
    request: RequestEnded,
    _in_flight: Option<InFlight>,
}

impl Watched {
    /// One that asks for a query, if for any.
    pub fn begin(
        service: &Service,
        query: Option<&QueryPath<'_>>,
        (asked_by, path, headers): (&Method, &str, &HeaderMap),
        route: Option<Arc<str>>,
        peer: Option<SocketAddr>,
    ) -> Self {
        let known = query.map(|its| service.hosts().known(&its.plugin, &its.query));
        let told = query.and_then(|_| told(headers));
        let (trace, parent) = match service.traces().filter(|_| query.is_some()) {
            Some(traces) => (Some(traces.begin(told.as_ref())), told.map(|told| told.span_id())),
            // Who reads the log finds the client's trace all the same.
            None => (told, None),
        };
        let (plugin, query) = known.unwrap_or_default();
        let ended = RequestEnded {
            id: None,
            method: method(asked_by),
            route,
            path: printable(path, PATH_CHARACTERS),
            plugin,
            query,
            status: None,
            format: "none",
            is_whole: false,
            bytes: 0,
            read: Duration::ZERO,
            total: Duration::ZERO,
            peer: peer.map(|peer| peer.ip()),
            trace,
            parent,
        };
        let in_flight = service.begin_request();
        Self { service: service.clone(), began: Instant::now(), request: ended, _in_flight: in_flight }
    }

    /// The span that it is, if it is a part of a trace.
    pub fn trace(&self) -> Option<&TraceContext> {
        self.request.trace.as_ref()
    }

    /// Goes on with the answer's body.
    pub fn answer(mut self, response: Response, is_head: bool) -> Response {
        let (parts, body) = response.into_parts();
        self.request.status = Some(parts.status.as_u16());
        self.request.id = parts.extensions.get().copied();
        // Nobody asks for the body of the answer to a HEAD, nor for that of a 304, which has none.
        let has_none = is_head || matches!(parts.status, StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT);
        self.request.is_whole = has_none || body.is_end_stream();
        if !self.request.is_whole {
            self.request.format = format(&parts.headers);
        }
        Response::from_parts(parts, Body::new(ObservedBody { body, watched: self, handed_on: None }))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.request.total = self.began.elapsed();
        self.service.tell(&Observation::RequestEnded(std::mem::take(&mut self.request)));
    }
}

/// The body of an answer, of which is seen how much of it is handed on and how long that takes.
struct ObservedBody {
    body: Body,
    watched: Watched,
    /// When the last piece was handed on, if nothing was asked for since.
    handed_on: Option<Instant>,
}

impl ObservedBody {
    fn was_read(&mut self) {
        if let Some(handed_on) = self.handed_on.take() {
            self.watched.request.read += handed_on.elapsed();
        }
    }
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        this.was_read();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                this.watched.request.bytes += bytes as u64;
                this.handed_on = Some(Instant::now());
                // Where its length was told, nobody asks for more.
                this.watched.request.is_whole = this.body.is_end_stream();
            }
            Some(Err(_)) => {}
            None => this.watched.request.is_whole = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ObservedBody {
    fn drop(&mut self) {
        self.was_read();
    }
}

/// The trace of which the client says that the request is a part.
fn told(headers: &HeaderMap) -> Option<TraceContext> {
    let mut parents = headers.get_all("traceparent").iter();
    let parent = parents.next().filter(|_| parents.next().is_none())?.to_str().ok()?;
    // It may come in several headers, which are one list.
    let states: Vec<&str> =
        headers.get_all("tracestate").iter().filter_map(|state| state.to_str().ok()).collect();
    TraceContext::parse(parent, Some(&states.join(",")))
}

/// A method of HTTP, and a word for all that callers make up.
fn method(method: &Method) -> &'static str {
    let known = [
        Method::GET,
        Method::POST,
        Method::HEAD,
        Method::OPTIONS,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::TRACE,
        Method::CONNECT,
    ];
    let names = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"];
    known.iter().position(|its| its == method).map_or("OTHER", |position| names[position])
}

/// What an answer is written as.
fn format(headers: &HeaderMap) -> &'static str {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    match media_type.and_then(|value| value.split(';').next()).map(str::trim) {
        Some("application/json") => "json",
        Some("application/x-ndjson") => "ndjson",
        Some("text/csv") => "csv",
        Some("application/vnd.apache.arrow.stream") => "arrow",
        Some("application/problem+json") => "problem",
        Some(_) | None => "other",
    }
}
