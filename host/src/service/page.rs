use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::asked::Asked;
use crate::{CallError, Reply};

/// The most bytes of a page, which is gathered before its head is sent: that says where the next page begins.
const MOST_BYTES: u64 = 8 << 20;

/// Says where the next page begins, for formats in whose body there is no place for that.
const NEXT_CURSOR: HeaderName = HeaderName::from_static("callslip-next-cursor");

/// The whole of a page.
pub(super) async fn whole(reply: &mut Reply<'static>) -> Result<Bytes, CallError> {
    reply.limit_bytes(MOST_BYTES);
    let mut whole = Vec::new();
    while let Some(chunk) = reply.next_chunk().await? {
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.into())
}

/// The headers that say where the page behind this one begins, if there is one.
pub(super) fn headers(reply: &Reply<'_>, asked: &Asked) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some((parameter, cursor)) = reply.next_page() else { return headers };
    if let Ok(value) = HeaderValue::from_str(cursor) {
        headers.insert(NEXT_CURSOR, value);
    }
    if let Some(link) = asked.query_string().and_then(|text| link(text, parameter, cursor)) {
        headers.insert(header::LINK, link);
    }
    headers
}

/// A link to the same address with another cursor: relative, since nobody here knows by which address the client came.
fn link(query_string: &str, parameter: &str, cursor: &str) -> Option<HeaderValue> {
    let mut next = form_urlencoded::Serializer::new(String::new());
    let others = form_urlencoded::parse(query_string.as_bytes()).filter(|(name, _)| name != parameter);
    next.extend_pairs(others).append_pair(parameter, cursor);
    HeaderValue::from_str(&format!("<?{}>; rel=\"next\"", next.finish())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_all_other_parameters_and_one_cursor() {
        let link = |text| link(text, "cursor", "a-b_").unwrap().to_str().unwrap().to_owned();
        assert_eq!(link(""), r#"<?cursor=a-b_>; rel="next""#);
        assert_eq!(link("a=1&cursor=x&b=%3E+%22&a=2"), r#"<?a=1&b=%3E+%22&a=2&cursor=a-b_>; rel="next""#);
    }
}
