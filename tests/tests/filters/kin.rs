//! Views, partitions, parents and children of a filtered relation.

use callslip_sdk::prelude::*;

use crate::support::{Shop, given, refused, refused_by, same, shop};

fn ids(relation: &'static str) -> Select {
    let t = table(relation).alias("t");
    select(t.col("id")).from(t).order_by(t.col("id"))
}

const ITEM: &[(&str, &str)] = &[("item", "company_id = claim('company')")];

#[tokio::test]
async fn a_view_of_a_filtered_relation_needs_a_filter_of_its_own() {
    for view in ["item_view", "over_view", "item_kept", "over_kept"] {
        let found = refused(ITEM, ids(view));
        assert_eq!(
            found,
            format!(
                "CS0407: public.{view} has rows of public.item, which is under a row filter, and has no filter of its own; add \
                 \"public.{view}\" = \"…\" to [filters], or \"true\" if all of its rows may be read"
            )
        );
    }
    let client = shop().client().await;
    assert_eq!(given(&client, ITEM, ids("visit_view")).await.map(|rows| rows.len()), Ok(1_030));
    let with = |view, sql| [ITEM[0], (view, sql)];
    let own = "company_id = claim('company')";
    same(&with("item_view", own), ids("item_view"), "SELECT id FROM item WHERE company_id = 1 ORDER BY id")
        .await;
    same(&with("item_kept", own), ids("item_kept"), "SELECT id FROM item WHERE company_id = 1 ORDER BY id")
        .await;
    same(&with("over_kept", "id < 5"), ids("over_kept"), "SELECT id FROM item WHERE id < 5 ORDER BY id")
        .await;
    same(&with("over_kept", "true"), ids("over_kept"), "SELECT id FROM item ORDER BY id").await;
    // A view's own expressions are under the filter of the view.
    let t = table("item_view").alias("t");
    let shares =
        select((t.col("id"), t.col("share"))).from(t).filter(t.col("share").gt(20)).order_by(t.col("id"));
    let seen = "SELECT id, 100 / divisor AS share FROM item WHERE id < 5 ORDER BY id";
    same(&with("item_view", own), shares, seen).await;
}

#[tokio::test]
async fn tables_that_share_rows_need_a_filter_each() {
    let of = |relation| [(relation, "company_id = claim('company')")];
    for (filtered, others) in [
        ("event", vec!["event_2025", "event_2026", "event_2026_1", "event_2026_2"]),
        ("event_2026_2", vec!["event", "event_2026"]),
        ("event_2026", vec!["event", "event_2026_1", "event_2026_2"]),
        ("animal", vec!["bird"]),
        ("bird", vec!["animal"]),
    ] {
        for other in others {
            let found = refused(&of(filtered), ids(other));
            let expected = format!("CS0407: public.{other} has rows of public.");
            assert!(found.starts_with(&expected), "{filtered}, {other}: {found}");
        }
        let sql = format!("SELECT id FROM {filtered} WHERE company_id = 1 ORDER BY id");
        if filtered != "event_2026_2" {
            same(&of(filtered), ids(filtered), &sql).await;
        }
    }
    let t = table("animal").alias("t");
    let only = select(t.col("id")).from(t.only());
    same(&of("animal"), only, "SELECT id FROM ONLY animal WHERE company_id = 1").await;
}

/// Who may not read what the rows are parted by, or a level between, is not told of the one or the other.
#[tokio::test]
async fn rows_are_shared_through_what_the_login_may_not_read() {
    let shop = Shop::seen_by(
        "reader",
        "CREATE TABLE eagle (span int4) INHERITS (bird);
         CREATE ROLE reader LOGIN;
         GRANT SELECT (id, company_id) ON event TO reader;
         GRANT SELECT ON event_2025, event_2026_1, animal, eagle TO reader",
    )
    .await;
    let of = |relation| [(relation, "company_id = claim('company')")];
    for (filtered, other) in [
        ("event", "event_2025"),
        ("event", "event_2026_1"),
        ("event_2025", "event"),
        ("event_2026_1", "event"),
        ("animal", "eagle"),
        ("eagle", "animal"),
    ] {
        let found = refused_by(&shop, &of(filtered), ids(other));
        let expected = format!("CS0407: public.{other} has rows of public.");
        assert!(found.starts_with(&expected), "{filtered}, {other}: {found}");
    }
}
