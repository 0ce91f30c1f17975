//! The example plugin: each query, in each of its shapes, gives the rows of hand-written SQL on the same data.

use callslip::Host;
use callslip_tests::database;
use serde_json::{Value, json};

use crate::support::{assert_same_rows, call, config};

async fn hiring() -> Host {
    database().host(&config("hiring", "example-plugins/hiring")).await
}

async fn rows(host: &Host, query: &str, parameters: &Value) -> Value {
    let found = call(host, "hiring", query, parameters.clone()).await;
    found.unwrap_or_else(|error| panic!("{query} {parameters}: {}", error.log_message()))
}

/// How many shapes of a query were proven, so that a test that goes through all of them notices a new one.
fn shapes(host: &Host, query: &str) -> usize {
    let (_, plugin) = host.plugins().next().expect("one plugin");
    let plugin = plugin.unwrap_or_else(|refusal| panic!("{refusal}"));
    let query = plugin.query(query).expect("there is such a query");
    assert!(query.is_complete() && !query.is_open());
    query.shapes().len()
}

#[tokio::test]
async fn funnel() {
    let host = hiring().await;
    let mut tried = 0;
    for open in [true, false] {
        for since in [None, Some("2024-09-01T00:00:00Z")] {
            tried += 1;
            let mut parameters = json!({"company": 1, "open": open});
            if let Some(since) = since {
                parameters["since"] = since.into();
            }
            let open = if open { "AND p.closed_at IS NULL" } else { "" };
            let since = since.map(|since| format!("AND i.created_at >= '{since}'")).unwrap_or_default();
            let expected = format!(
                "SELECT p.id, p.title, count(i.id) AS started, count(i.id) FILTER (WHERE i.status = 'completed') AS completed
                 FROM position p LEFT JOIN interview i ON i.position_id = p.id
                 WHERE p.company_id = 1 {open} {since} GROUP BY p.id ORDER BY p.title LIMIT 50"
            );
            let found = rows(&host, "funnel", &parameters).await;
            // The query leaves the order of positions with one title to PostgreSQL.
            let in_order = |mut rows: Vec<Value>| {
                rows.sort_by_key(|row| (row["title"].to_string(), row["id"].as_i64()));
                rows
            };
            let found = Value::from(in_order(found.as_array().unwrap().clone()));
            assert_same_rows("funnel", &found, &in_order(database().rows(&expected).await));
        }
    }
    assert_eq!(shapes(&host, "funnel"), tried);
}

#[tokio::test]
async fn contested() {
    let host = hiring().await;
    let mut tried = 0;
    for since in [None, Some("2024-06-01T00:00:00Z")] {
        tried += 1;
        let mut parameters = json!({"company": 1, "low": "2.5", "high": 3.5, "limit": 100});
        if let Some(since) = since {
            parameters["since"] = since.into();
        }
        let since = since.map(|since| format!("AND i.created_at >= '{since}'")).unwrap_or_default();
        let expected = format!(
            "SELECT i.id AS interview, p.title, low.reviewer_id AS reviewer, low.score AS rated,
                    count(DISTINCT high.reviewer_id) AS others, avg(high.score) AS others_average
             FROM interview i
                  JOIN position p ON p.id = i.position_id
                  JOIN rating low ON low.interview_id = i.id AND low.answer_id IS NULL
                  JOIN rating high ON high.interview_id = i.id AND high.answer_id IS NULL
                                      AND high.reviewer_id <> low.reviewer_id
             WHERE p.company_id = 1 AND low.score <= 2.5 AND high.score >= 3.5 {since}
             GROUP BY i.id, p.id, low.id, low.reviewer_id, low.score ORDER BY others DESC, i.id, low.id LIMIT 100"
        );
        let found = rows(&host, "contested", &parameters).await;
        assert_same_rows("contested", &found, &database().rows(&expected).await);
    }
    assert_eq!(shapes(&host, "contested"), tried);
}

#[tokio::test]
async fn finalists() {
    let host = hiring().await;
    let found = rows(&host, "finalists", &json!({"company": 1})).await;
    let expected = "WITH ranked AS (
                 SELECT p.id AS position_id, p.title, i.candidate_id, avg(r.score) AS average, count(r.id) AS ratings,
                        row_number() OVER (PARTITION BY p.id
                                           ORDER BY avg(r.score) DESC, count(r.id) DESC, i.candidate_id) AS place
                 FROM position p JOIN interview i ON i.position_id = p.id JOIN rating r ON r.interview_id = i.id
                 WHERE p.company_id = 1 GROUP BY p.id, i.candidate_id)
             SELECT k.position_id, k.title, k.place, k.candidate_id, c.name, round(k.average, 2) AS average, k.ratings
             FROM ranked k JOIN candidate c ON c.id = k.candidate_id
             WHERE k.place <= 3 ORDER BY k.position_id, k.place";
    assert_same_rows("finalists", &found, &database().rows(expected).await);
    assert_eq!(shapes(&host, "finalists"), 1);
}

#[tokio::test]
async fn overview() {
    let host = hiring().await;
    let found = rows(&host, "overview", &json!({"company": 1})).await;
    let positions =
        "SELECT CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END AS status, count(*) AS positions,
                            count(*) FILTER (WHERE remote) AS remote
                     FROM position WHERE company_id = 1 GROUP BY 1 ORDER BY 1";
    assert_same_rows("positions", &found["positions"], &database().rows(positions).await);
    let totals =
        "SELECT c.name, c.plan, (SELECT count(*) FROM position p WHERE p.company_id = c.id) AS positions,
                         (SELECT count(*) FROM reviewer r WHERE r.company_id = c.id) AS reviewers
                  FROM company c WHERE c.id = 1";
    assert_eq!(found["totals"], database().rows(totals).await[0]);
    assert_eq!(
        rows(&host, "overview", &json!({"company": 0})).await,
        json!({"positions": [], "totals": null})
    );
    assert_eq!(shapes(&host, "overview"), 1);
}
