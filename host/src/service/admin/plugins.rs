use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::super::health::rfc3339;
use super::super::keeper::{Keeper, findings};
use crate::{Host, HostedPlugin};

/// What is served of each plugin, what waits and why, and what came of the last reload.
pub(super) async fn plugins(State(keeper): State<Keeper>) -> Json<Value> {
    let current = keeper.current();
    let hosts = current.service.hosts();
    let mut plugins = Map::new();
    for (database, host) in hosts.started() {
        plugins.extend(host.plugins().iter().map(|its| (its.name().to_owned(), plugin(its, database, host))));
    }
    for (name, its) in &current.config.plugins {
        if !plugins.contains_key(name) {
            plugins.insert(name.clone(), json!({ "database": its.database, "standing": "not ready" }));
        }
    }
    let reload = keeper.last_reload().map(|reloaded| {
        let mut reload = reloaded.json();
        reload["at"] = json!(rfc3339(reloaded.at));
        reload
    });
    let missing: Vec<&str> = hosts.missing().collect();
    Json(json!({ "plugins": plugins, "missing_databases": missing, "last_reload": reload }))
}

fn plugin(plugin: &HostedPlugin, database: &str, host: &Host) -> Value {
    let version = plugin.loaded().map(|loaded| {
        json!({
            "digest": loaded.digest().to_string(),
            "world": loaded.world(),
            "sdk": loaded.sdk(),
            "bytes": loaded.bytes(),
            "trusted_comment": loaded.trusted_comment(),
        })
    });
    let query = |query: &crate::LoadedQuery| {
        json!({
            "query": query.name(),
            "is_served": query.is_served(),
            "is_open": query.is_open(),
            "shapes": query.tried(),
            "is_complete": query.is_complete(),
        })
    };
    let waiting = plugin.waiting().map(|waiting| {
        json!({
            "digest": waiting.digest().map(|digest| digest.to_string()),
            "findings": findings(&waiting.refusal().findings),
        })
    });
    let swapped = plugin
        .swapped()
        .map(|swapped| json!({ "at": rfc3339(swapped.at), "changes": swapped.swap.to_string() }));
    let suspended = host.generation().suspended(plugin.name()).map(|left| left.as_secs_f64().ceil() as u64);
    json!({
        "database": database,
        "standing": plugin.standing().as_str(),
        "version": version,
        "findings": plugin.refusal().map_or_else(Vec::new, |refusal| findings(&refusal.findings)),
        "queries": plugin.queries().iter().map(query).collect::<Vec<_>>(),
        "waiting": waiting,
        "last_swap": swapped,
        "suspended_s": suspended,
    })
}
