//! `/openapi.json` and `/docs` themselves.

use callslip_tests::{database, http};
use serde_json::Value;

use super::{hiring, plugin};
use crate::served::{Served, command};

#[tokio::test]
async fn the_document_is_asked_for_once_and_then_whether_it_is_the_same() {
    let served = hiring().await;
    let first = http::get(served.address(), "/openapi.json").await;
    assert_eq!((first.status, &first.json()["openapi"]), (200, &Value::from("3.1.1")));
    assert!(first.head.contains("content-type: application/json"), "{}", first.head);
    let etag = first.head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again = format!(
        "GET /openapi.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\nif-none-match: \"x\", W/{etag}\r\n\r\n"
    );
    let again = http::send(served.address(), again).await;
    assert_eq!((again.status, again.body.as_slice()), (304, &[][..]));
    assert!(again.head.contains(etag), "{}", again.head);
}

#[tokio::test]
async fn the_page_loads_what_is_here_and_nothing_else() {
    let served = hiring().await;
    let page = http::get(served.address(), "/docs").await;
    assert_eq!(page.status, 200);
    assert!(
        page.head.contains("content-security-policy: default-src 'none'; script-src 'self';"),
        "{}",
        page.head
    );
    let html = String::from_utf8(page.body).unwrap();
    let links = html.split(['"', '\'']).filter(|word| word.starts_with("docs/") || word.contains("//"));
    let links: Vec<&str> = links.collect();
    assert!(links.len() >= 4 && links.iter().all(|link| !link.contains("//")), "{links:?}");
    for link in links {
        let file = http::get(served.address(), &format!("/{link}")).await;
        assert!(file.status == 200 && file.whole && !file.body.is_empty(), "{link}: {}", file.head);
    }
    http::get(served.address(), "/docs/index.html").await.assert_problem(404, "CS1002");
}

#[tokio::test]
async fn a_service_may_have_neither() {
    let config = format!("service.docs = false\n{}", plugin("hiring"));
    let served = Served::start(&database().url(), &config, &[]);
    for path in ["/openapi.json", "/docs", "/docs/page.js"] {
        http::get(served.address(), path).await.assert_problem(404, "CS1002");
    }
}

#[tokio::test]
async fn the_command_prints_what_is_served() {
    let served = hiring().await;
    let document = http::get(served.address(), "/openapi.json").await.json();
    let command = || {
        let mut command = command();
        command.arg("openapi").arg("--config").arg(served.config());
        command
    };
    let printed = command().args(["--database-url", &database().url()]).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&printed.stdout).unwrap(), document);

    let file = served.folder().join("openapi.json");
    let snapshot = concat!(env!("CARGO_MANIFEST_DIR"), "/../example-plugins/hiring/schema.json");
    let written = command().args(["--snapshot", snapshot, "--out"]).arg(&file).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let offline: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(offline["paths"], document["paths"]);
}
