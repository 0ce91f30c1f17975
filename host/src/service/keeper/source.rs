use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::ReloadError;
use crate::Config;
use crate::loan::ConnectionSettings;

/// Where a server's configuration is, and what it is told beside it. It is read again with each reload.
#[derive(Clone)]
pub struct Source {
    config: PathBuf,
    database_url: Option<String>,
}

impl fmt::Debug for Source {
    /// Without the URL, which may have a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What the host of a database is started with.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub config: Config,
    pub connection: ConnectionSettings,
    /// What the cursors of pages are made with: the file may hold another one, under the same configuration.
    pub cursor_secret: Option<Vec<u8>>,
}

impl Source {
    /// A configuration's file, and where its database is, if that is said elsewhere: it wins over what the configuration says.
    pub fn new(config: impl Into<PathBuf>, database_url: Option<String>) -> Self {
        // What is set to nothing is what somebody forgot.
        Self { config: config.into(), database_url: database_url.filter(|url| !url.is_empty()) }
    }

    /// The configuration's file.
    pub fn path(&self) -> &Path {
        &self.config
    }

    /// Reads the configuration, and what the host of each database is started with, by the names of the databases.
    pub(super) async fn read(&self) -> Result<(Config, BTreeMap<String, Wanted>), ReloadError> {
        let its = self.clone();
        let read = tokio::task::spawn_blocking(move || its.read_now());
        read.await.unwrap_or(Err(ReloadError::BrokenOff))
    }

    fn read_now(&self) -> Result<(Config, BTreeMap<String, Wanted>), ReloadError> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let config = Config::read(&self.config)?;
        let mut wanted = BTreeMap::new();
        for (name, config) in config.by_database() {
            // What is said to the command is said of its one database.
            let is_default = name == crate::config::DEFAULT_DATABASE;
            let url = self.database_url.as_deref().filter(|_| is_default);
            let connection = config.connection(url, is_default, &environment)?;
            let cursor_secret = config.service.cursor_secret()?.map(|(_, secret)| secret);
            wanted.insert(name, Wanted { config, connection, cursor_secret });
        }
        Ok((config, wanted))
    }
}
