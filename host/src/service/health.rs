use std::collections::BTreeMap;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use serde_json::json;

use super::state::Service;
use crate::Host;

/// The process answers. Whoever can reach it may know that, and nothing else.
pub(super) async fn alive() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}

/// How much of each plugin is served, which new versions wait, and how well the hosts know their databases.
pub(super) async fn detailed(State(service): State<Service>) -> Json<serde_json::Value> {
    let hosts = service.hosts();
    let generations: Vec<_> = hosts.started().map(|(_, host)| host.generation()).collect();
    let names = || generations.iter().flat_map(|its| its.plugins().map(move |(name, _)| (its, name)));
    let plugins: BTreeMap<&str, &str> =
        names().filter_map(|(its, name)| Some((name, its.standing(name)?.as_str()))).collect();
    let suspended: BTreeMap<&str, u64> = names()
        .filter_map(|(its, name)| Some((name, its.suspended(name)?.as_secs_f64().ceil() as u64)))
        .collect();
    let waiting: BTreeMap<&str, serde_json::Value> = names()
        .filter_map(|(its, name)| {
            let waiting = its.waiting(name)?;
            let digest = waiting.digest().map(|digest| digest.to_string());
            Some((name, json!({ "digest": digest, "findings": waiting.refusal().findings.len() })))
        })
        .collect();
    let started = hosts.started().map(|(name, host)| (name, Some(catalog(host))));
    let databases: BTreeMap<&str, _> = started.chain(hosts.missing().map(|name| (name, None))).collect();
    // No plugin is served whose database has not been reached yet.
    let status = if hosts.missing().next().is_some() { "starting" } else { "ok" };
    Json(json!({
        "status": status,
        "plugins": plugins,
        "suspended": suspended,
        "waiting": waiting,
        "databases": databases,
    }))
}

fn catalog(host: &Host) -> serde_json::Value {
    let generation = host.generation();
    let status = host.catalog_status();
    let failure = status
        .failure
        .map(|failure| json!({ "code": failure.error.code().as_str(), "at": rfc3339(failure.at) }));
    json!({
        "generation": generation.number(),
        "reflected_at": rfc3339(generation.reflected_at()),
        "checked_at": rfc3339(status.checked_at),
        "failure": failure,
    })
}

/// A time as RFC 3339 has it, to the second.
pub(super) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
