use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use callslip::cluster::{Cluster, ClusterOptions, Dataset};
use callslip::loan::ConnectionSettings;
use callslip::{Config, Host};
use serde_json::Value;
use tokio_postgres::Client;

use crate::components::root;
use crate::pgbouncer::{PgBouncer, configured, is_pooled, run_as_owner};
use crate::{connect, connect_to};

/// The login of the hosts under test: it can read every table, and nothing else.
pub(crate) const READER: &str = "callslip_reader";
/// The login of a service that lends its connections: it can read and write every table, and owns none.
pub const WRITER: &str = "callslip_writer";
/// How much data: about 2,000 interviews and 20,000 ratings.
const SCALE: f64 = 0.02;

/// A private PostgreSQL with the hiring data in the schema `public`.
pub struct Database {
    /// Between hosts and the server, if that is asked for. It ends first.
    pgbouncer: Option<PgBouncer>,
    cluster: Cluster,
    /// Whether its server is not the one that the cluster started.
    restarted: AtomicBool,
}

/// The database that all tests of a run share. Tests that change it make a schema of their own.
///
/// # Panics
/// If there is no PostgreSQL on this machine, or it does not take the data.
pub fn database() -> &'static Database {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    // On a thread and a runtime of its own: a test's own runtime ends with the test.
    DATABASE.get_or_init(|| {
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(Database::new(&[("max_connections", "200")]))
        })
        .join()
        .expect("the database starts")
    })
}

impl Database {
    /// A database of a test's own, with these settings of the server, to be stopped, filled and changed.
    ///
    /// # Panics
    /// If there is no PostgreSQL on this machine, or it does not take the data.
    pub async fn new(settings: &[(&str, &str)]) -> Self {
        // A static is never dropped; the cluster's keeper ends the server when this process ends.
        let options = ClusterOptions::default();
        let options = settings.iter().fold(options, |options, (name, value)| options.setting(*name, *value));
        let cluster = Cluster::start(options).await.unwrap_or_else(|error| panic!("{error}"));
        let pgbouncer = is_pooled().then(|| PgBouncer::start(cluster.folder(), ""));
        let database = Self { pgbouncer, cluster, restarted: AtomicBool::new(false) };
        let client = database.owner().await;
        client.batch_execute("DROP SCHEMA public").await.expect("the schema is empty");
        load(&client, "hiring", SCALE).await;
        client
            .batch_execute(&format!(
                "CREATE FUNCTION public.score(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE RETURN a + b;
                 CREATE DOMAIN public.checked AS text CHECK (public.score(1, length(VALUE)) > 0);
                 CREATE SCHEMA attacks;
                 CREATE TYPE attacks.mood AS ENUM ('calm', 'cross');
                 CREATE TABLE attacks.moods (mood attacks.mood NOT NULL);
                 CREATE FUNCTION attacks.leak(attacks.mood) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'leaked';
                 CREATE CAST (attacks.mood AS text) WITH FUNCTION attacks.leak(attacks.mood);
                 CREATE ROLE {READER} LOGIN;
                 GRANT USAGE ON SCHEMA attacks TO {READER};
                 GRANT SELECT ON attacks.moods TO {READER};
                 GRANT USAGE ON SCHEMA public TO {READER};
                 GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER};
                 CREATE ROLE {WRITER} LOGIN;
                 GRANT USAGE ON SCHEMA public, attacks TO {WRITER};
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {WRITER};"
            ))
            .await
            .expect("a role that reads");
        database
    }

    /// Stops the server. Its data and the place of its socket stay.
    ///
    /// # Panics
    /// If it does not stop.
    pub fn stop(&self) {
        assert!(self.control(&["stop", "-m", "fast"]), "the server does not stop");
    }

    /// Starts the server again, on the same socket, and waits for a pooler to have noticed.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&self) {
        self.restarted.store(true, Ordering::Relaxed);
        assert!(self.control(&["start", "-l", "log"]), "the server does not start");
        if let Some(pgbouncer) = &self.pgbouncer {
            pgbouncer.wait_for_session(&self.url());
        }
    }

    /// Runs `pg_ctl` as the user that the server runs as, and waits until it has done its work.
    fn control(&self, arguments: &[&str]) -> bool {
        let folder = self.cluster.folder();
        let mut command = Command::new(self.cluster.binaries().folder().join("pg_ctl"));
        command.args(arguments).args(["-w", "-s", "-D", "data"]).current_dir(folder);
        run_as_owner(&mut command, folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// A connection of the superuser, to prepare and to look at what a host must not.
    ///
    /// # Panics
    /// If the server is gone.
    pub async fn owner(&self) -> Client {
        connect(&self.cluster.config()).await
    }

    /// A connection of a service, to be lent.
    ///
    /// # Panics
    /// If the server is gone.
    pub async fn writer(&self) -> Client {
        connect(self.cluster.config().user(WRITER)).await
    }

    /// How its owner connects, to the server itself: where cancels are sent, too.
    ///
    /// # Panics
    /// Never.
    pub fn owner_connection(&self) -> ConnectionSettings {
        ConnectionSettings::resolve(Some(&self.owner_url()), &|_| None).expect("the URL is ours")
    }

    /// How a host connects.
    ///
    /// # Panics
    /// Never.
    pub fn connection(&self) -> ConnectionSettings {
        ConnectionSettings::resolve(Some(&self.url()), &|_| None).expect("the URL is ours")
    }

    /// The URL of that connection.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a host's connection to a database.
    pub(crate) fn url_of(&self, name: &str) -> String {
        let url = as_reader(&self.cluster.url(name));
        match &self.pgbouncer {
            Some(pgbouncer) => pgbouncer.url(&url),
            None => url,
        }
    }

    /// The URL of the superuser.
    pub fn owner_url(&self) -> String {
        self.cluster.url("postgres")
    }

    /// A database with the tables of the hiring data, a few rows, and nothing else; the URL of its superuser.
    ///
    /// # Panics
    /// If there is a database of that name.
    pub async fn bare(&self, name: &str) -> String {
        self.example(name, "hiring").await
    }

    /// The same with the tables of this example plugin.
    ///
    /// # Panics
    /// If there is a database of that name, or no data of that plugin.
    pub async fn example(&self, name: &str, plugin: &str) -> String {
        let url = self.create(name).await;
        let client = connect_to(&url).await;
        client.batch_execute("DROP SCHEMA public").await.expect("the schema is empty");
        load(&client, plugin, 0.001).await;
        url
    }

    /// A new database; the URL of its superuser.
    pub(crate) async fn create(&self, name: &str) -> String {
        self.cluster.create_database(name).await.unwrap_or_else(|error| panic!("{error}"));
        self.cluster.url(name)
    }

    /// A host with a configuration.
    ///
    /// # Panics
    /// If the configuration can't be used or the host does not start.
    pub async fn host(&self, config: &str) -> Host {
        let config =
            Config::parse(&configured(config), Path::new("")).unwrap_or_else(|error| panic!("{error}"));
        Host::start(&config, &self.connection()).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Does something to the database, as the superuser.
    ///
    /// # Panics
    /// If PostgreSQL refuses it.
    pub async fn execute(&self, sql: &str) {
        self.owner().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }

    /// The rows of hand-written SQL as PostgreSQL itself turns them into JSON.
    ///
    /// # Panics
    /// If PostgreSQL refuses it.
    pub async fn rows(&self, sql: &str) -> Vec<Value> {
        let client = self.owner().await;
        client.batch_execute("SET timezone = 'UTC'").await.expect("a time zone");
        let wrapped = format!("SELECT row_to_json(r)::text FROM ({sql}) AS r");
        let rows = client.query(&wrapped, &[]).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        rows.iter().map(|row| serde_json::from_str(row.get(0)).expect("JSON")).collect()
    }
}

/// The URL of the superuser, for the role that reads.
pub(crate) fn as_reader(url: &str) -> String {
    url.replacen("://postgres@", &format!("://{READER}@"), 1)
}

/// Makes the schema `public` and fills it with the data of an example plugin.
async fn load(client: &Client, plugin: &str, scale: f64) {
    let folder = root().join("example-plugins").join(plugin).join("data");
    let dataset = Dataset::read(&folder).unwrap_or_else(|error| panic!("{error}"));
    dataset.load(client, "public", scale, &mut |_| {}).await.unwrap_or_else(|error| panic!("{error}"));
}

impl Drop for Database {
    fn drop(&mut self) {
        // The cluster's keeper knows the first server only.
        if self.restarted.load(Ordering::Relaxed) {
            self.control(&["stop", "-m", "immediate"]);
        }
    }
}
