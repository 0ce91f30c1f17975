use std::any::Any;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use futures_util::FutureExt;
use tower_http::catch_panic::CatchPanicLayer;

use super::asked::Asked;
use super::identified::{identified, tell};
use super::observed::Watched;
use super::problem::Problem;
use super::query_path::QueryPath;
use super::state::Service;
use super::{cors, health, metrics, observed, openapi, query, readiness};
use crate::printable::printable;
use crate::{CallId, Code};

impl Service {
    /// The host's queries over HTTP: `GET` and `POST /q/{plugin}/{query}`, `GET /healthz` and `GET /readyz`; the document of what is
    /// served, `GET /openapi.json`, and its page, `GET /docs`.
    pub fn router(&self) -> Router {
        let mut router = Router::new();
        if self.has_docs() {
            router = router
                .route("/openapi.json", get(openapi::get))
                .route("/docs", get(openapi::page))
                .route("/docs/{file}", get(openapi::file));
        }
        let router = router
            .route(QueryPath::ROUTE, get(query::routed).post(query::routed))
            .route("/healthz", get(health::alive))
            .route("/readyz", get(readiness::ready))
            .fallback(no_such_address)
            .method_not_allowed_fallback(no_such_method)
            .layer(CatchPanicLayer::custom(panicked));
        // Outside of all else is what observes: what it sees is what is sent.
        let router = match cors::layer(self.cors()) {
            // A browser that asks whether a page may call shows nothing for itself.
            Some(cors) => router
                .layer(middleware::from_fn(identified))
                .layer(cors)
                .layer(middleware::from_fn_with_state(self.clone(), observed::observe)),
            None => router.layer(middleware::from_fn_with_state(self.clone(), observe_identified)),
        };
        router.with_state(self.clone())
    }

    /// What is for those who run the service, for an address that nobody else reaches: `GET /metrics`, `GET /admin/health`, and
    /// `/healthz` and `/readyz` as on the public one.
    pub fn admin_router(&self) -> Router {
        Router::new()
            .route("/metrics", get(metrics::scrape))
            .route("/admin/health", get(health::detailed))
            .route("/healthz", get(health::alive))
            .route("/readyz", get(readiness::ready))
            .fallback(no_such_address)
            .method_not_allowed_fallback(no_such_method)
            .with_state(self.clone())
    }
}

impl Service {
    /// The query that a request asks for which needs no router: [`Service::answer`] does with it what the router would.
    pub(super) fn query_path<'a, B>(&self, request: &'a Request<B>) -> Option<QueryPath<'a>> {
        let takes = matches!(*request.method(), Method::GET | Method::HEAD | Method::POST);
        // A browser is told of who may ask by a layer.
        QueryPath::of(request.uri().path()).filter(|_| takes && self.cors().origins.is_empty())
    }

    /// Answers a request for a query as its router does, whose layers take a tenth of a request for one row: each boxes what is below
    /// it, and copies the service.
    pub(super) async fn answer(&self, asked: Parts, body: Body, peer: Option<SocketAddr>) -> Response {
        let Parts { method, uri, version, headers, .. } = asked;
        let path = uri.clone();
        let Some(path) = QueryPath::of(path.path()) else { return no_such_address().await.into_response() };
        let route = Some(ROUTE.clone());
        let watched = Watched::begin(self, Some(&path), (&method, uri.path(), &headers), route, peer);
        let (id, trace) = (CallId::new(), watched.trace().cloned());
        let asked = Asked { method, uri, id, version, headers, peer, trace };
        let response = AssertUnwindSafe(query::ask(self, &path, &asked, body)).catch_unwind().await;
        let response = tell(response.unwrap_or_else(panicked), id);
        watched.answer(response, asked.method == Method::HEAD)
    }
}

/// The pattern of the addresses of queries, as it is told.
static ROUTE: LazyLock<Arc<str>> = LazyLock::new(|| QueryPath::ROUTE.into());

/// Both at once.
async fn observe_identified(service: State<Service>, request: Request, next: Next) -> Response {
    observed::observe_with(service, request, async |request| identified(request, next).await).await
}

/// What a request is answered whose handler has panicked: others on its connection go on.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
    let message = printable(message, PANIC_CHARACTERS);
    tracing::error!(code = Code::ServerFailed.as_str(), "a request's handler has panicked: {message}");
    Problem::new(Code::ServerFailed, "the server failed to answer; its log says how").into_response()
}

/// How much of a panic's message is logged.
const PANIC_CHARACTERS: usize = 1_000;

pub(super) async fn no_such_address() -> Problem {
    Problem::new(Code::UnknownQuery, "queries are at /q/{plugin}/{query}")
}

async fn no_such_method() -> Problem {
    Problem::new(Code::BadRequest, "this address takes other methods: see the header Allow")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_is_answered_for() {
        let handler = async || -> StatusCode { panic!("on\npurpose: {}", "s3cret") };
        let router = Router::new().route("/", get(handler)).layer(CatchPanicLayer::custom(panicked));
        let answer = TowerToHyperService::new(router).call(Request::new(Body::empty())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], "CS1401", "{problem}");
        assert!(!problem.to_string().contains("s3cret"), "{problem}");
    }
}
