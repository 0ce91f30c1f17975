use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::response::{AppendHeaders, IntoResponse, Response};

use super::admitted::Admitted;
use super::asked::Asked;
use super::called::Called;
use super::failure::problem;
use super::identity::Caller;
use super::options::{Options, Pairs};
use super::problem::Problem;
use super::query_path::QueryPath;
use super::reply::{Answering, Wanted};
use super::routes::no_such_address;
use super::state::Service;
use super::{reply, request};
use crate::plugin::Inputs;

/// Answers a request for a query, as a route has it.
pub(super) async fn routed(State(service): State<Service>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let asked = Asked::of(parts);
    match QueryPath::of(asked.uri.path()) {
        Some(path) => ask(&service, &path, &asked, body).await,
        None => no_such_address().await.into_response(),
    }
}

/// Answers a request for a query: by `GET`, or by `POST`, whose body has the parameters.
pub(super) async fn ask(service: &Service, path: &QueryPath<'_>, asked: &Asked, body: Body) -> Response {
    // What nobody reads is dropped now: as long as it is there, hyper does not look whether the client has gone.
    let body = (asked.method == Method::POST).then_some(body);
    match Admitted::of(service, asked) {
        Ok(Admitted { caller, told }) => {
            let answered = called(service, path, asked, body, caller).await;
            (AppendHeaders(told), answered).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

async fn called(
    service: &Service,
    path: &QueryPath<'_>,
    asked: &Asked,
    body: Option<Body>,
    caller: Caller,
) -> Result<Response, Problem> {
    let pairs = request::pairs(asked.uri.query().unwrap_or_default(), service.limits())?;
    let called = Called::of(service, &path.plugin, &path.query, &caller)?;
    let is_declared = |name: &str| called.declares(name);
    let (options, parameters) = match body {
        Some(_) => (Options::only(pairs, is_declared)?, Pairs::new()),
        None => Options::take(pairs, is_declared)?,
    };
    let wanted = Wanted::of(options, &asked.headers, called.has_several())?;
    let parameters = match body {
        Some(body) => {
            let media_type = asked.headers.get(header::CONTENT_TYPE);
            request::from_body(media_type, body, service.limits()).await?
        }
        None => Inputs::from_pairs(parameters),
    };
    Ok(answer(service, &called, parameters, wanted, caller, asked).await)
}

async fn answer(
    service: &Service,
    called: &Called<'_>,
    parameters: Inputs,
    wanted: Wanted,
    caller: Caller,
    asked: &Asked,
) -> Response {
    if let Some(denied) = called.denied {
        return denied.problem(called.plugin, service.exposes_errors()).into_response();
    }
    let answering = Answering {
        plugin: called.plugin,
        query: called.query,
        statement: wanted.statement.as_deref(),
        asked,
        caching: called.caching(&asked.method, &caller),
        limits: service.limits(),
    };
    let call = called.host.call(called.plugin, called.query);
    let mut call = wanted.ask(call).params(parameters).claims(caller.claims).id(asked.id);
    if let Some(name) = caller.name {
        call = call.caller(name);
    }
    if let Some(trace) = &asked.trace {
        call = call.trace(trace.clone());
    }
    let answered = match call.run().await {
        Ok(reply) => reply::respond(reply, &answering).await,
        Err(error) => Err(error),
    };
    // What becomes of the call is in the host's log.
    answered.unwrap_or_else(|error| problem(&error, called.host).into_response())
}
