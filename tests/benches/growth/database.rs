//! A private PostgreSQL, with the tables that plugins read.

use std::fs;

use callslip::cluster::{Cluster, ClusterOptions};
use callslip_tests::{connect, connect_to};

use crate::affinity::run_on;

/// The login of the servers: it can read, and nothing else.
const READER: &str = "reader";

pub struct Database(Cluster);

impl Database {
    /// Starts it.
    pub async fn start() -> Self {
        let options = ClusterOptions::default()
            .setting("shared_buffers", "256MB")
            // Of the many tables that one statement makes.
            .setting("max_locks_per_transaction", "1024")
            // What is measured is steady.
            .setting("autovacuum", "off");
        let cluster = Cluster::start(options).await.unwrap_or_else(|error| panic!("{error}"));
        let owner = connect(&cluster.config()).await;
        owner.batch_execute(&format!("CREATE ROLE {READER} LOGIN")).await.expect("a role");
        Self(cluster)
    }

    /// Makes a database of so many relations, of which one, `item`, has so many rows. Its URL, for a server.
    pub async fn create(&self, name: &str, relations: u32, rows: u32) -> String {
        self.0.create_database(name).await.unwrap_or_else(|error| panic!("{error}"));
        let owner = connect_to(&self.0.url(name)).await;
        let execute = async |sql: &str| {
            owner.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        };
        execute(&format!(
            "CREATE TABLE item AS
             SELECT id, 'The item with the number ' || id AS name, (id % 100000)::numeric / 100 AS price,
                    TIMESTAMPTZ '2025-01-01 00:00:00Z' + id * INTERVAL '1.5 s' AS made
             FROM generate_series(1, {rows}) AS id"
        ))
        .await;
        execute("ALTER TABLE item ADD PRIMARY KEY (id)").await;
        for from in (1..relations).step_by(500) {
            let to = (from + 499).min(relations - 1);
            execute(&format!(
                "DO $$ BEGIN FOR number IN {from}..{to} LOOP
                     EXECUTE format('CREATE TABLE other_%s (LIKE item INCLUDING ALL)', number);
                 END LOOP; END $$"
            ))
            .await;
        }
        execute(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")).await;
        execute("VACUUM ANALYZE").await;
        self.0.url(name).replacen("://postgres@", &format!("://{READER}@"), 1)
    }

    /// Has sessions that begin from now on run on these processors.
    pub fn run_on(&self, processors: &[usize]) {
        let file = self.0.folder().join("data/postmaster.pid");
        let text = fs::read_to_string(file).expect("it runs");
        let pid = text.lines().next().and_then(|line| line.trim().parse().ok());
        run_on(processors, pid.expect("the id of its process"));
    }
}
