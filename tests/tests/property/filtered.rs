//! A query under row filters gives what it gives over tables of nothing but the rows that pass: over generated descriptions,
//! of every construct of the language.

use std::collections::BTreeMap;
use std::sync::Arc;

use callslip::grants::FilterValue;
use callslip::select::{Printed, RowFilters};
use callslip_ir::{Node, NodeKind};
use callslip_tests::{Text, connect};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use super::property::Subject;
use super::{SHOWN, bytes_of, constructs, fixture, generate, number_of};

/// How many descriptions are run.
const DESCRIPTIONS: u64 = 4_000;
/// Of these so many must give the same, at least: the others fail by what they do with the rows, or give another result each
/// time.
const AT_LEAST: usize = 1_500;
/// Of those, so many are without a barrier.
const PLAIN: usize = 50;

/// Rows of which some pass, and others would make most expressions fail. In the schema `seen` are those that pass alone, and in
/// `turned` the same in another order.
const ROWS: &str = "
    INSERT INTO app.person
    SELECT n, (ARRAY['ann', 'bob', 'cee', 'dan'])[1 + n % 4], n % 5 - 1, n * 1.5 - 3, n / 4.0, date '2026-01-01' + n,
           timestamptz '2026-02-03 04:05:06+00' + n * interval '1 day', n * interval '1 hour',
           jsonb_build_object('a', n, 'b', ARRAY[n, 2]), ARRAY[n, n % 3], ARRAY['x', n::text],
           (ARRAY['low', 'fair', 'high'])[1 + n % 3]::app.mood, int4range(n, n + 3), ROW('street', n)::app.address, n % 2 = 0
    FROM generate_series(1, 6) n;
    INSERT INTO app.worker SELECT p.*, 10 * id FROM app.person p WHERE id IN (2, 3);
    INSERT INTO app.\"Odd \"\"table\"\"\"
    SELECT n, chr(96 + n), n % 3, n, n % 2 = 0, timestamptz '2026-02-03 04:05:06+00' + n * interval '1 day', date '2026-01-01' + n
    FROM generate_series(1, 6) n;
    UPDATE app.worker SET id = id + 3;
    INSERT INTO app.person
    SELECT 100 + n, 'secret(' || n, 9223372036854775807, 99999999.99, 'NaN', 'infinity', 'infinity', '100000000 years', '[]',
           '{}', '{}', 'low', 'empty', NULL, NULL
    FROM generate_series(1, 20) n;
    INSERT INTO app.worker SELECT p.*, 'NaN' FROM ONLY app.person p WHERE id > 110;
    UPDATE app.worker SET id = id + 100 WHERE id > 100;
    INSERT INTO app.\"Odd \"\"table\"\"\"
    SELECT 100 + n, 'secret(' || n, 9223372036854775807, 'NaN', NULL, 'infinity', 'infinity' FROM generate_series(1, 20) n;
    ANALYZE";

fn visible(schema: &str, order: &str) -> String {
    format!(
        "CREATE SCHEMA {schema};
         CREATE TABLE {schema}.person (LIKE app.person INCLUDING ALL);
         CREATE TABLE {schema}.worker (salary numeric) INHERITS ({schema}.person);
         CREATE TABLE {schema}.\"Odd \"\"table\"\"\" (LIKE app.\"Odd \"\"table\"\"\" INCLUDING ALL);
         CREATE VIEW {schema}.lively AS SELECT id, name, mood, active FROM {schema}.person;
         INSERT INTO {schema}.person SELECT * FROM ONLY app.person WHERE id < 100 ORDER BY id {order};
         INSERT INTO {schema}.worker SELECT * FROM app.worker WHERE id < 100 ORDER BY id {order};
         INSERT INTO {schema}.\"Odd \"\"table\"\"\" SELECT * FROM app.\"Odd \"\"table\"\"\" WHERE id < 100 ORDER BY id {order};
         ANALYZE"
    )
}

fn filters() -> BTreeMap<String, String> {
    let of = |name: &str| (name.to_owned(), "id < claim('below')".to_owned());
    [of("person"), of("worker"), of("Odd \"table\""), of("lively")].into()
}

/// The same statement over tables of another schema.
fn over(sql: &str, schema: &str) -> String {
    let mut sql = sql.to_owned();
    for name in ["person", "worker", "lively", "Odd \"\"table\"\""] {
        sql = sql.replace(&format!("\"app\".\"{name}\""), &format!("\"{schema}\".\"{name}\""));
    }
    sql
}

/// A value of each type that the generator makes parameters of.
fn value(printed: &Printed, index: usize) -> Option<String> {
    let parameter = &printed.parameters[index];
    match printed.filter_value(parameter.slot) {
        Some(FilterValue::Claim(_)) => return Some("100".to_owned()),
        Some(FilterValue::Constant(text)) => return text.clone(),
        None => {}
    }
    let of = |values: &[&str]| Some(values[parameter.slot.0 as usize % values.len()].to_owned());
    match (parameter.ty.name.as_str(), parameter.ty.array) {
        ("int4", true) => of(&["{1,2}", "{}", "{3}"]),
        ("text", true) => of(&["{x,y}", "{}"]),
        ("bool", _) => of(&["true", "false"]),
        ("int4" | "int8" | "int2", _) => of(&["3", "1", "5", "2", "4"]),
        ("numeric" | "float8" | "float4", _) => of(&["100", "1.5", "3"]),
        ("date", _) => of(&["2026-01-03", "2026-01-04"]),
        ("timestamptz" | "timestamp", _) => of(&["2026-02-05 04:05:06+00"]),
        ("interval", _) => of(&["1 day", "2 hours"]),
        ("jsonb" | "json", _) => of(&[r#"{"a": 1}"#, "[1, 2]", "2"]),
        ("jsonpath", _) => of(&["$.a", "$.b[*]"]),
        ("mood", _) => of(&["fair", "low"]),
        ("int4range", _) => of(&["[1,4)", "[2,9)"]),
        ("address", _) => of(&["(street,1)", "(road,2)"]),
        ("text" | "varchar" | "bpchar", _) => of(&["bob", "x", "a%", "UTC"]),
        _ => None,
    }
}

/// The rows of a statement, in no order; or the error, with its values.
async fn rows(client: &Client, sql: &str, values: &[Option<String>]) -> Result<Vec<Option<String>>, String> {
    let wrapped = format!("SELECT q::text FROM ({sql}) AS q");
    let values: Vec<Text<'_>> = values.iter().map(|value| Text(value.as_deref())).collect();
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
    let rows = client.query(&wrapped, &values).await.map_err(|error| match error.as_db_error() {
        Some(refusal) => format!("{}: {}", refusal.code().code(), refusal.message()),
        None => error.to_string(),
    })?;
    let mut rows: Vec<Option<String>> = rows.iter().map(|row| row.get(0)).collect();
    rows.sort();
    Ok(rows)
}

/// What came of one description.
enum Outcome {
    Same {
        /// Whether the filters are plain conditions.
        is_plain: bool,
    },
    /// It says nothing: it fails, or takes too long, without filters too, or depends on the order of the rows.
    Nothing,
    /// The verifier refuses it, since whole rows are records.
    Refused,
    Wrong(String),
}

async fn compare(seed: u64, subject: &Subject, filters: &RowFilters, client: &Client) -> Outcome {
    let description = generate::description(&bytes_of(seed));
    // Which rows these leave is for the plan to say.
    let is_cut = |node: &Node| match &node.kind {
        NodeKind::Query(query) => query.limit.is_some() || query.offset.is_some(),
        NodeKind::Table(table) => table.sample.is_some(),
        _ => false,
    };
    let is_known = constructs::needed_version(&description) <= subject.server_version();
    if !is_known || description.nodes.iter().any(is_cut) {
        return Outcome::Nothing;
    }
    let Ok(plain) = subject.print(&description) else { return Outcome::Nothing };
    let filtered = match subject.print_under(&description, filters) {
        Ok(filtered) => filtered,
        Err(_) => return Outcome::Refused,
    };
    let of = |printed: &Printed| {
        (0..printed.parameters.len()).map(|index| value(printed, index)).collect::<Vec<_>>()
    };
    let (first, second) = (over(&plain.sql, "seen"), over(&plain.sql, "turned"));
    let values = of(&plain);
    let Ok(expected) = rows(client, &first, &values).await else { return Outcome::Nothing };
    match rows(client, &second, &values).await {
        Ok(turned) if turned == expected => {}
        _ => return Outcome::Nothing,
    }
    match rows(client, &filtered.sql, &of(&filtered)).await {
        Ok(found) if found == expected => Outcome::Same {
            is_plain: !filtered.sql.contains(") OFFSET 0)") && filtered.sql.contains("WHERE (CAST"),
        },
        Err(error) if error.starts_with("57014") => Outcome::Nothing,
        found => Outcome::Wrong(format!(
            "{found:?}\nexpected {expected:?}\n\n{}\n\n{first}\n{values:?}",
            filtered.sql
        )),
    }
}

#[derive(Default)]
struct Report {
    same: usize,
    plain: usize,
    refused: usize,
    wrong: Vec<(u64, String)>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_filtered_query_gives_what_it_gives_over_the_rows_that_pass() {
    let (cluster, owner) = callslip_tests::cluster(fixture::SQL).await;
    let subject = Arc::new(Subject::new(callslip::catalog::reflect(&owner).await.unwrap()));
    owner.batch_execute(ROWS).await.unwrap();
    owner.batch_execute(&visible("seen", "ASC")).await.unwrap();
    owner.batch_execute(&visible("turned", "DESC")).await.unwrap();
    let filters = Arc::new(subject.filters(&filters()));
    let one = number_of("CALLSLIP_SEED");
    let all = number_of("CALLSLIP_DESCRIPTIONS").unwrap_or(DESCRIPTIONS);
    let workers = 4;
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..workers {
        let (subject, filters) = (subject.clone(), filters.clone());
        let client = connect(&cluster.config()).await;
        tasks.spawn(async move {
            let settings =
                "SET timezone = 'UTC'; SET statement_timeout = '2s'; SET max_parallel_workers_per_gather = 0";
            client.batch_execute(settings).await.unwrap();
            // One of them has plans for any values.
            if worker == 0 {
                client.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
            }
            let mut report = Report::default();
            let seeds =
                (worker..all).step_by(workers as usize).filter(|seed| one.is_none_or(|one| one == *seed));
            for seed in seeds {
                // In one transaction the time stands still.
                client.batch_execute("BEGIN").await.unwrap();
                let outcome = compare(seed, &subject, &filters, &client).await;
                client.batch_execute("ROLLBACK").await.unwrap();
                match outcome {
                    Outcome::Same { is_plain } => {
                        report.same += 1;
                        report.plain += usize::from(is_plain);
                    }
                    Outcome::Nothing => {}
                    Outcome::Refused => report.refused += 1,
                    Outcome::Wrong(what) => report.wrong.push((seed, what)),
                }
            }
            report
        });
    }
    let mut report = Report::default();
    while let Some(part) = tasks.join_next().await {
        let part = part.unwrap();
        report.same += part.same;
        report.plain += part.plain;
        report.refused += part.refused;
        report.wrong.extend(part.wrong);
    }
    let shown: Vec<String> = report
        .wrong
        .iter()
        .take(SHOWN)
        .map(|(seed, what)| format!("CALLSLIP_SEED={seed}\n{what}\n"))
        .collect();
    assert!(report.wrong.is_empty(), "{} are wrong:\n\n{}", report.wrong.len(), shown.join("\n"));
    assert!(report.refused * 50 <= all as usize, "{} are refused", report.refused);
    assert!(one.is_some() || report.same >= AT_LEAST, "only {} gave rows", report.same);
    assert!(one.is_some() || report.plain >= PLAIN, "only {} were without a barrier", report.plain);
    println!("{} {} {}", report.same, report.plain, report.refused);
}
