use std::sync::Arc;
use std::time::SystemTime;

use crate::Code;
use crate::PluginFinding;
use crate::catalog::ReflectError;
use crate::loan::LoanError;

/// How well a host knows its database.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CatalogStatus {
    /// The number of the generation that is served.
    pub generation: u64,
    /// When its catalog was reflected.
    pub reflected_at: SystemTime,
    /// When the database was last found to be as the generation says.
    pub checked_at: SystemTime,
    /// When a call first met something that is not as it was proven, since the database was last looked at. A host with connections
    /// of its own looks by itself then; another one is to be [refreshed](crate::Host::refresh_on).
    pub doubted_at: Option<SystemTime>,
    /// Why the host could not look at the database, since it last could.
    pub failure: Option<RefreshFailure>,
}

/// A refresh that failed. What was served before it is served on.
#[derive(Clone, Debug)]
pub struct RefreshFailure {
    /// When it last failed.
    pub at: SystemTime,
    /// Why.
    pub error: Arc<RefreshError>,
}

/// Why a refresh failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The database can't be reached, or can't be asked.
    #[error(transparent)]
    Loan(#[from] LoanError),
    /// The catalog can't be read.
    #[error(transparent)]
    Reflect(#[from] ReflectError),
    /// PostgreSQL did not say whether a plugin proves: a table is locked, or changed each time that it was asked.
    #[error("the plugin {plugin} can't be proven now: {}", finding.finding)]
    Undecided {
        /// The plugin.
        plugin: String,
        /// What PostgreSQL said instead.
        finding: Box<PluginFinding>,
    },
    /// The host has no connections of its own to look at its database on.
    #[error(
        "the host has no connections of its own to look at its database: lend it one (`Host::refresh_on`), or let it connect (`HostBuilder::connect`)"
    )]
    NothingLent,
    /// It took too long.
    #[error("the refresh took more than {0:?}")]
    TooLong(std::time::Duration),
    /// The runtime that it ran on has ended.
    #[error("the refresh was broken off")]
    BrokenOff,
}

impl RefreshError {
    /// What kind of error.
    pub fn code(&self) -> Code {
        match self {
            Self::Loan(error) => error.code(),
            Self::Undecided { finding, .. } => finding.finding.code,
            Self::NothingLent => Code::NothingLent,
            Self::Reflect(_) | Self::TooLong(_) | Self::BrokenOff => Code::ReflectionFailed,
        }
    }
}
