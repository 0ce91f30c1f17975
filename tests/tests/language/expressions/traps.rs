//! What a builder of SQL is known to get wrong.

use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn one_value_is_one_parameter() {
    let b = table("book").alias("b");
    let bucket = b.col("pages") / 100 * 100;
    same(
        select((bucket.alias("bucket"), count_all().alias("books")))
            .from(b)
            .group_by(bucket)
            .order_by(bucket),
        "SELECT pages / 100 * 100 AS bucket, count(*) AS books FROM book GROUP BY 1 ORDER BY 1",
    )
    .await;
}

#[tokio::test]
async fn a_parameter_beside_one_in_brackets() {
    same(
        select((
            constant("a").alias("x"),
            array([constant("b"), constant("a")]).at(1).alias("y"),
            array([1]).at(1).alias("z"),
        )),
        "SELECT 'a' AS x, 'b' AS y, 1 AS z",
    )
    .await;
}

#[tokio::test]
async fn operands_keep_their_parentheses() {
    let b = table("book").alias("b");
    let (id, pages) = (b.col("id"), b.col("pages"));
    same(
        select((
            (-(id - 1)).alias("a"),
            (-(-id)).alias("b"),
            (id - (pages - id)).alias("c"),
            ((id + 1) * 2).alias("d"),
            id.eq(1).eq(pages.eq(320)).alias("e"),
            id.eq(1).not().is_null().alias("f"),
            b.col("tags").contains(array(["sea"])).is_true().alias("g"),
            (b.col("title").concat("x")).collate("C").like("S%").alias("h"),
            id.in_list([1, 2]).in_list([true]).alias("i"),
            case().when(id.gt(1), 1).otherwise(0).add(1).alias("j"),
        ))
        .from(b)
        .order_by(id),
        "SELECT -(id - 1) AS a, -(-id) AS b, id - (pages - id) AS c, (id + 1) * 2 AS d, (id = 1) = (pages = 320) AS e,
                (NOT id = 1) IS NULL AS f, (tags @> ARRAY['sea']) IS TRUE AS g,
                ((title || 'x') COLLATE \"C\") LIKE 'S%' AS h, (id IN (1, 2)) IN (true) AS i,
                CASE WHEN id > 1 THEN 1 ELSE 0 END + 1 AS j FROM book ORDER BY id",
    )
    .await;
}

#[tokio::test]
async fn hostile_names() {
    let names =
        ["\"", "a\"b", "; DROP TABLE book; --", "/* */", "$1", "select", "Ünï", "\u{1F600}", " ", "a.b", "'"];
    for name in names {
        let b = table("book").alias(name);
        let q = select((b.col("id").alias(name), row((b.col("id"),)).alias("row"))).from(b).alias(name);
        let quoted = name.replace('"', "\"\"");
        let expected = format!("SELECT id AS \"{quoted}\" FROM book ORDER BY 1");
        same(select(whole_row(q).field(name).alias(name)).from(q).order_by(q.col(name)), &expected).await;
    }
}

#[test]
fn names_that_postgresql_would_not_keep() {
    let b = table("book").alias("b");
    let long = "x".repeat(64);
    assert_eq!(
        refused(select(b.col("id").alias(&long)).from(b)),
        format!("CS0312: the alias \"{long}\" has 64 bytes; PostgreSQL keeps 63")
    );
    assert_eq!(
        refused(select(b.col("id").alias("a\0b")).from(b)),
        "CS0312: the alias \"a\\u{0}b\" contains a NUL byte"
    );
    assert_eq!(
        refused(select(call("make_interval", ()).named(&long, 1).alias("x")).from(b)).lines().next().unwrap(),
        format!("CS0312: the name of an argument \"{long}\" has 64 bytes; PostgreSQL keeps 63")
    );
}

#[test]
fn a_column_that_is_not_there() {
    let b = table("book").alias("b");
    assert_eq!(
        refused(select(b.col("titel")).from(b)),
        "CS0302: book (alias \"b\") has no column \"titel\"; did you mean \"title\"?"
    );
}
