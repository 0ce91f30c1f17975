use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{Any, CorsLayer, ExposeHeaders};

use crate::CorsConfig;

/// What of a reply a page may read beside what every page may.
const EXPOSED: [&str; 10] = [
    "callslip-absent-claims",
    "callslip-id",
    "callslip-next-cursor",
    "content-disposition",
    "etag",
    "link",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
];

/// The layer that answers browsers which ask whether a page may call, and tells them so with each reply. Nothing, where no
/// site's pages may.
pub(super) fn layer(config: &CorsConfig) -> Option<CorsLayer> {
    if config.origins.is_empty() {
        return None;
    }
    // What can't be one was refused with the configuration.
    let methods = config.methods.iter().filter_map(|method| Method::try_from(method.as_str()).ok());
    let headers = config.headers.iter().filter_map(|name| HeaderName::try_from(name.as_str()).ok());
    let layer = CorsLayer::new()
        .allow_methods(methods.collect::<Vec<_>>())
        .allow_headers(headers.collect::<Vec<_>>())
        .max_age(Duration::from_secs(config.max_age_s))
        .expose_headers(ExposeHeaders::list(EXPOSED.map(HeaderName::from_static)));
    Some(match config.is_for_all() {
        true => layer.allow_origin(Any),
        false => {
            let origins = config.origins.iter().filter(|origin| *origin != "*");
            let origins = origins.filter_map(|origin| HeaderValue::try_from(origin.as_str()).ok());
            layer.allow_origin(origins.collect::<Vec<_>>()).allow_credentials(config.credentials)
        }
    })
}
