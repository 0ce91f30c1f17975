//! The database that is attacked, and those who look at it.

use std::collections::BTreeSet;

use callslip_tests::{Database, connect};
use tokio_postgres::{Client, SimpleQueryMessage};

/// A server of the suite's own.
pub struct Ground {
    database: Database,
    /// The session that looks whether anything is harmed.
    pub owner: Client,
    /// The extensions of PostgreSQL's own that are there.
    pub extensions: BTreeSet<String>,
}

/// What rows need that not every server has.
const EXTENSIONS: [&str; 8] =
    ["dblink", "postgres_fdw", "tablefunc", "xml2", "pg_prewarm", "adminpack", "pgrowlocks", "pageinspect"];

impl Ground {
    /// # Panics
    /// If there is no PostgreSQL.
    pub async fn new() -> &'static Self {
        // Nothing but the attacks and their twins takes an id of a transaction.
        let settings = [("wal_level", "logical"), ("autovacuum", "off"), ("max_connections", "100")];
        let database = Database::new(&settings).await;
        let owner = database.owner().await;
        owner.batch_execute(include_str!("ground.sql")).await.unwrap_or_else(|error| panic!("{error:?}"));
        let mut extensions = BTreeSet::new();
        for extension in EXTENSIONS {
            if owner.batch_execute(&format!("CREATE EXTENSION {extension} SCHEMA public")).await.is_ok()
                || owner.batch_execute(&format!("CREATE EXTENSION {extension}")).await.is_ok()
            {
                extensions.insert(extension.to_owned());
            }
        }
        let ground = Self { database, owner, extensions };
        ground.look("SELECT pg_create_logical_replication_slot('seen', 'pgoutput')").await;
        let granted = "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public, pg_catalog TO callslip_reader";
        ground.owner.batch_execute(granted).await.unwrap();
        if ground.extensions.contains("postgres_fdw") {
            let remote = ground.in_its_place(include_str!("remote.sql"));
            ground.owner.batch_execute(&remote).await.unwrap_or_else(|error| panic!("{error:?}"));
        }
        // The attacks run as long as the process does, and the server ends with it.
        Box::leak(Box::new(ground))
    }

    /// SQL with the folder of the server's socket where it says `{socket}`.
    pub fn in_its_place(&self, sql: &str) -> String {
        let settings = self.database.owner_connection();
        let socket = settings.config().get_hosts().iter().find_map(|host| match host {
            tokio_postgres::config::Host::Unix(folder) => Some(folder.display().to_string()),
            tokio_postgres::config::Host::Tcp(_) => None,
        });
        sql.replace("{socket}", &socket.expect("a socket"))
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// A session of the host's own login, without a host.
    pub async fn bare(&self) -> Client {
        connect(self.database.connection().config()).await
    }

    /// A session of another login.
    pub async fn session_of(&self, role: &str) -> Client {
        connect(self.database.owner_connection().config().clone().user(role)).await
    }

    /// What a look at the database gives, as one text.
    pub async fn look(&self, sql: &str) -> String {
        rows(&self.owner, sql).await.unwrap_or_else(|error| panic!("{error:?}: {sql}")).join("; ")
    }
}

/// What a session gives to SQL that it sends as it is: its rows, with a comma between their columns.
pub async fn rows(client: &Client, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let told = client.simple_query(sql).await?;
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => {
            let columns = (0..row.len()).map(|at| row.get(at).unwrap_or("null"));
            Some(columns.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    };
    Ok(told.into_iter().filter_map(row).collect())
}
