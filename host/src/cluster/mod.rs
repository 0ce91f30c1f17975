//! A private, throw-away PostgreSQL, for demonstrations and tests.
//!
//! [`Cluster::start`] finds the server's programs on this machine ([`Binaries`]), makes a cluster in a temporary folder and starts
//! it there. It listens on a unix socket in that folder, and nowhere else unless it is told to. It does not outlive the process that started
//! it, however that ends: a keeper process waits for the end, stops the server and removes the folder.
//!
//! [`Dataset`] fills a schema, of this or another database, from a folder of SQL files.
//!
//! Unix only.

mod account;
mod binaries;
mod dataset;
mod error;
mod keeper;
mod options;

use std::path::Path;

use tokio_postgres::{Client, Config, NoTls};

pub use binaries::{BINARIES_VARIABLE, Binaries, OLDEST_VERSION};
pub use dataset::{Dataset, DatasetError, GeneratedRows, GeneratedTable, LoadProgress, Slice};
pub use error::ClusterError;
use keeper::Keeper;
pub use options::ClusterOptions;

/// The superuser, and the database that is there from the start.
const SUPERUSER: &str = "postgres";

/// A running private PostgreSQL.
///
/// When it is dropped the server stops at once and its folder goes, which blocks for about a tenth of a second.
#[derive(Debug)]
pub struct Cluster {
    keeper: Keeper,
    binaries: Binaries,
    /// The port that it was told to listen on.
    port: Option<u16>,
}

impl Cluster {
    /// Makes a cluster and starts it. Takes one or two seconds.
    ///
    /// When run by root, the server runs as the user `postgres`, or `nobody` where that one is missing, since PostgreSQL refuses
    /// to run as root.
    ///
    /// # Errors
    /// [`ClusterError`], if there is no PostgreSQL on this machine or it does not start; then with its log.
    pub async fn start(options: ClusterOptions) -> Result<Self, ClusterError> {
        let (settings, port) = (options.server_settings()?, options.loopback_port);
        let binaries = match options.binaries {
            Some(binaries) => binaries,
            None => Binaries::find()?,
        };
        let keeper = Keeper::start(&binaries, &settings, options.timeout).await?;
        Ok(Self { keeper, binaries, port })
    }

    /// How to connect as the superuser `postgres` to the database `postgres`. Needs no password.
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config.host_path(self.folder()).user(SUPERUSER).dbname(SUPERUSER);
        if let Some(port) = self.port {
            config.port(port);
        }
        config
    }

    /// How to connect as the superuser to a database, as a URL that libpq's programs take as well.
    pub fn url(&self, database: &str) -> String {
        let host = percent_encoded(&self.folder().to_string_lossy());
        let port = self.port.map(|port| format!("&port={port}")).unwrap_or_default();
        format!("postgresql://{SUPERUSER}@/{}?host={host}{port}", percent_encoded(database))
    }

    /// The programs that it runs.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The folder that holds its socket, its data and its log, until it stops.
    pub fn folder(&self) -> &Path {
        self.keeper.folder()
    }

    /// Makes an empty database and tells how to connect to it as the superuser.
    ///
    /// # Errors
    /// [`ClusterError::Database`], if there is one of that name, or the name is too long.
    pub async fn create_database(&self, name: &str) -> Result<Config, ClusterError> {
        let failed = |source| ClusterError::Database { name: name.to_owned(), source };
        let (client, connection) = self.config().connect(NoTls).await.map_err(failed)?;
        let statement = format!("CREATE DATABASE {}", quoted_identifier(name));
        let create = async {
            let created = client.batch_execute(&statement).await;
            drop::<Client>(client); // ends the connection
            created
        };
        let (created, _) = tokio::join!(create, connection);
        created.map_err(failed)?;
        let mut config = self.config();
        config.dbname(name);
        Ok(config)
    }

    /// Stops the server, and waits until its folder is gone.
    ///
    /// # Errors
    /// [`ClusterError::StopFailed`], if something of it is left behind.
    pub async fn stop(mut self) -> Result<(), ClusterError> {
        self.keeper.stop().await
    }
}

/// A name as SQL writes it, whatever is in it.
fn quoted_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_whatever_is_in_them() {
        assert_eq!(quoted_identifier(r#"a"; DROP"#), r#""a""; DROP""#);
        assert_eq!(percent_encoded("/tmp/ü&?"), "%2Ftmp%2F%C3%BC%26%3F");
    }
}
