//! The reply: what is wanted, its first piece, its head, and its body as it comes.

mod accept;
mod body;
mod caching;
mod gzip;
mod wanted;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};

pub(super) use self::caching::Caching;
use self::caching::{TAGGED_BYTES, etag, is_known};
use self::gzip::Gzip;
pub(super) use self::wanted::Wanted;
use super::asked::Asked;
use super::limits::ServiceLimits;
use super::page;
use super::problem::Problem;
use crate::{CallError, Code, Format, Reply};

/// Which reply it is, and to whom.
pub(super) struct Answering<'a> {
    pub plugin: &'a str,
    pub query: &'a str,
    /// The one statement that was wanted of several.
    pub statement: Option<&'a str>,
    pub asked: &'a Asked,
    pub caching: Caching,
    pub limits: &'a ServiceLimits,
}

/// The answer to a call that has begun. To HEAD it is the one to GET: the statement runs as far as it has to for the head, and then
/// is cancelled.
pub(super) async fn respond(
    mut reply: Reply<'static>,
    answering: &Answering<'_>,
) -> Result<Response, CallError> {
    // What goes wrong before the first piece is handed on still has a status of its own.
    let mut first = match reply.is_paged() {
        true => page::whole(&mut reply).await?,
        false => reply.next_chunk().await?.unwrap_or_default(),
    };
    let asked = answering.asked;
    let mut head = answering.head(&reply);
    head.extend(page::headers(&reply, asked));
    if reply.is_missing() {
        let missing = Problem::new(Code::NotFound, "there is no such row");
        // What is not there now may be there soon.
        head.remove(header::CACHE_CONTROL);
        return Ok((head, missing).into_response());
    }
    if answering.caching.etag {
        first = gathered(first, &mut reply, TAGGED_BYTES).await?;
    }
    if !reply.is_ended() && asked.version < Version::HTTP_11 {
        let limit = answering.limits.buffered_bytes;
        first = match whole(first, &mut reply, limit).await {
            Err(CallError::ReplyTooLarge { limit: met }) if met == limit as u64 => {
                let detail = format!(
                    "the reply has more bytes than the limit of {limit} for clients of HTTP/1.0, for which it is \
                     gathered before it is sent; ask by HTTP/1.1"
                );
                return Ok(Problem::new(Code::ReplyTooLarge, detail).into_response());
            }
            whole => whole?,
        };
    }
    let is_long = !reply.is_ended() || first.len() >= gzip::LEAST_BYTES;
    let gzip = (is_long && accept::takes_gzip(&asked.headers)).then(Gzip::new);
    answering.describe(&mut head, reply.format());
    if gzip.is_some() {
        head.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if reply.is_ended() && answering.caching.etag && first.len() <= TAGGED_BYTES {
        let etag = etag(reply.format(), &first, gzip.is_some());
        if let Ok(value) = HeaderValue::from_str(&etag) {
            head.insert(header::ETAG, value);
        }
        if is_known(&asked.headers, &etag) {
            [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_DISPOSITION]
                .iter()
                .for_each(|name| _ = head.remove(name));
            return Ok((StatusCode::NOT_MODIFIED, head, body::of_no_length()).into_response());
        }
    }
    let body = match gzip {
        Some(gzip) if reply.is_ended() => Body::from(gzip.whole(&first)?),
        None if reply.is_ended() => Body::from(first),
        _ if asked.method == Method::HEAD => body::of_no_length(),
        gzip => body::stream(first, reply, gzip, answering),
    };
    Ok((head, body).into_response())
}

impl Answering<'_> {
    /// What every answer to the query says, whatever becomes of it.
    fn head(&self, reply: &Reply<'_>) -> HeaderMap {
        let mut head = absent_claims(reply);
        head.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
        if let Some(value) = self.caching.cache_control(!reply.absent_claims().is_empty()) {
            head.insert(header::CACHE_CONTROL, value);
        }
        head
    }

    /// Says what the body is.
    fn describe(&self, head: &mut HeaderMap, format: Format) {
        let (media_type, extension) = match format {
            Format::Csv => ("text/csv; charset=utf-8; header=present", Some("csv")),
            #[cfg(feature = "arrow")]
            Format::Arrow => (format.media_type(), Some("arrows")),
            Format::Json | Format::Ndjson => (format.media_type(), None),
        };
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        // These are files to most people: a browser keeps them under this name.
        let name = |extension| match self.statement {
            Some(statement) => format!("{}-{statement}.{extension}", self.query),
            None => format!("{}.{extension}", self.query),
        };
        let disposition = extension.map(|extension| format!("attachment; filename=\"{}\"", name(extension)));
        if let Some(value) = disposition.and_then(|text| HeaderValue::from_str(&text).ok()) {
            head.insert(header::CONTENT_DISPOSITION, value);
        }
    }
}

/// Says which claims row filters read that the caller does not have: no rows of what they filter are in the reply.
const ABSENT_CLAIMS: HeaderName = HeaderName::from_static("callslip-absent-claims");

/// The header that says so. The name of a claim that can't be in a header is not told.
fn absent_claims(reply: &Reply<'_>) -> HeaderMap {
    let value = HeaderValue::from_str(&reply.absent_claims().join(", "));
    let absent = value.ok().filter(|value| !value.is_empty());
    absent.map(|value| (ABSENT_CLAIMS, value)).into_iter().collect()
}

/// So much of a reply that more than so many bytes are there, or all of it.
async fn gathered(first: Bytes, reply: &mut Reply<'static>, most: usize) -> Result<Bytes, CallError> {
    if reply.is_ended() || first.len() > most {
        return Ok(first);
    }
    let mut gathered = first.to_vec();
    while gathered.len() <= most
        && let Some(chunk) = reply.next_chunk().await?
    {
        gathered.extend_from_slice(&chunk);
    }
    Ok(gathered.into())
}

/// The whole of a reply, for a client that can't tell one that broke off from a whole one.
async fn whole(first: Bytes, reply: &mut Reply<'static>, limit: usize) -> Result<Bytes, CallError> {
    reply.limit_bytes(limit as u64);
    gathered(first, reply, usize::MAX).await
}
