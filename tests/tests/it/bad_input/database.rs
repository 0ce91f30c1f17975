//! A database that is down, slow, full, or changes under the host. While it is, requests are told so; as soon as it
//! is not, they have their replies, and nobody has to start anything again.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use callslip::service::ServiceLimits;
use callslip::{Code, Config, Host, StartError};
use callslip_tests::{Database, configured, is_left_out};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{assert_serving, assert_told};
use crate::client::{get, serve};
use crate::support::config;

const POOL: &str = "[pool]\nsize = 2\nwait_ms = 200\nstatement_timeout_ms = 1000\nlock_timeout_ms = 400\n";

/// What `rating` is while it is slow: a view of the same columns, which sleeps.
const SLOW: &str = "ALTER TABLE rating RENAME TO rated;
     CREATE VIEW rating AS SELECT rated.* FROM rated, (SELECT pg_sleep(30)) AS asleep;
     GRANT SELECT ON rating TO callslip_reader";

const UNREACHABLE: &str = "the database can't be reached; try again later";
const CHANGED: &str = "it does not prove against the database as it is now";

/// Another query, of another table, which must not notice.
const OTHER: &str = "/q/language/lists?countries=IE&years=1";

/// Waits for a status. A connection whose backend has just ended may not have told the pool yet, and what was mended is looked at
/// once a second.
async fn wait_for(row: &str, address: SocketAddr, path: &str, status: u16) {
    let started = Instant::now();
    loop {
        let found = get(address, path).await;
        if found.status == status {
            return;
        }
        let shown = String::from_utf8_lossy(&found.body);
        assert!(started.elapsed() < Duration::from_secs(10), "{row}: {path} has {}: {shown}", found.status);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn it_changes_and_slows_down() {
    let database = Database::new(&[]).await;
    // It depends on columns that are to change.
    database.execute("DROP VIEW interview_card").await;
    let host = database.host(&(POOL.to_owned() + &config("language", "tests/guests/language"))).await;
    let address = serve(host.clone(), ServiceLimits::default()).await;
    let position = "/q/language/position?id=1";
    for (row, becomes, path, status, code, says, mended) in [
        (
            "a column is dropped",
            "ALTER TABLE position RENAME COLUMN title TO heading",
            position,
            503,
            "CS1205",
            CHANGED,
            "ALTER TABLE position RENAME COLUMN heading TO title",
        ),
        (
            "a table is dropped",
            "ALTER TABLE position RENAME TO positions",
            position,
            503,
            "CS1205",
            CHANGED,
            "ALTER TABLE positions RENAME TO position",
        ),
        (
            "a schema is dropped",
            "ALTER SCHEMA public RENAME TO private; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO callslip_reader;
             CREATE TABLE public.candidate (LIKE private.candidate); GRANT SELECT ON public.candidate TO callslip_reader",
            position,
            503,
            "CS1205",
            CHANGED,
            "DROP SCHEMA public CASCADE; ALTER SCHEMA private RENAME TO public",
        ),
        (
            "the login may not read it any more",
            "REVOKE SELECT ON position FROM callslip_reader",
            position,
            503,
            "CS1205",
            CHANGED,
            "GRANT SELECT ON position TO callslip_reader",
        ),
        (
            "a column of a query that is proven at each new call",
            "ALTER TABLE position RENAME COLUMN title TO heading",
            "/q/language/search?words=never+said+before",
            503,
            "CS1205",
            "the plugin describes a statement that can't be run",
            "ALTER TABLE position RENAME COLUMN heading TO title",
        ),
        (
            "a table is locked",
            "BEGIN; LOCK TABLE position",
            position,
            504,
            "CS1104",
            "a lock was not free in time (pool.lock_timeout_ms); try again later",
            "ROLLBACK",
        ),
        (
            "a table is locked when a statement is proven",
            "BEGIN; LOCK TABLE position",
            "/q/language/search?words=nor+this",
            504,
            "CS1104",
            "a lock was not free in time (pool.lock_timeout_ms); try again later",
            "ROLLBACK",
        ),
        (
            "a view sleeps",
            SLOW,
            "/q/language/ratings",
            504,
            "CS1104",
            "it took too long (pool.statement_timeout_ms); ask for less",
            "DROP VIEW rating; ALTER TABLE rated RENAME TO rating",
        ),
    ] {
        let owner = database.owner().await;
        owner.batch_execute(becomes).await.unwrap_or_else(|error| panic!("{row}: {error:?}"));
        for _ in 0..3 {
            assert_told(row, &get(address, path).await, status, code, says);
            assert_eq!(get(address, OTHER).await.status, 200, "{row}: another query");
        }
        owner.batch_execute(mended).await.unwrap_or_else(|error| panic!("{row}: {error:?}"));
        wait_for(row, address, path, 200).await;
        assert_serving(row, address).await;
    }

    // The host's own pool is full: both of its connections wait for a lock.
    let owner = database.owner().await;
    owner.batch_execute("BEGIN; LOCK TABLE rating").await.unwrap();
    let waiting: Vec<_> = (0..2).map(|_| tokio::spawn(get(address, "/q/language/ratings"))).collect();
    while host.pool().unwrap().status().available > 0 || host.pool().unwrap().status().size < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let told = get(address, position).await;
    assert_told(
        "the pool is full",
        &told,
        503,
        "CS1102",
        "no connection became free in time; try again later",
    );
    for request in waiting {
        assert_told("locked", &request.await.unwrap(), 504, "CS1104", "pool.lock_timeout_ms");
    }
    owner.batch_execute("ROLLBACK").await.unwrap();
    assert_serving("a full pool", address).await;
}

#[tokio::test]
async fn it_refuses_sessions() {
    if is_left_out("it is the pooler that is refused a session, and keeps its callers waiting for that") {
        return;
    }
    let database = Database::new(&[("max_connections", "15"), ("superuser_reserved_connections", "3")]).await;
    let host = start(&database, "").await.unwrap();
    let address = serve(host, ServiceLimits::default()).await;
    let position = "/q/language/position?id=1";
    let away = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'callslip_reader'";
    for (row, becomes, mended) in [
        ("the login has gone", "ALTER ROLE callslip_reader NOLOGIN", "ALTER ROLE callslip_reader LOGIN"),
        (
            "the login has no connection left",
            "ALTER ROLE callslip_reader CONNECTION LIMIT 0",
            "ALTER ROLE callslip_reader CONNECTION LIMIT -1",
        ),
    ] {
        database.execute(becomes).await;
        database.execute(away).await;
        wait_for(row, address, position, 503).await;
        let told = get(address, position).await;
        assert_told(row, &told, 503, "CS1101", UNREACHABLE);
        assert!(
            !String::from_utf8_lossy(&told.body).contains("callslip_reader"),
            "who logs in is for the log"
        );
        let error = start(&database, "").await.err().expect("a host without a database");
        assert_eq!(error.code(), Code::DatabaseUnavailable, "{row}: {error}");
        database.execute(mended).await;
        assert_serving(row, address).await;
    }

    // The server itself is full.
    let owner = database.owner().await;
    owner.batch_execute(away).await.unwrap();
    let mut others = Vec::new();
    while let Ok((client, connection)) = database.connection().config().connect(tokio_postgres::NoTls).await {
        tokio::spawn(connection);
        others.push(client);
    }
    wait_for("full", address, position, 503).await;
    assert_told("full", &get(address, position).await, 503, "CS1101", UNREACHABLE);
    drop(others);
    wait_for("not full", address, position, 200).await;
}

/// A host that has the plugin of the language tests, and what else is said.
async fn start(database: &Database, more: &str) -> Result<Host, StartError> {
    let text = POOL.to_owned() + &config("language", "tests/guests/language") + more;
    Host::start(&Config::parse(&configured(&text), Path::new("")).unwrap(), &database.connection()).await
}

#[tokio::test]
async fn it_goes_away_and_comes_back() {
    let database = Database::new(&[]).await;
    let host = start(&database, "").await.unwrap();
    let address = serve(host.clone(), ServiceLimits::default()).await;
    assert_serving("the start", address).await;

    // One reply is under way, and nobody can take it for whole.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = "GET /q/language/everything_rated HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(asked.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 100]).await.unwrap();
    database.stop();
    let mut bytes = Vec::new();
    _ = stream.read_to_end(&mut bytes).await;
    assert!(!bytes.ends_with(b"0\r\n\r\n"), "a broken reply looks whole");

    for _ in 0..3 {
        let told = get(address, "/q/language/position?id=1").await;
        assert_told("down", &told, 503, "CS1101", UNREACHABLE);
    }
    assert_eq!(get(address, "/healthz").await.status, 200, "the process lives");
    let told = get(address, "/q/language/position?id=x").await;
    assert_told("what needs no database", &told, 400, "CS1005", "`id` is not a whole number");
    let error = start(&database, "").await.err().expect("a host without a database");
    assert_eq!(error.code(), Code::DatabaseUnavailable, "{error}");

    database.restart();
    assert_serving("it came back", address).await;
    for _ in 0..4 {
        assert_eq!(get(address, "/q/language/position?id=1").await.status, 200);
    }

    // It goes while plugins are proven: that is no fault of theirs, which would be theirs for ever. Nothing but a proof needs
    // this table.
    let mut owner = database.owner().await;
    let lock = owner.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE question IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let hiring = config("hiring", "example-plugins/hiring");
    let session_goes = async {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE application_name = 'callslip' AND wait_event_type = 'Lock'";
        // Within a transaction the activity would always be that of its first look.
        let client = database.owner().await;
        while client.query(kill, &[]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let together = async { tokio::join!(start(&database, &hiring), session_goes) };
    let (started, ()) =
        tokio::time::timeout(Duration::from_secs(60), together).await.expect("it waits for a lock");
    let error = started.err().expect("a host whose plugins could not be proven");
    assert_eq!(error.code(), Code::DatabaseUnavailable, "{error}");
}
