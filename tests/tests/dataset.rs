//! The data sets: the same rows however they are loaded, and rows that make sense.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use std::path::Path;

use callslip::cli::tpch;
use callslip::cluster::{Dataset, DatasetError, GeneratedTable, LoadProgress};
use callslip_tests::cluster;
use tokio_postgres::Client;

const TABLES: [&str; 10] = [
    "company",
    "reviewer",
    "position",
    "question",
    "candidate",
    "tag",
    "candidate_tag",
    "interview",
    "answer",
    "rating",
];

fn hiring() -> Dataset {
    Dataset::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-plugins/hiring/data")).unwrap()
}

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

/// A checksum of the rows of each table, with their order on disk.
async fn checksums(client: &Client, schema: &str, tables: &[&str]) -> Vec<String> {
    let mut sums = Vec::new();
    for table in tables {
        let sql =
            format!(r#"SELECT count(*) || ' ' || md5(string_agg(x::text, '|')) FROM "{schema}".{table} x"#);
        sums.push(format!("{table} {}", client.query_one(&sql, &[]).await.unwrap().get::<_, String>(0)));
    }
    sums
}

#[tokio::test]
async fn slices_make_the_same_rows_as_the_whole() {
    let (_cluster, client) = cluster("").await;
    let mut reports = Vec::new();
    let mut report = |p: LoadProgress<'_>| reports.push((p.file.to_owned(), p.done, p.total, p.rows));
    hiring().with_slices(1).load(&client, "one", 0.01, &mut report).await.unwrap();
    // Of a session in another place: nothing depends on its settings.
    client
        .batch_execute("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'; SET extra_float_digits = -5")
        .await
        .unwrap();
    hiring().with_slices(7).load(&client, "we\"ird", 0.01, &mut |_| {}).await.unwrap();
    client.batch_execute("RESET ALL").await.unwrap();
    assert_eq!(checksums(&client, "one", &TABLES).await, checksums(&client, "we\"\"ird", &TABLES).await);

    let files: Vec<_> = reports.iter().map(|(file, ..)| file.as_str()).collect();
    assert_eq!((files[0], files[files.len() - 1]), ("01-schema.sql", "90-keys.sql"));
    assert!(
        reports.iter().enumerate().all(|(i, (_, done, total, _))| *done == i + 1 && *total == files.len())
    );
    assert!(reports.is_sorted_by_key(|(.., rows)| *rows));
    let search_path: String = client.query_one("SHOW search_path", &[]).await.unwrap().get(0);
    assert_eq!(search_path, "\"$user\", public", "the session is as it was");
}

fn tpch() -> Dataset {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-plugins/tpch/data");
    Dataset::read(&folder).unwrap().with_tables(tpch::tables())
}

#[tokio::test]
async fn slices_of_generated_tables_make_the_same_rows_as_the_whole() {
    let (_cluster, client) = cluster("").await;
    let mut steps = Vec::new();
    let mut report = |p: LoadProgress<'_>| steps.push((p.file.to_owned(), p.rows));
    // The least scale that `callslip demo` takes: the keys hold, or 90-keys.sql had failed.
    tpch().with_slices(1).load(&client, "one", 0.01, &mut report).await.unwrap();
    tpch().with_slices(7).load(&client, "seven", 0.01, &mut |_| {}).await.unwrap();
    let tables = tpch::tables().map(|table| table.table);
    assert_eq!(checksums(&client, "one", &tables).await, checksums(&client, "seven", &tables).await);

    let done: Vec<_> = steps.iter().map(|(step, rows)| (step.as_str(), *rows)).collect();
    let expected = [
        ("01-schema.sql", 0),
        ("10-region", 5),
        ("11-nation", 30),
        ("12-part", 2_030),
        ("13-supplier", 2_130),
        ("14-partsupp", 10_130),
        ("15-customer", 11_630),
        ("16-orders", 26_630),
        ("17-lineitem", 86_805),
        ("90-keys.sql", 86_805),
    ];
    assert_eq!(done, expected);
}

#[tokio::test]
async fn a_generated_table_that_fails_leaves_nothing() {
    let (_cluster, client) = cluster("").await;
    let table = |table, rows| GeneratedTable { step: "02-rows", table, rows };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("01-t.sql"), "CREATE TABLE t (id int)").unwrap();
    let load = async |table| {
        let dataset = Dataset::read(folder.path()).unwrap().with_tables([table]);
        dataset.load(&client, "broken", 1.0, &mut |_| {}).await
    };
    let error = load(table("other", |_| Box::new(std::iter::empty()))).await.unwrap_err();
    assert_eq!(error.to_string(), "02-rows failed: relation \"other\" does not exist (SQLSTATE 42P01)");
    let error = load(table("t", |_| Box::new(["1", "x"].map(str::to_owned).into_iter()))).await.unwrap_err();
    assert!(error.to_string().starts_with("02-rows failed: invalid input syntax"), "{error}");
    assert_eq!(number(&client, "SELECT count(*) FROM pg_namespace WHERE nspname = 'broken'").await, 0);
    // The connection is as good as before, and more than one chunk arrives.
    load(table("t", |slice| Box::new((0..40_000).map(move |id| (id * slice.count).to_string()))))
        .await
        .unwrap();
    let rows = number(&client, "SELECT count(*) FROM broken.t").await;
    assert!(rows > 0 && rows % 40_000 == 0, "{rows}");
}

#[tokio::test]
async fn rows_make_sense() {
    let (_cluster, client) = cluster("").await;
    hiring().load(&client, "hiring", 0.02, &mut |_| {}).await.unwrap();
    client.batch_execute("SET search_path = hiring").await.unwrap();

    for (table, fewest, most) in [
        ("company", 4, 4),
        ("position", 40, 40),
        ("candidate", 800, 800),
        ("interview", 2_000, 2_000),
        ("rating", 16_000, 24_000),
        ("reviewer", 20, 60),
        ("question", 120, 200),
        ("answer", 4_000, 8_000),
        ("candidate_tag", 1_000, 2_400),
        ("interview_card", 2_000, 2_000),
    ] {
        let rows = number(&client, &format!("SELECT count(*) FROM {table}")).await;
        assert!((fewest..=most).contains(&rows), "{table}: {rows}");
    }
    // The keys of 90-keys.sql hold, or it had failed; these are what no key says.
    for (what, sql) in [
        (
            "a reviewer of another company",
            "SELECT count(*) FROM rating r JOIN reviewer w ON w.id = r.reviewer_id JOIN interview i ON i.id = r.interview_id \
             JOIN position p ON p.id = i.position_id WHERE w.company_id <> p.company_id",
        ),
        (
            "an answer of another interview",
            "SELECT count(*) FROM rating r JOIN answer a ON a.id = r.answer_id WHERE a.interview_id <> r.interview_id",
        ),
        (
            "a question of another position",
            "SELECT count(*) FROM answer a JOIN question q ON q.id = a.question_id JOIN interview i ON i.id = a.interview_id \
             WHERE q.position_id <> i.position_id",
        ),
        (
            "one reviewer twice on one thing",
            "SELECT count(*) - count(DISTINCT (interview_id, answer_id, reviewer_id)) FROM rating",
        ),
        (
            "a rating of what is not completed",
            "SELECT count(*) FROM rating JOIN interview i ON i.id = interview_id WHERE status <> 'completed'",
        ),
        (
            "an end without being completed",
            "SELECT count(*) FROM interview WHERE (status = 'completed') <> (completed_at IS NOT NULL)",
        ),
        ("an end before the start", "SELECT count(*) FROM interview WHERE completed_at < created_at"),
        (
            "an answer after the time",
            "SELECT count(*) FROM answer a JOIN question q ON q.id = question_id WHERE seconds > max_seconds OR seconds < 1",
        ),
        ("a salary upside down", "SELECT count(*) FROM position WHERE salary_max <= salary_min"),
        ("no name", r"SELECT count(*) FROM candidate WHERE name IS NULL OR length(name) < 4"),
    ] {
        assert_eq!(number(&client, sql).await, 0, "{what}");
    }
    for (what, sql) in [
        (
            "one rated low what all others rated high",
            "SELECT count(*) FROM rating low WHERE answer_id IS NULL AND score <= 2 AND 3.5 <= (SELECT min(score) FROM rating other \
             WHERE other.interview_id = low.interview_id AND other.answer_id IS NULL AND other.reviewer_id <> low.reviewer_id)",
        ),
        (
            "a favourite",
            "SELECT count(*) FROM (SELECT FROM interview GROUP BY position_id HAVING count(*) > 200) x",
        ),
        ("a comment of two lines", "SELECT count(*) FROM rating WHERE comment LIKE E'%\\n%'"),
        (
            "a name beyond ASCII",
            "SELECT count(*) FROM candidate WHERE octet_length(name) > char_length(name)",
        ),
        ("nothing known", "SELECT count(*) FROM candidate WHERE born_on IS NULL AND phone IS NULL"),
        ("no skills", "SELECT count(*) FROM candidate WHERE skills = '{}'"),
        (
            "open and closed",
            "SELECT count(*) FROM position WHERE closed_at IS NULL AND EXISTS (SELECT FROM position WHERE closed_at > opened_at)",
        ),
    ] {
        assert!(number(&client, sql).await > 0, "{what}");
    }
    let left = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'hiring'::regnamespace";
    assert_eq!(number(&client, left).await, 0, "a function of the generator's is left");
    let unanalyzed = "SELECT count(*) FROM pg_class WHERE relnamespace = 'hiring'::regnamespace AND relkind = 'r' AND reltuples < 0";
    assert_eq!(number(&client, unanalyzed).await, 0);
}

#[tokio::test]
async fn the_smallest_scale_still_has_everything() {
    let (_cluster, client) = cluster("").await;
    hiring().load(&client, "hiring", 0.0001, &mut |_| {}).await.unwrap();
    for table in TABLES {
        assert!(number(&client, &format!("SELECT count(*) FROM hiring.{table}")).await > 0, "{table}");
    }
}

#[tokio::test]
async fn a_load_that_fails_leaves_nothing() {
    let (_cluster, client) = cluster("").await;
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('broken', 'taken', 'dropped')";
    for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = hiring().load(&client, "broken", scale, &mut |_| {}).await.unwrap_err();
        assert!(matches!(error, DatasetError::InvalidScale { .. }), "{error}");
    }

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("1.sql"), "CREATE TABLE t (id int);").unwrap();
    std::fs::write(folder.path().join("2.sql"), "-- é\nINSERT INTO t\nSELECT x FROM t;").unwrap();
    let error =
        Dataset::read(folder.path()).unwrap().load(&client, "broken", 1.0, &mut |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "2.sql:3 failed: column \"x\" does not exist (SQLSTATE 42703)");

    // Dropped after a few steps: the next statement finds the connection free.
    {
        let dataset = hiring();
        let (steps, mut seen) = tokio::sync::mpsc::unbounded_channel();
        let mut report = |_: LoadProgress<'_>| steps.send(()).unwrap();
        let load = dataset.load(&client, "dropped", 0.01, &mut report);
        tokio::select! { done = load => panic!("{done:?}"), _ = seen.recv() => {} }
    }
    assert_eq!(number(&client, schemas).await, 0);

    client.batch_execute("CREATE SCHEMA taken; CREATE TABLE taken.mine ()").await.unwrap();
    let error = hiring().load(&client, "taken", 0.01, &mut |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "there is a schema `taken` already; drop it or name another");
    assert_eq!(number(&client, "SELECT count(*) FROM taken.mine").await, 0);
}
