use std::{io, path::PathBuf, time::Duration};

use crate::reason::reason;

/// Why there is no private PostgreSQL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// No server's programs were found.
    #[error(
        "no PostgreSQL server of version {} or later is on this machine; looked for initdb and postgres in {}. \
         Install one (Debian, Ubuntu: `apt install postgresql`; Fedora: `dnf install postgresql-server`; macOS: \
         `brew install postgresql`), or name the folder of its programs in {}",
        super::OLDEST_VERSION,
        listed(looked),
        super::BINARIES_VARIABLE
    )]
    NoBinaries {
        /// The folders that were looked through, in that order.
        looked: Vec<PathBuf>,
    },
    /// The folder that was named has no server's programs that can be used.
    #[error("{folder} can't be used as PostgreSQL's programs: {reason}", folder = folder.display())]
    UnusableBinaries {
        /// The folder that was named.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// We are root, and there is nobody else to run the server as.
    #[error(
        "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody` to run it as"
    )]
    NoAccount,
    /// A server setting can't be written to its configuration.
    #[error("the server setting `{name}` can't be used: {reason}")]
    InvalidSetting {
        /// The setting's name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The keeper process could not be started or talked to.
    #[error("the process that keeps the private PostgreSQL failed: {0}")]
    Keeper(#[source] io::Error),
    /// The server did not start.
    #[error("the private PostgreSQL did not start:\n{log}")]
    StartFailed {
        /// The end of the log of `initdb` and the server.
        log: String,
    },
    /// The server was not ready in time.
    #[error("the private PostgreSQL was not ready after {after:?}:\n{log}")]
    StartTimeout {
        /// How long it was waited for.
        after: Duration,
        /// The end of the log of `initdb` and the server.
        log: String,
    },
    /// The server did not stop, or its folder could not be removed.
    #[error("the private PostgreSQL did not stop cleanly; remove {} by hand", folder.display())]
    StopFailed {
        /// What is left behind.
        folder: PathBuf,
    },
    /// A database could not be made.
    #[error("the database `{name}` could not be made: {reason}", reason = reason(source))]
    Database {
        /// Its name.
        name: String,
        /// What PostgreSQL said.
        source: tokio_postgres::Error,
    },
}

fn listed(folders: &[PathBuf]) -> String {
    folders.iter().map(|f| f.display().to_string()).collect::<Vec<_>>().join(", ")
}
