//! Tables, and lists of values.

use callslip_sdk::prelude::*;
use callslip_sdk::rare::{TableSample, bernoulli, sampling_method, system};

use crate::support::{refused, same};

#[tokio::test]
async fn only_leaves_out_what_inherits() {
    let b = table("book").alias("b");
    same(select(count_all()).from(b.only()), "SELECT count(*) FROM ONLY book").await;
    same(select(count_all()).from(b), "SELECT count(*) FROM book").await;
    let only = b.only();
    same(
        select(b.col("title"))
            .from(only)
            .join(table("shelf").only(), table("shelf").col("id").eq(b.col("shelf_id")))
            .order_by(b.col("id")),
        "SELECT b.title FROM ONLY book b JOIN ONLY shelf ON shelf.id = b.shelf_id ORDER BY b.id",
    )
    .await;
}

#[tokio::test]
async fn column_aliases() {
    let s = table("shelf").alias("s").column_aliases(["number", "above"]);
    same(
        select((s.col("number"), s.col("above"), s.col("name"))).from(s).order_by(s.col("number")),
        "SELECT number, above, name FROM shelf AS s (number, above) ORDER BY number",
    )
    .await;
    let b = table("book").alias("b");
    let priced =
        select((b.col("id"), b.col("price") * 2)).from(b.only()).alias("p").column_aliases(["book", "twice"]);
    same(
        select((priced.col("book"), priced.col("twice"))).from(priced).order_by(priced.col("book")),
        "SELECT book, twice FROM (SELECT id, price * 2 FROM ONLY book) AS p (book, twice) ORDER BY book",
    )
    .await;
    let c = cte("c", select((b.col("id"), b.col("title"))).from(b));
    let again = c.alias("again").column_aliases(["x", "y"]);
    same(
        select((c.col("id"), again.col("y")))
            .from(c)
            .join(again, again.col("x").eq(c.col("id")))
            .order_by(c.col("id")),
        "WITH c AS (SELECT id, title FROM book)
         SELECT c.id, again.y FROM c JOIN c AS again (x, y) ON again.x = c.id ORDER BY c.id",
    )
    .await;
}

#[test]
fn column_aliases_hide_the_names_and_are_no_more_than_the_columns() {
    let s = table("shelf").alias("s").column_aliases(["number"]);
    assert_eq!(
        refused(select(s.col("id")).from(s)),
        "CS0302: shelf (alias \"s\") has no column \"id\"; its columns are number, parent_id, name"
    );
    let s = table("shelf").alias("s").column_aliases(["a", "b", "c", "d"]);
    assert_eq!(refused(select(s.col("a")).from(s)), "CS0203: 4 column aliases for 3 columns");
}

#[tokio::test]
async fn tablesample() {
    let b = table("book").alias("b");
    let ids = |b: Table| select(b.col("id")).from(b).order_by(b.col("id"));
    same(ids(b.tablesample(bernoulli(100.0))), "SELECT id FROM book TABLESAMPLE bernoulli (100) ORDER BY id")
        .await;
    // Numbers of all widths become what the method takes.
    same(ids(b.tablesample(system(100))), "SELECT id FROM book TABLESAMPLE system (100) ORDER BY id").await;
    same(
        ids(b.tablesample(bernoulli(dec("50")).repeatable(7))),
        "SELECT id FROM book TABLESAMPLE bernoulli (50) REPEATABLE (7) ORDER BY id",
    )
    .await;
    // More than one in a query, not the last, with ONLY and column aliases.
    let (x, y) = (b.alias("x").only().column_aliases(["number"]), b.alias("y"));
    let (x, y) = (x.tablesample(bernoulli("100")), y.tablesample(system(100_i64).repeatable("3")));
    same(
        select((x.col("number"), y.col("title")))
            .from(x)
            .join(y, y.col("id").eq(x.col("number")))
            .order_by(x.col("number")),
        "SELECT x.number, y.title FROM ONLY book AS x (number) TABLESAMPLE bernoulli (100)
         JOIN book AS y TABLESAMPLE system (100) REPEATABLE (3) ON y.id = x.number ORDER BY x.number",
    )
    .await;
}

#[test]
fn tablesample_has_its_rules() {
    let b = table("book").alias("b");
    let sampled = |b: Table| refused(select(b.col("id")).from(b));
    assert_eq!(
        sampled(b.tablesample(sampling_method("bernouli", 1))),
        "CS0305: there is no sampling method bernouli; did you mean \"bernoulli\"?"
    );
    // A function of any other kind is no method.
    assert_eq!(
        sampled(b.tablesample(sampling_method("overdue", 1))),
        "CS0305: there is no sampling method overdue"
    );
    assert_eq!(
        sampled(b.tablesample(sampling_method("system", (1, 2)))),
        "CS0203: system takes one argument, the percentage of rows"
    );
    // Its arguments see no relation beside it.
    let s = table("shelf").alias("s");
    assert_eq!(
        refused(select(b.col("id")).from(s).from(b.tablesample(bernoulli(s.col("id"))))),
        "CS0303: no relation with the alias \"s\" is in scope here; is a .from() or a join missing?"
    );
}

#[tokio::test]
async fn values_in_from() {
    let v = values([(1, "a"), (2, "b")]).alias("v", ["id", "name"]);
    same(
        select((v.col("id"), v.col("name"))).from(v).order_by(v.col("id")),
        "SELECT id, name FROM (VALUES (1, 'a'), (2, 'b')) AS v (id, name) ORDER BY id",
    )
    .await;
    // With expressions, and columns of what stands before it.
    let b = table("book").alias("b");
    let v =
        values!("v", (what, of), [("pages", b.col("pages").cast::<i32>()), ("double", b.col("pages") * 2)]);
    same(
        select((b.col("id"), v.what, v.of)).from(b).join_lateral(v, v.of.gt(100)).order_by((b.col("id"), v.of)),
        "SELECT b.id, what, \"of\" FROM book b JOIN LATERAL (VALUES ('pages', b.pages), ('double', b.pages * 2)) AS v (what, \"of\")
         ON v.of > 100 ORDER BY b.id, v.of",
    )
    .await;
}
