//! Subscripts, slices and fields.

use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn subscripts_and_slices() {
    let b = table("book").alias("b");
    let scores = b.col("scores");
    let grid = array([array([1, 2, 3]), array([4, 5, 6])]);
    same(
        select((
            b.col("id"),
            scores.at(1).alias("first"),
            scores.at(b.col("id") - 1).alias("computed"),
            scores.slice(2, 3).alias("slice"),
            scores.slice_from(2).alias("from"),
            scores.slice_to(2).alias("to"),
            (scores.at(1) + scores.at(2)).alias("sum"),
            grid.at((2, 3)).alias("cell"),
            grid.slice(1, 2).slice(2, 3).alias("part"),
            scores.slice(2, 3).at(1).alias("second"),
            grid.slice(1, 2).at((2, 3)).alias("mixed"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, scores[1] AS first, scores[id - 1] AS computed, scores[2:3] AS slice, scores[2:] AS from,
                scores[:2] AS to, scores[1] + scores[2] AS sum, (ARRAY[[1,2,3],[4,5,6]])[2][3] AS cell,
                (ARRAY[[1,2,3],[4,5,6]])[1:2][2:3] AS part, (scores[2:3])[1] AS second,
                ((ARRAY[[1,2,3],[4,5,6]])[1:2])[2][3] AS mixed
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn subscripts_of_what_is_computed() {
    let b = table("book").alias("b");
    same(
        select((
            call("string_to_array", (b.col("title"), " ")).at(2).alias("word"),
            array_query(select(b.col("id")).from(b).order_by(b.col("id").desc())).at(1).alias("last"),
            constant("(1,2)").cast_as("point").at(0).alias("x"),
            b.col("scores").at(2_i64).alias("wide"),
            b.col("scores").at("2").alias("untyped"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT (string_to_array(title, ' '))[2] AS word, (ARRAY(SELECT id FROM book ORDER BY id DESC))[1] AS last,
                (point '(1,2)')[0] AS x, scores[2::int8::int4] AS wide, scores[2] AS untyped FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn subscripts_of_jsonb() {
    let b = table("book").alias("b");
    let details = b.col("details");
    same(
        select((
            b.col("id"),
            details.at("award").alias("award"),
            details.at(("editions", 0, "year")).alias("year"),
            details.at("editions").at(1).at("copies").alias("copies"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, details['award'] AS award, details['editions'][0]['year'] AS year,
                details['editions'][1]['copies'] AS copies FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn fields() {
    let r = table("reader").alias("r");
    same(
        select((
            r.col("id"),
            r.col("home").field("city").alias("city"),
            (r.col("home").field("zip") + 1).alias("next"),
            array([r.col("home")]).at(1).field("street").alias("street"),
            array([r.col("home")]).slice(1, 1).at((1,)).alias("slice"),
            whole_row(r).field("home").field("zip").alias("zip"),
            call("one_line", r.col("home")).alias("line"),
        ))
        .from(r)
        .order_by(r.col("id")),
        "SELECT id, (home).city, (home).zip + 1 AS next, (ARRAY[home])[1].street AS street,
                ((ARRAY[home])[1:1])[1] AS slice, ((r).home).zip AS zip, one_line(home) AS line
         FROM reader r ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn fields_of_a_function_s_result() {
    same(
        select((
            call("overdue", Date::new("2026-03-01")).field("days").alias("days"),
            call("overdue", ()).named("since", Date::new("2026-03-01")).named("at_most", 2).field("loan_id").alias("loan"),
        ))
        .order_by((output("days"), output("loan"))),
        "SELECT (overdue(DATE '2026-03-01')).days AS days, (overdue(since => DATE '2026-03-01', at_most => 2)).loan_id AS loan ORDER BY days, loan",
    )
    .await;
}

#[tokio::test]
async fn a_field_is_never_a_function() {
    // PostgreSQL reads `(x).sqrt` as `sqrt(x)`, if the value has no such field, and so it would `(x).pg_sleep`.
    let twice = call("twice", 4.0).field("first");
    same(select(twice.cast::<f64>().alias("x")), "SELECT 4::float8 AS x").await;
    for name in ["pg_sleep", "sqrt"] {
        assert_eq!(
            refused(select(twice.field(name).alias("x"))),
            format!(
                "CS0302: it can't be told whether this value has a field \"{name}\"; cast it to its type with .cast_as(\"…\")"
            )
        );
    }
}

#[test]
fn parts_that_are_not_there() {
    let (b, r) = (table("book").alias("b"), table("reader").alias("r"));
    let mut deep = b.col("scores");
    for _ in 0..7 {
        deep = deep.at(1);
    }
    for (value, finding) in [
        (
            r.col("home").field("citty"),
            "CS0302: public.address has no field \"citty\"; did you mean \"city\"?",
        ),
        (
            r.col("name").field("city"),
            "CS0302: text has no fields; a composite type has, and a row whose columns are known",
        ),
        (whole_row(r).field("nam"), "CS0302: public.reader has no field \"nam\"; did you mean \"name\"?"),
        (row((1, 2)).field("x"), "CS0302: record has no field \"x\"; its fields are f1, f2"),
        (r.col("name").at(1), "CS0306: text has no subscripts; arrays and jsonb have"),
        (
            r.col("name").cast_as("json").at(1),
            "CS0306: json has no subscripts; jsonb has: cast it with .cast_as(\"jsonb\"), or use .get(…)",
        ),
        (b.col("scores").at(true), "CS0306: a subscript is a whole number, and this is bool"),
        (
            b.col("details").at(1_i64),
            "CS0306: a subscript of a jsonb is a text or an int4, and this is int8; cast it with .cast_as(\"text\") or \
             .cast_as(\"int4\")",
        ),
        (b.col("details").slice(1, 2), "CS0306: jsonb has no slices"),
        (deep, "CS0203: 7 subscripts; an array has at most 6"),
    ] {
        assert_eq!(refused(select(value.alias("x")).from(b).cross_join(r)), finding);
    }
}
