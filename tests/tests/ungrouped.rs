//! Columns beside aggregates: what the verifier refuses PostgreSQL refuses too, and what PostgreSQL takes is not refused.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use callslip::Code;
use callslip::catalog::{Catalog, RelationKind, reflect};
use callslip::cluster::Cluster;
use callslip::select::Finding;
use callslip_sdk::prelude::*;
use callslip_sdk::testing::describe;
use callslip_tests::{cluster, printed};
use tokio_postgres::Client;

const TABLES: &str = "
    CREATE TABLE shelf (id int PRIMARY KEY, name text NOT NULL UNIQUE);
    CREATE TABLE book (id int, edition int, shelf_id int REFERENCES shelf, title text, day date, PRIMARY KEY (id, edition));
    CREATE TABLE later (id int PRIMARY KEY DEFERRABLE, name text);
    CREATE VIEW shelves AS SELECT id, name FROM shelf;
";

/// What the verifier says, and what PostgreSQL says of the same statement. It is printed against a catalog without keys, by
/// which nothing can be told of a table, so that there is a statement to ask of.
async fn both(
    client: &Client,
    catalog: &Catalog,
    query: Select,
) -> (Result<String, Vec<Finding>>, Result<(), String>) {
    let mut contents = catalog.contents().clone();
    // As of a snapshot of the first format.
    contents.schemas.clear();
    for relation in &mut contents.relations {
        relation.unique_keys.clear();
        relation.kind = RelationKind::Table;
    }
    let description = describe(query).shape;
    let told = printed(catalog, &description);
    let sql =
        printed(&Catalog::new(contents), &description).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let described = client.prepare(&sql).await.map(|_| ());
    (told, described.map_err(|error| error.as_db_error().unwrap().to_string()))
}

async fn database() -> (Cluster, Client, Catalog) {
    let (cluster, client) = cluster(TABLES).await;
    let catalog = Catalog::new(reflect(&client).await.unwrap());
    (cluster, client, catalog)
}

fn t(name: &str, alias: &str) -> Table {
    table(name).alias(alias)
}

fn shelved(items: impl callslip_sdk::Items) -> Select {
    let (s, b) = (t("shelf", "s"), t("book", "b"));
    select(items).from(s).join(b, b.col("shelf_id").eq(s.col("id")))
}

#[tokio::test]
async fn what_is_refused_postgresql_refuses() {
    let (_cluster, client, catalog) = database().await;
    let (s, b, v, l) = (t("shelf", "s"), t("book", "b"), t("shelves", "v"), t("later", "l"));
    let (id, name) = (s.col("id"), s.col("name"));
    let month = || date_trunc("month", b.col("day").cast_as("timestamp"));
    for (query, says) in [
        (shelved((name, count_all().alias("n"))), "s.name is neither in GROUP BY nor in an aggregate"),
        (shelved((name, b.col("title"))).group_by(name), "b.title is neither"),
        // Unique is not enough, nor a part of the key, nor the key of another.
        (shelved((id, count_all().alias("n"))).group_by(name), "s.id is neither"),
        (shelved(b.col("title")).group_by(b.col("id")), "b.title is neither"),
        (shelved(b.col("title")).group_by(id), "b.title is neither"),
        (shelved(b.col("shelf_id")).group_by(id), "b.shelf_id is neither"),
        (shelved(count_all().alias("n")).having(name.eq("a")), "s.name is neither"),
        (shelved(id).group_by(id).order_by(b.col("title")), "b.title is neither"),
        (shelved(upper(name).alias("u")).group_by(b.col("title")), "s.name is neither"),
        (shelved((month().alias("m"), b.col("day"))).group_by(month()), "b.day is neither"),
        (
            shelved((id, rank().over(window().order_by(b.col("title"))).alias("n"))).group_by(id),
            "b.title is neither",
        ),
        (select((v.col("name"), count_all().alias("n"))).from(v).group_by(v.col("id")), "v.name is neither"),
        // Nor is a key that a transaction may violate.
        (select((l.col("name"), count_all().alias("n"))).from(l).group_by(l.col("id")), "l.name is neither"),
        (
            select(id).from(s).filter(exists(
                select((b.col("title"), count_all().alias("n"))).from(b).filter(b.col("id").eq(id)),
            )),
            "b.title is neither",
        ),
    ] {
        let (told, described) = both(&client, &catalog, query).await;
        let findings = told.expect_err(says);
        assert!(findings[0].message.starts_with(says), "{findings:#?}");
        assert_eq!((findings.len(), findings[0].code), (1, Code::UngroupedColumn), "{findings:#?}");
        assert!(findings[0].place.as_ref().unwrap().file.ends_with("ungrouped.rs"), "{findings:#?}");
        let described = described.expect_err(says);
        assert!(described.contains("must appear in the GROUP BY clause"), "{says}: {described}");
    }
}

#[tokio::test]
async fn what_is_derived_has_no_primary_key() {
    let (_cluster, client, catalog) = database().await;
    let s = t("shelf", "s");
    let (id, name) = (s.col("id"), s.col("name"));
    let subquery = subquery!("d", { id: id, name: name }, |q| q.from(s));
    let cte = cte!("d", { id: id, name: name }, |q| q.from(s));
    for (query, sql) in [
        (
            select((subquery.name, count_all().alias("n"))).from(subquery).group_by(subquery.id),
            "SELECT d.name, count(*) AS n FROM (SELECT s.id, s.name FROM shelf s) AS d GROUP BY d.id",
        ),
        (
            select(cte.name).from(cte).group_by(cte.id),
            "WITH d AS (SELECT s.id, s.name FROM shelf s) SELECT d.name FROM d GROUP BY d.id",
        ),
    ] {
        let findings = printed(&catalog, &describe(query).shape).unwrap_err();
        assert!(findings[0].message.starts_with("d.name is neither"), "{findings:#?}");
        let error = client.prepare(sql).await.unwrap_err();
        assert!(
            error.as_db_error().unwrap().message().contains("must appear in the GROUP BY clause"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_postgresql_takes_is_not_refused() {
    let (_cluster, client, catalog) = database().await;
    let (s, b, v) = (t("shelf", "s"), t("book", "b"), t("shelves", "v"));
    let (id, name, title) = (s.col("id"), s.col("name"), b.col("title"));
    let month = || date_trunc("month", b.col("day").cast_as("timestamp"));
    let of_shelf = || select(count_all()).from(b).filter(b.col("shelf_id").eq(id)).scalar();
    for query in [
        shelved((name, title)),
        shelved((name, count_all().alias("n"))).group_by(name).order_by((name, count_all())),
        // The primary key, of one column and of two.
        shelved((name, upper(name).alias("u"), max(title).alias("m"))).group_by(id).having(name.ne("a")),
        shelved((title, b.col("day"))).group_by((b.col("id"), b.col("edition"))),
        shelved((name, title)).group_by((id, b.col("id"), b.col("edition"))).order_by((name, title)),
        // The expression as it is grouped, and what it simplifies to.
        shelved((month().alias("m"), count_all().alias("n"))).group_by(month()).order_by(month()),
        shelved((upper(name).alias("u"), count_all().alias("n"))).group_by(upper(name)),
        shelved((name.cast::<String>().alias("t"), count_all().alias("n"))).group_by(name),
        shelved((name, count_all().alias("n"))).group_by(name.cast_as("text")),
        shelved((name, count_all().alias("n"))).group_by(call("text", name)),
        shelved((name, upper(name).alias("u"))).group_by(whole_row(s).field("name")),
        shelved((call("date", b.col("day").cast_as("timestamp")).alias("d"), count_all().alias("n")))
            .group_by(b.col("day").cast_as("timestamp").cast_as("date")),
        // In an aggregate, its filter and its order; over aggregates; in a subquery that has the group.
        shelved((name, string_agg(title, ", ").order_by(b.col("day")).filter(b.col("id").gt(1)).alias("x")))
            .group_by(id),
        shelved((id, rank().over(window().order_by(count_all())).alias("n"))).group_by(id),
        shelved((id, sum(count_all()).over(window().partition_by(name)).alias("n"))).group_by(id),
        shelved((name, of_shelf().alias("n"))).group_by(id),
        // Only windows; an aggregate of the query around.
        shelved((name, sum(b.col("id")).over(window()).alias("n"))),
        select((id, select(name).from(v).filter(v.col("id").eq(id)).limit(1).scalar().alias("x")))
            .from(s)
            .group_by(id),
        select((v.col("id"), count_all().alias("n"))).from(v).group_by(v.col("id")).order_by(output("n")),
        select(id).from(s).filter(exists(select(max(title).alias("m")).from(b).having(max(title).gt(name)))),
    ] {
        let (told, described) = both(&client, &catalog, query).await;
        described.unwrap_or_else(|error| panic!("{error}: {told:?}"));
        told.unwrap_or_else(|findings| panic!("{findings:#?}"));
    }
}

#[tokio::test]
async fn what_is_not_certain_is_left_to_postgresql() {
    let (_cluster, client, catalog) = database().await;
    let b = t("book", "b");
    let day = b.col("day").cast_as("timestamp");
    let query = shelved((date_trunc("year", day).alias("y"), count_all().alias("n")));
    let (told, described) = both(&client, &catalog, query.group_by(date_trunc("month", day))).await;
    assert!(told.is_ok(), "{told:#?}");
    assert!(described.unwrap_err().contains("must appear in the GROUP BY clause"));
}
