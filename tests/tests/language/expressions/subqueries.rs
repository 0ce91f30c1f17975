//! Subqueries in expressions: scalar, EXISTS, IN, ANY, ALL, ARRAY.

use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn scalar_exists_and_in() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let of_book = || select(l.col("id")).from(l).filter(l.col("book_id").eq(b.col("id")));
    same(
        select((
            b.col("id"),
            select(max(l.col("id")))
                .from(l)
                .filter(l.col("book_id").eq(b.col("id")))
                .scalar()
                .alias("latest"),
            exists(of_book()).alias("lent"),
            not_exists(of_book()).alias("never"),
            b.col("id").in_query(select(l.col("book_id")).from(l)).alias("a"),
            b.col("id").not_in_query(select(l.col("book_id")).from(l)).alias("b"),
            constant(1).in_query(of_book()).alias("c"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, (SELECT max(id) FROM loan WHERE book_id = b.id) AS latest,
                EXISTS (SELECT id FROM loan WHERE book_id = b.id) AS lent,
                NOT EXISTS (SELECT id FROM loan WHERE book_id = b.id) AS never,
                id IN (SELECT book_id FROM loan) AS a, id NOT IN (SELECT book_id FROM loan) AS b,
                1 IN (SELECT id FROM loan WHERE book_id = b.id) AS c
         FROM book b ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn any_all_and_array() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let readers =
        || select(l.col("reader_id")).from(l).filter(l.col("book_id").eq(b.col("id"))).order_by(l.col("id"));
    same(
        select((
            b.col("id"),
            constant(2).eq_any(readers()).alias("a"),
            constant(2).ne_all(readers()).alias("b"),
            constant(1).op_any("<", readers()).alias("c"),
            constant(2).op_all(">=", readers()).alias("d"),
            b.col("title").op_any("~~", select(constant("%Tide%").alias("p"))).alias("e"),
            array_query(readers()).alias("f"),
            b.col("genre").eq_any(select(b.col("genre")).from(b)).alias("g"),
        ))
        .from(b)
        .order_by(b.col("id")),
        "SELECT id, 2 = ANY (SELECT reader_id FROM loan WHERE book_id = b.id) AS a,
                2 <> ALL (SELECT reader_id FROM loan WHERE book_id = b.id) AS b,
                1 < ANY (SELECT reader_id FROM loan WHERE book_id = b.id) AS c,
                2 >= ALL (SELECT reader_id FROM loan WHERE book_id = b.id) AS d,
                title LIKE ANY (SELECT '%Tide%') AS e,
                ARRAY(SELECT reader_id FROM loan WHERE book_id = b.id ORDER BY id) AS f,
                genre = ANY (SELECT genre FROM book) AS g
         FROM book b ORDER BY id",
    )
    .await;
}

#[test]
fn subqueries_that_do_not_fit() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let two = || select((l.col("id"), l.col("period"))).from(l);
    let one_column = "CS0203: a subquery used as a value has one column, and this has 2; several are compared with a row((…)) on \
                      the left side";
    for (value, finding) in [
        (two().scalar().alias("x"), one_column),
        (array_query(two()).alias("x"), one_column),
        (b.col("id").eq_any(two()).alias("x"), one_column),
        (
            b.col("id").eq_any(select(l.col("period")).from(l)).alias("x"),
            "CS0306: there is no operator int4 = daterange; cast the left side with .cast_as(\"daterange\"), or the other \
             side to its type",
        ),
        (
            b.col("id").op_all("+", select(l.col("book_id")).from(l)).alias("x"),
            "CS0306: an operator that gives a bool is wanted here, and + does not",
        ),
    ] {
        assert_eq!(refused(select(value).from(b)), finding);
    }
}
