//! Rows of other tables as JSON in a column.

use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn a_tree_in_one_statement() {
    let (s, b, l, r) = (
        table("shelf").alias("s"),
        table("book").alias("b"),
        table("loan").alias("l"),
        table("reader").alias("r"),
    );
    let reader = select((r.col("name"), r.col("home"))).from(r).filter(r.col("id").eq(l.col("reader_id")));
    let loans = select((l.col("id"), l.col("fine"), nest_one(reader).alias("reader")))
        .from(l)
        .filter(l.col("book_id").eq(b.col("id")))
        .order_by(l.col("id").desc());
    let books = select((b.col("title"), nest_many(loans).alias("loans")))
        .from(b)
        .filter(b.col("shelf_id").eq(s.col("id")))
        .order_by(b.col("id"));
    same(
        select((s.col("name"), nest_many(books).alias("books"))).from(s).order_by(s.col("id")),
        r#"SELECT * FROM (VALUES
            ('All', '[]'::json),
            ('Fiction', '[]'),
            ('Science', '[{"title":"On Tides","loans":[{"id":5,"fine":2.00,"reader":{"name":"Cy","home":null}}]}, {"title":"A Field Guide","loans":[]}]'),
            ('Novels', '[{"title":"The Long Road","loans":[{"id":3,"fine":null,"reader":{"name":"Ben","home":{"street":"2 High St","city":"Ely","zip":102}}}, {"id":1,"fine":null,"reader":{"name":"Ada","home":{"street":"1 Mill Lane","city":"Ely","zip":101}}}]}, {"title":"Low Tide","loans":[{"id":2,"fine":0.50,"reader":{"name":"Ada","home":{"street":"1 Mill Lane","city":"Ely","zip":101}}}]}]'),
            ('Poetry', '[{"title":"Salt","loans":[{"id":4,"fine":2.00,"reader":{"name":"Ben","home":{"street":"2 High St","city":"Ely","zip":102}}}]}, {"title":"Psalms","loans":[]}]')
        ) AS expected (name, books)"#,
    )
    .await;
}

#[tokio::test]
async fn one_row_or_none() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let latest = select((l.col("id"), l.col("renewed")))
        .from(l)
        .filter(l.col("book_id").eq(b.col("id")))
        .order_by(l.col("id").desc())
        .limit(1);
    same(
        select((b.col("id"), nest_one(latest).alias("latest"))).from(b).order_by(b.col("id")),
        "SELECT id, (SELECT row_to_json(x) FROM (SELECT id, renewed FROM loan WHERE book_id = b.id ORDER BY id DESC LIMIT 1) x)
                    AS latest
         FROM book b ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn a_relation_of_the_author_s_may_have_the_name_of_what_nests() {
    let (n, l) = (table("book").alias("n"), table("loan").alias("l"));
    let inner = select((n.col("title"), l.col("id")))
        .from(l)
        .filter(l.col("book_id").eq(n.col("id")))
        .order_by(l.col("id"));
    let outer = select((n.col("id").alias("n"), nest_many(inner).alias("m")));
    same(
        select((n.col("id"), nest_one(outer).alias("tree"))).from(n).order_by(n.col("id")),
        r#"SELECT * FROM (VALUES
            (1, '{"n":1,"m":[{"title":"The Long Road","id":1}, {"title":"The Long Road","id":3}]}'::json),
            (2, '{"n":2,"m":[{"title":"Low Tide","id":2}]}'), (3, '{"n":3,"m":[{"title":"Salt","id":4}]}'),
            (4, '{"n":4,"m":[{"title":"On Tides","id":5}]}'), (5, '{"n":5,"m":[]}'), (6, '{"n":6,"m":[]}')
        ) AS expected (id, tree)"#,
    )
    .await;
}

#[test]
fn what_is_nested_needs_names() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let loans = select((l.col("id"), l.col("id") + 1)).from(l);
    assert_eq!(
        refused(select(nest_many(loans).alias("loans")).from(b)),
        "CS0310: column 2 of \"n\" has no name; a whole row needs a name for each column: give one with .alias(\"…\")"
    );
}
