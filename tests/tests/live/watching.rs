//! A host that notices by itself.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use callslip::{Standing, WatchSettings};

use crate::support::{LISTEN, Live, POLL, call, fragile, has_column, until, until_after};

#[tokio::test]
async fn a_notification_is_enough() {
    let live = Live::new("notified").await;
    let (fragile, of_fragile) = fragile();
    let host = live.host(&[("fragile", &fragile, of_fragile)]).await;
    let _watch = host.watch(LISTEN).unwrap();
    until("it listens", async || listeners(&live).await == 1).await;
    live.execute("ALTER TABLE live.fragile ADD COLUMN more int").await;
    until("the column is seen", async || has_column(&host, "live", "fragile", "more")).await;
    // What the login may not read is not there.
    live.execute("REVOKE SELECT ON live.fragile FROM callslip_reader").await;
    until("it is degraded", async || host.generation().standing("fragile") == Some(Standing::Refused)).await;
    live.execute("GRANT SELECT ON live.fragile TO callslip_reader").await;
    until("it is healthy", async || host.generation().standing("fragile") == Some(Standing::Served)).await;
    call(&host, "fragile", "names").await.unwrap();
}

#[tokio::test]
async fn polling_alone_notices() {
    let live = Live::new("polled").await;
    let (fragile, of_fragile) = fragile();
    let host = live.host(&[("fragile", &fragile, of_fragile)]).await;
    let watch = host.watch(POLL).unwrap();
    live.execute("ALTER TABLE live.fragile ADD COLUMN more int").await;
    until("the column is seen", async || has_column(&host, "live", "fragile", "more")).await;
    assert_eq!(listeners(&live).await, 0);

    // What is of no interest to plugins is looked at, and nothing else is done.
    let (generation, checked) = (host.generation().number(), host.catalog_status().checked_at);
    live.execute("CREATE TABLE live.unreadable (id int)").await;
    until("it is looked at", async || host.catalog_status().checked_at > checked).await;
    assert_eq!(host.generation().number(), generation);

    drop(watch);
    live.execute("ALTER TABLE live.fragile ADD COLUMN unseen int").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!has_column(&host, "live", "fragile", "unseen"), "a watch that was dropped still watches");
}

#[tokio::test]
async fn what_changes_while_nobody_listens_is_found() {
    let live = Live::new("deaf").await;
    let (fragile, of_fragile) = fragile();
    let host = live.host(&[("fragile", &fragile, of_fragile)]).await;
    let _watch = host.watch(LISTEN).unwrap();
    until("it listens", async || listeners(&live).await == 1).await;
    until("it has looked", async || host.catalog_status().checked_at > host.generation().reflected_at())
        .await;
    let generation = host.generation().number();
    // The change is there before anybody can listen again.
    live.execute(&format!("BEGIN; {KILL}; ALTER TABLE live.fragile RENAME COLUMN name TO title; COMMIT"))
        .await;
    until_after("the change is found", &host, generation).await;
    assert_eq!(host.generation().standing("fragile"), Some(Standing::Degraded));
    until("it listens again", async || listeners(&live).await == 1).await;
    live.execute("ALTER TABLE live.fragile RENAME COLUMN title TO name").await;
    until("it is healthy", async || host.generation().standing("fragile") == Some(Standing::Served)).await;
}

#[tokio::test]
async fn a_watch_ends_with_its_host() {
    let live = Live::new("gone").await;
    let host = live.host(&[]).await;
    let _watch = host.watch(WatchSettings::default()).unwrap();
    until("it listens", async || listeners(&live).await == 1).await;
    drop(host);
    until("nobody listens", async || listeners(&live).await == 0).await;
}

#[tokio::test]
async fn a_plugin_that_a_lock_kept_from_being_proven_is_tried_again() {
    let live = Live::new("locked").await;
    let (fragile, of_fragile) = fragile();
    let config = crate::support::config(&[("fragile", &fragile, of_fragile)]).replace("60000", "50");
    live.execute("BEGIN; LOCK TABLE live.fragile").await;
    let host = crate::support::start(&config, &live.connection()).await;
    assert_eq!(host.generation().standing("fragile"), Some(Standing::Refused));
    let _watch = host.watch(POLL).unwrap();
    live.execute("COMMIT").await;
    until("it is served", async || host.generation().standing("fragile") == Some(Standing::Served)).await;
}

#[tokio::test]
async fn a_listener_that_is_closed_each_time_makes_no_storm() {
    let live = Live::new("closed_each_time").await;
    let host = live.host(&[]).await;
    let _watch = host.watch(LISTEN).unwrap();
    let began = Instant::now();
    let mut closed = HashSet::new();
    let close = KILL.replacen("SELECT ", "SELECT pid, ", 1);
    while began.elapsed() < Duration::from_secs(3) {
        let found = live.owner.query(&close, &[]).await.unwrap();
        closed.extend(found.iter().map(|row| row.get::<_, i32>(0)));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // After 0.1 s, 0.2 s, 0.4 s and so on: never sooner, on a machine that is busy later.
    assert!((2..=7).contains(&closed.len()), "{closed:?}");
    assert!(host.catalog_status().failure.is_none());
}

const KILL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND query LIKE 'LISTEN%'";

/// The sessions that listen, and have said nothing since.
async fn listeners(live: &Live) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity \
               WHERE datname = current_database() AND state = 'idle' AND query LIKE 'LISTEN%'";
    live.owner.query_one(sql, &[]).await.unwrap().get(0)
}
