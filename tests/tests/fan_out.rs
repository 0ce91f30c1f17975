//! Aggregates over rows that joins have multiplied: what is warned of gives other values than its author means, and what
//! is not warned of gives those of honest SQL, on a real PostgreSQL with keys as it has them.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use callslip::Code;
use callslip::catalog::{Catalog, SearchPath, Snapshot, reflect};
use callslip::cluster::Cluster;
use callslip::grants::{GrantSettings, Grants};
use callslip::select::{self, Comment, Context, Finding, Limits};
use callslip_ir::Binding;
use callslip_sdk::testing::describe;
use callslip_sdk::{Items, prelude::*};
use callslip_tests::{cluster, connect};
use tokio_postgres::Client;

struct Database {
    _cluster: Cluster,
    client: Client,
    catalog: Catalog,
}

impl Database {
    async fn open() -> Self {
        let (cluster, _owner) = cluster(include_str!("fan_out.sql")).await;
        let client = connect(cluster.config().user("reader")).await;
        let catalog = Catalog::new(reflect(&client).await.unwrap());
        Self { _cluster: cluster, client, catalog }
    }

    /// The rows in an order of their own; the values of its parameters are written into it.
    async fn rows(&self, sql: &str, values: &[String]) -> Vec<String> {
        let mut sql = sql.to_owned();
        for (index, value) in values.iter().enumerate().rev() {
            sql = sql.replace(&format!("${}", index + 1), &format!("'{value}'"));
        }
        let sorted = format!("SELECT row_to_json(r)::text AS j FROM ({sql}) AS r ORDER BY 1");
        let rows = self.client.query(&sorted, &[]).await.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// The SQL of a query with its constants, and what is warned of.
fn verified(catalog: &Catalog, query: Select) -> (String, Vec<String>, Vec<Finding>) {
    let path = SearchPath::of(["public"]);
    let relations = catalog.contents().relations.iter().map(|its| its.name.clone()).collect();
    let settings = GrantSettings { relations, ..GrantSettings::default() };
    let grants = Grants::resolve(&settings, catalog, &path).unwrap();
    let limits = Limits::default();
    let context = Context {
        plugin: "this",
        catalog,
        grants: &grants,
        path: &path,
        limits: &limits,
        filters: select::RowFilters::none(),
    };
    let statement = describe(query);
    let description = &statement.shape;
    let verified = select::verify(description, context).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let comment = Comment { plugin: "this", query: "this", shape: "this", schemas: &[] };
    let printed = select::print(&select::lower(description, &verified), &comment, &[], &limits).unwrap();
    let value = |parameter: &select::StatementParameter| match &statement.bindings[parameter.slot.0 as usize]
    {
        Binding::Constant(Some(value)) => value.clone(),
        other => panic!("a test has constants only, not {other:?}"),
    };
    (printed.sql, printed.parameters.iter().map(value).collect(), verified.warnings)
}

fn t(name: &str, alias: &str) -> Table {
    table(name).alias(alias)
}

fn position() -> Table {
    t("position", "p")
}

fn interview() -> Table {
    t("interview", "i")
}

/// Positions with their interviews.
fn interviewed(items: impl Items) -> Select {
    let (p, i) = (position(), interview());
    select(items).from(p).left_join(i, i.col("position_id").eq(p.col("id")))
}

/// And their questions.
fn asked(items: impl Items) -> Select {
    let (p, q) = (position(), t("question", "q"));
    interviewed(items).left_join(q, q.col("position_id").eq(p.col("id")))
}

/// Positions with their interviews and the ratings of these.
fn rated(items: impl Items) -> Select {
    let (i, r) = (interview(), t("rating", "r"));
    interviewed(items).left_join(r, r.col("interview_id").eq(i.col("id")))
}

#[tokio::test]
async fn what_is_warned_of_gives_other_values() {
    let database = Database::open().await;
    let (p, i, q, r) = (position(), interview(), t("question", "q"), t("rating", "r"));
    let (tag, tagging) = (t("tag", "tag"), t("tagging", "g"));
    let (company, budget) = (p.col("company_id"), p.col("budget"));
    for (query, honest, says) in [
        (
            interviewed((company, sum(budget).alias("x"))).group_by(company),
            "SELECT company_id, sum(budget) AS x FROM position GROUP BY company_id",
            "sum(p.budget) takes each row of position (p) once for each row of interview (i) that is joined to it",
        ),
        (
            interviewed(avg(budget).alias("x")),
            "SELECT avg(budget) AS x FROM position",
            "avg(p.budget) takes each row of position (p)",
        ),
        (
            rated(sum(i.col("minutes")).alias("x")),
            "SELECT sum(minutes) AS x FROM interview",
            "sum(i.minutes) takes each row of interview (i) once for each row of rating (r)",
        ),
        (
            asked((p.col("id"), count(i.col("id")).alias("x"))).group_by(p.col("id")),
            "SELECT p.id, (SELECT count(*) FROM interview i WHERE i.position_id = p.id) AS x FROM position p",
            "count(i.id) takes each row of interview (i) once for each row of question (q): both are joined to position (p)",
        ),
        (
            asked((p.col("id"), sum(q.col("points")).alias("x"))).group_by(p.col("id")),
            "SELECT position_id AS id, sum(points) AS x FROM question GROUP BY position_id",
            "sum(q.points) takes each row of question (q) once for each row of interview (i)",
        ),
        (
            asked((p.col("id"), count_all().alias("x"))).group_by(p.col("id")),
            "SELECT p.id, (SELECT count(*) FROM interview i WHERE i.position_id = p.id) AS x FROM position p",
            "count(*) takes each row of interview (i) once for each row of question (q)",
        ),
        (
            asked(count(p.col("id")).alias("x")),
            "SELECT count(*) AS x FROM position",
            "count(p.id) takes each row of interview (i) once for each row of question (q)",
        ),
        // In a group the ratings come equally often, over all groups they don't.
        (
            rated(avg(r.col("score")).alias("x")).left_join(q, q.col("position_id").eq(p.col("id"))),
            "SELECT avg(score) AS x FROM rating",
            "avg(r.score) takes each row of rating (r) once for each row of question (q)",
        ),
        (
            rated((p.col("id"), sum(r.col("score")).filter(r.col("score").gt(1)).alias("x")))
                .left_join(q, q.col("position_id").eq(p.col("id")))
                .group_by(p.col("id")),
            "SELECT i.position_id AS id, sum(score) FILTER (WHERE score > 1) AS x
             FROM rating JOIN interview i ON i.id = interview_id GROUP BY i.position_id",
            "sum(r.score) takes each row of rating (r) once for each row of question (q)",
        ),
        (
            interviewed(percentile_cont(0.9).within_group(budget.cast::<f64>()).alias("x")),
            "SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY budget) AS x FROM position",
            "percentile_cont(…) takes each row of position (p)",
        ),
        // Through HAVING and ORDER BY, and in a subquery.
        (
            interviewed(company).group_by(company).having(sum(budget).gt(200)).order_by(count_all()),
            "SELECT company_id FROM position GROUP BY company_id HAVING sum(budget) > 200",
            "sum(p.budget) takes",
        ),
        (
            {
                let inner = subquery!("s", { x: sum(budget) }, |s| {
                    s.from(p).join(i, i.col("position_id").eq(p.col("id")))
                });
                select(inner.x).from(inner)
            },
            "SELECT sum(budget) AS x FROM position",
            "sum(p.budget) takes",
        ),
        // Many to many, of more than one tag.
        (
            select(sum(budget).alias("x"))
                .from(p)
                .join(tagging, tagging.col("position_id").eq(p.col("id")))
                .join(tag, tag.col("id").eq(tagging.col("tag_id")))
                .filter(tag.col("name").in_list(["remote", "senior"])),
            "SELECT sum(budget) AS x FROM position",
            "sum(p.budget) takes each row of position (p) once for each row of tagging (g)",
        ),
        // One of its keys, and only a part of the other.
        (
            interviewed(sum(i.col("minutes")).alias("x"))
                .join(r, r.col("interview_id").eq(i.col("id")).and(r.col("score").gt(0))),
            "SELECT sum(minutes) AS x FROM interview",
            "sum(i.minutes) takes",
        ),
    ] {
        let (sql, values, warnings) = verified(&database.catalog, query);
        let [warning] = &warnings[..] else { panic!("{warnings:#?} of {sql}") };
        assert_eq!(warning.code, Code::FanOut);
        assert!(warning.message.starts_with(says), "{warning} of {sql}");
        assert!(
            warning.place.as_ref().is_some_and(|place| place.file.ends_with("fan_out.rs")),
            "{warning:?}"
        );
        assert_ne!(database.rows(&sql, &values).await, database.rows(honest, &[]).await, "{sql}");
    }
}

#[tokio::test]
async fn what_is_honest_is_not_warned_of() {
    let database = Database::open().await;
    let (p, i, q, r) = (position(), interview(), t("question", "q"), t("rating", "r"));
    let (advert, opening, price) = (t("advert", "a"), t("opening", "o"), t("price", "v"));
    let (tag, tagging, company) = (t("tag", "tag"), t("tagging", "g"), t("company", "c"));
    let later = t("interview", "later");
    let (id, budget) = (p.col("id"), p.col("budget"));
    let per_position =
        "SELECT p.id, (SELECT sum(minutes) FROM interview i WHERE i.position_id = p.id) AS x FROM position p";
    let budgets = "SELECT sum(budget) AS x FROM position";
    for (query, honest) in [
        (interviewed((id, sum(i.col("minutes")).alias("x"))).group_by(id), per_position),
        (interviewed(count_all().alias("x")), "SELECT count(*) AS x FROM interview"),
        (interviewed(count(p.col("id")).alias("x")), "SELECT count(*) AS x FROM interview"),
        // A sum of ones is a count, of the rows of the join.
        (
            interviewed(sum(case().when(budget.ge(70), 1).otherwise(0)).alias("x")),
            "SELECT count(*) AS x FROM position p JOIN interview i ON i.position_id = p.id WHERE budget >= 70",
        ),
        // A chain is what an aggregate over its last relation is for.
        (rated(sum(r.col("score")).alias("x")), "SELECT sum(score) AS x FROM rating"),
        (
            rated(sum(r.col("score")).alias("x")).join(company, company.col("id").eq(p.col("company_id"))),
            "SELECT sum(score) AS x FROM rating",
        ),
        // The last interview is the one that none comes after.
        (
            interviewed(sum(budget).alias("x"))
                .left_join(
                    later,
                    later.col("position_id").eq(i.col("position_id")).and(later.col("id").gt(i.col("id"))),
                )
                .filter(later.col("id").is_null()),
            budgets,
        ),
        // Duplicates don't matter, or are left out.
        (
            asked((id, max(i.col("minutes")).alias("x"), count_distinct(q.col("id")).alias("y")))
                .group_by(id),
            "SELECT p.id, (SELECT max(minutes) FROM interview i WHERE i.position_id = p.id) AS x,
                    (SELECT count(*) FROM question q WHERE q.position_id = p.id) AS y FROM position p",
        ),
        // Each comes as often as every other of its group.
        (
            asked((id, avg(i.col("minutes")).alias("x"), avg(budget).alias("y"))).group_by(id),
            "SELECT p.id, (SELECT avg(minutes) FROM interview i WHERE i.position_id = p.id) AS x,
                    avg(budget) AS y FROM position p GROUP BY p.id",
        ),
        // A group of one row.
        (
            interviewed((i.col("id"), sum(budget).alias("x"))).group_by(i.col("id")),
            "SELECT i.id, budget AS x FROM position p JOIN interview i ON i.position_id = p.id",
        ),
        // To one row: by a unique index, one that is of some rows, by values, by all columns of a key.
        (select(sum(budget).alias("x")).from(p).join(advert, advert.col("position_id").eq(id)), budgets),
        (
            select(sum(budget).alias("x"))
                .from(p)
                .join(opening, opening.col("position_id").eq(id).and(opening.col("open"))),
            budgets,
        ),
        (
            select(sum(budget).alias("x"))
                .from(p)
                .join(tagging, tagging.col("position_id").eq(id))
                .join(tag, tag.col("id").eq(tagging.col("tag_id")))
                .filter(tag.col("name").eq("remote")),
            budgets,
        ),
        (
            select(sum(i.col("minutes")).alias("x"))
                .from(i)
                .left_join(r, r.col("interview_id").eq(i.col("id")).and(r.col("reviewer_id").eq(1))),
            "SELECT sum(minutes) AS x FROM interview",
        ),
        // A row of a history, the latest row, and a row that a subquery tells.
        (
            select(sum(budget).alias("x")).from(p).join(
                price,
                all([price.col("position_id").eq(id), price.col("since").le(7), price.col("until").ge(7)]),
            ),
            budgets,
        ),
        (
            {
                let later = t("interview", "later");
                let other = select(1)
                    .from(later)
                    .filter(later.col("position_id").eq(i.col("position_id")))
                    .filter(later.col("id").gt(i.col("id")));
                interviewed(sum(budget).alias("x")).filter(not_exists(other))
            },
            budgets,
        ),
        // What was aggregated before it was joined.
        (
            {
                let asked = subquery!("asked", { position: q.col("position_id"), points: sum(q.col("points")) }, |s| {
                    s.from(q).group_by(q.col("position_id"))
                });
                interviewed((id, sum(i.col("minutes")).alias("x")))
                    .join(asked, asked.position.eq(id))
                    .group_by(id)
            },
            per_position,
        ),
        // Of nothing with the other: a condition joins the two.
        (
            select(sum(q.col("points")).alias("x"))
                .from(p)
                .join(q, q.col("position_id").eq(id))
                .join(i, all([i.col("position_id").eq(id), i.col("id").eq(q.col("id"))])),
            "SELECT sum(points) AS x FROM question q JOIN interview i ON i.id = q.id AND i.position_id = q.position_id",
        ),
    ] {
        let (sql, values, warnings) = verified(&database.catalog, query);
        assert_eq!(warnings, [], "{sql}");
        assert_eq!(database.rows(&sql, &values).await, database.rows(honest, &[]).await, "{sql}");
    }
}

/// Books from their loans, each of which has one.
fn borrowed(items: impl Items) -> Select {
    let (b, l) = (t("book", "b"), t("loan", "l"));
    select(items).from(l).join(b, b.col("id").eq(l.col("book_id")))
}

/// Readers, their loans, and the books of these.
fn read(items: impl Items) -> Select {
    let (r, b, l) = (t("reader", "r"), t("book", "b"), t("loan", "l"));
    select(items)
        .from(r)
        .join(l, l.col("reader_id").eq(r.col("id")))
        .join(b, b.col("id").eq(l.col("book_id")))
}

#[tokio::test]
async fn a_value_for_each_of_many_rows_is_meant() {
    let database = Database::open().await;
    let (r, b, l, s) = (t("reader", "r"), t("book", "b"), t("loan", "l"), t("series", "s"));
    let (m, pages) = (t("reminder", "m"), b.col("pages"));
    let x = || sum(pages).alias("x");
    let looked_up = "(SELECT pages FROM book b WHERE b.id = l.book_id)";
    let titles = || string_agg(pages.cast::<String>(), ",").order_by(pages).alias("x");
    let lent_first = || {
        let lent = select((l.col("fine"), x())).from(b);
        lent.join(l, l.col("book_id").eq(b.col("id")))
    };
    for (query, honest) in [
        // Many to many, by the other side, by a column of it, or by an expression of its.
        (
            read((r.col("id"), x())).group_by(r.col("id")),
            format!("SELECT reader_id AS id, sum({looked_up}) AS x FROM loan l GROUP BY reader_id"),
        ),
        (
            read((r.col("id"), titles())).group_by(r.col("id")),
            format!(
                "SELECT r.id, (SELECT string_agg({looked_up}::text, ',' ORDER BY {looked_up})
                               FROM loan l WHERE l.reader_id = r.id) AS x FROM reader r"
            ),
        ),
        (
            read(x()).group_by(r.col("age") / 10),
            format!(
                "SELECT sum({looked_up}) AS x FROM loan l JOIN reader r ON r.id = reader_id GROUP BY age / 10"
            ),
        ),
        // The book first.
        (
            select((r.col("id"), x()))
                .from(b)
                .join(l, l.col("book_id").eq(b.col("id")))
                .join(r, r.col("id").eq(l.col("reader_id")))
                .group_by(r.col("id")),
            format!("SELECT reader_id AS id, sum({looked_up}) AS x FROM loan l GROUP BY reader_id"),
        ),
        // The many rows first, or after what they belong to and the value does not.
        (borrowed(avg(pages).alias("x")), format!("SELECT avg({looked_up}) AS x FROM loan l")),
        (read(x()), format!("SELECT sum({looked_up}) AS x FROM loan l")),
        (
            borrowed((s.col("id"), x())).join(s, s.col("id").eq(b.col("series_id"))).group_by(s.col("id")),
            format!(
                "SELECT b.series_id AS id, sum({looked_up}) AS x FROM loan l JOIN book b ON b.id = book_id GROUP BY 1"
            ),
        ),
        (
            select(x())
                .from(m)
                .join(l, l.col("id").eq(m.col("loan_id")))
                .join(b, b.col("id").eq(l.col("book_id"))),
            format!("SELECT sum({looked_up}) AS x FROM reminder m JOIN loan l ON l.id = loan_id"),
        ),
        // By a column of the many rows, wherever they stand.
        (
            borrowed((l.col("fine"), avg(pages).alias("x"))).group_by(l.col("fine")),
            format!("SELECT fine, avg({looked_up}) AS x FROM loan l GROUP BY fine"),
        ),
        (
            lent_first().group_by(l.col("fine")),
            format!("SELECT fine, sum({looked_up}) AS x FROM loan l GROUP BY fine"),
        ),
        // By a key as the field of a row, and under a cast written as a call.
        (
            select(x()).from(l).join(b, whole_row(b).field("id").eq(l.col("book_id"))),
            format!("SELECT sum({looked_up}) AS x FROM loan l"),
        ),
        (
            select(sum(l.col("fine")).alias("x"))
                .from(l)
                .join(b, call("int4", b.col("id")).eq(l.col("book_id"))),
            "SELECT sum(fine) AS x FROM loan".to_owned(),
        ),
        // What is made of both ends.
        (
            select(sum(pages * r.col("age")).alias("x"))
                .from(b)
                .join(l, l.col("book_id").eq(b.col("id")))
                .join(r, r.col("id").eq(l.col("reader_id"))),
            format!("SELECT sum({looked_up} * age) AS x FROM loan l JOIN reader r ON r.id = reader_id"),
        ),
    ] {
        let (sql, values, warnings) = verified(&database.catalog, query);
        assert_eq!(warnings, [], "{sql}");
        assert_eq!(database.rows(&sql, &values).await, database.rows(&honest, &[]).await, "{sql}");
    }
}

#[tokio::test]
async fn many_rows_that_are_not_meant_are_warned_of() {
    let database = Database::open().await;
    let (r, b, l, s) = (t("reader", "r"), t("book", "b"), t("loan", "l"), t("series", "s"));
    let (m, p, pages) = (t("reminder", "m"), t("payment", "p"), b.col("pages"));
    let x = || sum(pages).alias("x");
    let of_reader =
        "SELECT l.reader_id AS id, sum(pages) AS x FROM loan l JOIN book b ON b.id = book_id GROUP BY 1";
    let per_loan = "SELECT sum(pages) AS x FROM loan l JOIN book b ON b.id = book_id";
    let lent = |query: Select| query.join(l, l.col("book_id").eq(b.col("id")));
    for (query, honest, says) in [
        // What is grouped by belongs to the book, and so do the loans.
        (
            lent(select((s.col("id"), x())).from(s).join(b, b.col("series_id").eq(s.col("id"))))
                .group_by(s.col("id")),
            "SELECT series_id AS id, sum(pages) AS x FROM book GROUP BY series_id",
            "sum(b.pages) takes each row of book (b) once for each row of loan (l) that is joined to it",
        ),
        // The loan's column is the book's key.
        (
            lent(select((l.col("book_id"), x())).from(b)).group_by(l.col("book_id")),
            "SELECT DISTINCT book_id, pages AS x FROM loan JOIN book b ON b.id = book_id",
            "sum(b.pages) takes each row of book (b) once for each row of loan (l)",
        ),
        // The other side only filters.
        (
            lent(select(x()).from(b)).join(r, r.col("id").eq(l.col("reader_id"))).filter(r.col("age").lt(20)),
            "SELECT sum(pages) AS x FROM book WHERE id IN (SELECT book_id FROM loan WHERE reader_id = 1)",
            "sum(b.pages) takes each row of book (b) once for each row of loan (l)",
        ),
        // For each loan, and each of these for each of its reminders.
        (
            read((r.col("id"), x())).join(m, m.col("loan_id").eq(l.col("id"))).group_by(r.col("id")),
            of_reader,
            "sum(b.pages) takes each row of book (b) once for each row of reminder (m)",
        ),
        (
            borrowed(x()).join(m, m.col("loan_id").eq(l.col("id"))),
            per_loan,
            "sum(b.pages) takes each row of book (b) once for each row of reminder (m)",
        ),
        // The book looked up not from the reminder, but from the loan before it.
        (
            select(x())
                .from(l)
                .join(m, m.col("loan_id").eq(l.col("id")))
                .join(b, b.col("id").eq(l.col("book_id"))),
            per_loan,
            "sum(b.pages) takes each row of book (b) once for each row of reminder (m)",
        ),
        // And each for each payment of the reader.
        (
            read((r.col("id"), x())).join(p, p.col("reader_id").eq(r.col("id"))).group_by(r.col("id")),
            of_reader,
            "sum(b.pages) takes each row of loan (l) once for each row of payment (p): both are joined to reader (r)",
        ),
        // From two tables first, neither of which tells the other.
        (
            {
                let other = t("loan", "other");
                select(x())
                    .from(l)
                    .join(other, other.col("book_id").eq(l.col("book_id")))
                    .join(b, b.col("id").eq(l.col("book_id")).and(b.col("id").eq(other.col("book_id"))))
            },
            per_loan,
            "sum(b.pages) takes each row of book (b) once for each row of loan (other)",
        ),
    ] {
        let (sql, values, warnings) = verified(&database.catalog, query);
        let [warning] = &warnings[..] else { panic!("{warnings:#?} of {sql}") };
        assert!(warning.message.starts_with(says), "{warning} of {sql}");
        assert_ne!(database.rows(&sql, &values).await, database.rows(honest, &[]).await, "{sql}");
    }
}

#[tokio::test]
async fn what_is_not_known_is_not_warned_of() {
    let database = Database::open().await;
    let (p, i) = (position(), interview());
    // A table without a key, a view, and a table of which the login can't read every column.
    for name in ["note", "held", "deal"] {
        let other = t(name, "o");
        let query = select(sum(p.col("budget")).alias("x"))
            .from(p)
            .join(other, other.col("position_id").eq(p.col("id")));
        assert_eq!(verified(&database.catalog, query).2, [], "{name}");
        let query = interviewed(sum(p.col("budget")).alias("x")).join(
            other,
            other.col("position_id").eq(p.col("id")).and(i.col("id").le(other.col("position_id"))),
        );
        let (_, _, warnings) = verified(&database.catalog, query);
        assert_eq!(warnings, [], "what may tell of the interview: {name}");
    }
    // With more relations and conditions than it looks at.
    let more = (0..40).fold(interviewed(sum(p.col("budget")).alias("x")), |query, n| {
        let other = t("position", &format!("p{n}"));
        query.join(other, other.col("id").eq(p.col("id")))
    });
    assert_eq!(verified(&database.catalog, more).2, []);
}

#[tokio::test]
async fn a_snapshot_tells_as_much_as_the_database() {
    let database = Database::open().await;
    let contents = database.catalog.contents().clone();
    let snapshot = Snapshot::new(contents, vec!["public".to_owned()], |function| function.name != "pg_sleep");
    let catalog = Catalog::new(Snapshot::read(&snapshot.to_json()).unwrap().contents);
    let (p, a) = (position(), t("advert", "a"));
    let (_, _, warnings) =
        verified(&catalog, asked((p.col("id"), count_all().alias("x"))).group_by(p.col("id")));
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    let by_index =
        select(sum(p.col("budget")).alias("x")).from(p).join(a, a.col("position_id").eq(p.col("id")));
    assert_eq!(verified(&catalog, by_index).2, []);
}

#[tokio::test]
async fn the_widest_select_takes_no_time() {
    let database = Database::open().await;
    // As many relations and conditions as are looked at, each joined to the one before, and aggregates each over others.
    let all: Vec<Table> = (0..32).map(|n| t("position", &format!("p{n}"))).collect();
    // A chain of keys, and a star of relations side by side.
    for (is_chain, warned) in [(true, 0), (false, 100)] {
        let sums = (0..300_usize).map(|n| {
            let these = (0..3).map(|step| all[(n * 7 + step * 11 + n / 31) % 32].col("budget"));
            sum(these.reduce(|a, b| a + b).unwrap()).alias(&format!("x{n}"))
        });
        let mut query = select(sums.collect::<Vec<_>>()).from(all[0]);
        for pair in all.windows(2) {
            let chain = ["id", "company_id", "budget"].map(|name| pair[1].col(name).eq(pair[0].col(name)));
            let star = pair[1].col("company_id").eq(all[0].col("id"));
            query = query.join(pair[1], if is_chain { callslip_sdk::all(chain) } else { star });
        }
        let started = std::time::Instant::now();
        let (_, _, warnings) = verified(&database.catalog, query);
        assert!(started.elapsed().as_secs_f64() < 2.0, "{:?}", started.elapsed());
        assert_eq!(warnings.len(), warned, "{:#?}", warnings.first());
    }
}
