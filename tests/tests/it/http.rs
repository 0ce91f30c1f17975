//! The server, asked over a socket as any client would.

use std::net::SocketAddr;

use callslip::Host;
use callslip::service::ServiceLimits;
use callslip_tests::database;
use serde_json::json;

use crate::client::{get, post, send, serve, serve_operators};
use crate::support::{assert_same_rows, config};

pub async fn server() -> SocketAddr {
    serve(host().await, ServiceLimits::default()).await
}

async fn host() -> Host {
    let text = config("language", "tests/guests/language") + &config("hiring", "example-plugins/hiring");
    let missing = "\n[plugins.gone]\ncomponent = \"/no/such/file.wasm\"\n";
    database().host(&(text + missing)).await
}

#[tokio::test]
async fn a_query_is_answered_to_get_and_to_post() {
    let address = server().await;
    let expected =
        database().rows("SELECT DISTINCT location FROM position ORDER BY location NULLS FIRST LIMIT 3").await;
    let found = get(address, "/q/language/slices?limit=3&nulls_first=true").await;
    assert_eq!(found.status, 200, "{}", found.head);
    assert!(found.head.contains("content-type: application/json"), "{}", found.head);
    assert_same_rows("get", &found.json(), &expected);
    let found = post(
        address,
        "/q/language/slices",
        "application/json; charset=utf-8",
        r#"{"limit": 3, "nulls_first": true}"#,
    )
    .await;
    assert_same_rows("post", &found.json(), &expected);
    let found = get(address, "/q/language/search?words=senior+engineer%20").await;
    assert_eq!(found.status, 200);
}

#[tokio::test]
async fn a_claim_that_a_row_filter_lacks_is_named_in_a_header() {
    let filters = "[filters]\nposition = \"company_id = claim('company')\"";
    let host = database().host(&(config("language", "tests/guests/language") + filters)).await;
    let address = serve(host, ServiceLimits::default()).await;
    for (path, status) in
        [("/q/language/slices?limit=3&nulls_first=true", 200), ("/q/language/position?id=1", 404)]
    {
        let found = get(address, path).await;
        assert_eq!(found.status, status, "{}", found.head);
        assert!(found.head.contains("callslip-absent-claims: company\r\n"), "{}", found.head);
    }
    let unfiltered = get(server().await, "/q/language/position?id=1").await;
    assert!(!unfiltered.head.contains("callslip-absent-claims"), "{}", unfiltered.head);
}

#[tokio::test]
async fn several_statements_are_an_object_and_one_row_is_an_object_or_404() {
    let address = server().await;
    let found = get(address, "/q/hiring/overview?company=1").await;
    assert_eq!(found.status, 200, "{}", String::from_utf8_lossy(&found.body));
    let found = found.json();
    assert!(found.as_object().is_some_and(|named| named.len() > 1), "{found}");

    let found = get(address, "/q/language/position?id=1").await;
    assert_eq!(found.status, 200);
    assert_eq!(found.json()["id"], 1);
    let found = get(address, "/q/language/position?id=2000000000").await;
    found.assert_problem(404, "CS1010");
}

#[tokio::test]
async fn a_reply_that_fails_half_way_does_not_look_whole() {
    let address = server().await;
    let found = get(address, "/q/language/breaking").await;
    assert_eq!(found.status, 200, "rows were sent before it failed");
    assert!(found.body.len() > 1000 && !found.whole, "{} bytes, whole: {}", found.body.len(), found.whole);
    // A client of HTTP/1.0 could not tell, so it gets nothing but the error.
    let found = send(address, "GET /q/language/breaking HTTP/1.0\r\n\r\n").await;
    let problem = found.assert_problem(500, "CS1103");
    assert_eq!(problem["sqlstate"], "22012");
    assert!(!problem.to_string().contains("division"), "PostgreSQL's words are for the log: {problem}");
    assert_eq!(get(address, "/q/language/position?id=1").await.status, 200);
}

#[tokio::test]
async fn health_names_what_is_served_and_what_is_refused() {
    let host = host().await;
    let found = get(serve_operators(host.clone()).await, "/admin/health").await;
    assert_eq!(found.status, 200);
    let found = found.json();
    assert_eq!(found["plugins"], json!({"gone": "refused", "hiring": "served", "language": "served"}));
    assert_eq!((&found["status"], &found["waiting"]), (&json!("ok"), &json!({})));
    let catalog = &found["databases"]["default"];
    assert_eq!((&catalog["generation"], &catalog["failure"]), (&json!(1), &json!(null)));
    let checked = catalog["checked_at"].as_str().unwrap();
    assert!(checked.len() == "2026-11-23T12:00:00Z".len() && checked.ends_with('Z'), "{checked}");
    // Whoever can reach the public address is told no names.
    let found = get(serve(host, ServiceLimits::default()).await, "/healthz").await;
    assert_eq!((found.status, found.json()), (200, json!({ "status": "ok" })));
}
