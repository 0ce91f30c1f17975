//! `host/examples/own_pool.rs`: a host without connections of its own.

use std::time::Duration;

use serde_json::json;

use crate::service::Service;

async fn buyer(name: &str) -> Service {
    Service::start(env!("CARGO_BIN_EXE_own-pool"), name, "SELECT").await
}

#[tokio::test]
async fn rows_come_typed_over_connections_of_the_service_alone() {
    let service = buyer("rows").await;
    let expected = json!([
        {"product": 6, "name": "Bistro table", "left_in_stock": 2, "pieces": 4},
        {"product": 3, "name": "Filing cabinet", "left_in_stock": 7, "pieces": 2},
    ]);
    for _ in 0..3 {
        let response = service.get("/purchases/7").await;
        assert_eq!((response.status, response.json()), (200, expected.clone()), "{}", service.log());
    }
    assert_eq!(service.get("/purchases/-1").await.json(), json!([]));
    // One after the other, these needed one connection, on which the host was started, too.
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'rows'";
    assert_eq!(service.number(sessions).await, 1);
}

#[tokio::test]
async fn a_migration_is_followed() {
    let service = buyer("migrated").await;
    assert_eq!(service.get("/purchases/2").await.status, 200);
    service.execute("ALTER TABLE product ALTER stock TYPE bigint").await;
    assert_eq!(service.get("/purchases/2").await.status, 503);
    let started = std::time::Instant::now();
    while service.get("/purchases/2").await.status != 200 {
        assert!(started.elapsed() < Duration::from_secs(60), "{}", service.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = service.log();
    assert!(log.contains("generation 2 is served"), "{log}");
}

#[tokio::test]
async fn a_service_whose_plugin_does_not_prove_says_why_and_does_not_start() {
    let refused = Service::try_start(env!("CARGO_BIN_EXE_own-pool"), "blind", "INSERT").await;
    let log = refused.err().expect("it can't read a table");
    assert!(log.contains("grants.relations names \"sales_order\", which this login can't use"), "{log}");
    assert!(log.contains("/src/shortages.rs:") && log.contains("there is no relation sales_order"), "{log}");
}
