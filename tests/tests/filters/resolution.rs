//! What a filter may be, and what it is said to lack.

use callslip_sdk::prelude::*;

use crate::support::{given, refused, same, shop};

fn findings(of: &[(&str, &str)]) -> Vec<String> {
    shop().row_filters(of).findings().iter().map(ToString::to_string).collect()
}

fn ids() -> Select {
    let i = table("item").alias("i");
    select(i.col("id")).from(i).order_by(i.col("id"))
}

#[tokio::test]
async fn what_can_be_written_holds() {
    for (sql, seen) in [
        ("company_id = claim('company')", "company_id = 1"),
        ("company_id = claim('company') AND NOT id IN (1, 2)", "company_id = 1 AND id > 2"),
        ("item.id BETWEEN 2 AND 1 + 2 AND name LIKE 'item%'", "id BETWEEN 2 AND 3"),
        ("id = ANY(claim('ids'))", "id IN (2, 3)"),
        ("id::text = ANY(claim('ids')::text[])", "id IN (2, 3)"),
        (
            "company_id IN (SELECT m.company_id FROM member m WHERE m.\"user\" = claim('user'))",
            "company_id = 1",
        ),
        (
            "NOT EXISTS (SELECT * FROM visit v JOIN visit w ON w.id = v.id WHERE v.item_id = item.id AND v.id > 100)",
            "company_id = 1",
        ),
        (
            "CASE WHEN divisor > 3 THEN coalesce(company_id = claim('company'), false) ELSE false END",
            "company_id = 1 AND id > 3",
        ),
        ("(company_id, id) = (1, 4) OR id = (SELECT min(id) FROM item)", "id IN (1, 4)"),
        ("(facts ->> 'n') IS NOT DISTINCT FROM '3'", "id = 3"),
        ("date '2026-01-01' + id < date '2026-01-04'", "id < 3"),
        ("of_company(company_id, claim('company')) AND length(name) = 6", "company_id = 1"),
    ] {
        let sent =
            shop().print(&[("item", sql)], &[("company", "1"), ("ids", "{2,3}"), ("user", "ann")], ids());
        let sent = sent.unwrap_or_else(|findings| panic!("{sql}: {findings:?}"));
        let client = shop().client().await;
        let found = crate::support::rows(&client, &sent.sql, &sent.values).await;
        let expected = format!("SELECT id FROM item WHERE {seen} ORDER BY id");
        let expected = crate::support::rows(&client, &expected, &[]).await;
        assert_eq!(found, expected, "{sql}\n{}", sent.sql);
    }
}

#[tokio::test]
async fn without_a_claim_no_row_passes_whatever_the_filter_says() {
    let client = shop().client().await;
    for sql in [
        "claim('x') IS NULL",
        "company_id = 1 OR claim('x') = 'y'",
        "claim('x') IS DISTINCT FROM 'y'",
        "coalesce(claim('x'), 'a') = 'a'",
    ] {
        assert_eq!(given(&client, &[("item", sql)], ids()).await, Ok(Vec::new()), "{sql}");
    }
    let i = table("item").alias("i");
    let total = select(count_all().alias("n")).from(i);
    assert_eq!(
        given(&client, &[("item", "claim('x') IS NULL")], total).await,
        Ok(vec!["{\"n\":0}".to_owned()])
    );
}

#[test]
fn what_can_t_be_used_is_told() {
    for (of, expected) in [
        (
            ("items", "true"),
            "the filter of \"items\" in [filters] can't be used: there is no such relation, or the host's login may not read it; did you mean \"item\"?",
        ),
        (("item", "company = 1"), "there is no column \"company\", or the host's login may not read it"),
        (("item", "item.company = 1"), "item has no column \"company\""),
        (("item", "name"), "a condition must be bool, and this is text"),
        (("item", "whim(id)"), "it calls public.whim, which is volatile"),
        (("item", "id > pg_catalog.random()"), "which is volatile"),
        (("item", "EXISTS (SELECT 1 FROM pg_catalog.pg_class)"), "there is no relation pg_catalog.pg_class"),
        (
            ("item", "EXISTS (SELECT 1 FROM visit WHERE id = 1 AND item_id = company_id AND nobody = 2)"),
            "there is no column \"nobody\", or the host's login may not read it",
        ),
        (
            ("item", "EXISTS (SELECT 1 FROM visit v, item i WHERE id = 1)"),
            "\"id\" may be a column of v or of i",
        ),
        (
            ("item", "id = claim('a') AND name = claim('a')"),
            "claim('a') is a int4 in one place and a text in another",
        ),
        (("item", "id = lower('a')"), "there is no operator int4 = text"),
        (("pg_catalog.pg_class", "true"), "there is no such relation"),
    ] {
        let found = findings(&[of]);
        assert!(
            found.len() == 1 && found[0].starts_with("CS0408: ") && found[0].contains(expected),
            "{of:?}: {found:?}"
        );
        // As long as it is so, the plugin is given nothing at all.
        let visits = select(table("visit").alias("v").col("id")).from(table("visit").alias("v"));
        assert!(refused(&[of], visits).starts_with("CS0408: "));
    }
}

#[tokio::test]
async fn two_filters_of_a_relation_both_hold() {
    same(
        &[("item", "company_id = claim('company')"), ("public.item", "id < 4")],
        ids(),
        "SELECT id FROM item WHERE company_id = 1 AND id < 4 ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn every_construct_of_from_takes_a_filter() {
    let of: &[(&str, &str)] =
        &[("item", "company_id = claim('company')"), ("visit", "id < 100 AND of_company(divisor, 2)")];
    let (i, v) = (table("item").alias("i"), table("visit").alias("v"));
    let seen = |sql: &str| {
        sql.replace("{item}", "(SELECT * FROM item WHERE company_id = 1)")
            .replace("{visit}", "(SELECT * FROM visit WHERE id < 100 AND divisor = 2)")
    };
    let on = v.col("item_id").eq(i.col("id"));
    let items = || select((i.col("id").alias("item"), v.col("id").alias("visit"))).from(i);
    let sorted = |query: Select| query.order_by((i.col("id"), v.col("id")));
    let base = "SELECT i.id AS item, v.id AS visit FROM {item} i";
    let order = "ORDER BY i.id, v.id";
    for (query, join) in [
        (items().join(v, on), "JOIN {visit} v ON v.item_id = i.id"),
        (items().left_join(v, on), "LEFT JOIN {visit} v ON v.item_id = i.id"),
        (items().right_join(v, on), "RIGHT JOIN {visit} v ON v.item_id = i.id"),
        (items().full_join(v, on), "FULL JOIN {visit} v ON v.item_id = i.id"),
        (items().cross_join(v), "CROSS JOIN {visit} v"),
        (items().join_using(v, ["id"]), "JOIN {visit} v USING (id)"),
        (items().full_join_using(v, ["id", "divisor"]), "FULL JOIN {visit} v USING (id, divisor)"),
    ] {
        same(of, sorted(query), &seen(&format!("{base} {join} {order}"))).await;
    }
}
