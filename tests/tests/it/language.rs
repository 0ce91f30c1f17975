//! Each construct of the language that is lowered, against hand-written SQL on the same data.

use callslip_tests::database;
use serde_json::{Value, json};

use crate::support::{assert_same_rows, call, language};

async fn assert_rows(query: &str, parameters: Value, sql: &str) {
    let found = call(&language().await, "language", query, parameters).await;
    let found = found.unwrap_or_else(|error| panic!("{query}: {}", error.log_message()));
    assert_same_rows(query, &found, &database().rows(sql).await);
}

#[tokio::test]
async fn every_kind_of_join() {
    assert_rows(
        "joins",
        json!({}),
        "SELECT a.n AS a, b.n AS b, c.n AS c, d.n AS d
         FROM (SELECT id AS n FROM candidate WHERE id BETWEEN 1 AND 3) a
              RIGHT JOIN (SELECT id AS n FROM candidate WHERE id BETWEEN 2 AND 4) b ON a.n = b.n
              FULL JOIN (SELECT id AS n FROM candidate WHERE id BETWEEN 3 AND 5) c ON b.n = c.n
              CROSS JOIN (SELECT id AS n FROM candidate WHERE id BETWEEN 1 AND 2) d
         ORDER BY c.n NULLS FIRST, b.n, d.n",
    )
    .await;
}

#[tokio::test]
async fn arithmetic_in_the_order_in_which_it_was_written() {
    assert_rows(
        "arithmetic",
        json!({}),
        "SELECT id, id - (id - 1) AS nested, (id + 2) * 3 AS product, -(id - 5) AS negated, (id * 7) % 4 AS remainder,
                (id + 1) / 2 AS quotient, (desired_salary / id)::int8 AS share
         FROM candidate WHERE id <= 20 ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn and_or_and_not() {
    assert_rows(
        "logic",
        json!({}),
        "SELECT id, (years < 3 OR relocate) AND country <> 'IE' AS either,
                years < 3 OR (relocate AND country <> 'IE') AS or_and, NOT (years < 3 AND relocate) AS not_both,
                years < 3 AND relocate AND country <> 'IE' AS every, years < 3 OR relocate OR country <> 'IE' AS some
         FROM candidate WHERE id <= 200 ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn like_in_between_and_is() {
    assert_rows(
        "predicates",
        json!({}),
        "SELECT id, email LIKE 'candidate1%' AS like, email ILIKE 'CANDIDATE2%' AS ilike, name NOT LIKE 'A%' AS not_like,
                country IN ('IE', 'JP') AS in_list, country NOT IN ('IE') AS not_in_list,
                years BETWEEN 2 AND 5 AS between, years NOT BETWEEN 2 AND 5 AS not_between, phone IS NULL AS is_null,
                phone IS NOT NULL AS is_not_null, relocate IS TRUE AS is_true, relocate IS NOT TRUE AS is_not_true,
                desired_salary IS DISTINCT FROM years AS distinct_from
         FROM candidate WHERE id <= 300 ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn a_union_or_a_select_with_columns_of_records() {
    let n = "WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n % 4 + 1 FROM n)
             SEARCH DEPTH FIRST BY n SET ordering CYCLE n SET is_cycle TO 'yes' DEFAULT 'no' USING path";
    let all = "SELECT n, ordering::text[], is_cycle, path::text[] FROM n";
    for (twice, sql) in [(false, all.to_owned()), (true, format!("{all} UNION ALL {all}"))] {
        let sql = format!("{n} SELECT * FROM ({sql}) q ORDER BY n, is_cycle LIMIT 7");
        assert_rows("counts", json!({ "twice": twice }), &sql).await;
    }
}

#[tokio::test]
async fn case_casts_and_coalesce() {
    assert_rows(
        "values",
        json!({}),
        "SELECT id, CASE WHEN years < 2 THEN 'junior' WHEN years < 8 THEN 'middle' ELSE 'senior' END AS level,
                CASE country WHEN 'IE' THEN 1 ELSE 0 END AS irish, desired_salary::int4::text AS salary,
                coalesce(phone, 'none') AS phone, nullif(years, 0) AS years, greatest(years, 3) AS greatest,
                least(years, 3) AS least, extract(year FROM created_at) AS year, NULL::date AS nothing,
                name || ' of ' || country AS both
         FROM candidate WHERE id <= 100 ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn aggregates_group_by_and_having() {
    assert_rows(
        "aggregates",
        json!({}),
        "SELECT date_trunc('month', created_at) AS month, count(*) AS all, count(DISTINCT position_id) AS positions,
                count(id) FILTER (WHERE status = 'completed') AS completed,
                string_agg(DISTINCT device, ',' ORDER BY device) AS devices,
                percentile_disc(0.5) WITHIN GROUP (ORDER BY candidate_id) AS median,
                bool_or(completed_at IS NULL) AS unfinished
         FROM interview GROUP BY 1 HAVING count(*) > 10 ORDER BY 1",
    )
    .await;
}

#[tokio::test]
async fn window_functions() {
    assert_rows(
        "windows",
        json!({}),
        "SELECT id, row_number() OVER w AS number, rank() OVER (PARTITION BY interview_id ORDER BY score DESC) AS rank,
                (score - avg(score) OVER (PARTITION BY interview_id))::numeric(6,3) AS above,
                sum(score) OVER (PARTITION BY interview_id ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS pair,
                lag(score) OVER w AS before
         FROM rating WHERE interview_id <= 60 WINDOW w AS (PARTITION BY interview_id ORDER BY id)
         ORDER BY interview_id, row_number() OVER w DESC",
    )
    .await;
}

#[tokio::test]
async fn scalar_exists_and_in_subqueries() {
    assert_rows(
        "subqueries",
        json!({}),
        "SELECT p.id, (SELECT count(*) FROM interview i WHERE i.position_id = p.id) AS interviews,
                p.id IN (SELECT i.position_id FROM interview i
                         WHERE i.id IN (SELECT r.interview_id FROM rating r WHERE r.score >= 4)) AS wanted,
                EXISTS (SELECT 1 FROM interview i WHERE i.position_id = p.id AND i.status = 'expired') AS has_expired
         FROM position p ORDER BY p.id",
    )
    .await;
}

#[tokio::test]
async fn lateral_subqueries() {
    assert_rows(
        "laterals",
        json!({}),
        "SELECT i.id, l.score, l.rating
         FROM interview i LEFT JOIN LATERAL (SELECT r.score, r.id AS rating FROM rating r WHERE r.interview_id = i.id
                                             ORDER BY r.created_at DESC, r.id DESC LIMIT 1) l ON true
         WHERE i.id <= 200 ORDER BY i.id",
    )
    .await;
}

#[tokio::test]
async fn ctes_and_distinct_on() {
    assert_rows(
        "ctes",
        json!({}),
        "WITH newest AS (SELECT DISTINCT ON (position_id) position_id, id, created_at FROM interview
                         ORDER BY position_id, created_at DESC, id DESC),
              late AS (SELECT position_id, id FROM newest WHERE id > 1000)
         SELECT p.title, late.id AS interview FROM late JOIN position p ON p.id = late.position_id ORDER BY late.id",
    )
    .await;
}

#[tokio::test]
async fn distinct_order_by_nulls_limit_and_offset() {
    for (nulls_first, nulls) in [(true, "FIRST"), (false, "LAST")] {
        assert_rows(
            "slices",
            json!({"limit": 5, "offset": 1, "nulls_first": nulls_first}),
            &format!(
                "SELECT DISTINCT location FROM position ORDER BY location NULLS {nulls} LIMIT 5 OFFSET 1"
            ),
        )
        .await;
    }
}

#[tokio::test]
async fn types_without_a_decoder_leave_as_text_and_keep_their_order() {
    assert_rows(
        "odd_types",
        json!({}),
        "SELECT id, status, ARRAY[status] AS statuses FROM interview ORDER BY status DESC, id LIMIT 20",
    )
    .await;
}

#[tokio::test]
async fn hostile_names_stay_names() {
    assert_rows(
        "hostile_names",
        json!({}),
        "SELECT id AS \"x\"\", (SELECT 1) AS \"\"y\", id AS \"select\" FROM position ORDER BY id LIMIT 3",
    )
    .await;
}

#[tokio::test]
async fn every_shape_is_proven_when_the_plugin_is_loaded() {
    let host = language().await;
    let generation = host.generation();
    let (_, plugin) = generation.plugins().next().expect("one plugin");
    let plugin = plugin.unwrap_or_else(|refusal| panic!("{refusal}"));
    for query in plugin.queries() {
        let name = &query.declaration().name;
        assert_eq!(query.is_open(), name == "search", "{name}");
        assert_eq!(query.is_complete(), !matches!(name.as_str(), "search" | "switches"), "{name}");
    }
    assert_eq!(plugin.query("slices").expect("a query").shapes().len(), 2);
    assert_eq!(plugin.query("mine").expect("a query").shapes().len(), 2);
    // Five labels or none, and two orders.
    assert_eq!(plugin.query("enums").expect("a query").shapes().len(), 12);
}

#[tokio::test]
async fn a_tree_of_rows_in_one_statement() {
    assert_rows(
        "tree",
        json!({}),
        "SELECT p.id,
                (SELECT coalesce(json_agg(json_build_object('id', i.id, 'status', i.status, 'ratings',
                            (SELECT coalesce(json_agg(json_build_object('id', r.id, 'score', r.score) ORDER BY r.id), '[]')
                             FROM rating r WHERE r.interview_id = i.id)) ORDER BY i.id), '[]')
                 FROM (SELECT * FROM interview WHERE position_id = p.id ORDER BY id LIMIT 3) i) AS interviews,
                (SELECT json_build_object('id', i.id, 'completed_at', i.completed_at)
                 FROM interview i WHERE i.position_id = p.id ORDER BY i.id DESC LIMIT 1) AS latest
         FROM position p ORDER BY p.id LIMIT 20",
    )
    .await;
    let error = call(&language().await, "language", "two_leaves", json!({})).await.unwrap_err();
    assert!(
        error.log_message().contains("more than one row returned by a subquery"),
        "{}",
        error.log_message()
    );
}
