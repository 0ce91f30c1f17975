//! The catalog as a file: what it keeps of a database, and the command that writes and reads it.

use std::path::Path;
use std::process::Output;

use callslip::catalog::Snapshot;
use callslip::grants::GrantSettings;
use callslip::{Code, Config, Generation, Host, LoadedPlugin, PluginFinding, Refusal};
use callslip_tests::{database, golden, own_of_snapshot, tpch};

use crate::command::callslip;
use crate::support::config;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    callslip().args(arguments).current_dir(folder).output().unwrap()
}

#[tokio::test]
async fn the_snapshots_of_the_examples_are_current() {
    assert_current("hiring", database().bare("example_snapshot").await).await;
    assert_current("orders", database().example("orders_snapshot", "orders").await).await;
    assert_current("tpch", tpch().await.owner_url().to_owned()).await;
}

async fn assert_current(plugin: &str, url: String) {
    let folder = tempfile::tempdir().unwrap();
    let output = tokio::task::spawn_blocking(move || {
        let output =
            run(folder.path(), &["catalog", "snapshot", "--out", "schema.json", "--database-url", &url]);
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        let written = std::fs::read_to_string(folder.path().join("schema.json")).unwrap();
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        written
    });
    let current = output.await.unwrap();
    let path = root().join("example-plugins").join(plugin).join("schema.json");
    assert_eq!(
        own_of_snapshot(&golden(&path, &current)),
        own_of_snapshot(&current),
        "{plugin}: write it anew: CALLSLIP_WRITE_GOLDEN=1 make test ARGS=snapshot"
    );
}

/// The statements of every plugin's shapes, each with its columns.
type Statements = Vec<(String, String, Vec<(String, String)>)>;

fn statements<'a>(
    plugins: impl Iterator<Item = (&'a str, Result<&'a LoadedPlugin, &'a Refusal>)>,
) -> Statements {
    let mut statements = Vec::new();
    for (name, plugin) in plugins {
        let plugin = plugin.unwrap_or_else(|refusal| panic!("{refusal}"));
        for query in plugin.queries() {
            for proven in query.shapes() {
                for statement in proven.outcome.iter().flatten() {
                    let query = format!("{name}.{} {:?}", query.declaration().name, proven.shape);
                    let columns = statement.columns.iter();
                    let columns = columns.map(|column| (column.name.clone(), column.type_name.clone()));
                    statements.push((query, statement.sql.to_string(), columns.collect()));
                }
            }
        }
    }
    statements
}

fn snapshot_of(host: &Host) -> Snapshot {
    let builtin = GrantSettings::default();
    let contents = host.generation().catalog().contents().clone();
    Snapshot::new(contents, vec!["public".to_owned()], |function| builtin.may_call(function))
}

async fn offline(config: &str, snapshot: Snapshot) -> Generation {
    let config = Config::parse(config, Path::new("")).unwrap();
    Generation::offline(&config, snapshot).await.unwrap()
}

#[tokio::test]
async fn a_snapshot_reads_back_as_it_was_written_and_proves_the_same_statements() {
    let text = config("hiring", "example-plugins/hiring") + &config("language", "tests/guests/language");
    let host = database().host(&text).await;
    let written = snapshot_of(&host).to_json();
    let read = Snapshot::read(&written).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.to_json(), written);

    let proof = offline(&text, read).await;
    let (told, inferred) = (statements(host.generation().plugins()), statements(proof.plugins()));
    assert_eq!(told.len(), inferred.len());
    let mut known = 0;
    for ((query, sql, columns), (offline_query, offline_sql, offline_columns)) in told.iter().zip(&inferred) {
        assert_eq!((query, sql), (offline_query, offline_sql));
        for (column, inferred) in columns.iter().zip(offline_columns) {
            assert_eq!(column.0, inferred.0, "{query}");
            if inferred.1 != "unknown" {
                assert_eq!(column, inferred, "{query}");
                known += 1;
            }
        }
        assert_eq!(columns.len(), offline_columns.len(), "{query}");
    }
    let columns: usize = told.iter().map(|(.., columns)| columns.len()).sum();
    assert!(known * 10 > columns * 8, "the verifier knows the types of {known} of {columns} columns");
}

#[tokio::test]
async fn a_snapshot_has_the_findings_of_a_database_but_for_postgresqls_own() {
    let text = config("mistaken", "tests/guests/mistaken").replace("\"company\", ", "\"attacks.moods\", ");
    let host = database().host(&text).await;
    let proof = offline(&text, Snapshot::read(&snapshot_of(&host).to_json()).unwrap()).await;
    let refusal = |plugin: Option<(&str, Result<&LoadedPlugin, &Refusal>)>| {
        plugin.expect("one plugin").1.expect_err("a plugin full of mistakes is loaded").clone()
    };
    let (told, offline) = (refusal(host.generation().plugins().next()), refusal(proof.plugins().next()));
    for finding in &offline.findings {
        if !told.findings.contains(finding) {
            // A function of PostgreSQL's that no plugin was granted is not in the snapshot.
            assert_eq!(finding.finding.code, Code::UnknownFunction, "{finding:?}");
            assert!(finding.finding.message.contains("pg_sleep"), "{finding:?}");
            assert!(finding.finding.help.as_deref().unwrap_or_default().contains("grant it"), "{finding:?}");
        }
    }
    for PluginFinding { query, finding } in &told.findings {
        let same = |its: &PluginFinding| its.query == *query && its.finding.place == finding.place;
        let of_postgresql =
            finding.code == Code::DescribeFailed || finding.message.contains("is no timestamptz");
        assert_eq!(offline.findings.iter().any(same), !of_postgresql, "{finding}");
    }
}
