use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use super::{document, security};
use crate::Generation;
use crate::service::admitted::Admitted;
use crate::service::asked::Asked;
use crate::service::identity::Caller;
use crate::service::problem::Problem;
use crate::service::state::Service;

/// The documents of what is served now, which are made anew when that changes: one for those who have the same roles.
#[derive(Default)]
pub(in crate::service) struct Cached(Mutex<VecDeque<Made>>);

struct Made {
    of: Vec<Arc<Generation>>,
    roles: BTreeSet<String>,
    text: Text,
}

/// The most that are kept.
const MOST_KEPT: usize = 16;

/// A document as it is sent.
#[derive(Clone)]
struct Text {
    bytes: Bytes,
    etag: String,
}

impl Cached {
    fn text(&self, service: &Service, caller: &Caller, generations: Vec<Arc<Generation>>) -> Text {
        let roles = service.access().roles_of(caller);
        // A thread that panics while it holds the lock leaves what was made before.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|made| is_same(&made.of, &generations));
        if let Some(made) = kept.iter().find(|made| made.roles == roles) {
            return made.text.clone();
        }
        let text = Text::of(service, caller, &generations);
        if kept.len() == MOST_KEPT {
            kept.pop_front();
        }
        kept.push_back(Made { of: generations, roles, text: text.clone() });
        text
    }
}

fn is_same(one: &[Arc<Generation>], other: &[Arc<Generation>]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| Arc::ptr_eq(one, other))
}

impl Text {
    fn of(service: &Service, caller: &Caller, generations: &[Arc<Generation>]) -> Self {
        let visible = |plugin: &str, query: &str| service.access().check(caller, plugin, query).is_ok();
        let mut document = document(generations.iter().map(Arc::as_ref), visible);
        security::add(&mut document, service.identity());
        let bytes = Bytes::from(document.to_string());
        let digest = Sha256::digest(&bytes);
        let etag = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Self { bytes, etag: format!("\"{etag}\"") }
    }
}

/// `GET /openapi.json`: what every caller may call; and, for one that shows who it is, what it may call itself.
pub(in crate::service) async fn get(
    State(service): State<Service>,
    asked: Asked,
) -> Result<Response, Problem> {
    let Admitted { caller, told } = Admitted::to_read(&service, &asked)?;
    let generations = service.hosts().started().map(|(_, host)| host.generation()).collect();
    let Text { bytes, etag } = service.openapi().text(&service, &caller, generations);
    let known = asked.headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    let is_known = known.any(|tag| tag == etag || tag == "*");
    // Whoever has it asks each time whether it is still the same.
    let always = [
        (header::ETAG, etag),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::VARY, "authorization, x-api-key".to_owned()),
    ];
    let answer = match is_known {
        true => (StatusCode::NOT_MODIFIED, always).into_response(),
        false => (always, [(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
    };
    Ok((AppendHeaders(told), answer).into_response())
}
