//! Where aggregates and window functions may stand: what the verifier refuses PostgreSQL refuses too, and what PostgreSQL takes
//! is not refused.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use callslip::Code;
use callslip::catalog::{Catalog, reflect};
use callslip::cluster::Cluster;
use callslip_sdk::prelude::*;
use callslip_sdk::testing::describe;
use callslip_tests::{cluster, printed};
use tokio_postgres::Client;

const TABLES: &str = "
    CREATE TABLE shelf (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE book (id int PRIMARY KEY, shelf_id int REFERENCES shelf, title text, pages int);
";

async fn database() -> (Cluster, Client, Catalog) {
    let (cluster, client) = cluster(TABLES).await;
    let catalog = Catalog::new(reflect(&client).await.unwrap());
    (cluster, client, catalog)
}

fn tables() -> (Table, Table) {
    (table("shelf").alias("s"), table("book").alias("b"))
}

/// `SELECT … FROM shelf s JOIN book b ON …`, without its select list.
const SHELVED: &str = "FROM shelf s JOIN book b ON b.shelf_id = s.id";

fn shelved(items: impl callslip_sdk::Items) -> Select {
    let (s, b) = tables();
    select(items).from(s).join(b, b.col("shelf_id").eq(s.col("id")))
}

#[tokio::test]
async fn what_is_refused_postgresql_refuses() {
    let (_cluster, client, catalog) = database().await;
    let (s, b) = tables();
    let (id, pages, title) = (s.col("id"), b.col("pages"), b.col("title"));
    let numbered = || row_number().over(window().order_by(id));
    let recursive = cte_recursive!("r", { id: id }, |q, r| {
        q.from(s).union_all(select(max(r.id)).from(r).join(b, b.col("id").eq(r.id)))
    });
    for (query, sql, says) in [
        (
            shelved(id).filter(count_all().gt(1)).group_by(id),
            format!("SELECT s.id {SHELVED} WHERE count(*) > 1 GROUP BY s.id"),
            "count is an aggregate, which can't stand in WHERE",
        ),
        (
            shelved(id).filter(percentile_cont(0.5).within_group(pages).gt(1.0)),
            format!("SELECT s.id {SHELVED} WHERE percentile_cont(0.5) WITHIN GROUP (ORDER BY b.pages) > 1.0"),
            "percentile_cont is an aggregate, which can't stand in WHERE",
        ),
        (
            select(id).from(s).join(b, max(pages).gt(id)),
            "SELECT s.id FROM shelf s JOIN book b ON max(b.pages) > s.id".to_owned(),
            "max is an aggregate, which can't stand in the condition of a join",
        ),
        (
            shelved(count_all().alias("n")).group_by(sum(pages)),
            format!("SELECT count(*) {SHELVED} GROUP BY sum(b.pages)"),
            "sum is an aggregate, which can't stand in GROUP BY",
        ),
        (
            shelved(id).limit(count_all()),
            format!("SELECT s.id {SHELVED} LIMIT count(*)"),
            "count is an aggregate, which can't stand in LIMIT and OFFSET",
        ),
        (
            shelved(id).offset(count_all()),
            format!("SELECT s.id {SHELVED} OFFSET count(*)"),
            "count is an aggregate, which can't stand in LIMIT and OFFSET",
        ),
        (
            shelved(sum(pages).over(window().order_by(id).rows(preceding(count_all()), CURRENT_ROW)).alias("n")),
            format!("SELECT sum(b.pages) OVER (ORDER BY s.id ROWS count(*) PRECEDING) {SHELVED}"),
            "count is an aggregate, which can't stand in the frame of a window",
        ),
        (
            select(id).from(s).join(call("generate_series", (1, max(id))).in_from("g"), true),
            "SELECT s.id FROM shelf s JOIN generate_series(1, max(s.id)) g ON true".to_owned(),
            "max is an aggregate, which can't stand in FROM",
        ),
        (
            select(id).from(s).cross_join(select(max(id).alias("m")).from(b).alias("d").lateral()),
            "SELECT s.id FROM shelf s CROSS JOIN LATERAL (SELECT max(s.id) AS m FROM book b) d".to_owned(),
            "max is an aggregate, which can't stand in FROM",
        ),
        (
            shelved(count_all().filter(sum(pages).gt(1)).alias("n")),
            format!("SELECT count(*) FILTER (WHERE sum(b.pages) > 1) {SHELVED}"),
            "sum is an aggregate, which can't stand in FILTER",
        ),
        (
            shelved(max(sum(pages)).alias("n")),
            format!("SELECT max(sum(b.pages)) {SHELVED}"),
            "the aggregate max can't hold another aggregate",
        ),
        (
            shelved(string_agg(title, ",").order_by(count_all()).alias("n")),
            format!("SELECT string_agg(b.title, ',' ORDER BY count(*)) {SHELVED}"),
            "the aggregate string_agg can't hold another aggregate",
        ),
        (
            shelved(percentile_cont(avg(pages)).within_group(pages).alias("n")),
            format!("SELECT percentile_cont(avg(b.pages)::float8) WITHIN GROUP (ORDER BY b.pages) {SHELVED}"),
            "the aggregate percentile_cont can't hold another aggregate",
        ),
        // The aggregate is of the query around, in whose WHERE it stands.
        (
            select(id).from(s).filter(exists(select(title).from(b).having(max(id).gt(1)))),
            "SELECT s.id FROM shelf s WHERE EXISTS (SELECT b.title FROM book b HAVING max(s.id) > 1)".to_owned(),
            "max is an aggregate, which can't stand in WHERE",
        ),
        (
            select(id).from(s).filter(id.in_query(values([(count_all(),)]).query())),
            "SELECT s.id FROM shelf s WHERE s.id IN (VALUES (count(*)))".to_owned(),
            "count is an aggregate, which can't stand in VALUES",
        ),
        (
            shelved(id).filter(numbered().eq(1)),
            format!("SELECT s.id {SHELVED} WHERE row_number() OVER (ORDER BY s.id) = 1"),
            "row_number with OVER is a window function, which can't stand in WHERE",
        ),
        (
            select(id).from(s).join(b, numbered().eq(1)),
            "SELECT s.id FROM shelf s JOIN book b ON row_number() OVER (ORDER BY s.id) = 1".to_owned(),
            "row_number with OVER is a window function, which can't stand in the condition of a join",
        ),
        (
            shelved(count_all().alias("n")).group_by(numbered()),
            format!("SELECT count(*) {SHELVED} GROUP BY row_number() OVER (ORDER BY s.id)"),
            "row_number with OVER is a window function, which can't stand in GROUP BY",
        ),
        (
            shelved(count_all().alias("n")).group_by(id).having(numbered().eq(1)),
            format!("SELECT count(*) {SHELVED} GROUP BY s.id HAVING row_number() OVER (ORDER BY s.id) = 1"),
            "row_number with OVER is a window function, which can't stand in HAVING",
        ),
        (
            shelved(id).limit(row_number().over(window())),
            format!("SELECT s.id {SHELVED} LIMIT row_number() OVER ()"),
            "row_number with OVER is a window function, which can't stand in LIMIT",
        ),
        (
            shelved(count_all().filter(numbered().eq(1)).alias("n")),
            format!("SELECT count(*) FILTER (WHERE row_number() OVER () = 1) {SHELVED}"),
            "row_number with OVER is a window function, which can't stand in FILTER",
        ),
        (
            shelved(max(numbered()).alias("n")),
            format!("SELECT max(row_number() OVER (ORDER BY s.id)) {SHELVED}"),
            "the aggregate max can't hold a window function",
        ),
        (
            shelved(sum(numbered()).over(window()).alias("n")),
            format!("SELECT sum(row_number() OVER (ORDER BY s.id)) OVER () {SHELVED}"),
            "sum with OVER can't hold another window function",
        ),
        (
            shelved(sum(pages).over(window().order_by(numbered())).alias("n")),
            format!("SELECT sum(b.pages) OVER (ORDER BY row_number() OVER (ORDER BY s.id)) {SHELVED}"),
            "row_number with OVER is a window function, which can't stand in the definition of a window",
        ),
        (
            shelved(sum(pages).over("w").alias("n")).window("w", window().partition_by(numbered())),
            format!("SELECT sum(b.pages) OVER w {SHELVED} WINDOW w AS (PARTITION BY row_number() OVER ())"),
            "row_number with OVER is a window function, which can't stand in the definition of a window",
        ),
        (
            select(recursive.id).from(recursive),
            "WITH RECURSIVE r AS (SELECT s.id FROM shelf s UNION ALL SELECT max(r.id) FROM r JOIN book b ON b.id = r.id) SELECT id FROM r".to_owned(),
            "max is an aggregate, which can't stand in the recursive term of a CTE",
        ),
        (
            shelved(id).filter(grouping(id).eq(1)).group_by(id),
            format!("SELECT s.id {SHELVED} WHERE GROUPING(s.id) = 1 GROUP BY s.id"),
            "GROUPING is an aggregate, which can't stand in WHERE",
        ),
        (
            shelved(title).distinct().order_by(pages),
            format!("SELECT DISTINCT b.title {SHELVED} ORDER BY b.pages"),
            "SELECT DISTINCT is sorted by b.pages, which is not in the select list",
        ),
        (
            shelved(upper(title).alias("u")).distinct().order_by(title),
            format!("SELECT DISTINCT upper(b.title) {SHELVED} ORDER BY b.title"),
            "SELECT DISTINCT is sorted by b.title, which is not in the select list",
        ),
        (
            shelved(percentile_cont(0.5).alias("n")),
            format!("SELECT percentile_cont(0.5) {SHELVED}"),
            "percentile_cont is an ordered-set aggregate and needs WITHIN GROUP",
        ),
    ] {
        let findings = printed(&catalog, &describe(query).shape).expect_err(says);
        assert!(findings[0].message.starts_with(says), "{says}: {findings:#?}");
        assert_eq!((findings.len(), findings[0].code), (1, Code::InvalidStructure), "{findings:#?}");
        assert!(findings[0].help.is_some(), "{findings:#?}");
        assert!(findings[0].place.as_ref().unwrap().file.ends_with("placement.rs"), "{findings:#?}");
        let error = client.prepare(&sql).await.map(|_| ()).expect_err(&sql);
        let error = error.as_db_error().unwrap();
        // Not of something else that is wrong with it.
        let about = ["aggregate", "window function", "grouping operations", "SELECT DISTINCT", "WITHIN GROUP"];
        let is_about = about.iter().any(|what| error.message().contains(what)) || error.hint().is_some();
        assert!(is_about, "{sql}: {error}");
    }
}

#[tokio::test]
async fn what_postgresql_takes_is_not_refused() {
    let (_cluster, client, catalog) = database().await;
    let (s, b) = tables();
    let (other, inner) = (table("book").alias("o"), table("book").alias("i"));
    let (id, name, pages, title) = (s.col("id"), s.col("name"), b.col("pages"), b.col("title"));
    let counted = || select(count_all()).from(other).scalar();
    let recursive = cte_recursive!("r", { id: id }, |q, r| {
        let most = select(max(other.col("id"))).from(other).scalar();
        q.from(s).union_all(select(r.id + 1).from(r).filter(r.id.lt(most)))
    });
    for query in [
        // Of a subquery's own; in the select list, HAVING, ORDER BY, DISTINCT ON and windows.
        shelved(id).filter(counted().gt(1)),
        shelved(id).limit(counted()).offset(counted()),
        select(id).from(s).join(b, counted().gt(id)),
        shelved(counted().alias("n")).group_by(counted()),
        shelved((id, count_all().alias("n"))).group_by(id).having(count_all().gt(1)).order_by(max(pages)),
        shelved(count_all().alias("n")).group_by(id).distinct_on(count_all()).order_by(count_all()),
        shelved(sum(pages).over("w").alias("n")).group_by(pages).window("w", window().order_by(count_all())),
        shelved(sum(count_all()).over(window().partition_by(max(pages))).alias("n")).group_by(id),
        shelved(sum(pages).over(window().rows(preceding(counted()), CURRENT_ROW)).alias("n")),
        shelved(max(counted()).alias("n")),
        shelved(count_all().filter(counted().gt(1)).alias("n")),
        select(id).from(s).cross_join(select(max(other.col("id")).alias("m")).from(other).alias("d")),
        select(id).from(s).cross_join(select((max(pages) + id).alias("m")).from(b).alias("d").lateral()),
        // An aggregate of the query around: in a subquery's WHERE, JOIN, GROUP BY, LIMIT, FILTER, frame, VALUES and aggregate.
        shelved(
            select(other.col("title"))
                .from(other)
                .filter(other.col("id").eq(max(pages)))
                .limit(1)
                .scalar()
                .alias("x"),
        ),
        shelved(
            select(other.col("id"))
                .from(other)
                .join(inner, inner.col("id").eq(max(pages)))
                .limit(1)
                .scalar()
                .alias("x"),
        ),
        shelved(select(count_all()).from(other).group_by(max(pages)).scalar().alias("x")),
        shelved(select(other.col("id")).from(other).limit(max(pages)).scalar().alias("x")),
        shelved(select(count_all().filter(other.col("id").lt(max(pages)))).from(other).scalar().alias("x")),
        shelved(select(max(other.col("id") + max(pages))).from(other).scalar().alias("x")),
        shelved(values([(max(pages),)]).query().scalar().alias("x")),
        shelved(id)
            .group_by(id)
            .having(exists(select(other.col("id")).from(other).filter(other.col("id").lt(max(pages))))),
        // Of the subquery, since one of its columns is.
        select(id).from(s).filter(exists(select(max(other.col("id") + id).alias("m")).from(other))),
        select(id).from(s).filter(id.in_query(select(max(pages)).from(b).having(count_all().gt(id)))),
        // Windows, which subqueries have of their own.
        shelved(id).order_by(rank().over(window().order_by(pages))),
        shelved(id).filter(exists(select(rank().over(window().order_by(title)).alias("n")))),
        shelved(max(select(rank().over(window())).limit(1).scalar()).alias("n")),
        shelved(sum(select(rank().over(window())).limit(1).scalar()).over(window()).alias("n")),
        shelved(rank().over(window().order_by(select(rank().over(window())).scalar())).alias("n")),
        shelved(percentile_cont(0.5).within_group(pages).alias("n")),
        shelved((id, grouping(id).alias("g"))).group_by(id).having(grouping(id).eq(0)).order_by(grouping(id)),
        select(recursive.id).from(recursive),
        // DISTINCT that is sorted by what it has.
        shelved((title, id)).distinct().order_by((id, title)),
        shelved(title.alias("t")).distinct().order_by((output("t"), title)),
        shelved(title.cast_as("text").alias("t")).distinct().order_by(title),
        shelved(call("text", title).alias("t")).distinct().order_by(title),
        shelved(upper(name).alias("t")).distinct().order_by(upper(name)),
    ] {
        let sql =
            printed(&catalog, &describe(query).shape).unwrap_or_else(|findings| panic!("{findings:#?}"));
        client.prepare(&sql).await.unwrap_or_else(|error| panic!("{sql}: {}", error.as_db_error().unwrap()));
    }
}
