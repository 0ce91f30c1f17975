//! A database that changes tells those who listen, and looks different to those who look.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use std::time::Duration;

use callslip::Code;
use callslip::catalog::{CHANNEL, Fingerprint, INSTALL_NOTIFY, REMOVE_NOTIFY, fingerprint};
use callslip::cluster::Cluster;
use callslip::loan::{ConnectionSettings, Listener};
use callslip_tests::cluster;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

/// Longer than a notification takes, on a machine that is busy.
const LONG: Duration = Duration::from_secs(20);

struct Database {
    _cluster: Cluster,
    owner: Client,
    settings: ConnectionSettings,
}

async fn database() -> Database {
    let (cluster, owner) = cluster("").await;
    let settings = ConnectionSettings::resolve(Some(&cluster.url("postgres")), &|_| None).unwrap();
    Database { _cluster: cluster, owner, settings }
}

impl Database {
    async fn listener(&self) -> Listener {
        Listener::connect(&self.settings, CHANNEL).await.unwrap()
    }

    async fn execute(&self, sql: &str) {
        self.owner.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    async fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.owner).await.unwrap()
    }
}

/// Every kind of change that reflection or a grant can see.
const CHANGES: &[&str] = &[
    "CREATE SCHEMA shop",
    "CREATE TYPE shop.mood AS ENUM ('low')",
    "ALTER TYPE shop.mood ADD VALUE 'high'",
    "ALTER TYPE shop.mood RENAME VALUE 'low' TO 'flat'",
    "CREATE DOMAIN shop.email AS text",
    "ALTER DOMAIN shop.email ADD CONSTRAINT at CHECK (value LIKE '%@%')",
    "CREATE TABLE shop.person (id int PRIMARY KEY, name text)",
    "ALTER TABLE shop.person ADD COLUMN mail shop.email",
    "ALTER TABLE shop.person RENAME COLUMN mail TO email",
    "ALTER TABLE shop.person ALTER COLUMN name SET NOT NULL",
    "ALTER TABLE shop.person ALTER COLUMN name SET DEFAULT 'x'",
    "ALTER TABLE shop.person ALTER COLUMN name SET DEFAULT 'y'",
    "ALTER TABLE shop.person ALTER COLUMN id TYPE bigint",
    "ALTER TABLE shop.person ADD CONSTRAINT named CHECK (name <> '')",
    "CREATE TABLE shop.pet (id int, owner bigint)",
    "ALTER TABLE shop.pet ADD CONSTRAINT pet_owner_fkey FOREIGN KEY (owner) REFERENCES shop.person (id)",
    "CREATE UNIQUE INDEX pet_id ON shop.pet (id)",
    "DROP INDEX shop.pet_id",
    "COMMENT ON TABLE shop.pet IS 'four legs'",
    "COMMENT ON COLUMN shop.pet.id IS 'its number'",
    "COMMENT ON COLUMN shop.pet.id IS NULL",
    "CREATE VIEW shop.named AS SELECT id FROM shop.person",
    "CREATE OR REPLACE VIEW shop.named AS SELECT id FROM shop.person WHERE name <> 'x'",
    "ALTER VIEW shop.named SET (security_barrier = true)",
    "CREATE MATERIALIZED VIEW shop.kept AS SELECT id FROM shop.person",
    "CREATE FUNCTION shop.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION shop.one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
    "REVOKE EXECUTE ON FUNCTION shop.one() FROM PUBLIC",
    "CREATE FUNCTION shop.same(shop.mood, shop.mood) RETURNS bool LANGUAGE sql AS 'SELECT $1::text = $2::text'",
    "CREATE OPERATOR shop.=== (LEFTARG = shop.mood, RIGHTARG = shop.mood, FUNCTION = shop.same)",
    "CREATE CAST (shop.mood AS int) WITH INOUT",
    "CREATE COLLATION shop.plain FROM \"C\"",
    "ALTER TABLE shop.person ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON shop.person USING (id = 1)",
    "ALTER POLICY mine ON shop.person USING (id = 2)",
    "GRANT SELECT ON shop.pet TO reader",
    "GRANT SELECT (id) ON shop.person TO reader",
    "REVOKE SELECT ON shop.pet FROM reader",
    "GRANT USAGE ON SCHEMA shop TO reader",
    "CREATE TABLE shop.sale (id int, year int) PARTITION BY LIST (year)",
    "CREATE TABLE shop.sale_1 PARTITION OF shop.sale FOR VALUES IN (1)",
    "ALTER TABLE shop.sale DETACH PARTITION shop.sale_1",
    "ALTER TABLE shop.pet SET UNLOGGED",
    "ALTER TABLE shop.pet OWNER TO reader",
    "CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER far FOREIGN DATA WRAPPER elsewhere",
    "CREATE FOREIGN TABLE shop.away (id int) SERVER far",
    "ALTER TABLE shop.pet RENAME TO animal",
    "ALTER TABLE shop.animal SET SCHEMA public",
    "ALTER TABLE public.animal DROP COLUMN owner",
    "DROP TABLE public.animal",
    "DROP SCHEMA shop CASCADE",
];

/// What changes no schema, or only one that nobody else sees.
const NO_CHANGES: &[&str] = &[
    "INSERT INTO thing SELECT n FROM generate_series(1, 100) n",
    "UPDATE thing SET id = -id",
    "TRUNCATE thing",
    "ANALYZE thing",
    "VACUUM thing",
    "REINDEX TABLE thing",
    "CLUSTER thing",
    "REFRESH MATERIALIZED VIEW things",
    "CREATE TEMP TABLE mine (id int PRIMARY KEY, name text DEFAULT 'x')",
    "CREATE INDEX ON mine (name)",
    "ALTER TABLE mine ADD COLUMN more int",
    "DROP TABLE mine",
    "SELECT nextval('numbers')",
];

#[tokio::test]
async fn every_change_of_a_schema_changes_the_fingerprint_and_nothing_else_does() {
    let database = database().await;
    database.execute("CREATE ROLE reader").await;
    let mut before = database.fingerprint().await;
    for sql in CHANGES {
        database.execute(sql).await;
        let after = database.fingerprint().await;
        assert_ne!(before, after, "{sql}");
        before = after;
    }
    // What no event trigger tells of.
    for sql in [
        "CREATE ROLE team; GRANT team TO reader",
        "ALTER ROLE reader SET timezone = 'CET'",
        "ALTER ROLE postgres NOINHERIT",
    ] {
        database.execute(sql).await;
        let after = database.fingerprint().await;
        assert_ne!(before, after, "{sql}");
        before = after;
    }
    database.execute(THINGS).await;
    let before = database.fingerprint().await;
    for sql in NO_CHANGES {
        database.execute(sql).await;
        assert_eq!(database.fingerprint().await, before, "{sql}");
    }
    database.execute("BEGIN; ALTER TABLE thing ADD COLUMN gone int; ROLLBACK").await;
    assert_eq!(database.fingerprint().await, before, "rolled back");
}

const THINGS: &str =
    "CREATE TABLE thing (id int PRIMARY KEY); CLUSTER thing USING thing_pkey; CREATE MATERIALIZED VIEW things AS SELECT id FROM thing;
    CREATE SEQUENCE numbers";

#[tokio::test]
async fn every_change_of_a_schema_is_notified_and_nothing_else_is() {
    let database = database().await;
    database.execute("CREATE ROLE reader").await;
    database.execute(INSTALL_NOTIFY).await;
    // It replaces itself.
    database.execute(INSTALL_NOTIFY).await;
    let mut listener = database.listener().await;
    for sql in CHANGES {
        database.execute(sql).await;
        match timeout(LONG, listener.notified()).await {
            Ok(told) => told.unwrap(),
            Err(_) => panic!("not notified: {sql}"),
        }
    }
    database.execute(THINGS).await;
    drop(listener);
    // What others say on the channel is heard in its turn, after whatever came before it.
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let (client, mut connection) = database.settings.config().connect(NoTls).await.unwrap();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let tokio_postgres::AsyncMessage::Notification(its) = message {
                heard.send(its.payload().to_owned()).unwrap();
            }
        }
    });
    client.batch_execute(&format!("LISTEN {CHANNEL}")).await.unwrap();
    for sql in NO_CHANGES.iter().chain(&["BEGIN; ALTER TABLE thing ADD COLUMN gone int; ROLLBACK"]) {
        database.execute(sql).await;
        database.execute(&format!("NOTIFY {CHANNEL}, 'end'")).await;
        let told = timeout(LONG, hears.recv()).await.unwrap().unwrap();
        assert_eq!(told, "end", "{sql}");
    }

    database.execute(REMOVE_NOTIFY).await;
    database.execute("CREATE TABLE quiet (id int)").await;
    database.execute(&format!("NOTIFY {CHANNEL}, 'end'")).await;
    // Taking the triggers away is a change, which they tell of no more.
    let told = timeout(LONG, hears.recv()).await.unwrap().unwrap();
    assert_eq!(told, "end");
    let left = "SELECT count(*) FROM pg_namespace WHERE nspname = 'callslip'";
    assert_eq!(database.owner.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0);
}

/// Whoever owns the function of an event trigger has every superuser run what he writes into it.
#[tokio::test]
async fn what_is_installed_is_the_installers_whatever_was_there() {
    let database = database().await;
    database.execute("CREATE ROLE migrator; GRANT CREATE ON DATABASE postgres TO migrator").await;
    let bait = "SET ROLE migrator; CREATE SCHEMA callslip;
                CREATE FUNCTION callslip.catalog_changed() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; RESET ROLE";
    database.execute(bait).await;
    database.execute(INSTALL_NOTIFY).await;
    let owner = "SELECT proowner::regrole::text FROM pg_proc WHERE oid = 'callslip.catalog_changed'::regproc";
    assert_eq!(database.owner.query_one(owner, &[]).await.unwrap().get::<_, String>(0), "postgres");
    let overwritten =
        "SET ROLE migrator; CREATE OR REPLACE FUNCTION callslip.catalog_changed() RETURNS event_trigger
                       LANGUAGE plpgsql AS 'BEGIN END'";
    database.owner.batch_execute(overwritten).await.unwrap_err();
}

#[tokio::test]
async fn a_listener_that_was_cut_off_says_so_and_notifications_count_once() {
    let database = database().await;
    let mut listener = database.listener().await;
    for _ in 0..100 {
        database.execute(&format!("NOTIFY {CHANNEL}")).await;
    }
    // All have come when the session has answered.
    let pid: i32 = listener.client().query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    timeout(LONG, listener.notified()).await.unwrap().unwrap();
    assert!(timeout(Duration::from_millis(50), listener.notified()).await.is_err(), "a second one");

    database.execute(&format!("NOTIFY {CHANNEL}; SELECT pg_terminate_backend({pid})")).await;
    let error = loop {
        if let Err(error) = timeout(LONG, listener.notified()).await.unwrap() {
            break error;
        }
    };
    assert_eq!(error.code(), Code::DatabaseUnavailable);
    assert!(error.to_string().contains("terminating connection"), "{error}");
    // It stays so.
    listener.notified().await.unwrap_err();

    let nowhere = ConnectionSettings::resolve(Some("postgresql://u@/d?host=/nowhere"), &|_| None).unwrap();
    let Err(error) = Listener::connect(&nowhere, CHANNEL).await else { panic!("nobody listens there") };
    assert_eq!(error.code(), Code::DatabaseUnavailable);
}
