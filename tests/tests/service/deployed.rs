//! A database with a table, versions of a plugin that reads it, and a server of both, with an address for administration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use callslip_tests::{component, component_with, connect_to, database, http};
use serde_json::Value;
use tempfile::TempDir;

use crate::served::{SOON, Served};

/// The table of the plugin, with a row that is called so.
pub async fn make_table(name: &str, row: &str) -> String {
    let url = database().bare(name).await;
    let owner = connect_to(&url).await;
    let sql = format!(
        "CREATE SCHEMA live;
         CREATE TABLE live.fragile (id int PRIMARY KEY, name text NOT NULL);
         INSERT INTO live.fragile VALUES (1, '{row}');
         CREATE TABLE live.amount (id int PRIMARY KEY, amount int NOT NULL);
         GRANT USAGE ON SCHEMA live, public TO callslip_reader;
         GRANT SELECT ON ALL TABLES IN SCHEMA live, public TO callslip_reader;"
    );
    owner.batch_execute(&sql).await.unwrap();
    url.replacen("://postgres@", "://callslip_reader@", 1)
}

/// The plugin, or a version of it: `other-sql`, `without-ids`, `other-columns`, `next`.
pub fn version(feature: &str) -> PathBuf {
    component_with("tests/guests/live", Some(feature))
}

/// Another plugin.
pub fn other() -> PathBuf {
    component("example-plugins/hiring")
}

/// What every configuration of these tests begins with. Nothing but what a test does has the server look at its files or database.
pub const QUIET: &str = "
    [database]
    schemas = [\"live\", \"public\"]
    [catalog]
    listen = false
    poll_s = 0
    [pool]
    size = 4
    wait_ms = 60000
    lock_timeout_ms = 60000
    [reload]
    watch = false
    [admin]
    listen = \"127.0.0.1:0\"
";

/// The plugin in the configuration's folder.
pub const FRAGILE: &str = "
    [plugins.fragile]
    component = \"fragile.wasm\"
    [plugins.fragile.grants]
    relations = [\"fragile\"]
";

/// A folder with a version of the plugin.
pub fn folder(feature: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    deploy(&version(feature), &folder.path().join("fragile.wasm"));
    folder
}

/// Puts a file in place, whole.
pub fn deploy(from: &Path, to: &Path) {
    let new = to.with_extension("new");
    std::fs::copy(from, &new).unwrap();
    std::fs::rename(&new, to).unwrap();
}

impl Served {
    /// The address for administration.
    pub fn admin(&self) -> SocketAddr {
        self.address_after("administration at http://")
    }

    /// Has it reload; its status and what it says.
    pub async fn reload(&self, query: &str) -> (u16, Value) {
        let answer = http::send(self.admin(), http::request("POST", &format!("/admin/reload{query}"))).await;
        (answer.status, answer.json())
    }

    /// What it says of a plugin.
    pub async fn plugin(&self, name: &str) -> Value {
        let answer = http::get(self.admin(), "/admin/plugins").await;
        assert_eq!(answer.status, 200);
        answer.json()["plugins"][name].clone()
    }

    /// The status of a query's reply, and its body.
    pub async fn ask(&self, query: &str) -> (u16, Value) {
        let answer = http::get(self.address(), &format!("/q/{query}")).await;
        (answer.status, answer.json())
    }

    /// Waits until a query is answered with this status; its body.
    pub async fn until_asked(&self, query: &str, status: u16) -> Value {
        let deadline = Instant::now() + SOON;
        loop {
            let (found, body) = self.ask(query).await;
            if found == status {
                return body;
            }
            assert!(Instant::now() < deadline, "{query} is not {status}: {found} {body} {:#?}", self.lines());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Writes its configuration anew.
    pub fn configure(&self, config: &str) {
        let new = self.folder().join("callslip.toml.new");
        std::fs::write(&new, config).unwrap();
        std::fs::rename(new, self.config()).unwrap();
    }

    /// Puts another version of the plugin into its folder.
    pub fn deploy(&self, feature: &str) {
        deploy(&version(feature), &self.folder().join("fragile.wasm"));
    }
}
