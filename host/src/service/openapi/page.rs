use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_swagger_ui::Config;

use crate::service::problem::Problem;
use crate::service::routes::no_such_address;

const PAGE: &str = include_str!("page.html");
const START: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// The page loads nothing from elsewhere and runs no script that is written into it. The styles that its elements have are set
/// by its script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /docs`.
pub(in crate::service) async fn page() -> Response {
    (
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ],
        PAGE,
    )
        .into_response()
}

/// `GET /docs/{file}`: what the page is made of.
pub(in crate::service) async fn file(file: Option<Path<String>>) -> Result<Response, Problem> {
    let name = file.map(|Path(name)| name).unwrap_or_default();
    let (media_type, bytes) = match name.as_str() {
        "page.js" => ("text/javascript; charset=utf-8", Some(Bytes::from_static(START.as_bytes()))),
        "page.css" => ("text/css; charset=utf-8", Some(Bytes::from_static(STYLE.as_bytes()))),
        "swagger-ui-bundle.js" => ("text/javascript; charset=utf-8", packaged(&name)),
        "swagger-ui.css" => ("text/css; charset=utf-8", packaged(&name)),
        "favicon-32x32.png" => ("image/png", packaged(&name)),
        _ => ("", None),
    };
    let Some(bytes) = bytes else { return Err(no_such_address().await) };
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, bytes).into_response())
}

/// A file of the UI that is a part of the program.
fn packaged(name: &str) -> Option<Bytes> {
    // The configuration is for a page of the UI's own.
    let file = utoipa_swagger_ui::serve(name, Arc::<Config<'static>>::default()).ok()??;
    Some(match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    })
}
