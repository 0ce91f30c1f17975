use axum::http::{HeaderMap, HeaderName, header};

use super::refusal::Refusal;

/// What a request shows for itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// A key or a token, in `Authorization: Bearer …`.
    Bearer(&'a str),
    /// A key, in `X-API-Key`.
    Key(&'a str),
}

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The longest that a key or a token can be, in bytes.
const MOST_BYTES: usize = 16 << 10;

impl<'a> Credential<'a> {
    /// The one that these headers have.
    ///
    /// # Errors
    /// If there is none, or several, of which another reader might choose another.
    pub fn of(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        let bearer = only(headers, &header::AUTHORIZATION)?;
        let key = only(headers, &API_KEY)?;
        let credential = match (bearer, key) {
            (None, None) => return Err(Refusal::Missing),
            (Some(_), Some(_)) => {
                return Err(Refusal::Malformed("there are both Authorization and X-API-Key"));
            }
            (None, Some(key)) => Self::Key(key.trim()),
            (Some(authorization), None) => match authorization.split_once(' ') {
                Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => Self::Bearer(text.trim()),
                // Another scheme shows nothing that is asked for.
                _ => return Err(Refusal::Missing),
            },
        };
        match credential.text() {
            "" => Err(Refusal::Malformed("the key or the token is empty")),
            text if text.len() > MOST_BYTES => Err(Refusal::Invalid("the key or the token is too long")),
            _ => Ok(credential),
        }
    }

    /// Its text.
    pub fn text(&self) -> &'a str {
        match self {
            Self::Bearer(text) | Self::Key(text) => text,
        }
    }
}

/// The only value of a header.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Refusal::Malformed("a header has other characters than ASCII")),
        },
        (Some(_), Some(_)) => Err(Refusal::Malformed("Authorization or X-API-Key is there twice")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_shows_one_thing_or_nothing() {
        let of = |lines: &[(&str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
            }
            match Credential::of(&headers) {
                Ok(Credential::Bearer(text)) => format!("bearer {text}"),
                Ok(Credential::Key(text)) => format!("key {text}"),
                Err(refusal) => format!("{refusal:?}"),
            }
        };
        assert_eq!(of(&[("authorization", "Bearer a.b.c")]), "bearer a.b.c");
        assert_eq!(of(&[("authorization", "bEaReR   a.b.c ")]), "bearer a.b.c");
        assert_eq!(of(&[("x-api-key", "k")]), "key k");
        assert_eq!(of(&[]), "Missing");
        for other in ["Basic YTpi", "Bearer", "a.b.c", ""] {
            assert_eq!(of(&[("authorization", other)]), "Missing", "{other}");
        }
        assert!(of(&[("authorization", "Bearer ")]).starts_with("Malformed"));
        assert!(of(&[("authorization", "Bearer é")]).starts_with("Malformed"));
        assert!(of(&[("authorization", "Bearer a"), ("authorization", "Bearer a")]).starts_with("Malformed"));
        assert!(of(&[("authorization", "Bearer a"), ("x-api-key", "a")]).starts_with("Malformed"));
        assert!(of(&[("authorization", "Basic a"), ("x-api-key", "a")]).starts_with("Malformed"));
        assert!(of(&[("x-api-key", &"a".repeat(MOST_BYTES + 1))]).starts_with("Invalid"));
    }
}
