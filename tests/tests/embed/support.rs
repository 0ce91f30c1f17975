//! A database of a test's own, whose every session is seen, and a service that lends its connections.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callslip::{Call, CallError, Config};
use callslip_tests::{component, component_with, connect_to, database};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

const TABLES: &str = "
    CREATE SCHEMA live;
    CREATE TABLE live.fragile (id int PRIMARY KEY, name text NOT NULL);
    INSERT INTO live.fragile VALUES (1, 'one'), (2, 'two');
    CREATE TYPE live.unit AS ENUM ('cent', 'euro');
    CREATE TABLE live.amount (id int PRIMARY KEY, amount int NOT NULL, unit live.unit NOT NULL DEFAULT 'cent');
    INSERT INTO live.amount VALUES (1, 10), (2, 20);
    GRANT USAGE ON SCHEMA live, public TO callslip_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA live, public TO callslip_reader;";

/// A database, and the service's one connection to it.
pub struct Service {
    /// The superuser's, of another database.
    watcher: Arc<Client>,
    name: String,
    owner_url: String,
    pub url: String,
}

impl Service {
    pub async fn new(name: &str) -> Self {
        let owner_url = database().bare(name).await;
        connect_to(&owner_url).await.batch_execute(TABLES).await.unwrap();
        let url = owner_url.replacen("://postgres@", "://callslip_reader@", 1);
        let service =
            Self { watcher: Arc::new(database().owner().await), name: name.to_owned(), owner_url, url };
        service.all_ended().await;
        service
    }

    /// Waits until clients have no sessions to the database.
    pub async fn all_ended(&self) {
        while !sessions(&self.watcher, &self.name).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A connection of the service's own.
    pub async fn connect(&self) -> Client {
        connect_to(&self.url).await
    }

    /// A connection of the superuser.
    pub async fn owner(&self) -> Client {
        connect_to(&self.owner_url).await
    }

    /// How many sessions clients have ever begun.
    pub async fn ever_begun(&self) -> i64 {
        let sql = "SELECT sessions FROM pg_stat_database WHERE datname = $1";
        self.watcher.query_one(sql, &[&self.name]).await.unwrap().get(0)
    }

    /// Looks at the sessions all the time, until it is asked which there were.
    pub fn watch(&self) -> Watched {
        let (seen, watcher) = (Arc::new(Mutex::new(BTreeSet::new())), self.watcher.clone());
        let (all, name) = (seen.clone(), self.name.clone());
        let task = tokio::spawn(async move {
            loop {
                let now = sessions(&watcher, &name).await;
                all.lock().unwrap().extend(now);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        Watched { seen, task }
    }
}

async fn sessions(watcher: &Client, database: &str) -> BTreeSet<i32> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
    watcher.query(sql, &[&database]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The sessions that were seen.
pub struct Watched {
    seen: Arc<Mutex<BTreeSet<i32>>>,
    task: JoinHandle<()>,
}

impl Watched {
    pub fn seen(&self) -> BTreeSet<i32> {
        assert!(!self.task.is_finished(), "nobody watched");
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn backend(client: &Client) -> i32 {
    client.query_typed("SELECT pg_backend_pid()", &[]).await.unwrap()[0].get(0)
}

/// A configuration of plugins: their names, components, and the relations that they may read. One shape of a query is proven at
/// load, and the others on their first use.
pub fn config(plugins: &[(&str, PathBuf, &str)]) -> Config {
    let mut text = "[database]\nschemas = [\"live\", \"public\"]\n[limits]\nshapes = 1\n".to_owned();
    for (name, component, relations) in plugins {
        text += &format!(
            "[plugins.{name}]\ncomponent = {component:?}\n[plugins.{name}.grants]\nrelations = [{relations}]\n"
        );
    }
    Config::parse(&text, Path::new("")).unwrap_or_else(|error| panic!("{error}"))
}

/// The plugin of a table of which a column is renamed.
pub fn fragile() -> (&'static str, PathBuf, &'static str) {
    ("fragile", component_with("tests/guests/live", Some("fragile")), r#""fragile""#)
}

/// The plugin of a table of which a column gets another type. It has an open query.
pub fn amounts() -> (&'static str, PathBuf, &'static str) {
    ("amounts", component("tests/guests/live"), r#""amount""#)
}

/// The example plugin, whose query `funnel` has four shapes.
pub fn hiring() -> (&'static str, PathBuf, &'static str) {
    let relations = r#""answer", "candidate", "candidate_tag", "company", "interview", "position", "question", "rating", "reviewer", "tag""#;
    ("hiring", component("example-plugins/hiring"), relations)
}

/// The whole reply of a call.
pub async fn read(call: Call<'_>) -> Result<Value, CallError> {
    let mut reply = call.run().await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = reply.next_chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(serde_json::from_slice(&bytes).unwrap())
}
