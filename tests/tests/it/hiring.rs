//! The example plugin: each query, in each of its shapes, gives the rows of hand-written SQL on the same data.

use callslip::Host;
use callslip_tests::database;
use serde_json::{Value, json};

use crate::support::{assert_same_rows, call, config, object, read};

async fn hiring() -> Host {
    database().host(&config("hiring", "example-plugins/hiring")).await
}

async fn rows(host: &Host, query: &str, parameters: &Value) -> Value {
    let found = call(host, "hiring", query, parameters.clone()).await;
    found.unwrap_or_else(|error| panic!("{query} {parameters}: {}", error.log_message()))
}

/// How many shapes of a query were proven, so that a test that goes through all of them notices a new one.
fn shapes(host: &Host, query: &str) -> usize {
    let generation = host.generation();
    let (_, plugin) = generation.plugins().next().expect("one plugin");
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

/// Calls a query with claims.
async fn claimed(host: &Host, query: &str, parameters: &Value, claims: &Value) -> Value {
    let mut call = host.call("hiring", query);
    for (name, value) in object(parameters.clone()) {
        call = call.param(name, value);
    }
    for (name, value) in object(claims.clone()) {
        call = call.claim(name, value);
    }
    read(call).await.unwrap_or_else(|error| panic!("{query} {parameters}: {}", error.log_message()))
}

#[tokio::test]
async fn interviews() {
    let host = hiring().await;
    let mut tried = 0;
    for admin in [true, false] {
        for at_least in [None, Some("4")] {
            tried += 1;
            let mut parameters = json!({"company": 1, "limit": 200});
            if let Some(at_least) = at_least {
                parameters["at_least"] = at_least.into();
            }
            // One rating is both the caller's own and high.
            let mut wanted = vec!["r.interview_id = i.id AND r.answer_id IS NULL".to_owned()];
            wanted.extend(at_least.map(|at_least| format!("r.score >= {at_least}")));
            wanted.extend((!admin).then(|| "r.reviewer_id = 3".to_owned()));
            let rated = match wanted.len() {
                1 => String::new(),
                _ => format!("AND EXISTS (SELECT FROM rating r WHERE {})", wanted.join(" AND ")),
            };
            let expected = format!(
                "SELECT i.id, p.title, i.completed_at FROM interview i JOIN position p ON p.id = i.position_id
                 WHERE p.company_id = 1 {rated} ORDER BY i.completed_at DESC NULLS LAST, i.id LIMIT 200"
            );
            let found = claimed(&host, "interviews", &parameters, &json!({"user": 3, "admin": admin})).await;
            assert_same_rows("interviews", &found, &database().rows(&expected).await);
        }
    }
    assert_eq!(shapes(&host, "interviews"), tried);
}

/// The seed's reason for the shared join: with one each, the two conditions would be about two ratings.
#[tokio::test]
async fn the_filter_and_the_permission_are_about_the_same_rating() {
    let host = hiring().await;
    let claims = json!({"user": 3, "admin": false});
    let ids = |rows: &Value| -> Vec<i64> {
        rows.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    let high = ids(&claimed(
        &host,
        "interviews",
        &json!({"company": 1, "at_least": 4, "limit": 500}),
        &claims,
    )
    .await);
    let two_joins = database()
        .rows(
            "SELECT DISTINCT i.id FROM interview i JOIN position p ON p.id = i.position_id
                  JOIN rating mine ON mine.interview_id = i.id AND mine.answer_id IS NULL
                  JOIN rating good ON good.interview_id = i.id AND good.answer_id IS NULL
             WHERE p.company_id = 1 AND mine.reviewer_id = 3 AND good.score >= 4",
        )
        .await;
    assert!(!high.is_empty() && high.len() < two_joins.len(), "{} of {}", high.len(), two_joins.len());
    let generation = host.generation();
    let (_, plugin) = generation.plugins().next().expect("one plugin");
    let mut joins = Vec::new();
    for shape in plugin.unwrap().query("interviews").unwrap().shapes() {
        joins.push(shape.outcome.as_ref().unwrap()[0].sql.matches("\"rating\"").count());
    }
    joins.sort_unstable();
    assert_eq!(
        joins,
        [0, 1, 1, 1],
        "both share one join, and the administrator's unfiltered list needs none"
    );
}

#[tokio::test]
async fn progress() {
    let host = hiring().await;
    for days in [1, 3650] {
        let expected = format!(
            "SELECT p.id, p.title, count(i.id) AS completed, max(i.completed_at) AS last
             FROM position p LEFT JOIN interview i ON i.position_id = p.id
                                                   AND i.completed_at >= now() - interval '{days} days'
             WHERE p.company_id = 1 AND p.closed_at IS NULL
             GROUP BY p.id ORDER BY completed DESC, p.id"
        );
        let found = rows(&host, "progress", &json!({"company": 1, "days": days})).await;
        assert_same_rows("progress", &found, &database().rows(&expected).await);
    }
    assert_eq!(shapes(&host, "progress"), 1);
}

#[tokio::test]
async fn workload() {
    let host = hiring().await;
    let expected =
        "SELECT p.id, p.title, (SELECT count(*) FROM question q WHERE q.position_id = p.id) AS questions,
                           (SELECT count(*) FROM interview i WHERE i.position_id = p.id) AS interviews
                    FROM position p WHERE p.company_id = 1 ORDER BY p.id";
    let found = rows(&host, "workload", &json!({"company": 1})).await;
    assert_same_rows("workload", &found, &database().rows(expected).await);
    assert_eq!(shapes(&host, "workload"), 1);
}

/// Three questions and two interviews, joined side by side, are six rows. The position is the test's own, and nobody else
/// ever sees it: the plugin reads it on the transaction that made it.
#[tokio::test]
async fn three_questions_and_two_interviews_are_not_six() {
    let host = hiring().await;
    let mut client = database().writer().await;
    let mut transaction = client.transaction().await.unwrap();
    transaction
        .batch_execute(
            "INSERT INTO company VALUES (-1, 'Lamps', 'trial', '{}', now());
             INSERT INTO position VALUES (-1, -1, 'Lamplighter', NULL, false, 1, 2, '{}', now(), NULL);
             INSERT INTO question SELECT -k, -1, k, 'Why?', 60 FROM generate_series(1, 3) k;
             INSERT INTO interview SELECT -k, -1, 1, 'completed', 'web', now(), now() FROM generate_series(1, 2) k",
        )
        .await
        .unwrap();
    let side_by_side =
        "SELECT count(q.id), count(i.id) FROM position p LEFT JOIN question q ON q.position_id = p.id
                             LEFT JOIN interview i ON i.position_id = p.id WHERE p.id = -1";
    let row = transaction.query_one(side_by_side, &[]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (6, 6), "what the query is there to avoid");
    let call = host.call("hiring", "workload").param("company", -1).on(&mut transaction);
    assert_eq!(
        read(call).await.unwrap(),
        json!([{"id": -1, "title": "Lamplighter", "questions": 3, "interviews": 2}])
    );
    transaction.rollback().await.unwrap();
    assert_eq!(rows(&host, "workload", &json!({"company": -1})).await, json!([]));
}

#[tokio::test]
async fn candidates() {
    let host = hiring().await;
    let sorts = [
        ("", ""),
        ("name", "c.name,"),
        ("-name", "c.name DESC,"),
        ("salary", "c.desired_salary NULLS LAST,"),
        ("-salary", "c.desired_salary DESC NULLS LAST,"),
        ("name,salary", "c.name, c.desired_salary NULLS LAST,"),
        ("name,-salary", "c.name, c.desired_salary DESC NULLS LAST,"),
        ("-name,salary", "c.name DESC, c.desired_salary NULLS LAST,"),
        ("-name,-salary", "c.name DESC, c.desired_salary DESC NULLS LAST,"),
        ("salary,name", "c.desired_salary NULLS LAST, c.name,"),
        ("salary,-name", "c.desired_salary NULLS LAST, c.name DESC,"),
        ("-salary,name", "c.desired_salary DESC NULLS LAST, c.name,"),
        ("-salary,-name", "c.desired_salary DESC NULLS LAST, c.name DESC,"),
    ];
    let mut tried = 0;
    for tags in [None, Some(["wow", "great story"])] {
        for hours in [None, Some(5)] {
            for (sort, order) in sorts {
                tried += 1;
                let mut parameters = json!({"sort": sort, "page": 2, "page_size": 7});
                let mut filters = vec!["true".to_owned()];
                if let Some(tags) = tags {
                    parameters["tags"] = json!(tags);
                    filters.push(format!(
                        "EXISTS (SELECT FROM candidate_tag ct JOIN tag t ON t.id = ct.tag_id
                                 WHERE ct.candidate_id = c.id AND t.name IN ('{}', '{}'))",
                        tags[0], tags[1]
                    ));
                }
                if let Some(hours) = hours {
                    parameters["hours"] = hours.into();
                    filters.push(format!("(c.profile ->> 'camera_hours')::numeric >= {hours}"));
                }
                let from = format!("FROM candidate c WHERE {}", filters.join(" AND "));
                let expected = format!(
                    "SELECT c.id, c.name, c.country, c.desired_salary, c.skills {from}
                     ORDER BY {order} c.id LIMIT 7 OFFSET 7"
                );
                let found = rows(&host, "candidates", &parameters).await;
                assert_same_rows("candidates", &found["rows"], &database().rows(&expected).await);
                let total = database().rows(&format!("SELECT count(*) AS candidates {from}")).await;
                assert_eq!(found["total"], total[0]);
            }
        }
    }
    assert_eq!(shapes(&host, "candidates"), tried);

    let nobody = rows(&host, "candidates", &json!({"tags": []})).await;
    assert_eq!(nobody, json!({"rows": [], "total": {"candidates": 0}}), "an empty list matches nobody");
}

#[tokio::test]
async fn latest() {
    let host = hiring().await;
    let found = rows(&host, "latest", &json!({"company": 1, "limit": 100})).await;
    let expected = "SELECT i.id, p.title, r.score, r.created_at AS at, w.name AS by
                    FROM interview i JOIN position p ON p.id = i.position_id
                         LEFT JOIN (SELECT DISTINCT ON (interview_id) * FROM rating WHERE answer_id IS NULL
                                    ORDER BY interview_id, created_at DESC, id DESC) r ON r.interview_id = i.id
                         LEFT JOIN reviewer w ON w.id = r.reviewer_id
                    WHERE p.company_id = 1 ORDER BY i.created_at DESC, i.id LIMIT 100";
    assert_same_rows("latest", &found, &database().rows(expected).await);
    assert_eq!(shapes(&host, "latest"), 1);
}

#[tokio::test]
async fn detail() {
    let host = hiring().await;
    let expected = "SELECT i.id, i.status, p.title, c.name AS candidate, c.profile ->> 'headline' AS headline,
                           (SELECT avg(score) FROM rating r WHERE r.interview_id = i.id AND r.answer_id IS NULL) AS average,
                           p.company_id
                    FROM interview i JOIN position p ON p.id = i.position_id JOIN candidate c ON c.id = i.candidate_id
                    WHERE p.company_id = 1 ORDER BY i.id LIMIT 20";
    for mut row in database().rows(expected).await {
        let company = object(row.clone())["company_id"].clone();
        row.as_object_mut().unwrap().remove("company_id");
        let (id, theirs) = (json!({"id": row["id"]}), json!({"company": company, "reviewer": true}));
        let found = claimed(&host, "detail", &id, &theirs).await;
        assert_same_rows("detail", &json!([found]), &[row]);
        let of_another = claimed(&host, "detail", &id, &json!({"company": 2, "reviewer": true})).await;
        assert_eq!(of_another, Value::Null, "an interview of another company is not there");
    }
    let call = host.call("hiring", "detail").param("id", 1).claim("company", 1).claim("reviewer", false);
    assert_eq!(read(call).await.unwrap_err().code(), callslip::Code::Forbidden);
    assert_eq!(shapes(&host, "detail"), 2);
}
