//! A service as its own process, on a database of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use callslip_tests::http::{Response, get, post};
use callslip_tests::{component, connect_to, database};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio_postgres::Client;

/// A running example, which is ended when this is dropped.
pub struct Service {
    process: Child,
    address: SocketAddr,
    /// Its configuration and its log.
    folder: TempDir,
    /// The owner of its database, who can look at everything.
    pub owner: Client,
    /// The URL of the same.
    pub owner_url: String,
}

impl Service {
    /// Starts a program on a new database of this name, with the data of the orders and a login that may do this with them.
    pub async fn start(program: &str, name: &str, privileges: &str) -> Self {
        Self::try_start(program, name, privileges).await.unwrap_or_else(|log| panic!("{log}"))
    }

    /// The same of a program that may end at once, and then of its log.
    pub async fn try_start(program: &str, name: &str, privileges: &str) -> Result<Self, String> {
        let url = database().example(name, "orders").await;
        let owner = connect_to(&url).await;
        owner
            .batch_execute(&format!(
                "CREATE ROLE {name} LOGIN;
                 GRANT USAGE ON SCHEMA public TO {name};
                 GRANT {privileges} ON ALL TABLES IN SCHEMA public TO {name}"
            ))
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("orders.toml"), config()).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut process = Command::new(program)
            .env_clear()
            .env("DATABASE_URL", url.replacen("://postgres@", &format!("://{name}@"), 1))
            .env("CALLSLIP_CONFIG", folder.path().join("orders.toml"))
            .env("LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("http://").and_then(|address| address.parse().ok());
        let Some(address) = address else {
            _ = process.kill();
            assert!(!process.wait().unwrap().success(), "it ended as if all were well");
            return Err(line + &std::fs::read_to_string(folder.path().join("log")).unwrap());
        };
        Ok(Self { process, address, folder, owner, owner_url: url })
    }

    pub async fn get(&self, path: &str) -> Response {
        get(self.address, path).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        post(self.address, path, "application/json", &body.to_string()).await
    }

    /// Does something to the database.
    pub async fn execute(&self, sql: &str) {
        self.owner.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// A number that the database has.
    pub async fn number(&self, sql: &str) -> i64 {
        self.owner.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
    }

    /// Waits until that number is this one.
    pub async fn wait_until(&self, sql: &str, number: i64) {
        let started = std::time::Instant::now();
        while self.number(sql).await != number {
            assert!(started.elapsed().as_secs() < 60, "{sql} is not {number}\n{}", self.log());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Asks it to stop, as a service manager does.
    pub fn terminate(&self) {
        kill(Pid::from_raw(self.process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    }

    /// Waits until it has stopped.
    pub fn ended(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// The examples' own configuration, with the component where it was built for the tests.
fn config() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-plugins/orders.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let component = component("example-plugins/orders");
    let configured = "component = \"../target/plugins/orders.wasm\"";
    assert!(text.contains(configured), "{text}");
    text.replacen(configured, &format!("component = {component:?}"), 1)
}
