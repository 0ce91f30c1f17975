use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn over_in_expressions_and_order_by() {
    let b = table("book").alias("b");
    let in_genre =
        || rank().over(window().partition_by(b.col("genre")).order_by(b.col("pages").desc().nulls_last()));
    let share = (b.col("pages") * 100) / sum(b.col("pages")).over(window());
    same(
        select((b.col("id"), (in_genre() + 1).alias("next"), share.alias("share")))
            .from(b)
            .order_by((in_genre().desc(), b.col("id"))),
        "SELECT id, rank() OVER (PARTITION BY genre ORDER BY pages DESC NULLS LAST) + 1 AS next,
                pages * 100 / sum(pages) OVER () AS share
         FROM book ORDER BY rank() OVER (PARTITION BY genre ORDER BY pages DESC NULLS LAST) DESC, id",
    )
    .await;
}

#[tokio::test]
async fn frames() {
    let b = table("book").alias("b");
    let by_id = || window().order_by(b.col("id"));
    let by_day = || window().order_by(b.col("published"));
    let of = |window: Window| {
        select((b.col("id"), array_agg(b.col("id")).over(window).alias("ids"))).from(b).order_by(b.col("id"))
    };
    for (window, sql) in [
        (by_id().rows(preceding(1), following(1)), "ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING"),
        (
            by_id().rows(UNBOUNDED_PRECEDING, preceding(2)),
            "ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING",
        ),
        (by_id().range(preceding(2), CURRENT_ROW), "ORDER BY id RANGE BETWEEN 2 PRECEDING AND CURRENT ROW"),
        (
            by_day().range(preceding("20 years"), following("1 day")),
            "ORDER BY published RANGE BETWEEN '20 years' PRECEDING AND '1 day' FOLLOWING",
        ),
        (
            by_day().groups(preceding(1), following(1)).exclude(Exclude::Group),
            "ORDER BY published GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE GROUP",
        ),
        (
            by_day().groups(CURRENT_ROW, UNBOUNDED_FOLLOWING).exclude(Exclude::Ties),
            "ORDER BY published GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE TIES",
        ),
        (
            by_id().rows(preceding(1), CURRENT_ROW).exclude(Exclude::CurrentRow),
            "ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW",
        ),
        (
            window().rows(CURRENT_ROW, CURRENT_ROW).exclude(Exclude::NoOthers),
            "ROWS BETWEEN CURRENT ROW AND CURRENT ROW EXCLUDE NO OTHERS",
        ),
    ] {
        let expected = format!("SELECT id, array_agg(id) OVER ({sql}) AS ids FROM book ORDER BY id");
        same(of(window), &expected).await;
    }
    // In an expression, with FILTER.
    let frame = by_id().groups(UNBOUNDED_PRECEDING, CURRENT_ROW).exclude(Exclude::CurrentRow);
    let before = coalesce((sum(b.col("pages")).filter(b.col("pages").gt(100)).over(frame), 0_i64));
    same(
        select((b.col("id"), before.alias("before"))).from(b).order_by(b.col("id")),
        "SELECT id, coalesce(sum(pages) FILTER (WHERE pages > 100) OVER (ORDER BY id
                GROUPS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW), 0) AS before FROM book ORDER BY id",
    )
    .await;
}

/// A constant beside RANGE is of the type that PostgreSQL adds to the sort key.
#[tokio::test]
async fn distances_of_range_by_every_type_that_has_them() {
    for (ty, value, distance) in [
        ("int2", "7", "2"),
        ("int4", "7", "2"),
        ("int8", "7", "2"),
        ("float4", "7", "2.5"),
        ("float8", "7", "2.5"),
        ("numeric", "7", "2.5"),
        ("date", "2026-01-31", "1 month"),
        ("time", "10:00", "1 hour"),
        ("timetz", "10:00+00", "1 hour"),
        ("timestamp", "2026-01-31", "1 day"),
        ("timestamptz", "2026-01-31", "1 day"),
        ("interval", "3 days", "1 day"),
    ] {
        let near =
            window().order_by(constant(value).cast_as(ty)).range(preceding(distance), following(distance));
        same(
            select(count_all().over(near).alias("n")),
            &format!(
                "SELECT count(*) OVER (ORDER BY '{value}'::{ty} RANGE BETWEEN '{distance}' PRECEDING AND '{distance}' FOLLOWING)
                 AS n"
            ),
        )
        .await;
    }
}

#[tokio::test]
async fn window_clause_with_two_windows_before_order_by_and_limit() {
    let b = table("book").alias("b");
    let from_base = sum(b.col("pages")).over(window().base("g").order_by(b.col("id")));
    same(
        select((b.col("id"), count_all().over("g").alias("in_genre"), row_number().over("gi").alias("n"), from_base.alias("pages")))
            .from(b)
            .filter(b.col("id").gt(1))
            .window("g", window().partition_by(b.col("genre")))
            .window("gi", window().base("g").order_by(b.col("id")).rows(preceding(1), CURRENT_ROW))
            .order_by(b.col("id"))
            .limit(4),
        "SELECT id, count(*) OVER g AS in_genre, row_number() OVER gi AS n, sum(pages) OVER (g ORDER BY id) AS pages
         FROM book WHERE id > 1
         WINDOW g AS (PARTITION BY genre), gi AS (g ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
         ORDER BY id LIMIT 4",
    )
    .await;
    // Behind each clause that can be the last before it.
    let counted =
        || select((b.col("genre"), rank().over("w").alias("rank"))).from(b).group_by(b.col("genre"));
    let w = || window().order_by(count_all());
    same(
        counted().window("w", w()).order_by(b.col("genre")),
        "SELECT genre, rank() OVER w AS rank FROM book GROUP BY genre WINDOW w AS (ORDER BY count(*)) ORDER BY genre",
    )
    .await;
    same(
        counted().having(count_all().gt(1)).window("w", w()).order_by(b.col("genre")),
        "SELECT genre, rank() OVER w AS rank FROM book GROUP BY genre HAVING count(*) > 1 WINDOW w AS (ORDER BY count(*))
         ORDER BY genre",
    )
    .await;
}

#[tokio::test]
async fn window_clause_without_from() {
    let alone = select((row_number().over("w").alias("n"), constant(1).alias("one"))).window("w", window());
    same(
        alone.clone().order_by(output("n")),
        "SELECT row_number() OVER w AS n, 1 AS one WINDOW w AS () ORDER BY n",
    )
    .await;
    same(
        alone.union(select((constant(2_i64), 2))).order_by(output("n")),
        "SELECT row_number() OVER w AS n, 1 AS one WINDOW w AS () UNION SELECT 2, 2 ORDER BY n",
    )
    .await;
}

#[test]
fn what_windows_refuse() {
    let b = table("book").alias("b");
    let of = |window: Window| {
        refused(
            select(count_all().over(window))
                .from(b)
                .window("p", self::window().partition_by(b.col("genre")).order_by(b.col("id")))
                .window("f", self::window().order_by(b.col("id")).rows(CURRENT_ROW, CURRENT_ROW)),
        )
    };
    let by_id = || window().order_by(b.col("id"));
    for (found, says) in [
        (
            of(window().base("f")),
            "CS0203: a window can't start from \"f\", since that has a frame; use it as it is",
        ),
        (
            of(window().base("p").partition_by(b.col("id"))),
            "CS0203: a window that starts from \"p\" has its PARTITION BY, and no other",
        ),
        (
            of(window().base("p").order_by(b.col("id"))),
            "CS0203: a window that starts from \"p\" has its ORDER BY, and no other",
        ),
        (of(window().base("pp")), "CS0309: no window is named \"pp\"; did you mean \"p\"?"),
        (
            of(by_id().rows(UNBOUNDED_FOLLOWING, following(1))),
            "CS0203: frame start cannot be UNBOUNDED FOLLOWING",
        ),
        (
            of(by_id().rows(preceding(1), UNBOUNDED_PRECEDING)),
            "CS0203: frame end cannot be UNBOUNDED PRECEDING",
        ),
        (
            of(by_id().rows(CURRENT_ROW, preceding(1))),
            "CS0203: frame starting from current row cannot have preceding rows",
        ),
        (
            of(by_id().rows(following(1), preceding(1))),
            "CS0203: frame starting from following row cannot have preceding rows",
        ),
        (of(window().groups(CURRENT_ROW, CURRENT_ROW)), "CS0203: GROUPS needs an ORDER BY in the window"),
        (
            of(by_id().order_by(b.col("pages")).range(preceding(1), CURRENT_ROW)),
            "CS0203: RANGE with a distance needs an ORDER BY of one item",
        ),
        (
            of(by_id().rows(preceding(b.col("id")), CURRENT_ROW)),
            "CS0303: no relation with the alias \"b\" is in scope here; is a .from() or a join missing?",
        ),
    ] {
        assert_eq!(found, says);
    }
    // A window starts only from one that is declared before it.
    let late = select(count_all().over("a"))
        .from(b)
        .window("a", window().base("z"))
        .window("z", window().partition_by(b.col("genre")));
    assert_eq!(
        refused(late),
        "CS0309: no window is named \"z\"; declare it with .window(\"…\", …) on the same select, before what uses it"
    );
}
