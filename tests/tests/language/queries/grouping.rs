use callslip_sdk::prelude::*;

use crate::support::{refused, same};

#[tokio::test]
async fn grouping_sets_rollup_cube_and_grouping() {
    let b = table("book").alias("b");
    let (genre, shelf, published) = (b.col("genre"), b.col("shelf_id"), b.col("published"));
    let of = |items: GroupingSet| {
        select((genre, shelf, grouping((genre, shelf)).alias("level"), count_all().alias("n")))
            .from(b)
            .group_by(items)
            .order_by((output("level"), genre, shelf))
    };
    for (items, sql) in [
        (rollup((genre, shelf)), "ROLLUP (genre, shelf_id)"),
        (cube((genre, shelf)), "CUBE (genre, shelf_id)"),
        (rollup([genre, shelf]), "ROLLUP (genre, shelf_id)"),
        (grouping_sets(((genre, shelf), genre, ())), "GROUPING SETS ((genre, shelf_id), genre, ())"),
        (
            grouping_sets((rollup((genre, shelf)), cube(vec![genre, shelf]), grouping_sets((shelf, ())))),
            "GROUPING SETS (ROLLUP (genre, shelf_id), CUBE (genre, shelf_id), GROUPING SETS (shelf_id, ()))",
        ),
        (rollup(((genre, shelf),)), "ROLLUP ((genre, shelf_id))"),
    ] {
        let expected = format!(
            "SELECT genre, shelf_id, grouping(genre, shelf_id) AS level, count(*) AS n FROM book GROUP BY {sql}
             ORDER BY level, genre, shelf_id"
        );
        same(of(items), &expected).await;
    }
    same(
        select((extract("year", published).alias("year"), sum(b.col("pages")).alias("pages")))
            .from(b)
            .group_by((genre, rollup(extract("year", published))))
            .order_by((output("pages"), output("year"))),
        "SELECT extract(year FROM published) AS year, sum(pages) AS pages FROM book
         GROUP BY genre, ROLLUP (extract(year FROM published)) ORDER BY pages, year",
    )
    .await;
    same(select(count_all().alias("n")).from(b).group_by(()), "SELECT count(*) AS n FROM book GROUP BY ()")
        .await;
}

#[tokio::test]
async fn group_by_distinct() {
    let b = table("book").alias("b");
    let (genre, shelf) = (b.col("genre"), b.col("shelf_id"));
    same(
        select((genre, shelf, count_all().alias("n")))
            .from(b)
            .group_by_distinct((rollup((genre, shelf)), rollup((genre, shelf))))
            .having(count_all().gt(1))
            .order_by((genre, shelf)),
        "SELECT genre, shelf_id, count(*) AS n FROM book GROUP BY DISTINCT ROLLUP (genre, shelf_id), ROLLUP (genre, shelf_id)
         HAVING count(*) > 1 ORDER BY genre, shelf_id",
    )
    .await;
}

#[tokio::test]
async fn the_same_constant_in_select_and_group_by() {
    let b = table("book").alias("b");
    let decade = || b.col("pages") / 100;
    same(
        select((decade().alias("hundreds"), count_all().alias("n")))
            .from(b)
            .group_by(decade())
            .order_by(decade()),
        "SELECT pages / 100 AS hundreds, count(*) AS n FROM book GROUP BY pages / 100 ORDER BY pages / 100",
    )
    .await;
}

#[test]
fn what_group_by_refuses() {
    let b = table("book").alias("b");
    let of = |items: GroupingSet| refused(select(count_all()).from(b).group_by(items));
    let id = b.col("id");
    assert_eq!(
        of(rollup((id, cube(id)))),
        "CS0203: ROLLUP and CUBE take expressions; a grouping set stands in GROUPING SETS"
    );
    assert_eq!(of(cube((id, ()))), "CS0203: () stands only in GROUPING SETS and GROUP BY");
    assert_eq!(of(cube(vec![id; 13])), "CS0203: CUBE has 13 members; PostgreSQL takes 12");
    assert_eq!(of(cube(Vec::<Expr>::new())), "CS0203: a grouping set without members");
    assert_eq!(
        refused(select(count_all()).from(b).group_by_distinct(Vec::<Expr>::new())),
        "CS0203: GROUP BY DISTINCT of nothing"
    );
}
