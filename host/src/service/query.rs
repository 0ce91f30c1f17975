use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::{AppendHeaders, IntoResponse, Response};

use super::admitted::Admitted;
use super::asked::Asked;
use super::called::Called;
use super::failure::problem;
use super::identity::Caller;
use super::options::Options;
use super::problem::Problem;
use super::reply::{Answering, Wanted};
use super::routes::no_such_address;
use super::state::Service;
use super::{reply, request};
use crate::plugin::Inputs;

/// The names of the plugin and the query.
type Names = Result<Path<(String, String)>, PathRejection>;

pub(super) async fn get(
    State(service): State<Service>,
    names: Names,
    RawQuery(text): RawQuery,
    asked: Asked,
) -> Result<Response, Problem> {
    let Ok(Path((plugin, query))) = names else { return Err(no_such_address().await) };
    let Admitted { caller, told } = Admitted::of(&service, &asked)?;
    let answer = async {
        let pairs = request::pairs(&text.unwrap_or_default(), service.limits())?;
        let called = Called::of(&service, &plugin, &query, &caller)?;
        let (options, parameters) = Options::take(pairs, |name| called.declares(name))?;
        let wanted = Wanted::of(options, &asked.headers, called.has_several())?;
        Ok::<_, Problem>(
            answer(&service, &called, Inputs::from_pairs(parameters), wanted, caller, &asked).await,
        )
    };
    Ok((AppendHeaders(told), answer.await).into_response())
}

pub(super) async fn post(
    State(service): State<Service>,
    names: Names,
    RawQuery(text): RawQuery,
    asked: Asked,
    request: Request,
) -> Result<Response, Problem> {
    let Ok(Path((plugin, query))) = names else { return Err(no_such_address().await) };
    let Admitted { caller, told } = Admitted::of(&service, &asked)?;
    let answer = async {
        let pairs = request::pairs(&text.unwrap_or_default(), service.limits())?;
        let called = Called::of(&service, &plugin, &query, &caller)?;
        let options = Options::only(pairs, |name| called.declares(name))?;
        let wanted = Wanted::of(options, &asked.headers, called.has_several())?;
        let parameters = request::from_body(request, service.limits()).await?;
        Ok::<_, Problem>(answer(&service, &called, parameters, wanted, caller, &asked).await)
    };
    Ok((AppendHeaders(told), answer.await).into_response())
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
