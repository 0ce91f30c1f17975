use callslip_sdk::{Order, prelude::*, rare};

use crate::support::{refused, same};

#[tokio::test]
async fn list_alias_distinct_where_having_and_qualified_names() {
    let b = table("public.book").alias("b");
    same(
        select((b.col("genre"), b.col("shelf_id").alias("shelf")))
            .distinct()
            .from(b)
            .filter(b.col("pages").gt(70))
            .order_by((b.col("genre"), output("shelf"))),
        "SELECT DISTINCT genre, shelf_id AS shelf FROM public.book WHERE pages > 70 ORDER BY genre, shelf",
    )
    .await;
    same(
        select((b.col("genre"), count_all().alias("books")))
            .from(b)
            .group_by(b.col("genre"))
            .having(sum(b.col("pages")).gt(200))
            .order_by(b.col("genre")),
        "SELECT genre, count(*) AS books FROM public.book GROUP BY genre HAVING sum(pages) > 200 ORDER BY genre",
    )
    .await;
}

#[tokio::test]
async fn distinct_on_expressions() {
    let b = table("book").alias("b");
    same(
        select((b.col("genre"), b.col("title")))
            .distinct_on(upper(b.col("genre").cast::<String>()))
            .from(b)
            .order_by((upper(b.col("genre").cast::<String>()), b.col("id"))),
        "SELECT DISTINCT ON (upper(genre::text)) genre, title FROM book ORDER BY upper(genre::text), id",
    )
    .await;
}

#[tokio::test]
async fn distinct_on_a_column_that_is_sorted_by_what_is_the_same() {
    let b = table("book").alias("b");
    let title = b.col("title");
    for same_title in [title.cast_as("text"), whole_row(b).field("title")] {
        same(
            select((title, b.col("id"))).distinct_on(title).from(b).order_by((same_title, b.col("id"))),
            "SELECT DISTINCT ON (title) title, id FROM book ORDER BY title, id",
        )
        .await;
    }
}

#[tokio::test]
async fn distinct_on_columns_in_any_order_of_theirs() {
    let b = table("book").alias("b");
    same(
        select((b.col("genre"), b.col("shelf_id").alias("shelf"), b.col("id")))
            .distinct_on((b.col("genre"), b.col("shelf_id")))
            .from(b)
            .order_by((output("shelf").desc(), b.col("genre"), b.col("pages"), b.col("genre"))),
        "SELECT DISTINCT ON (genre, shelf_id) genre, shelf_id AS shelf, id FROM book
         ORDER BY shelf DESC, genre, pages, genre",
    )
    .await;
    let longest = |order: Vec<Order>| {
        refused(
            select((b.col("genre"), b.col("id")))
                .distinct_on((b.col("genre"), b.col("id")))
                .from(b)
                .order_by(order),
        )
    };
    let (genre, id, pages) = (b.col("genre").asc(), b.col("id").asc(), b.col("pages").desc());
    for order in [vec![pages.clone()], vec![genre.clone(), pages.clone()], vec![genre, pages, id]] {
        assert_eq!(
            longest(order),
            "CS0203: DISTINCT ON takes the first row in the order of ORDER BY, which has to begin with its expressions; \
             put them first in .order_by(…)"
        );
    }
}

#[tokio::test]
async fn order_by_nulls_collation_and_using() {
    let b = table("book").alias("b");
    same(
        select((b.col("id"), b.col("price")))
            .from(b)
            .order_by((b.col("genre").desc(), b.col("price").asc().nulls_first())),
        "SELECT id, price FROM book ORDER BY genre DESC, price NULLS FIRST",
    )
    .await;
    same(
        select(b.col("title")).from(b).order_by(b.col("title").collate("C").desc()),
        "SELECT title FROM book ORDER BY title COLLATE \"C\" DESC",
    )
    .await;
    same(
        select(b.col("title")).from(b).order_by(rare::order_using(b.col("title"), "~>~").nulls_first()),
        "SELECT title FROM book ORDER BY title USING ~>~ NULLS FIRST",
    )
    .await;
}

#[tokio::test]
async fn order_using_in_every_order_by() {
    let b = table("book").alias("b");
    same(
        select((
            array_agg(b.col("id")).order_by(rare::order_using(b.col("id"), ">")).alias("ids"),
            percentile_disc(0.25).within_group(rare::order_using(b.col("pages"), ">")).alias("quarter"),
        ))
        .from(b),
        "SELECT array_agg(id ORDER BY id DESC) AS ids, percentile_disc(0.25) WITHIN GROUP (ORDER BY pages DESC) AS quarter
         FROM book",
    )
    .await;
    same(
        select((
            b.col("id").alias("n"),
            rank().over(window().order_by(rare::order_using(b.col("pages"), "<"))).alias("rank"),
        ))
        .from(b)
        .order_by(rare::order_using(output("n"), "pg_catalog.>")),
        "SELECT id AS n, rank() OVER (ORDER BY pages) AS rank FROM book ORDER BY n DESC",
    )
    .await;
}

#[tokio::test]
async fn limit_and_offset_as_expressions_and_with_ties() {
    let (b, l) = (table("book").alias("b"), table("loan").alias("l"));
    let readers = || select(count_distinct(l.col("reader_id"))).from(l).scalar();
    same(
        select(b.col("id")).from(b).order_by(b.col("id")).limit(readers() - 1).offset(readers() / 2),
        "SELECT id FROM book ORDER BY id LIMIT (SELECT count(DISTINCT reader_id) - 1 FROM loan)
         OFFSET (SELECT count(DISTINCT reader_id) / 2 FROM loan)",
    )
    .await;
    let by_day =
        select((b.col("id"), b.col("published"))).from(b).order_by(b.col("published").desc().nulls_last());
    same(
        by_day.clone().limit_with_ties(readers() - 2),
        "SELECT id, published FROM book ORDER BY published DESC NULLS LAST FETCH FIRST 1 ROW WITH TIES",
    )
    .await;
    same(
        by_day.clone().limit_with_ties(1).offset(1).limit(None::<i64>),
        "SELECT id, published FROM book ORDER BY published DESC NULLS LAST OFFSET 1 FETCH FIRST 1 ROW WITH TIES",
    )
    .await;
    same(
        select(b.col("genre"))
            .from(b)
            .union_all(select(b.col("genre")).from(b))
            .order_by(output("genre"))
            .limit_with_ties(1),
        "SELECT genre FROM book UNION ALL SELECT genre FROM book ORDER BY genre FETCH FIRST 1 ROW WITH TIES",
    )
    .await;
}

#[test]
fn what_clauses_refuse() {
    let b = table("book").alias("b");
    assert_eq!(
        refused(select(b.col("id")).from(b).limit_with_ties(3)),
        "CS0203: FETCH FIRST … WITH TIES needs an ORDER BY; say with .order_by(…) by what rows tie, or use .limit(…)"
    );
    assert_eq!(
        refused(select(b.col("id")).from(b).order_by(rare::order_using(b.col("id"), "<<<"))),
        "CS0306: there is no operator int4 <<< int4"
    );
    assert_eq!(
        refused(select(b.col("id")).from(b).order_by(b.col("id")).limit(b.col("pages"))),
        "CS0303: no relation with the alias \"b\" is in scope here; is a .from() or a join missing?"
    );
}
