//! `ARRAY[…]`, and what is asked of arrays.

use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn array_constructors() {
    let b = table("book").alias("b");
    same(
        select((
            b.col("id"),
            array((b.col("id"), b.col("pages"), 7)).alias("numbers"),
            array(["novel", "poetry"]).cast_as("genre[]").alias("genres"),
            array([array([1, 2]), array([3, 4])]).alias("grid"),
            empty_array::<String>().alias("none"),
            constant("{}").cast_as("inet[]").alias("no_addresses"),
            array((b.col("genre"), "science")).alias("of_enums"),
            array([b.col("price")]).cast_as("numeric(6,1)[]").alias("rounded"),
            array([b.col("id")]).cast::<String>().alias("as_text"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, ARRAY[id, pages, 7] AS numbers, ARRAY['novel', 'poetry']::genre[] AS genres,
                ARRAY[[1, 2], [3, 4]] AS grid, ARRAY[]::text[] AS none, '{}'::inet[] AS no_addresses,
                ARRAY[genre, 'science'] AS of_enums, ARRAY[price]::numeric(6,1)[] AS rounded, ARRAY[id]::text AS as_text
         FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn array_operators() {
    let b = table("book").alias("b");
    let tags = b.col("tags");
    same(
        select((
            b.col("id"),
            tags.contains(array(["sea"])).alias("has"),
            array([5]).contained_by(b.col("scores")).alias("within"),
            tags.overlaps(array(["old", "short"])).alias("common"),
            b.col("scores").concat(array([0])).alias("longer"),
            tags.eq(empty_array::<String>()).alias("none"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, tags @> ARRAY['sea'] AS has, ARRAY[5] <@ scores AS within, tags && ARRAY['old', 'short'] AS common,
                scores || ARRAY[0] AS longer, tags = ARRAY[]::text[] AS none FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn any_and_all_of_arrays() {
    let b = table("book").alias("b");
    same(
        select((
            b.col("id"),
            constant(4).eq_any(b.col("scores")).alias("eq_any"),
            constant(4).ne_all(b.col("scores")).alias("ne_all"),
            constant(3).op_all("<", b.col("scores")).alias("below_all"),
            b.col("title").op_any("~~", array(["%Tide%", "S%"])).alias("like_any"),
            b.col("genre").eq_any(array(["novel", "poetry"]).cast_as("genre[]")).alias("of_genres"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, 4 = ANY (scores) AS eq_any, 4 <> ALL (scores) AS ne_all, 3 < ALL (scores) AS below_all,
                title LIKE ANY (ARRAY['%Tide%', 'S%']) AS like_any,
                genre = ANY (ARRAY['novel', 'poetry']::genre[]) AS of_genres FROM book ORDER BY id",
    )
    .await;
}

#[test]
fn arrays_that_are_none() {
    let b = table("book").alias("b");
    for (value, finding) in [
        (
            array(Vec::<i32>::new()).alias("x"),
            "CS0203: an empty array has no type; give it one: empty_array::<i32>(), or .cast_as(\"int4[]\")",
        ),
        (
            array((b.col("id"), b.col("title"))).alias("x"),
            "CS0315: ARRAY has values that have no type together: int4, text; cast some of them with .cast_as(\"…\")",
        ),
        (
            b.col("id").op_any("+", b.col("scores")).alias("x"),
            "CS0306: an operator that gives a bool is wanted here, and + does not",
        ),
    ] {
        assert_eq!(refused(select(value).from(b)), finding);
    }
}
