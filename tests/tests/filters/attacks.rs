//! What is said over a filtered relation sees none of the hidden rows, wherever it stands: of each attack a twin shows that
//! it works on bare PostgreSQL where the filter is a plain condition of a subquery.

use callslip_sdk::prelude::*;

use crate::support::{BY_COMPANY, BY_FUNCTION, given, rows, shop};

/// A query whose expression fails on hidden rows, and the same in SQL over `{items}`.
struct Attack {
    name: &'static str,
    query: Select,
    twin: &'static str,
}

fn attacks() -> Vec<Attack> {
    let i = table("item").alias("i");
    let v = table("visit").alias("v");
    let one = || constant(100);
    // It is known only when the statement runs.
    let zero = || call("length", call("to_char", (now(), "\"x\""))).cast_as("int4") - 1;
    let divided = || (one() / i.col("divisor")).gt(0);
    let read = || i.col("code").cast_as("int4").gt(0);
    let ids = || select(i.col("id")).from(i);
    let inner = || select((i.col("id"), (one() / i.col("divisor")).alias("share"))).from(i);
    let s = inner().alias("s");
    let attack = |name, query, twin| Attack { name, query, twin };
    vec![
        attack("division in WHERE", ids().filter(divided()), "SELECT id FROM {items} i WHERE 100 / divisor > 0"),
        attack("a cast in WHERE", ids().filter(read()), "SELECT id FROM {items} i WHERE code::int4 > 0"),
        attack(
            "a cast under OR",
            ids().filter(i.col("id").lt(0).or(read())),
            "SELECT id FROM {items} i WHERE id < 0 OR code::int4 > 0",
        ),
        attack(
            "division in CASE",
            ids().filter(case().when(i.col("code").eq("swordfish"), one() / i.col("divisor")).otherwise(1).gt(0)),
            "SELECT id FROM {items} i WHERE CASE WHEN code = 'swordfish' THEN 100 / divisor ELSE 1 END > 0",
        ),
        attack(
            "what has no column, where a hidden row decides",
            ids().filter(case().when(i.col("code").eq("swordfish"), one() / zero()).otherwise(1).gt(0)),
            "SELECT id FROM {items} i
             WHERE CASE WHEN code = 'swordfish' THEN 100 / (length(to_char(now(), '\"x\"')) - 1) ELSE 1 END > 0",
        ),
        attack(
            "ON of an inner join",
            select(v.col("id")).from(v).join(i, i.col("id").eq(v.col("item_id")).and(divided())),
            "SELECT v.id FROM visit v JOIN {items} i ON i.id = v.item_id AND 100 / i.divisor > 0",
        ),
        attack(
            "ON of an outer join",
            select((v.col("id"), i.col("name"))).from(v).left_join(i, i.col("id").eq(v.col("item_id")).and(divided())),
            "SELECT v.id, i.name FROM visit v LEFT JOIN {items} i ON i.id = v.item_id AND 100 / i.divisor > 0",
        ),
        attack(
            "HAVING without an aggregate",
            select((i.col("divisor"), count_all().alias("n"))).from(i).group_by(i.col("divisor")).having(divided()),
            "SELECT divisor, count(*) AS n FROM {items} i GROUP BY divisor HAVING 100 / divisor > 0",
        ),
        attack(
            "the select list of a subquery",
            select(s.col("id")).from(s).filter(s.col("share").gt(0)),
            "SELECT s.id FROM (SELECT id, 100 / divisor AS share FROM {items} i) s WHERE s.share > 0",
        ),
        attack(
            "a CTE",
            {
                let c = cte("c", inner());
                select(c.col("id")).from(c).filter(c.col("share").gt(0))
            },
            "WITH c AS (SELECT id, 100 / divisor AS share FROM {items} i) SELECT c.id FROM c WHERE c.share > 0",
        ),
        attack(
            "LATERAL",
            {
                let l = select((one() / i.col("divisor")).alias("share")).alias("l");
                select(i.col("id")).from(i).join_lateral(l, l.col("share").gt(0))
            },
            "SELECT i.id FROM {items} i JOIN LATERAL (SELECT 100 / i.divisor AS share) l ON l.share > 0",
        ),
        attack(
            "a correlated EXISTS",
            ids().filter(i.col("id").lt(0).or(exists(select(constant(1).alias("x")).from(v).filter(v.col("id").lt(one() / i.col("divisor")))))),
            "SELECT id FROM {items} i WHERE id < 0 OR EXISTS (SELECT 1 FROM visit v WHERE v.id < 100 / i.divisor)",
        ),
        attack(
            "the rows of a scalar subquery",
            ids().filter(
                select(v.col("id")).from(v).filter(v.col("item_id").gt(i.col("divisor") * 1_000 + 200)).scalar().is_not_null(),
            ),
            "SELECT id FROM {items} i WHERE (SELECT v.id FROM visit v WHERE v.item_id > i.divisor * 1000 + 200) IS NOT NULL",
        ),
        attack(
            "IN of a list",
            ids().filter(i.col("id").in_list([one() / i.col("divisor"), one() - i.col("id")])),
            "SELECT id FROM {items} i WHERE id IN (100 / divisor, 100 - id)",
        ),
        attack(
            "IN of a query",
            ids().filter(i.col("id").lt(0).or((one() / i.col("divisor")).in_query(select(v.col("id")).from(v)))),
            "SELECT id FROM {items} i WHERE id < 0 OR 100 / divisor IN (SELECT v.id FROM visit v)",
        ),
        attack(
            "ANY of an array",
            ids().filter(constant(100).eq_any(array([one() / i.col("divisor"), one() - i.col("id")]))),
            "SELECT id FROM {items} i WHERE 100 = ANY (ARRAY[100 / divisor, 100 - id])",
        ),
        attack(
            "a row comparison",
            ids().filter(row((constant(0), one() / i.col("divisor"))).gt(row((0, 0)))),
            "SELECT id FROM {items} i WHERE (0, 100 / divisor) > (0, 0)",
        ),
        attack(
            "a set operation",
            {
                let u = inner().union_all(inner()).alias("u");
                select(u.col("id")).from(u).filter(u.col("share").gt(0))
            },
            "SELECT u.id FROM (SELECT id, 100 / divisor AS share FROM {items} i
                               UNION ALL SELECT id, 100 / divisor FROM {items} i) u WHERE u.share > 0",
        ),
    ]
}

/// A path that fails where the secret is a certain one.
const ON: &str = r#"$ ? (@.secret == "swordfish" && @.on.datetime() < "2026-01-01T00:00:00+00".datetime())"#;

#[tokio::test]
async fn none_learns_of_a_hidden_row() {
    let client = shop().client().await;
    for settings in
        ["", "SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan; RESET enable_seqscan"]
    {
        client.batch_execute(settings).await.unwrap();
        for filter in [BY_FUNCTION, BY_COMPANY] {
            for Attack { name, query, twin } in attacks() {
                let found = given(&client, filter, query).await;
                // Over a table of nothing but the rows that pass.
                let seen = twin.replace("{items}", "(SELECT * FROM item WHERE company_id = 1 OFFSET 0)");
                let seen = rows(&client, &seen, &[]).await;
                match (&found, &seen) {
                    (Ok(found), Ok(_)) => {
                        assert!(found.iter().all(|row| !row.contains("hidden")), "{name}: {found:?}");
                    }
                    (found, seen) => panic!("{name}: {found:?}, and over the rows that pass {seen:?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn each_twin_leaks_on_bare_postgresql() {
    let client = shop().client().await;
    let mut harmless = Vec::new();
    for Attack { name, twin, .. } in attacks() {
        let plain = twin.replace("{items}", "(SELECT * FROM item WHERE of_company(company_id, 1))");
        let tells = |error: &String| {
            let codes = ["21000", "22003", "22012", "42804", "0A000"];
            error.contains("swordfish") || codes.iter().any(|code| error.starts_with(code))
        };
        match rows(&client, &plain, &[]).await {
            Err(error) if tells(&error) => {}
            other => harmless.push((name, other)),
        }
    }
    assert!(harmless.is_empty(), "{harmless:#?}");
}

/// An operator that fails on a value is called by the planner, on the most common values of a column.
#[tokio::test]
async fn the_planner_shows_an_operator_no_hidden_value() {
    let client = shop().client().await;
    let i = table("item").alias("i");
    let path = || constant(ON).cast_as("jsonpath");
    let query = || select(i.col("id")).from(i).filter(i.col("facts").op("@?", path()));
    let behind = "SELECT id FROM (SELECT * FROM item WHERE company_id = 1 OFFSET 0) i WHERE facts @? '{ON}'"
        .replace("{ON}", ON);
    let error = rows(&client, &behind, &[])
        .await
        .expect_err("OFFSET 0 alone lets the planner look at the statistics");
    assert!(error.contains("without time zone usage"), "{error}");
    for filter in [BY_COMPANY, BY_FUNCTION] {
        assert_eq!(given(&client, filter, query()).await, Ok(Vec::new()));
    }
}

/// Of a filter that asks another table PostgreSQL makes a join, and may make the plugin's joins before it.
#[tokio::test]
async fn no_join_is_made_before_a_filter_that_asks_another_table() {
    let client = shop().client().await;
    let (i, v) = (table("item").alias("i"), table("visit").alias("v"));
    let zero = || call("length", call("to_char", (now(), "\"x\""))).cast_as("int4") - 1;
    let met = || v.col("item_id").eq(i.col("id")).and(i.col("code").eq("swordfish"));
    let query = || {
        select((i.col("id"), v.col("guest")))
            .from(i)
            .left_join(v, met().and((constant(100) / zero()).gt(0)))
            .filter(i.col("code").eq("swordfish"))
    };
    let twin = "SELECT i.id, v.guest FROM (SELECT id, code FROM item WHERE {asks}) AS i LEFT JOIN visit v
                ON v.item_id = i.id AND i.code = 'swordfish' AND 100 / (length(to_char(now(), '\"x\"')) - 1) > 0
                WHERE i.code = 'swordfish'";
    for asks in [
        "EXISTS (SELECT 1 FROM member m WHERE m.company_id = item.company_id AND m.\"user\" = {who})",
        "company_id IN (SELECT m.company_id FROM member m WHERE m.\"user\" = {who})",
    ] {
        let filter = asks.replace("{who}", "claim('user')");
        let sent = shop().print(&[("item", &filter)], &[("user", "ann")], query()).unwrap();
        assert_eq!(rows(&client, &sent.sql, &sent.values).await, Ok(Vec::new()), "{asks}");
    }
    let asks = "EXISTS (SELECT 1 FROM member m WHERE m.company_id = item.company_id AND m.\"user\" = 'ann')";
    let error = rows(&client, &twin.replace("{asks}", asks), &[]).await.expect_err("a hidden row is joined");
    assert!(error.starts_with("22012"), "{error}");
}
