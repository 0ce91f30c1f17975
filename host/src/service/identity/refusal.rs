use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};

use crate::Code;
use crate::service::problem::Problem;

/// Why a request is nobody's. What there is to it is for the log: callers are told one of three things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum Refusal {
    /// It shows nothing.
    Missing,
    /// It can't be told what it shows.
    Malformed(&'static str),
    /// What it shows is not valid.
    Invalid(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "there is neither a key nor a token",
            Self::Malformed(reason) | Self::Invalid(reason) => reason,
        })
    }
}

impl Refusal {
    /// What the caller is told, with the challenge of RFC 6750.
    pub fn problem(self, exposes: bool) -> Problem {
        let invalid = "the key or the token is not valid here";
        let (code, status, challenge, detail) = match self {
            Self::Missing => (
                Code::Unauthenticated,
                StatusCode::UNAUTHORIZED,
                "Bearer realm=\"callslip\"",
                "send an API key or a token, as `Authorization: Bearer …`".to_owned(),
            ),
            // As the RFC wants it: the request itself is wrong.
            Self::Malformed(reason) => (
                Code::BadRequest,
                StatusCode::BAD_REQUEST,
                "Bearer realm=\"callslip\", error=\"invalid_request\"",
                format!("it can't be told who asks: {reason}"),
            ),
            Self::Invalid(reason) => (
                Code::Unauthenticated,
                StatusCode::UNAUTHORIZED,
                "Bearer realm=\"callslip\", error=\"invalid_token\"",
                if exposes { format!("{invalid}: {reason}") } else { invalid.to_owned() },
            ),
        };
        let challenge = HeaderValue::from_static(challenge);
        Problem::new(code, detail).with_status(status).with_header(header::WWW_AUTHENTICATE, challenge)
    }
}
