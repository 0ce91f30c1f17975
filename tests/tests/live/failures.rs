//! Refreshes that fail: what was served is served on, and the host says so.

use std::time::Duration;

use callslip::{Code, WatchSettings};
use callslip_tests::Database;

use crate::support::{TABLES, call, config, fragile, has_column, start, until};

const WATCH: WatchSettings = WatchSettings { listen: true, poll: Duration::from_millis(100) };
const AWAY: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'callslip_reader'";

#[tokio::test]
async fn a_database_that_goes_away_takes_nothing_along() {
    let database = Database::new(&[]).await;
    database.execute(TABLES).await;
    let (fragile, of_fragile) = fragile();
    let host = start(&config(&[("fragile", &fragile, of_fragile)]), &database.connection()).await;
    let _watch = host.watch(WATCH).unwrap();
    until("it has looked", async || host.catalog_status().checked_at > host.generation().reflected_at())
        .await;
    let failure = async || host.catalog_status().failure.map(|failure| failure.error.code());

    database.stop();
    until("it says so", async || failure().await.is_some()).await;
    assert_eq!(failure().await, Some(Code::DatabaseUnavailable));
    let error = host.refresh().await.unwrap_err();
    assert_eq!(error.code(), Code::DatabaseUnavailable, "{error}");
    assert_eq!(host.generation().number(), 1);
    assert!(host.generation().plugin("fragile").unwrap().is_ok());
    database.restart();
    until("it recovers", async || failure().await.is_none()).await;
    assert_eq!(host.generation().number(), 1, "nothing has changed");
    call(&host, "fragile", "names").await.unwrap();

    // The login may not connect any more, and the database changes behind its back.
    database.execute(&format!("ALTER ROLE callslip_reader NOLOGIN; {AWAY}")).await;
    database.execute("ALTER TABLE live.fragile ADD COLUMN more int").await;
    until("it says so", async || failure().await.is_some()).await;
    assert!(!has_column(&host, "live", "fragile", "more"));
    database.execute("ALTER ROLE callslip_reader LOGIN").await;
    until("the column is seen", async || has_column(&host, "live", "fragile", "more")).await;
    until("it recovers", async || failure().await.is_none()).await;
}

#[tokio::test]
async fn a_database_that_fails_half_way_changes_nothing() {
    let database = Database::new(&[]).await;
    database.execute(TABLES).await;
    let (fragile, of_fragile) = fragile();
    let text = config(&[("fragile", &fragile, of_fragile)])
        .replace("lock_timeout_ms = 60000", "lock_timeout_ms = 100");
    let host = start(&text, &database.connection()).await;
    // The table is locked: the catalog can be read, and PostgreSQL can't describe the statements.
    let owner = database.owner().await;
    database.execute("CREATE TABLE live.other (id int); GRANT SELECT ON live.other TO callslip_reader").await;
    owner.batch_execute("BEGIN; LOCK TABLE live.fragile").await.unwrap();
    let error = host.refresh().await.unwrap_err();
    assert_eq!(error.code(), Code::StatementTimeout, "{error}");
    assert!(error.to_string().contains("fragile"), "{error}");
    assert_eq!((host.generation().number(), has_column(&host, "live", "other", "id")), (1, false));
    assert_eq!(
        host.catalog_status().failure.map(|failure| failure.error.code()),
        Some(Code::StatementTimeout)
    );
    owner.batch_execute("ROLLBACK").await.unwrap();
    let refreshed = host.refresh().await.unwrap();
    assert_eq!((refreshed.generation, refreshed.changed, refreshed.plugins), (2, true, Vec::new()));
    assert!(has_column(&host, "live", "other", "id") && host.catalog_status().failure.is_none());
    let refreshed = host.refresh().await.unwrap();
    assert_eq!((refreshed.generation, refreshed.changed), (2, false));
}
