//! What PostgreSQL makes of filters: an index is used where that tells nothing.

use callslip_sdk::prelude::*;

use crate::support::{BY_COMPANY, Sent, shop};

async fn plan(sent: &Sent) -> String {
    let client = shop().client().await;
    let values: Vec<String> = sent
        .values
        .iter()
        .map(|value| value.as_ref().map_or("NULL".to_owned(), |value| format!("'{value}'")))
        .collect();
    let unknown = vec!["unknown"; values.len()].join(", ");
    client.batch_execute("SET enable_seqscan = off").await.unwrap();
    client.batch_execute(&format!("PREPARE planned ({unknown}) AS {}", sent.sql)).await.unwrap();
    let explained = format!("EXPLAIN (COSTS OFF) EXECUTE planned ({})", values.join(", "));
    let rows = client.query(&explained, &[]).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_row_is_found_by_its_key() {
    let i = table("item").alias("i");
    let by_key =
        |item: Expr<i32>| select((i.col("name"), item.alias("x"))).from(i).filter(i.col("id").eq(107));
    let leaky_item = constant(100) / i.col("divisor");
    let sent =
        shop().print(BY_COMPANY, &[("company", "2")], by_key(leaky_item.cast_as("int4").cast())).unwrap();
    let found = plan(&sent).await;
    assert!(
        found.contains("Index Scan using item_pkey") && found.contains("Index Cond: (id = 107)"),
        "{found}"
    );
    assert!(found.contains("Filter: (company_id = 2)"), "{found}");
}

#[tokio::test]
async fn a_row_is_found_by_its_key_under_a_filter_that_asks_another_table() {
    const BY_MEMBER: &[(&str, &str)] = &[(
        "item",
        "EXISTS (SELECT 1 FROM member m WHERE m.company_id = item.company_id AND m.\"user\" = claim('user'))",
    )];
    let i = table("item").alias("i");
    let query = || select(i.col("name")).from(i).filter(i.col("id").eq(107));
    let found = plan(&shop().print(BY_MEMBER, &[("user", "bob")], query()).unwrap()).await;
    assert!(
        found.contains("Index Scan using item_pkey") && found.contains("Index Cond: (id = 107)"),
        "{found}"
    );
}

#[tokio::test]
async fn what_may_tell_comes_after_the_filter() {
    let i = table("item").alias("i");
    let query = select(i.col("name")).from(i).filter((constant(100) / i.col("divisor")).gt(1));
    let found = plan(&shop().print(BY_COMPANY, &[("company", "2")], query).unwrap()).await;
    let (above, below) =
        (found.find("100 / ").expect("a condition"), found.find("company_id = 2").expect("a filter"));
    assert!(above < below && found.contains("Subquery Scan"), "{found}");
}

#[tokio::test]
async fn nothing_is_read_without_a_claim() {
    let i = table("item").alias("i");
    let query = select(i.col("name")).from(i).filter(i.col("id").eq(107));
    let found = plan(&shop().print(BY_COMPANY, &[], query).unwrap()).await;
    assert!(found.contains("One-Time Filter: false"), "{found}");
}

/// Whether the filter of a query is printed with a barrier.
fn is_behind(query: Select) -> bool {
    is_behind_under(BY_COMPANY, query)
}

fn is_behind_under(filters: &[(&str, &str)], query: Select) -> bool {
    shop()
        .print(filters, &[], query)
        .unwrap_or_else(|findings| panic!("{findings:#?}"))
        .sql
        .contains(") OFFSET 0)")
}

#[test]
fn what_tells_nothing_needs_no_barrier() {
    let (i, v) = (table("item").alias("i"), table("visit").alias("v"));
    let names = || select(i.col("name")).from(i);
    let on = || v.col("item_id").eq(i.col("id"));
    let share = || constant(100) / i.col("divisor");
    let text = || i.col("name").concat("!");
    for (what, query) in [
        ("a key", names().filter(i.col("id").eq(7))),
        (
            "keys",
            names().filter(i.col("id").in_list([7, 8]).or(i.col("name").eq("x").and(i.col("id").lt(3)))),
        ),
        (
            "an expression of the select list",
            select(share().alias("a")).from(i).order_by(i.col("name").desc()).limit(3),
        ),
        (
            "aggregates",
            select((sum(share()).alias("a"), count_all().filter(i.col("name").like("%1")).alias("b")))
                .from(i),
        ),
        (
            "a sum per group",
            select((i.col("name"), sum(share()).alias("a")))
                .from(i)
                .group_by(i.col("id"))
                .having(count_all().gt(1)),
        ),
        (
            "a window",
            select(
                sum(share()).over(window().partition_by(i.col("divisor")).order_by(i.col("id"))).alias("a"),
            )
            .from(i),
        ),
        ("a join", select((text().alias("a"), v.col("guest"))).from(i).left_join(v, on())),
        ("an EXISTS", names().filter(exists(select(v.col("id")).from(v).filter(on())))),
        (
            "a condition over another table",
            names().join(v, on().and(v.col("guest").like("%1"))).filter(v.col("id").gt(v.col("divisor") + 1)),
        ),
        ("a subquery of columns", {
            let s = select((i.col("id"), i.col("name"))).from(i).alias("s");
            select(s.col("name")).from(s).filter(s.col("id").eq(3))
        }),
    ] {
        assert!(!is_behind(query), "{what}");
    }
}

#[test]
fn what_may_tell_needs_one() {
    let (i, v) = (table("item").alias("i"), table("visit").alias("v"));
    let names = || select(i.col("name")).from(i);
    let on = || v.col("item_id").eq(i.col("id"));
    let long = || call("length", i.col("name"));
    let s = select((i.col("id"), long().alias("long"))).from(i).alias("s");
    for (what, query) in [
        ("LIKE", names().filter(i.col("name").like("%1"))),
        ("ORDER BY", names().order_by(long())),
        ("ORDER BY of an output", select(long().alias("a")).from(i).order_by(output("a"))),
        ("GROUP BY", select(count_all().alias("n")).from(i).group_by(long())),
        ("DISTINCT", select(long().alias("a")).from(i).distinct()),
        ("DISTINCT ON", names().distinct_on(long())),
        ("min", select(min(long()).alias("a")).from(i)),
        ("an aggregate that sorts", select(array_agg(i.col("name")).order_by(long()).alias("a")).from(i)),
        ("an aggregate of distinct values", select(count_distinct(long()).alias("a")).from(i)),
        ("a window that sorts", select(rank().over(window().order_by(long())).alias("a")).from(i)),
        ("a window of the WINDOW clause", names().window("w", window().partition_by(long()))),
        ("HAVING", select(count_all().alias("n")).from(i).group_by(i.col("name")).having(long().gt(1))),
        ("a subquery's select list", select(s.col("id")).from(s)),
        (
            "a condition that has a part of another table",
            names().join(v, on().and(v.col("guest").like("%1").or(i.col("id").eq(1)))),
        ),
        (
            "an equality over another table",
            names().join(v, on()).filter(v.col("id").eq(v.col("divisor") + 1)),
        ),
        ("an equality that NOT makes", names().join(v, on()).filter(!v.col("id").ne(v.col("divisor") + 1))),
        (
            "an equality that OR has on both sides",
            names().join(v, on()).filter(
                v.col("id")
                    .eq(v.col("divisor") + 1)
                    .and(v.col("guest").eq("a"))
                    .or(v.col("id").eq(v.col("divisor") + 1).and(v.col("guest").eq("b"))),
            ),
        ),
        (
            "an equality in a function of somebody's",
            names().join(v, on()).filter(call("of_company", (v.col("id"), v.col("divisor"))).cast::<bool>()),
        ),
        (
            "arrays in an array",
            names()
                .filter(array([array([i.col("id")]), array([i.col("id"), i.col("divisor")])]).is_not_null()),
        ),
        (
            "a function in FROM",
            select(i.col("name")).from(i).from(call("generate_series", (1, i.col("divisor"))).in_from("n")),
        ),
        (
            "LIMIT of a subquery",
            names().filter(exists(select(v.col("id")).from(v).limit(i.col("divisor").cast::<i64>()))),
        ),
        ("a scalar subquery", names().filter(select(v.col("id")).from(v).filter(on()).scalar().is_null())),
        ("a conversion", names().filter(i.col("id").eq(constant(1.5)))),
        ("a length that is cast to", names().filter(i.col("name").cast_as("varchar(3)").eq("x"))),
        (
            "an aggregate of a subquery",
            names()
                .filter(exists(select(sum(i.col("id") + v.col("id")).alias("a")).from(v).having(on_sum()))),
        ),
    ] {
        assert!(is_behind(query), "{what}");
    }
}

/// Such a filter may become a join, which comes after others.
#[test]
fn a_filter_that_asks_another_table_needs_one_wherever_anything_may_tell() {
    const ASKS: &[(&str, &str)] =
        &[("item", "company_id IN (SELECT m.company_id FROM member m WHERE m.\"user\" = claim('user'))")];
    let (i, v) = (table("item").alias("i"), table("visit").alias("v"));
    let names = || select(i.col("name")).from(i);
    let on = || v.col("item_id").eq(i.col("id"));
    let of_other = || v.col("guest").like("%1");
    let l = select(v.col("guest")).from(v).filter(on()).limit(3).alias("l");
    for (what, query, expected) in [
        ("a key", names().filter(i.col("id").eq(7)), false),
        (
            "a join",
            select((call("length", i.col("name")).alias("a"), v.col("guest"))).from(i).join(v, on()),
            false,
        ),
        ("a condition over another table", names().join(v, on().and(of_other())), true),
        (
            "LIMIT of a subquery",
            select(l.col("guest")).from(i).join_lateral(l, l.col("guest").is_not_null()),
            true,
        ),
    ] {
        assert_eq!(is_behind_under(ASKS, query), expected, "{what}");
    }
}

fn on_sum() -> Expr<bool> {
    count_all().gt(1)
}
