use std::net::SocketAddr;
use std::time::{Duration, Instant};

use callslip_tests::{Database, http, language_and_slow};
use serde_json::json;

use super::Seen;
use crate::served::{SOON, Served};

/// Waits until it is as ready as this.
async fn until(address: SocketAddr, status: u16) -> http::Response {
    let began = Instant::now();
    loop {
        let answer = http::get(address, "/readyz").await;
        if answer.status == status {
            return answer;
        }
        assert!(began.elapsed() < SOON, "{}", answer.json());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_for_as_long_as_its_database_can_be_used() {
    let database = Database::new(&[]).await;
    let served = Served::start(&database.url(), &language_and_slow(""), &[]);
    let address = served.address();
    assert_eq!(until(address, 200).await.json(), json!({ "status": "ready" }));
    database.stop();
    let away = until(address, 503).await;
    let problem = away.assert_problem(503, "CS1115");
    assert!(away.head.contains("retry-after: "), "{}", away.head);
    assert!(!problem.to_string().contains("postgres"), "where it is, is nobody's business: {problem}");
    assert_eq!(http::get(address, "/healthz").await.json(), json!({ "status": "ok" }), "it lives");
    database.restart();
    until(address, 200).await;
    assert_eq!(http::get(address, "/q/language/position?id=1").await.status, 200);
}

#[tokio::test]
async fn to_have_all_connections_at_work_is_no_reason_not_to_be_ready() {
    let seen = Seen::start(&language_and_slow("[pool]\nsize = 1")).await;
    let loan = seen.host.pool().unwrap().loan().await.unwrap();
    assert_eq!(http::get(seen.public, "/readyz").await.status, 200);
    drop(loan);
}

#[tokio::test]
async fn what_is_about_to_stop_is_not_ready_and_answers_all_the_same() {
    let seen = Seen::start(&language_and_slow("")).await;
    assert_eq!(http::get(seen.public, "/readyz").await.status, 200);
    seen.service.announce_stop();
    for address in [seen.public, seen.admin] {
        http::get(address, "/readyz").await.assert_problem(503, "CS1115");
    }
    assert_eq!(http::get(seen.public, "/q/language/position?id=1").await.status, 200);
}
