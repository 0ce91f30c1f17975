//! What is there when it is over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use callslip_tests::{connect, database};
use tokio_postgres::{Client, Config};

use crate::{Chaos, HOST_CONNECTIONS, LONG, SERVICE_CONNECTIONS};

/// What a session has set, and holds.
async fn state(client: &Client) -> Vec<String> {
    let sql = "SELECT 'setting ' || name || ' = ' || setting FROM pg_catalog.pg_settings \
         UNION ALL SELECT 'advisory lock' FROM pg_catalog.pg_locks \
             WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() \
         UNION ALL SELECT 'cursor ' || name FROM pg_catalog.pg_cursors ORDER BY 1";
    client.query_typed(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

pub async fn assert_written(chaos: &Chaos) {
    let rows = database().owner().await.query("SELECT token FROM chaos.written", &[]).await.unwrap();
    let found: BTreeSet<i64> = rows.iter().map(|row| row.get(0)).collect();
    let (committed, undone) = &*chaos.tokens.lock().unwrap();
    println!("{} written, {} committed for sure, {} undone", found.len(), committed.len(), undone.len());
    assert!(!committed.is_empty() && !undone.is_empty());
    let lost: Vec<_> = committed.difference(&found).collect();
    assert!(lost.is_empty(), "committed, and not there: {lost:?}");
    let kept: Vec<_> = undone.intersection(&found).collect();
    assert!(kept.is_empty(), "rolled back, and there: {kept:?}");
}

/// Every connection of the service's works, and is as a new one.
pub async fn assert_clean_service(chaos: &Chaos, config: &Config) {
    let fresh = state(&connect(config).await).await;
    let all = futures_util::future::join_all((0..SERVICE_CONNECTIONS).map(|_| chaos.pool.get()));
    for client in tokio::time::timeout(LONG, all).await.expect("the service's pool is not full again") {
        let client = client.unwrap();
        let error = client.batch_execute("SAVEPOINT none").await.expect_err("a transaction is open");
        assert_eq!(error.code().map(|code| code.code()), Some("25P01"), "{error:?}");
        assert_eq!(state(&client).await, fresh);
        // Those of the loans and of the host, the service's own one, and what sets up a block.
        let sql = "SELECT s.statement FROM pg_catalog.pg_prepared_statements AS s ORDER BY 1";
        let prepared = client.query_typed(sql, &[]).await.unwrap();
        let texts: Vec<&str> = prepared.iter().map(|row| row.get(0)).collect();
        let mut different = texts.clone();
        different.dedup();
        assert!(texts.len() <= different.len() + 1, "{texts:#?}");
    }
}

/// The host's pool is full, nothing runs in it, and each of its connections works.
pub async fn assert_clean_host(chaos: &Chaos) {
    let pool = chaos.host.pool().unwrap();
    let start = Instant::now();
    while pool.status().available != pool.status().size {
        assert!(start.elapsed() < LONG, "{:?}", pool.status());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let all = futures_util::future::join_all((0..HOST_CONNECTIONS).map(|_| pool.loan()));
    let loans = tokio::time::timeout(LONG, all).await.expect("the host's pool is not full again");
    let mut states = Vec::new();
    for loan in loans {
        states.push(state(loan.unwrap().client()).await);
    }
    states.dedup();
    assert_eq!(states.len(), 1, "its sessions are not all the same");
    let sql = "SELECT query FROM pg_stat_activity WHERE state <> 'idle' AND usename IN ('chaos_service', 'callslip_reader')";
    let running = database().owner().await.query(sql, &[]).await.unwrap();
    let running: Vec<&str> = running.iter().map(|row| row.get(0)).collect();
    assert!(running.is_empty(), "{running:?}");
}
