use std::fmt;
use std::path::Path;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::super::keeper::Keeper;
use super::super::problem::Problem;
use crate::{Code, ConfigError};

/// The token of those who may administrate, of which only a digest is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::service) struct Token([u8; 32]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// How short a token may be: what can be guessed is none.
const LEAST_BYTES: usize = 16;

impl Token {
    /// Reads a file that holds nothing but the token.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        let token = text.trim();
        if token.len() < LEAST_BYTES || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let error = format!(
                "it has to hold a token of at least {LEAST_BYTES} characters of ASCII without spaces, such as `openssl rand -hex 32` prints"
            );
            return Err(ConfigError::Invalid { path: path.to_owned(), error });
        }
        Ok(Self::of(token))
    }

    fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Whether this is the token. It takes as long however much of it is right: digests are compared, which nobody can choose byte by
    /// byte.
    fn is(&self, token: &str) -> bool {
        let other = Self::of(token).0;
        self.0.iter().zip(other).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
    }
}

/// Lets those pass who ask for nothing below `/admin`, and who bring the token; where there is none, all but the pages of browsers.
pub(super) async fn check(State(keeper): State<Keeper>, request: Request, next: Next) -> Response {
    let token = keeper.current().token;
    let refusal = match request.uri().path().starts_with("/admin") {
        true => refusal(token, request.headers()),
        false => None,
    };
    match refusal {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

/// Why who sends these headers may not administrate, if so.
fn refusal(token: Option<Token>, headers: &HeaderMap) -> Option<Problem> {
    let Some(token) = token else {
        // A browser on this machine reaches the address for whatever page it shows, and says whose.
        let detail = "a browser's page may not administrate where admin.token_file names no token";
        return headers.contains_key(header::ORIGIN).then(|| Problem::new(Code::NotAllowed, detail));
    };
    if bearer(headers).is_some_and(|brought| token.is(brought)) {
        return None;
    }
    let detail = "bring the token of the configuration's admin.token_file: `Authorization: Bearer …`";
    let challenge = HeaderValue::from_static("Bearer realm=\"callslip admin\"");
    Some(Problem::new(Code::Unauthenticated, detail).with_header(header::WWW_AUTHENTICATE, challenge))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_a_file_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, " 0123456789abcdef\n").unwrap();
        let token = Token::read(&path).unwrap();
        assert!(token.is("0123456789abcdef"));
        assert!(!token.is("0123456789abcdeF") && !token.is(""));
        assert_eq!(format!("{token:?}"), "Token(…)");
        for text in ["", "short", "0123456789 abcdef", "0123456789abcdéf"] {
            std::fs::write(&path, text).unwrap();
            let error = Token::read(&path).unwrap_err().to_string();
            assert!(error.contains("at least 16") && (text.is_empty() || !error.contains(text)), "{error}");
        }
    }

    #[test]
    fn a_page_in_a_browser_does_not_administrate() {
        let headers = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(header::HeaderName::from_static(name), HeaderValue::from_static(value))])
        };
        let code = |token, headers: &HeaderMap| refusal(token, headers).map(|problem| problem.json());
        for origin in ["https://evil.example", "null", "http://127.0.0.1:7071"] {
            let told = code(None, &headers("origin", origin)).unwrap();
            assert!(told.contains("CS1018"), "{told}");
        }
        assert_eq!(code(None, &HeaderMap::new()), None);
        let token = Some(Token::of("0123456789abcdef"));
        assert_eq!(code(token, &headers("authorization", "Bearer 0123456789abcdef")), None);
        assert!(code(token, &headers("authorization", "Bearer other")).unwrap().contains("CS1017"));
        assert!(code(token, &HeaderMap::new()).unwrap().contains("CS1017"));
    }

    #[test]
    fn it_is_brought_as_a_bearer_s() {
        let headers = |value: &'static str| {
            HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))])
        };
        assert_eq!(bearer(&headers("Bearer abc")), Some("abc"));
        assert_eq!(bearer(&headers("bearer  abc")), Some("abc"));
        assert_eq!(bearer(&headers("Basic abc")), None);
        assert_eq!(bearer(&headers("abc")), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
