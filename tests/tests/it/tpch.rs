//! The 22 queries of TPC-H: each gives the reference answer, and with other parameters the rows of hand-written SQL.
//!
//! The reference answers, in `tests/data/tpch`, are what PostgreSQL gives to the specification's own SQL at scale 0.01.

mod substitutions;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use callslip::{Call, Generation, LoadedPlugin, ValueSource};
use callslip_tests::tpch;
use serde_json::value::RawValue;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::support::{object, text};
use substitutions::SUBSTITUTIONS;

/// A result as PostgreSQL writes it: every digit counts.
#[derive(Debug, PartialEq)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
}

impl Table {
    /// CSV as `COPY` writes it, where nothing is null and `""` is an empty text.
    fn of_csv(csv: &str) -> Self {
        let mut lines = csv.lines().map(fields);
        let columns = lines.next().expect("a header").into_iter().flatten().collect();
        Self { columns, rows: lines.collect() }
    }

    async fn of_sql(client: &Client, sql: &str) -> Self {
        let mut table = Self { columns: Vec::new(), rows: Vec::new() };
        let answer = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
        for message in answer {
            match message {
                SimpleQueryMessage::RowDescription(columns) => {
                    table.columns = columns.iter().map(|column| column.name().to_owned()).collect();
                }
                SimpleQueryMessage::Row(row) => {
                    table.rows.push((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect());
                }
                _ => {}
            }
        }
        table
    }

    /// A reply, whose columns are these.
    async fn of_call(call: Call<'_>, columns: &[String]) -> Self {
        type Row<'a> = BTreeMap<String, &'a RawValue>;
        let json = text(call).await.unwrap_or_else(|error| panic!("{}", error.log_message()));
        let rows: Vec<Row<'_>> = match json.starts_with('[') {
            true => serde_json::from_str(&json).unwrap(),
            false => vec![serde_json::from_str(&json).unwrap()],
        };
        let rows = rows.into_iter().map(|mut row| {
            let values: Vec<_> = columns
                .iter()
                .map(|name| plain(row.remove(name).unwrap_or_else(|| panic!("no column {name} in {json}"))))
                .collect();
            assert!(row.is_empty(), "more columns than {columns:?}: {row:?}");
            values
        });
        Self { columns: columns.to_vec(), rows: rows.collect() }
    }
}

/// A number as it is written, which a float would not keep; a string without its quotes.
fn plain(value: &RawValue) -> Option<String> {
    match value.get() {
        "null" => None,
        text if text.starts_with('"') => Some(serde_json::from_str(text).unwrap()),
        number => Some(number.to_owned()),
    }
}

fn fields(line: &str) -> Vec<Option<String>> {
    let (mut fields, mut field, mut quoted, mut inside) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => (quoted, inside) = (true, !inside),
            ',' if !inside => {
                fields.push((quoted || !field.is_empty()).then(|| std::mem::take(&mut field)));
                quoted = false;
            }
            c => field.push(c),
        }
    }
    fields.push((quoted || !field.is_empty()).then_some(field));
    fields
}

fn plugin(generation: &Generation) -> &LoadedPlugin {
    let (_, plugin) = generation.plugins().next().expect("one plugin");
    let plugin = plugin.unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!(plugin.warnings(), [], "its aggregates are what TPC-H means");
    plugin
}

/// The query of a number, such as that of `q03_shipping_priority`.
fn query_of(generation: &Generation, number: usize) -> &str {
    let name = &plugin(generation).queries()[number - 1].declaration().name;
    assert!(name.starts_with(&format!("q{number:02}_")), "{name} is not Q{number}");
    name
}

#[tokio::test]
async fn all_22_give_the_reference_answers() {
    let host = tpch().await.host().await;
    let generation = host.generation();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/tpch");
    for number in 1..=22 {
        let query = query_of(&generation, number);
        let csv = std::fs::read_to_string(folder.join(format!("q{number:02}.csv"))).unwrap();
        let expected = Table::of_csv(&csv);
        let found = Table::of_call(host.call("tpch", query), &expected.columns).await;
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn all_22_are_closed_and_proven_and_use_each_of_their_parameters() {
    let host = tpch().await.host().await;
    let generation = host.generation();
    let queries = plugin(&generation).queries();
    assert_eq!(queries.len(), 22);
    for query in queries {
        let name = &query.declaration().name;
        assert!(query.is_complete() && !query.is_open(), "{name}");
        let [shape] = query.shapes() else { panic!("{name} has {} shapes", query.shapes().len()) };
        let Ok([statement]) = shape.outcome.as_deref() else { panic!("{name}: {:?}", shape.outcome) };
        for parameter in &query.declaration().parameters {
            let bound = ValueSource::Parameter(parameter.name.clone());
            assert!(statement.values.contains(&bound), "{name} does not use {}", parameter.name);
        }
    }
}

#[tokio::test]
async fn other_parameters_give_the_rows_of_hand_written_sql() {
    let tpch = tpch().await;
    let (host, client) = (tpch.host().await, tpch.owner().await);
    let generation = host.generation();
    for (number, substitution) in (1..).zip(&SUBSTITUTIONS) {
        let query = query_of(&generation, number);
        let parameters = object(serde_json::from_str(substitution.parameters).unwrap());
        let declared = &plugin(&generation).query(query).unwrap().declaration().parameters;
        let declared: BTreeSet<_> = declared.iter().map(|parameter| &parameter.name).collect();
        assert_eq!(parameters.keys().collect::<BTreeSet<_>>(), declared, "{query}: all are substituted");

        let expected = Table::of_sql(&client, substitution.sql).await;
        let shows = expected.rows.iter().flatten().any(Option::is_some);
        assert!(shows, "{query}: the hand-written SQL has no rows, so that it shows nothing");
        let call = parameters
            .into_iter()
            .fold(host.call("tpch", query), |call, (name, value)| call.param(name, value));
        assert_eq!(Table::of_call(call, &expected.columns).await, expected, "{query}");
        let default = Table::of_call(host.call("tpch", query), &expected.columns).await;
        assert_ne!(default, expected, "{query}: the defaults give the same");
    }
}
