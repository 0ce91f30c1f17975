//! Why a request has no answer, and what its sender and the log are told of it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use callslip::{CallError, Code};
use deadpool_postgres::PoolError;
use serde_json::json;
use tokio_postgres::error::SqlState;

/// Why a request has no answer.
pub enum Failure {
    /// It asks for what can't be, which the sender is told.
    Invalid(String),
    /// It is in conflict with another one of the same moment: PostgreSQL let one of them go on, and it was not this one.
    Conflict,
    /// The database is away or has too much to do.
    Busy,
    /// The plugin does not know an order of this very transaction.
    NoPreview,
    /// The shop is broken. The log was told why.
    Broken,
}

impl Failure {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Invalid(message) => (StatusCode::UNPROCESSABLE_ENTITY, message),
            Self::Conflict | Self::Busy => {
                (StatusCode::SERVICE_UNAVAILABLE, "there is too much to do; try again".to_owned())
            }
            Self::NoPreview => {
                tracing::error!("the plugin shows nothing of an order that was just written");
                broken()
            }
            Self::Broken => broken(),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

fn broken() -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, "the shop is broken, and was told so".to_owned())
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(&SqlState::T_R_SERIALIZATION_FAILURE) => Self::Conflict,
            Some(&SqlState::QUERY_CANCELED | &SqlState::LOCK_NOT_AVAILABLE) => Self::Busy,
            _ if error.is_closed() => Self::Busy,
            _ => {
                tracing::error!("a statement of the shop's own: {error:?}");
                Self::Broken
            }
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match (&error, error.code()) {
            (CallError::Loan(loan), _)
                if loan.sqlstate() == Some(SqlState::T_R_SERIALIZATION_FAILURE.code()) =>
            {
                Self::Conflict
            }
            (_, Code::StatementTimeout | Code::CallTimeout | Code::DatabaseUnavailable) => Self::Busy,
            _ => Self::Broken, // the host has told the log
        }
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        tracing::warn!("no connection: {error}");
        Self::Busy
    }
}
