use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::{responses, value_schema};
use crate::{Generation, Standing};

/// What is said of all queries.
const ABOUT: &str = "\
The queries of plugins on PostgreSQL. Each can be asked by `GET`, with its parameters in the query string, and by `POST`, with \
the same in a JSON object.

A reply streams: one that fails half-way breaks the transfer off, so that it can't look whole. Errors are \
`application/problem+json` with a stable code; what is wrong with parameters comes all at once, before anything runs.

Numbers keep all their digits: read `int64` and `Numeric` with a reader that does so, too, or ask for strings in their place: \
`?numbers=strings`, or `Accept: application/json; numbers=strings`. In a JSON body numbers may be strings.

The format of a reply is what `Accept` names, or `?format=`. Of a query with several statements `?statement=` picks one, which \
CSV and Arrow need. Where a query has a parameter of one of these three names, it is the query's. `HEAD` is answered as `GET` is.";

/// What is served, as an OpenAPI 3.1 document: every query that `visible` says a caller may know of, by the names of its
/// plugin and its own. Queries that are not served are left out. The same generations always give the same document.
pub fn document<'a>(
    generations: impl IntoIterator<Item = &'a Generation>,
    visible: impl Fn(&str, &str) -> bool,
) -> Value {
    let (mut paths, mut tags, mut replies) = (Map::new(), BTreeMap::new(), responses::shared_responses());
    let mut schemas = value_schema::shared_schemas();
    schemas.extend(responses::shared_schemas());
    for generation in generations {
        for plugin in generation.hosted().iter().filter(|plugin| plugin.standing() != Standing::Refused) {
            for query in
                plugin.queries().iter().filter(|its| its.is_served() && visible(plugin.name(), its.name()))
            {
                let settings =
                    generation.query(plugin.name(), query.name()).and_then(|(_, settings)| settings);
                let has_etag = settings.is_some_and(|settings| settings.etag);
                let operation = Operation::of(plugin.name(), query, has_etag, generation.catalog());
                paths.insert(operation.path, operation.item);
                schemas.extend(operation.schemas);
                replies.extend([operation.response]);
                tags.insert(plugin.name().to_owned(), json!({ "name": plugin.name() }));
            }
        }
    }
    json!({
        "openapi": "3.1.1",
        "info": { "title": "Callslip", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT },
        "tags": tags.into_values().collect::<Vec<_>>(),
        "paths": paths,
        "components": { "schemas": schemas, "responses": replies, "headers": headers() },
    })
}

fn headers() -> Value {
    json!({
        "AbsentClaims": {
            "description": "The claims that row filters read and the caller does not have: no rows of what they filter are there.",
            "schema": { "type": "string" },
        },
        "CallId": {
            "description": "What the call is known by, in the log and to who runs the server.",
            "required": true,
            "schema": { "type": "string" },
        },
        "ETag": {
            "description": "What tells the reply from another one: see `If-None-Match` of HTTP.",
            "schema": { "type": "string" },
        },
        "Link": {
            "description": "The address of the next page, `rel=\"next\"`, if there is one; to a GET.",
            "schema": { "type": "string" },
        },
        "NextCursor": {
            "description": "The `cursor` of the next page, if there is one.",
            "schema": { "type": "string" },
        },
        "RetryAfter": {
            "description": "After how many seconds another try may do better.",
            "required": true,
            "schema": { "type": "integer", "minimum": 0 },
        },
    })
}
