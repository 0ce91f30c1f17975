use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::super::keeper::Keeper;
use super::super::problem::Problem;
use crate::Code;

/// What is asked of a reload, in the body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The plugins by which callers may lose what they have.
    #[serde(default)]
    force: BTreeSet<String>,
}

/// Reads everything again and says what came of it. `?force=PLUGIN`, or `{"force": ["PLUGIN"]}` as the body.
pub(super) async fn reload(
    State(keeper): State<Keeper>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<(StatusCode, Json<serde_json::Value>), Problem> {
    let forced =
        forced(&query.unwrap_or_default(), &body).map_err(|detail| Problem::new(Code::BadRequest, detail))?;
    let known = keeper.config();
    // A plugin that is to be forced may be new, or be misspelt; the former has nothing to lose.
    if let Some(unknown) = forced.iter().find(|name| !known.plugins.contains_key(*name)) {
        let detail = format!("there is no plugin {unknown:?} to force");
        return Err(Problem::new(Code::UnknownPlugin, detail));
    }
    let reloaded = keeper.reload(forced).await;
    Ok((reloaded.status(), Json(reloaded.json())))
}

/// The plugins that are to be forced, or what is wrong with how they are named.
fn forced(query: &str, body: &[u8]) -> Result<BTreeSet<String>, String> {
    let mut forced = BTreeSet::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "force" {
            return Err(format!(
                "a reload has no parameter {name:?}; it has `force`, with the name of a plugin"
            ));
        }
        forced.insert(value.into_owned());
    }
    if !body.is_empty() {
        let asked: Asked = serde_json::from_slice(body)
            .map_err(|error| format!("the body has to be such as {{\"force\": [\"PLUGIN\"]}}: {error}"))?;
        forced.extend(asked.force);
    }
    Ok(forced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_forced_by_the_address_or_the_body() {
        let names = |query: &str, body: &str| forced(query, body.as_bytes()).map(Vec::from_iter);
        assert_eq!(names("", "").unwrap(), Vec::<String>::new());
        assert_eq!(names("force=b&force=a", "{\"force\": [\"c\"]}").unwrap(), ["a", "b", "c"]);
        assert_eq!(names("", "{}").unwrap(), Vec::<String>::new());
        for (query, body) in
            [("forced=a", ""), ("", "{\"forced\": []}"), ("", "force=a"), ("", "{\"force\": \"a\"}")]
        {
            names(query, body).unwrap_err();
        }
    }
}
