//! A database to change, a host on it, and waiting for what comes of a change.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use callslip::catalog::INSTALL_NOTIFY;
use callslip::loan::ConnectionSettings;
use callslip::{CallError, Code, Config, Host, Reply, WatchSettings};
use callslip_tests::{component, component_with, connect_to, database};
use serde_json::Value;
use tokio_postgres::Client;

/// Longer than anything takes, on a machine that is busy.
const LONG: Duration = Duration::from_secs(60);

/// Notifications alone.
pub const LISTEN: WatchSettings = WatchSettings { listen: true, poll: Duration::ZERO };
/// Polling alone.
pub const POLL: WatchSettings = WatchSettings { listen: false, poll: Duration::from_millis(100) };

/// The tables of the guests, for the login of the hosts.
pub const TABLES: &str = "
    CREATE SCHEMA live;
    CREATE TABLE live.fragile (id int PRIMARY KEY, name text NOT NULL);
    INSERT INTO live.fragile VALUES (1, 'one'), (2, 'two');
    CREATE TYPE live.unit AS ENUM ('cent', 'euro', 'shilling');
    CREATE TABLE live.amount (id int PRIMARY KEY, amount int NOT NULL, unit live.unit NOT NULL DEFAULT 'cent');
    INSERT INTO live.amount VALUES (1, 10), (2, 20);
    GRANT USAGE ON SCHEMA live TO callslip_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA live TO callslip_reader;";

/// A database of a test's own.
pub struct Live {
    pub owner: Client,
    /// The URL of the login of the hosts.
    pub url: String,
}

impl Live {
    /// A database of that name, with the tables of the guests, which tells of its changes.
    pub async fn new(name: &str) -> Self {
        let url = database().bare(name).await;
        let owner = connect_to(&url).await;
        owner.batch_execute(TABLES).await.unwrap();
        let public = "GRANT USAGE ON SCHEMA public TO callslip_reader;
                      GRANT SELECT ON ALL TABLES IN SCHEMA public TO callslip_reader";
        owner.batch_execute(public).await.unwrap();
        owner.batch_execute(INSTALL_NOTIFY).await.unwrap();
        Self { owner, url: url.replacen("://postgres@", "://callslip_reader@", 1) }
    }

    pub async fn execute(&self, sql: &str) {
        self.owner.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }

    pub fn connection(&self) -> ConnectionSettings {
        ConnectionSettings::resolve(Some(&self.url), &|_| None).unwrap()
    }

    pub async fn host(&self, plugins: &[(&str, &Path, &str)]) -> Host {
        start(&config(plugins), &self.connection()).await
    }

    /// The sessions that were ever begun in this database.
    pub async fn sessions(&self) -> i64 {
        let sql = "SELECT sessions FROM pg_stat_database WHERE datname = current_database()";
        self.owner.query_one(sql, &[]).await.unwrap().get(0)
    }
}

/// A configuration of plugins: their names, components, and the relations that they may read.
pub fn config(plugins: &[(&str, &Path, &str)]) -> String {
    // A machine that is busy must not let requests wait in vain.
    let mut text = "[database]\nschemas = [\"live\", \"public\"]\n\
                    [pool]\nsize = 4\nwait_ms = 60000\nlock_timeout_ms = 60000\n"
        .to_owned();
    for (name, component, relations) in plugins {
        text += &format!(
            "[plugins.{name}]\ncomponent = {component:?}\n[plugins.{name}.grants]\nrelations = [{relations}]\n"
        );
    }
    text
}

pub async fn start(config: &str, connection: &ConnectionSettings) -> Host {
    let config = Config::parse(config, Path::new("")).unwrap_or_else(|error| panic!("{error}"));
    Host::start(&config, connection).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The plugin of a table of which a column is renamed, and what it is granted.
pub fn fragile() -> (PathBuf, &'static str) {
    (component_with("tests/guests/live", Some("fragile")), r#""fragile""#)
}

/// Its next version, which reads a column that is still to come.
pub fn next() -> PathBuf {
    component_with("tests/guests/live", Some("next"))
}

/// The plugin of a table of which a column gets another type.
pub fn amounts() -> (PathBuf, &'static str) {
    (component("tests/guests/live"), r#""amount""#)
}

/// The reply of a query without parameters.
pub async fn call(host: &Host, plugin: &str, query: &str) -> Result<Value, CallError> {
    read(host.call(plugin, query).run().await?).await
}

pub async fn read(mut reply: Reply<'_>) -> Result<Value, CallError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = reply.next_chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(serde_json::from_slice(&bytes).unwrap())
}

/// The code of a query's error, or nothing.
pub async fn code(host: &Host, plugin: &str, query: &str) -> Option<Code> {
    call(host, plugin, query).await.err().map(|error| error.code())
}

/// Waits for a condition; how long that took.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < LONG, "{what}: not within {LONG:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    started.elapsed()
}

/// Waits until another generation than this one is served.
pub async fn until_after(what: &str, host: &Host, generation: u64) -> Duration {
    until(what, async || host.generation().number() > generation).await
}

/// Whether the host's catalog has a column.
pub fn has_column(host: &Host, schema: &str, relation: &str, column: &str) -> bool {
    let generation = host.generation();
    let relation = generation.catalog().relation(schema, relation);
    relation.is_some_and(|relation| relation.columns.iter().any(|its| its.name == column))
}
