use axum::http::{HeaderMap, HeaderValue, Method, header};
use sha2::{Digest, Sha256};

use crate::{CacheControl, Format, QueryConfig};

/// The most bytes of a reply that has an `ETag`: it has to be there before the first byte is sent.
pub(super) const TAGGED_BYTES: usize = 256 << 10;

/// What is said of a query's replies to those who keep them.
#[derive(Clone, Debug, Default)]
pub(in crate::service) struct Caching {
    /// What the configuration says.
    cache_control: Option<CacheControl>,
    /// Whether they have an `ETag`.
    pub etag: bool,
    /// Whether they are for one caller.
    is_personal: bool,
}

impl Caching {
    /// What the settings of a query say of its replies to a request by this method. Those to GET and HEAD can be kept, and no
    /// others.
    pub fn of(settings: Option<&QueryConfig>, method: &Method, is_personal: bool) -> Self {
        match settings.filter(|_| matches!(*method, Method::GET | Method::HEAD)) {
            Some(QueryConfig { cache_control, etag, .. }) => {
                Self { cache_control: cache_control.clone(), etag: *etag, is_personal }
            }
            None => Self { is_personal, ..Self::default() },
        }
    }

    /// `Cache-Control`. What is for one caller is private unless the setting says otherwise; and who gets an `ETag` and nothing
    /// else is to ask each time. A reply is also for one caller that lacks rows for what it does not know of the caller.
    pub fn cache_control(&self, lacks_claims: bool) -> Option<HeaderValue> {
        let said = self.cache_control.as_ref();
        let is_private = (self.is_personal || lacks_claims) && !said.is_some_and(CacheControl::says_for_whom);
        let parts = [
            is_private.then_some("private"),
            said.map(CacheControl::as_str),
            (said.is_none() && self.etag).then_some("no-cache"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if parts.is_empty() { None } else { HeaderValue::from_str(&parts.join(", ")).ok() }
    }
}

/// The entity tag of a whole reply: strong, of its bytes and its format, and another one where it is sent as gzip.
pub(super) fn etag(format: Format, bytes: &[u8], gzip: bool) -> String {
    let mut hash = Sha256::new();
    hash.update(format.media_type());
    hash.update([0]);
    hash.update(bytes);
    let digest: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digest}{}\"", if gzip { "-gzip" } else { "" })
}

/// Whether a request has this reply already. Tags are compared weakly, as RFC 9110 wants it.
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH);
    let tags = values.iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    tags.map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(cache_control: Option<&str>, etag: bool, is_personal: bool) -> Option<String> {
        let settings = QueryConfig {
            cache_control: cache_control.map(|text| text.parse().unwrap()),
            etag,
            ..QueryConfig::default()
        };
        let told = |personal, lacks_claims| {
            let told = Caching::of(Some(&settings), &Method::GET, personal).cache_control(lacks_claims);
            told.map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(told(is_personal, false), told(false, is_personal));
        told(is_personal, false)
    }

    #[test]
    fn what_is_for_one_caller_is_private_unless_said_otherwise() {
        assert_eq!(told(None, false, false), None);
        assert_eq!(told(None, false, true).unwrap(), "private");
        assert_eq!(told(None, true, false).unwrap(), "no-cache");
        assert_eq!(told(None, true, true).unwrap(), "private, no-cache");
        assert_eq!(told(Some("max-age=60"), true, false).unwrap(), "max-age=60");
        assert_eq!(told(Some("max-age=60"), true, true).unwrap(), "private, max-age=60");
        assert_eq!(told(Some("public, max-age=60"), false, true).unwrap(), "public, max-age=60");
        assert_eq!(told(Some("no-store"), false, true).unwrap(), "no-store");
        let of_post = Caching::of(None, &Method::POST, true);
        assert_eq!(of_post.cache_control(false).unwrap(), "private");
    }

    #[test]
    fn a_tag_is_of_bytes_format_and_encoding() {
        let tag = etag(Format::Json, b"[]", false);
        assert_eq!(tag, etag(Format::Json, b"[]", false));
        for other in [
            etag(Format::Ndjson, b"[]", false),
            etag(Format::Json, b"[ ]", false),
            etag(Format::Json, b"[]", true),
        ] {
            assert_ne!(tag, other);
        }
        let known = |text: &str| {
            let value = HeaderValue::from_str(text).unwrap();
            is_known(&HeaderMap::from_iter([(header::IF_NONE_MATCH, value)]), &tag)
        };
        assert!(known(&tag) && known("*") && known(&format!("\"a\", W/{tag}")));
        assert!(!known("") && !known("\"a\"") && !known(tag.trim_matches('"')));
        assert!(!is_known(&HeaderMap::new(), &tag));
    }
}
