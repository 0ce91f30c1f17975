//! Calls of functions and aggregates.

use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn named_and_variadic_arguments() {
    same(
        select((
            call("make_interval", ()).named("days", 2).named("hours", 3).alias("a"),
            call("make_date", (2026,)).named("day", 1).named("month", 2).alias("b"),
            call("concat_ws", ("-", array(["x", "y"]))).variadic().alias("c"),
            call("json_build_array", array(["x", "y"])).variadic().alias("d"),
            call("pairs", empty_or([3])).variadic().alias("e"),
        )),
        "SELECT make_interval(days => 2, hours => 3) AS a, make_date(2026, day => 1, month => 2) AS b,
                concat_ws('-', VARIADIC ARRAY['x', 'y']) AS c, json_build_array(VARIADIC ARRAY['x', 'y']) AS d,
                pairs(VARIADIC ARRAY[3]) AS e",
    )
    .await;
}

fn empty_or(items: [i32; 1]) -> Expr<Vec<i32>> {
    array(items)
}

#[tokio::test]
async fn aggregates() {
    let b = table("book").alias("b");
    same(
        select((
            b.col("genre"),
            count_distinct(b.col("shelf_id")).alias("a"),
            string_agg(b.col("title"), ", ").order_by(b.col("title").desc()).alias("b"),
            array_agg(b.col("shelf_id")).distinct().order_by(b.col("shelf_id").desc()).alias("c"),
            count_all().filter(b.col("pages").gt(100)).alias("d"),
            percentile_cont(0.5).within_group(b.col("pages")).alias("e"),
            percentile_disc(array([0.25, 0.75])).within_group(b.col("pages").desc()).alias("f"),
            call("mode", ()).within_group(b.col("shelf_id")).filter(b.col("id").lt(6)).alias("g"),
            call("rank", 100).within_group(b.col("pages")).alias("h"),
            bool_and(b.col("pages").gt(60)).alias("i"),
            array_agg(b.col("scores").concat(array([0, 0, 0, 0])).slice(1, 4)).order_by(b.col("id")).alias("j"),
            call("json_object_agg", (b.col("id"), b.col("title"))).alias("k"),
        ))
        .from(b)
        .filter(b.col("id").lt(100))
        .group_by(b.col("genre"))
        .order_by(b.col("genre")),
        "SELECT genre, count(DISTINCT shelf_id) AS a, string_agg(title, ', ' ORDER BY title DESC) AS b,
                array_agg(DISTINCT shelf_id ORDER BY shelf_id DESC) AS c, count(*) FILTER (WHERE pages > 100) AS d,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY pages) AS e,
                percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY pages DESC) AS f,
                mode() WITHIN GROUP (ORDER BY shelf_id) FILTER (WHERE id < 6) AS g,
                rank(100) WITHIN GROUP (ORDER BY pages) AS h, bool_and(pages > 60) AS i,
                array_agg((scores || ARRAY[0, 0, 0, 0])[1:4] ORDER BY id) AS j, json_object_agg(id, title) AS k
         FROM book WHERE id < 100 GROUP BY genre ORDER BY genre",
    )
    .await;
}

#[test]
fn calls_that_are_not_there() {
    let b = table("book").alias("b");
    for (value, finding) in [
        (
            call("make_interval", ()).named("dayz", 2),
            "CS0305: there is no function make_interval(int4); there are make_interval(",
        ),
        (call("lower", b.col("pages")), "CS0305: there is no function lower(int4); there are lower("),
        (
            call("concat_ws", ("-", array(["x"]), 1)).variadic().named("x", 1),
            "CS0203: VARIADIC stands before the last argument only",
        ),
    ] {
        let found = refused(select(value.alias("x")).from(b));
        assert!(found.starts_with(finding), "{found}\n{finding}");
    }
}

#[test]
fn what_an_unknown_column_is_given_to_needs_no_grant_for_that() {
    // Of the signatures of max some look at the server: max(tid).
    let b = table("book").alias("b");
    let found = refused(select(max(b.col("stage")).alias("x")).from(b));
    assert!(found.starts_with("CS0302") && found.lines().count() == 1, "{found}");
}
