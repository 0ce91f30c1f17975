//! `callslip catalog diff`: what a migration changed, and which queries it breaks.

use std::path::Path;
use std::process::Output;

use callslip::catalog::{self, Snapshot};
use callslip::drift::{Drift, Live};
use callslip::loan::{ConnectionSettings, Pool, PoolSettings};
use callslip::select::Finding;
use callslip::{Code, Config};
use callslip_tests::{component, connect_to, database};
use serde_json::Value;
use tokio_postgres::Client;

use crate::command::callslip;
use crate::support::TABLES;

/// A database with the hiring data, of a test's own, and beside the configuration a snapshot of how it was.
struct Migrated {
    folder: tempfile::TempDir,
    url: String,
    client: Client,
}

impl Migrated {
    async fn new(name: &str) -> Self {
        let url = database().bare(name).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(component("example-plugins/hiring"), folder.path().join("hiring.wasm")).unwrap();
        let text = format!(
            "[plugins.hiring]\ncomponent = \"hiring.wasm\"\n[plugins.hiring.grants]\nrelations = {TABLES}\n"
        );
        std::fs::write(folder.path().join("callslip.toml"), text).unwrap();
        let client = connect_to(&url).await;
        let migrated = Self { folder, url, client };
        migrated.snapshot("old.json").await;
        migrated
    }

    async fn migrate(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }

    async fn snapshot(&self, file: &str) {
        let output = self.run(&["catalog", "snapshot", "--out", file, "--database-url", &self.url]).await;
        assert!(output.status.success(), "{output:?}");
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = callslip();
        command.args(arguments).current_dir(self.folder.path());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// What the command says of the old snapshot and the database as it is now, which is the same as what it says of two
    /// snapshots; and how it ends.
    async fn diff(&self) -> (String, Option<i32>) {
        let live = self.run(&["catalog", "diff", "old.json", "--database-url", &self.url]).await;
        self.snapshot("new.json").await;
        let files = self.run(&["catalog", "diff", "old.json", "new.json"]).await;
        let text = |output: &Output| {
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            String::from_utf8(output.stdout.clone()).unwrap()
        };
        assert_eq!(text(&live), text(&files), "live, and between files");
        assert_eq!(live.status.code(), files.status.code());
        (text(&live), live.status.code())
    }

    async fn diff_json(&self) -> Value {
        let output = self.run(&["catalog", "diff", "old.json", "--json", "--database-url", &self.url]).await;
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }
}

/// The line of a query's source that has a text, from 1.
fn line_of(file: &str, text: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-plugins/hiring").join(file);
    let source = std::fs::read_to_string(path).unwrap();
    1 + source.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text} in {file}"))
}

#[tokio::test]
async fn a_renamed_column_names_the_one_query_that_it_breaks() {
    let migrated = Migrated::new("drift_renamed").await;
    assert_eq!(migrated.diff().await, ("no differences\n".to_owned(), Some(0)));

    migrated.migrate("ALTER TABLE candidate RENAME country TO land").await;
    let (told, code) = migrated.diff().await;
    assert_eq!(code, Some(1), "{told}");
    let lines: Vec<&str> = told.lines().collect();
    let [change, breaks, finding, view, "", verdict] = lines[..] else { panic!("{told}") };
    assert_eq!(
        change,
        "column country of public.candidate was probably renamed to land, or dropped and land made in its place"
    );
    assert_eq!(breaks, "  breaks hiring.candidates");
    let line = line_of("src/candidates.rs", "c.country");
    assert!(
        finding.starts_with(&format!("    CS0302 src/candidates.rs:{line}:"))
            || finding.contains(&format!("/src/candidates.rs:{line}:")),
        "{finding}"
    );
    assert!(finding.contains("candidate (alias \"c\") has no column \"country\""), "{finding}");
    // The view reads the column under its new name, and gives it under the old one.
    assert_eq!(view, "relation public.interview_card: the definition changed");
    assert_eq!(verdict, "2 changes; 1 query breaks");

    let told = migrated.diff_json().await;
    let [change, view] = &told["changes"].as_array().unwrap()[..] else { panic!("{told:#}") };
    assert_eq!(view["breaks"], serde_json::json!([]));
    let object = serde_json::json!({
        "kind": "column", "schema": "public", "name": "candidate", "arguments": null, "part": "country",
    });
    assert_eq!(change["object"], object);
    let [broken] = &change["breaks"].as_array().unwrap()[..] else { panic!("{told:#}") };
    assert_eq!((&broken["plugin"], &broken["query"]), (&"hiring".into(), &"candidates".into()));
    assert_eq!((&broken["shapes"]["all"], &broken["shapes"]["open"]), (&true.into(), &false.into()));
    assert_eq!((&broken["findings"][0]["line"], &told["broken"]), (&line.into(), &1.into()));

    // The way back mends it.
    let back = migrated.run(&["catalog", "diff", "new.json", "old.json"]).await;
    let told = String::from_utf8(back.stdout).unwrap();
    assert_eq!(back.status.code(), Some(0), "{told}");
    assert!(told.contains("mended: hiring.candidates\n") && told.ends_with("; no query breaks\n"), "{told}");
    let still = migrated.run(&["catalog", "diff", "new.json", "new.json"]).await;
    let told = String::from_utf8(still.stdout).unwrap();
    assert_eq!(still.status.code(), Some(0), "{told}");
    assert!(told.starts_with("no differences\nbroken before, and still: hiring.candidates\n"), "{told}");
}

#[tokio::test]
async fn only_the_shapes_that_use_it_break() {
    let migrated = Migrated::new("drift_shapes").await;
    migrated.migrate("ALTER TABLE position DROP closed_at").await;
    let (told, code) = migrated.diff().await;
    assert_eq!(code, Some(1), "{told}");
    for part in [
        "column closed_at of public.position disappeared\n",
        "\n  breaks hiring.funnel in 2 of its 4 shapes (open=true; open=true, since=present)\n",
        "\n  breaks hiring.progress\n",
        "\n  breaks hiring.overview",
        "; 3 queries break\n",
    ] {
        assert!(told.contains(part), "no {part} in {told}");
    }
}

#[tokio::test]
async fn what_is_added_breaks_nothing() {
    let migrated = Migrated::new("drift_added").await;
    migrated
        .migrate("ALTER TABLE candidate ADD nickname text; CREATE TABLE office (id integer PRIMARY KEY, city text)")
        .await;
    let (told, code) = migrated.diff().await;
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("column nickname of public.candidate appeared: text, nullable\n"), "{told}");
    assert!(told.contains("relation public.office appeared: table\n"), "{told}");
    assert!(!told.contains("breaks ") && told.ends_with("; no query breaks\n"), "{told}");
}

#[tokio::test]
async fn a_reply_that_changes_is_told_and_breaks_nothing() {
    let migrated = Migrated::new("drift_reply").await;
    migrated.migrate("ALTER TABLE rating ALTER reviewer_id TYPE bigint").await;
    let (told, code) = migrated.diff().await;
    assert_eq!(code, Some(0), "{told}");
    let change = "column reviewer_id of public.rating: the type changed from int4 to int8\n";
    let reply = "\n  changes the reply of hiring.contested: column reviewer int4 → int8\n";
    assert!(told.contains(change) && told.contains(reply), "{told}");
    assert!(told.ends_with("; no query breaks\n"), "{told}");
}

#[tokio::test]
async fn a_table_that_is_gone_breaks_its_queries_and_the_grant_that_names_it() {
    let migrated = Migrated::new("drift_gone").await;
    migrated
        .migrate("ALTER TABLE question RENAME TO query; ALTER TABLE candidate RENAME country TO land")
        .await;
    let (told, code) = migrated.diff().await;
    assert_eq!(code, Some(1), "{told}");
    let (of_candidate, of_question) = told.split_once("relation public.question was probably").unwrap();
    assert!(of_candidate.contains("  breaks hiring.candidates\n"), "{told}");
    assert!(of_question.starts_with(" renamed to public.query"), "{told}");
    assert!(of_question.contains("\n  breaks hiring by what it is granted\n    CS2"), "{told}");
    assert!(of_question.contains("\n  breaks hiring.workload\n"), "{told}");
    assert!(!of_question.contains("breaks hiring.candidates"), "{told}");
}

#[tokio::test]
async fn what_only_postgresql_refuses_and_no_change_explains_may_have_been_so_before() {
    let migrated = Migrated::new("drift_described").await;
    let connection = ConnectionSettings::resolve(Some(&migrated.url), &|_| None).unwrap();
    let pool = Pool::new(&connection, PoolSettings::default()).unwrap();
    let contents = catalog::reflect(pool.loan().await.unwrap().client()).await.unwrap();
    let config = Config::read(&migrated.folder.path().join("callslip.toml")).unwrap();
    let text = std::fs::read_to_string(migrated.folder.path().join("old.json")).unwrap();
    let old = Snapshot::read(&text).unwrap();
    // A migration that came after the catalog was read: the verifier finds nothing.
    migrated.migrate("ALTER TABLE candidate RENAME country TO land").await;
    let live = Live { contents: &contents, pool: &pool };
    let drift = Drift::between(&config, &old, &old, Some(live)).await.unwrap();
    assert!(drift.effects.is_empty(), "{drift:#?}");
    let [broken] = &drift.refused[..] else { panic!("{drift:#?}") };
    assert_eq!((broken.query.as_deref(), drift.broken()), (Some("candidates"), 0));
    assert!(!drift.is_harmless());
    let refused =
        |finding: &Finding| finding.code == Code::StaleStatement && finding.message.contains("42703");
    assert!(broken.findings.iter().all(refused) && !broken.findings.is_empty(), "{broken:#?}");
    let drift = Drift::between(&config, &old, &old, None).await.unwrap();
    assert_eq!((drift.broken(), drift.broken_before.len()), (0, 0), "{drift:#?}");
    assert!(drift.is_harmless(), "{drift:#?}");
}

#[tokio::test]
async fn without_a_configuration_only_the_changes_are_told() {
    let migrated = Migrated::new("drift_bare").await;
    std::fs::remove_file(migrated.folder.path().join("callslip.toml")).unwrap();
    migrated.migrate("ALTER TABLE candidate RENAME country TO land").await;
    let (told, code) = migrated.diff().await;
    assert_eq!(code, Some(0), "{told}");
    assert!(told.ends_with("2 changes; no plugin is configured, so no query was tried\n"), "{told}");

    let run = async |arguments: &[&str], code, says: &str| {
        let output = migrated.run(&[&["catalog", "diff"], arguments].concat()).await;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(says), "{arguments:?}: {told}");
    };
    run(&[], 2, "<OLD.json>").await;
    run(&["nowhere.json", "old.json"], 1, "can't read nowhere.json").await;
    run(&["hiring.wasm", "old.json"], 1, "can't read hiring.wasm").await;
    run(&["old.json", "new.json", "--config", "nowhere.toml"], 1, "nowhere.toml").await;
    run(&["old.json", "--database-url", "postgres://nobody@127.0.0.1:1/x"], 1, "127.0.0.1").await;
}

/// A migration, and each change that breaks queries, with these.
type Blamed = (&'static str, &'static [(&'static str, &'static [&'static str])]);

/// What is blamed for what: every change that breaks a query, and no other.
const BLAMED: &[Blamed] = &[
    // A column that came along is not blamed for the key that is gone.
    (
        "ALTER TABLE position DROP CONSTRAINT position_pkey CASCADE, ADD added int",
        &[("unique key position_pkey", &["contested", "finalists", "funnel", "progress"])],
    ),
    // Two changes that each break a query are both told, each with the queries that it breaks.
    (
        "DROP VIEW interview_card; ALTER TABLE candidate DROP country, ALTER name TYPE int USING 1;
         ALTER TABLE position DROP closed_at",
        &[
            ("column country of public.candidate", &["candidates"]),
            ("column closed_at of public.position", &["funnel", "overview", "progress"]),
        ],
    ),
    (
        "ALTER TABLE rating DROP CONSTRAINT rating_score_check, ALTER score TYPE text, DROP created_at",
        &[
            ("column score of public.rating: the type", &["contested", "detail", "finalists", "interviews"]),
            ("column created_at of public.rating", &["latest"]),
        ],
    ),
    (
        "ALTER TYPE interview_status RENAME VALUE 'completed' TO 'done'",
        &[("type public.interview_status no longer has the label completed", &["funnel"])],
    ),
    ("ALTER TYPE interview_status RENAME TO state", &[("type public.interview_status", &["funnel"])]),
    ("ALTER TYPE interview_status ADD VALUE 'lost'", &[]),
    ("DROP INDEX interview_candidate_id_idx", &[]),
    ("ALTER TABLE interview ALTER device DROP NOT NULL, ALTER device SET DEFAULT 'none'", &[]),
    ("ALTER TABLE interview ENABLE ROW LEVEL SECURITY; CREATE POLICY all_of ON interview USING (true)", &[]),
    ("ALTER TABLE interview DROP CONSTRAINT interview_candidate_id_fkey", &[]),
    (
        "ALTER TABLE question ADD CONSTRAINT c CHECK (id > 0); CREATE SCHEMA more; CREATE TABLE more.question (id int)",
        &[],
    ),
];

#[tokio::test]
async fn every_change_that_breaks_a_query_is_blamed_and_no_other() {
    for (number, (migration, expected)) in BLAMED.iter().enumerate() {
        let migrated = Migrated::new(&format!("drift_blamed_{number}")).await;
        migrated.migrate(migration).await;
        migrated.snapshot("new.json").await;
        for newer in [&["--database-url", migrated.url.as_str()][..], &["new.json"]] {
            let output = migrated.run(&[&["catalog", "diff", "old.json", "--json"], newer].concat()).await;
            let told: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(output.status.code() == Some(1), !expected.is_empty(), "{migration}: {told:#}");
            assert_blamed(migration, &told, expected);
        }
    }
}

fn assert_blamed(migration: &str, told: &Value, expected: &[(&str, &[&str])]) {
    let mut blamed: Vec<(&str, Vec<&str>)> = Vec::new();
    for change in told["changes"].as_array().unwrap() {
        let breaks = change["breaks"].as_array().unwrap().iter();
        let mut breaks: Vec<&str> = breaks.map(|its| its["query"].as_str().unwrap()).collect();
        breaks.sort_unstable();
        if !breaks.is_empty() {
            blamed.push((change["words"].as_str().unwrap(), breaks));
        }
    }
    assert_eq!(blamed.len(), expected.len(), "{migration}: {blamed:#?}");
    for ((words, breaks), (start, queries)) in blamed.iter().zip(expected) {
        assert!(words.starts_with(start) && breaks == queries, "{migration}: {blamed:#?}");
    }
    assert_eq!((&told["breaks"], &told["refused"]), (&serde_json::json!([]), &serde_json::json!([])));
}

#[tokio::test]
async fn what_was_not_tried_is_told() {
    let migrated = Migrated::new("drift_in_part").await;
    let file = migrated.folder.path().join("callslip.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("[limits]\nshapes = 2\n{text}")).unwrap();
    migrated.migrate("CREATE TABLE office (id int)").await;
    let (told, code) = migrated.diff().await;
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("\nonly 2 of the 4 shapes of hiring.funnel were tried\n"), "{told}");
    let told = migrated.diff_json().await;
    let in_part = told["in_part"].as_array().unwrap();
    let funnel = serde_json::json!({ "plugin": "hiring", "query": "funnel", "tried": 2, "total": 4 });
    assert!(in_part.contains(&funnel), "{told:#}");
}
