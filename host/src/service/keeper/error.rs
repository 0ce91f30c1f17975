use std::time::Duration;

use crate::host::HeirError;
use crate::loan::{LoanError, SettingsError};
use crate::service::{SlipError, TracesError};
use crate::{Code, ConfigError, RefreshError, Refusal, StartError};

/// Why a server can't be started, or why a reload is refused, and what was served is served on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Where a database is can't be made out.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is no host of a database.
    #[error("can't use the database {connection}: {error}")]
    Start {
        /// Where it is, without a password.
        connection: String,
        /// Why not.
        error: StartError,
    },
    /// A database can't be asked whether the plugins prove.
    #[error("the database {connection} can't be asked: {error}")]
    Refresh {
        /// Where it is, without a password.
        connection: String,
        /// Why not.
        error: RefreshError,
    },
    /// By another configuration callers would lose queries or columns of replies, of these plugins.
    #[error("by this configuration callers would lose what they have: {}", names(.0))]
    Loses(Vec<Refusal>),
    /// Traces can't be sent where the configuration says.
    #[error(transparent)]
    Traces(#[from] TracesError),
    /// Slips can't be kept where the configuration says.
    #[error(transparent)]
    Slips(#[from] SlipError),
    /// It took too long.
    #[error("the reload took more than {0:?}")]
    TooLong(Duration),
    /// The runtime that it ran on has ended.
    #[error("the reload was broken off")]
    BrokenOff,
}

fn names(losses: &[Refusal]) -> String {
    losses.iter().map(|refusal| refusal.plugin.as_str()).collect::<Vec<_>>().join(", ")
}

impl ReloadError {
    pub(super) fn of_heir(connection: String, error: HeirError) -> Self {
        match error {
            HeirError::Start(error) => Self::Start { connection, error },
            HeirError::Refresh(error) => Self::Refresh { connection, error },
        }
    }

    /// What kind of error.
    pub fn code(&self) -> Code {
        match self {
            Self::Config(error) => error.code(),
            Self::Settings(error) => error.code(),
            Self::Start { error, .. } => error.code(),
            Self::Refresh { error, .. } => error.code(),
            Self::Traces(error) => error.code(),
            Self::Slips(error) => error.code(),
            Self::Loses(_) => Code::ReloadRefused,
            Self::TooLong(_) | Self::BrokenOff => Code::ReflectionFailed,
        }
    }

    /// Whether it may go by itself, so that it is worth another try.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Start { error, .. } => is_passing(error),
            Self::Refresh { error, .. } => match error {
                RefreshError::Loan(error) => is_passing_of_loan(error),
                _ => true,
            },
            Self::TooLong(_) => true,
            Self::Config(_)
            | Self::Settings(_)
            | Self::Traces(_)
            | Self::Slips(_)
            | Self::Loses(_)
            | Self::BrokenOff => false,
        }
    }
}

/// Whether a start may do better without anybody changing anything but the database.
pub(super) fn is_passing(error: &StartError) -> bool {
    match error {
        StartError::Loan(error) => is_passing_of_loan(error),
        StartError::Reflect(_) => true,
        _ => false,
    }
}

fn is_passing_of_loan(error: &LoanError) -> bool {
    !matches!(
        error,
        LoanError::Privileged(_) | LoanError::PoolSettings { .. } | LoanError::CallerNotSet { .. }
    )
}
