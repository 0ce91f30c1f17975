//! Rows, arrays and what has a syntax of its own; that the author's line is where each was written, `written` checks.

use super::written;
use crate::{Item, prelude::*};

fn assert_trees<const N: usize>(trees: [(Item, &str); N]) {
    for (item, tree) in trees {
        assert_eq!(written(select(item)), format!("select {tree}:x"));
    }
}

#[test]
fn rows_and_arrays() {
    let t = table("t");
    let (a, b) = (t.col("a"), t.col("b"));
    let query = || select(a).from(t);
    assert_trees([
        (row((a, 1)).alias("x"), "(t.a 1::int4)"),
        (row(vec![a, b]).eq(row([1, 2])).alias("x"), "(= (t.a t.b) (1::int4 2::int4))"),
        (row(a).gt(row(1)).alias("x"), "(> (t.a) (1::int4))"),
        (row(()).is_null().alias("x"), "() is Null"),
        (whole_row(t).alias("x"), "t.*"),
        (whole_row(t).field("a").alias("x"), "t.*.a"),
        (array([1, 2]).alias("x"), "[1::int4 2::int4]"),
        (array((a, 1)).alias("x"), "[t.a 1::int4]"),
        (empty_array::<i32>().alias("x"), "[]::pg_catalog.int4[]"),
        (array_query(query()).alias("x"), "array(select t.a from t:t)"),
        (a.at(1).alias("x"), "t.a[1::int4]"),
        (a.at((1, b)).at("k").alias("x"), r#"t.a[1::int4][t.b][("k")]"#),
        (a.slice(1, 2).alias("x"), "t.a[1::int4:2::int4]"),
        (a.slice_from(1).alias("x"), "t.a[1::int4:]"),
        (a.slice_to(1).alias("x"), "t.a[:1::int4]"),
        (a.contains(b).alias("x"), "(@> t.a t.b)"),
        (a.contained_by(b).alias("x"), "(<@ t.a t.b)"),
        (a.overlaps(b).alias("x"), "(&& t.a t.b)"),
        (a.eq_any(b).alias("x"), "t.a = Any t.b"),
        (a.ne_all(b).alias("x"), "t.a <> All t.b"),
        (a.eq_any(query()).alias("x"), "t.a = Any (select t.a from t:t)"),
        (a.op_any("~~", array(["a"])).alias("x"), r#"t.a ~~ Any [("a")]"#),
        (a.op_all("ext.<", query()).alias("x"), "t.a ext.< All (select t.a from t:t)"),
        (prefix("@", a).alias("x"), "(@ t.a)"),
        (null_of::<Date>().alias("x"), "null::pg_catalog.date"),
    ]);
}

#[test]
fn forms() {
    let t = table("t");
    let (a, b) = (t.col("a"), t.col("b"));
    assert_trees([
        (
            a.like_escape("b", "!").alias("x"),
            r#"<LikeEscape { case_insensitive: false, negated: false }>(t.a ("b") ("!"))"#,
        ),
        (
            a.not_ilike_escape("b", "!").alias("x"),
            r#"<LikeEscape { case_insensitive: true, negated: true }>(t.a ("b") ("!"))"#,
        ),
        (a.similar_to("b").alias("x"), r#"<SimilarTo { negated: false }>(t.a ("b"))"#),
        (a.not_similar_to_escape("b", "!").alias("x"), r#"<SimilarTo { negated: true }>(t.a ("b") ("!"))"#),
        (a.regex("b").alias("x"), r#"(~ t.a ("b"))"#),
        (a.iregex("b").alias("x"), r#"(~* t.a ("b"))"#),
        (a.at_time_zone("UTC").alias("x"), r#"<AtTimeZone>(t.a ("UTC"))"#),
        (overlaps((a, b), (b, a)).alias("x"), "<Overlaps>(t.a t.b t.b t.a)"),
        (current_timestamp(None).alias("x"), "<CurrentTimestamp { precision: None }>()"),
        (localtime(3).alias("x"), "<LocalTime { precision: Some(3) }>()"),
        (a.get_path(b).alias("x"), "(#> t.a t.b)"),
        (a.get_path_text(b).alias("x"), "(#>> t.a t.b)"),
        (a.has_key("k").alias("x"), r#"(? t.a ("k"))"#),
    ]);
}

#[test]
fn nested_rows() {
    let t = table("t");
    assert_trees([
        (
            nest_many(select(t.col("a")).from(t)).alias("x"),
            "scalar(select <Coalesce>(json_agg(row_to_json(n.*)) []::json) from (select t.a from t:t):n)",
        ),
        (
            nest_one(select(t.col("a")).from(t)).alias("x"),
            "scalar(select row_to_json(n.*) from (select t.a from t:t):n)",
        ),
    ]);
}
