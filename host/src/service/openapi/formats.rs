use callslip_ir::{Reply, Rows};
use serde_json::{Map, Value, json};

use super::component;
use crate::{Format, LoadedQuery};

/// The formats that a query's whole reply can have. One of its statements by itself can have any.
fn of_whole(query: &LoadedQuery) -> impl Iterator<Item = Format> {
    let has_several = matches!(&query.declaration().reply, Reply::Named(statements) if statements.len() != 1);
    Format::ALL.iter().copied().filter(move |format| !has_several || format.takes_several())
}

/// The parameters that say in which format the reply is wanted, and of which statement; without those whose names the query has
/// itself.
pub(super) fn parameters(query: &LoadedQuery) -> Vec<Value> {
    let formats: Vec<&str> = of_whole(query).map(Format::name).collect();
    let format = ("format", "The format of the reply, whatever `Accept` names.", formats);
    let statement = match &query.declaration().reply {
        Reply::Named(statements) => {
            let names = statements.iter().map(|its| its.name.as_str()).collect();
            Some((
                "statement",
                "The one statement whose rows are the reply, which then can be CSV or Arrow too.",
                names,
            ))
        }
        Reply::Single(_) => None,
    };
    let is_free = |name: &str| query.parameters().iter().all(|parameter| parameter.name != name);
    let parameters = [Some(format), statement].into_iter().flatten().filter(|(name, ..)| is_free(name));
    let described = parameters.map(|(name, description, values)| {
        json!({
            "name": name,
            "in": "query",
            "required": false,
            "description": description,
            "schema": { "type": "string", "enum": values },
        })
    });
    described.collect()
}

/// Whether there are pages of a query.
fn is_paged(query: &LoadedQuery) -> bool {
    match &query.declaration().reply {
        Reply::Single(rows) => *rows == Rows::Page,
        Reply::Named(statements) => statements.iter().any(|its| its.rows == Rows::Page),
    }
}

/// The reply of a query, in each format; as JSON it has this schema. `has_etag` says whether it can have an `ETag`.
pub(super) fn response(query: &LoadedQuery, json: Value, has_etag: bool) -> Value {
    let content = Format::ALL.iter().map(|format| {
        let schema = match format {
            Format::Json => json.clone(),
            Format::Ndjson => json!({ "type": "string", "description": "A row a line, as JSON." }),
            Format::Csv => {
                json!({ "type": "string", "description": "The names of the columns, then a row a line." })
            }
            #[cfg(feature = "arrow")]
            Format::Arrow => json!({ "description": "An Arrow IPC stream." }),
        };
        (format.media_type().to_owned(), json!({ "schema": schema }))
    });
    let of_pages = is_paged(query);
    let headers = [
        ("Callslip-Absent-Claims", "AbsentClaims", true),
        ("Callslip-Id", "CallId", true),
        ("Callslip-Next-Cursor", "NextCursor", of_pages),
        ("ETag", "ETag", has_etag),
        ("Link", "Link", of_pages),
    ];
    let headers = headers.into_iter().filter(|(_, _, is_there)| *is_there);
    let headers = headers.map(|(name, shared, _)| (name.to_owned(), component("headers", shared)));
    json!({
        "description": "The reply.",
        "headers": headers.collect::<Map<_, _>>(),
        "content": content.collect::<Map<_, _>>(),
    })
}
