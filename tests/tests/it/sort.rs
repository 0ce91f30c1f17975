//! Lists that their callers sort and page, asked as browsers and programs do.

use std::net::SocketAddr;

use callslip_tests::database;
use serde_json::{Value, json};

use crate::client::{get, post};
use crate::http::server;
use crate::support::{assert_same_rows, call, config};

async fn sorted(address: SocketAddr, parameters: &str) -> Value {
    let found = get(address, &format!("/q/language/sorted?{parameters}")).await;
    assert_eq!(found.status, 200, "{parameters}: {}", found.json());
    found.json()
}

async fn by_hand(order_by: &str, limit: u32, offset: u32) -> Vec<Value> {
    let sql = format!(
        "SELECT id, title, closed_at FROM position ORDER BY {order_by} LIMIT {limit} OFFSET {offset}"
    );
    database().rows(&sql).await
}

#[tokio::test]
async fn a_caller_sorts_and_pages() {
    let address = server().await;
    let counts =
        "SELECT count(*) FILTER (WHERE closed_at IS NULL) AS open, count(closed_at) AS closed FROM position";
    let counts = &database().rows(counts).await[0];
    let of = |name: &str| counts[name].as_u64().unwrap() as u32;
    let (open, all) = (of("open"), of("open") + of("closed"));
    assert!(open > 0 && all > open + 6 && all <= 500, "{counts}");

    for (parameters, order_by, limit, offset) in [
        ("sort=-closed,title&page=2&page_size=3", "closed_at DESC NULLS LAST, lower(title), id", 3, 3),
        ("sort=title&page_size=100", "lower(title), id", 100, 0),
        ("sort=-title,-closed", "lower(title) DESC, closed_at DESC NULLS LAST, id", 20, 0),
        ("sort=title,closed&page=3&page_size=5", "lower(title), closed_at, id", 5, 10),
        ("sort=&page_size=7", "id", 7, 0),
        ("", "closed_at DESC NULLS LAST, id", 20, 0),
    ] {
        let expected = by_hand(order_by, limit, offset).await;
        assert_same_rows(parameters, &sorted(address, parameters).await, &expected);
    }
    // Nulls come last in both directions.
    let pages = all.div_ceil(100);
    for sort in ["closed", "-closed"] {
        let first = sorted(address, &format!("sort={sort}&page_size=1")).await;
        assert!(first[0]["closed_at"].is_string(), "{sort}: {first}");
        let last = sorted(address, &format!("sort={sort}&page_size=100&page={pages}")).await;
        assert!(last.as_array().unwrap().last().unwrap()["closed_at"].is_null(), "{sort}: {last}");
    }
    // The pages together are the whole list.
    let mut whole = Vec::new();
    for page in 1..=all.div_ceil(37) {
        let rows = sorted(address, &format!("sort=closed&page_size=37&page={page}")).await;
        whole.extend(rows.as_array().unwrap().iter().cloned());
    }
    assert_same_rows("pages", &whole.into(), &by_hand("closed_at, id", all, 0).await);
    assert_eq!(sorted(address, "page=1000000&page_size=100").await, json!([]));
}

#[tokio::test]
async fn json_has_the_keys_as_text_or_as_an_array() {
    let address = server().await;
    let expected = by_hand("closed_at DESC NULLS LAST, lower(title), id", 3, 3).await;
    for body in [
        r#"{"sort": "-closed,title", "page": 2, "page_size": 3}"#,
        r#"{"sort": ["-closed", "title"], "page": 2, "page_size": "3"}"#,
    ] {
        let found = post(address, "/q/language/sorted", "application/json", body).await;
        assert_eq!(found.status, 200, "{body}: {}", found.json());
        assert_same_rows(body, &found.json(), &expected);
    }
    let found =
        post(address, "/q/language/sorted", "application/json", r#"{"sort": [], "page_size": 5}"#).await;
    assert_same_rows("no keys", &found.json(), &by_hand("id", 5, 0).await);
}

#[tokio::test]
async fn what_is_no_order_and_no_page_is_refused_before_anything_runs() {
    let address = server().await;
    for (parameters, says) in [
        ("sort=-closd", "has a key 1 that is none of `title`, `closed`; did you mean `closed`?: `-closd`"),
        ("sort=title,id", "has a key 2 that is none of `title`, `closed`"),
        ("sort=title,", "has a key 2 that is none of `title`, `closed`"),
        ("sort=title,-title", "has a key 2 that repeats an earlier one: `title,-title`"),
        ("sort=title&sort=closed", "is given 2 times; write its keys in one, separated by commas"),
        ("sort=title%20desc", "has a key 1 that is none of"),
        ("sort=title;DROP%20TABLE%20position", "has a key 1 that is none of"),
        ("page=0", "is not from 1 to 1000000"),
        ("page=-1", "is not from 1 to 1000000"),
        ("page=1000001", "is not from 1 to 1000000"),
        ("page=9223372036854775808", "is not from"),
        ("page=1.5", "is not a whole number"),
        ("page_size=0", "is not from 1 to 100"),
        ("page_size=101", "is not from 1 to 100"),
    ] {
        let problem = get(address, &format!("/q/language/sorted?{parameters}")).await;
        let problem = problem.assert_problem(400, "CS1005").to_string();
        assert!(problem.contains(says), "{parameters}: {problem}");
    }
    let long = format!("/q/language/sorted?sort={}", "title,".repeat(5_000));
    get(address, &long).await.assert_problem(400, "CS1005");
    for body in
        [r#"{"sort": 1}"#, r#"{"sort": null}"#, r#"{"sort": ["title", 1]}"#, r#"{"sort": [["title"]]}"#]
    {
        post(address, "/q/language/sorted", "application/json", body).await.assert_problem(400, "CS1005");
    }
}

#[tokio::test]
async fn orders_that_were_not_proven_at_load_are_proven_on_first_use() {
    let text = format!("[limits]\nshapes = 5\n{}", config("language", "tests/guests/language"));
    let host = database().host(&text).await;
    let generation = host.generation();
    let (_, plugin) = generation.plugins().next().unwrap();
    let query = plugin.unwrap().query("sorted").unwrap();
    assert_eq!(query.total(), Some(13));
    let proven: Vec<_> =
        query.shapes().iter().map(|proven| proven.shape.parameters[0].value.as_str()).collect();
    assert_eq!(proven, ["", "title", "-title", "closed", "-closed"]);
    let found =
        call(&host, "language", "sorted", json!({"sort": "-title,closed", "page_size": 9})).await.unwrap();
    assert_same_rows("a new order", &found, &by_hand("lower(title) DESC, closed_at, id", 9, 0).await);
}
