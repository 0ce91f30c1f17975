//! `callslip catalog`, `inspect` and `check`, as people and their pipelines run them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use callslip_tests::{component, configured, database};
use serde_json::Value;

use crate::command::callslip;
use crate::support::TABLES;

/// The snapshot of the hiring data that the repository keeps.
fn schema() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../example-plugins/hiring/schema.json")
}

/// A configuration beside the snapshot and the component that it names.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(component("example-plugins/hiring"), folder.path().join("hiring.wasm")).unwrap();
    std::fs::copy(schema(), folder.path().join("schema.json")).unwrap();
    let text = format!(
        "[plugins.hiring]\ncomponent = \"hiring.wasm\"\n[plugins.hiring.grants]\nrelations = {TABLES}\n"
    );
    std::fs::write(folder.path().join("callslip.toml"), configured(&text)).unwrap();
    folder
}

fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    assert!(text.contains(from), "no {from} in {file}");
    std::fs::write(folder.join(file), text.replace(from, to)).unwrap();
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    callslip().args(arguments).current_dir(folder).output().unwrap()
}

/// The same on the tests' database.
fn run_on_database(folder: &Path, arguments: &[&str]) -> Output {
    callslip().args(arguments).current_dir(folder).env("DATABASE_URL", database().url()).output().unwrap()
}

#[track_caller]
fn assert_says(output: &Output, code: i32, says: &[&str]) -> String {
    let shown =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{shown}");
    for part in says {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    shown
}

#[test]
fn check_proves_against_a_database_or_a_snapshot() {
    let folder = folder();
    let reply = ["  shape: open=true, since=present\n", "title text"];
    let output = run_on_database(folder.path(), &["check"]);
    assert_says(&output, 0, &reply);
    let proven = "1 of 1 plugin proven, 0 findings; PostgreSQL has described every statement";
    assert_says(&output, 0, &["hiring.funnel: closed, 4 shapes, proven", proven]);
    // Each sort order is a shape; nobody reads them all.
    assert_says(&output, 0, &["  and 36 more shapes; --json has all\n    rows: id int8"]);
    let output = run(folder.path(), &["check", "hiring", "--snapshot", "schema.json"]);
    assert_says(&output, 0, &reply);
    let verified = "1 of 1 plugin verified, 0 findings; against a snapshot: PostgreSQL itself was not asked";
    let told = assert_says(&output, 0, &["hiring.funnel: closed, 4 shapes, verified", verified]);
    assert!(!told.contains("proven"), "{told}");
    let output = run(folder.path(), &["check", "--snapshot", "schema.json", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["plugins"][0]["verified"], &told["described"]), (&true.into(), &false.into()));
}

#[test]
fn a_warning_is_told_once_and_refuses_nothing() {
    let folder = folder();
    let path = folder.path();
    std::fs::copy(component("tests/guests/multiplied"), path.join("hiring.wasm")).unwrap();
    let warning = "count(q.id) takes each row of question (q) once for each row of interview (i): both are joined to position (p)";
    let verdict = "1 of 1 plugin verified, 0 findings, 1 warning; against a snapshot";
    let output = run(path, &["check", "--snapshot", "schema.json"]);
    let told = assert_says(&output, 0, &["\n  warning: CS0207 ", "/src/lib.rs:18:", warning, verdict]);
    assert_eq!(told.matches("CS0207").count(), 1, "{told}");
    let output = run_on_database(path, &["check"]);
    assert_says(&output, 0, &["1 of 1 plugin proven, 0 findings, 1 warning; PostgreSQL has described every"]);
    let output = run(path, &["inspect", "hiring", "--snapshot", "schema.json"]);
    assert_says(&output, 0, &["\n  warning: CS0207 ", warning]);

    for command in [&["check"][..], &["inspect", "hiring"]] {
        let output = run(path, &[command, &["--snapshot", "schema.json", "--json"]].concat());
        assert_eq!(output.status.code(), Some(0));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = told.pointer("/plugins/0/warnings").or(told.pointer("/queries/0/warnings"));
        let [found] = &found.unwrap().as_array().unwrap()[..] else { panic!("{told:#}") };
        assert_eq!((&found["query"], &found["code"]), (&"totals".into(), &"CS0207".into()));
        assert!(found["message"].as_str().unwrap().starts_with("count(q.id)"), "{found:#}");
    }
}

#[test]
fn a_warning_is_told_beside_findings() {
    let folder = folder();
    let path = folder.path();
    std::fs::copy(component("tests/guests/mistaken"), path.join("hiring.wasm")).unwrap();
    let arguments = ["check", "--snapshot", "schema.json"];
    let says = [
        "hiring.misspelt: CS",
        "\n  warning: hiring.multiplied: CS0207 ",
        "0 of 1 plugin verified",
        ", 1 warning;",
    ];
    let told = assert_says(&run(path, &arguments), 1, &says);
    assert_eq!(told.matches("CS0207").count(), 1, "{told}");
    assert_says(&run(path, &["inspect", "hiring", "--snapshot", "schema.json"]), 1, &says[..2]);
    let output = run(path, &[&arguments[..], &["--json"]].concat());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [warning] = &told["plugins"][0]["warnings"].as_array().unwrap()[..] else { panic!("{told:#}") };
    assert_eq!((&warning["query"], &warning["code"]), (&"multiplied".into(), &"CS0207".into()));
    assert!(!told["plugins"][0]["findings"].as_array().unwrap().is_empty());
}

#[test]
fn a_server_says_in_its_log_what_it_serves_in_spite_of() {
    let folder = folder();
    std::fs::copy(component("tests/guests/multiplied"), folder.path().join("hiring.wasm")).unwrap();
    let mut server = callslip();
    server.args(["serve", "--listen", "127.0.0.1:0", "--strict"]).current_dir(folder.path());
    server.env("DATABASE_URL", database().url()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = server.spawn().unwrap();
    let lines = BufReader::new(server.stderr.take().unwrap()).lines().map(|line| line.unwrap());
    let mut log = Vec::new();
    for line in lines {
        let is_last = line.contains("listening on");
        log.push(line);
        if is_last {
            break;
        }
    }
    server.kill().unwrap();
    server.wait().unwrap();
    let warnings: Vec<_> = log.iter().filter(|line| line.contains("CS0207")).collect();
    let [warning] = warnings[..] else { panic!("{log:#?}") };
    assert!(warning.contains("WARN") && warning.contains("totals"), "{warning}");
    assert!(log.last().is_some_and(|line| line.contains("listening on")), "{log:#?}");
}

#[test]
fn what_a_migration_takes_away_is_found_at_the_authors_line() {
    let folder = folder();
    edit(
        folder.path(),
        "schema.json",
        r#"{"name": "title", "type": "text"}"#,
        r#"{"name": "label", "type": "text"}"#,
    );
    let output = run(folder.path(), &["check", "--snapshot", "schema.json"]);
    let says = ["hiring.funnel: CS0302", "src/funnel.rs:", "title", "0 of 1 plugin verified"];
    assert_says(&output, 1, &says);

    let output = run(folder.path(), &["check", "--snapshot", "schema.json", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = found["plugins"][0]["findings"].as_array().unwrap();
    assert_eq!(found["findings"], findings.len());
    let of_funnel = |finding: &&Value| finding["query"] == "funnel" && finding["code"] == "CS0302";
    let finding = findings.iter().find(of_funnel).unwrap_or_else(|| panic!("{found:#}"));
    let (file, line) = (finding["file"].as_str().unwrap(), finding["line"].as_u64().unwrap());
    assert!(file.ends_with("src/funnel.rs"), "{file}");
    let source = include_str!("../../../example-plugins/hiring/src/funnel.rs");
    // A bare column in a list is told at the list.
    assert!(source.lines().nth(line as usize - 1).unwrap().contains("select(("), "{file}:{line}");
}

#[test]
fn a_query_runs_beside_another_that_does_not_prove() {
    let folder = folder();
    edit(folder.path(), "callslip.toml", "\"rating\"", "\"ratings\"");
    let json = |query| ["run", "hiring", query, "company=1", "--format", "json"];
    assert_says(&run_on_database(folder.path(), &json("funnel")), 0, &["\"started\""]);
    let says = ["the plugin hiring is refused", "hiring.latest: CS0401", "src/latest.rs:"];
    assert_says(&run_on_database(folder.path(), &json("latest")), 1, &says);
}

#[test]
fn what_check_can_not_use_is_told_with_what_to_do() {
    let folder = folder();
    let path = folder.path();
    let whole = std::fs::read_to_string(path.join("schema.json")).unwrap();
    for (name, text) in [
        ("openapi.json", r#"{"openapi": "3.1.0"}"#),
        ("truncated.json", &whole[..whole.len() / 2]),
        ("later.json", &whole.replacen("\"version\": 2,", "\"version\": 99,", 1)),
        (
            "other.json",
            &whole.replacen("\"type\": \"public.interview_status\"", "\"type\": \"public.mood\"", 1),
        ),
    ] {
        std::fs::write(path.join(name), text).unwrap();
    }
    for (snapshot, says) in [
        (
            "openapi.json",
            &["openapi.json can't be used", "no catalog snapshot", "callslip catalog snapshot"][..],
        ),
        ("truncated.json", &["truncated.json can't be used", "EOF", "line "]),
        ("later.json", &["version 99", "reads versions 1 to 2"]),
        ("other.json", &["no type public.mood", "public.interview"]),
        ("nowhere.json", &["can't read nowhere.json"]),
        ("hiring.wasm", &["can't read hiring.wasm"]),
    ] {
        assert_says(&run(path, &["check", "--snapshot", snapshot]), 1, says);
    }
    let snapshot = |arguments: &[&str]| run(path, &[arguments, &["--snapshot", "schema.json"]].concat());
    assert_says(&snapshot(&["check", "hirin"]), 1, &["did you mean \"hiring\"?"]);
    assert_says(&run(path, &["check", "--snapshots", "schema.json"]), 2, &["--snapshot"]);
    assert_says(
        &run(path, &["check", "--database-url", "postgres://nobody@127.0.0.1:1/x"]),
        1,
        &["127.0.0.1"],
    );
    let granted = "\"rating\"]\nfunctions = [\"pg_catalog.random\"]\n";
    edit(path, "callslip.toml", "\"rating\"]\n", granted);
    assert_says(&snapshot(&["check"]), 1, &["pg_catalog.random", "write the snapshot anew", "1 finding;"]);
    edit(path, "callslip.toml", "\"rating\"", "\"ratings\"");
    // What follows for its queries is told too.
    let says = ["\"ratings\"", "did you mean \"rating\"?", "hiring.latest: CS0401", "9 findings;"];
    assert_says(&snapshot(&["check"]), 1, &says);
}

#[test]
fn a_function_that_the_configuration_grants_is_in_the_snapshot() {
    let folder = folder();
    edit(
        folder.path(),
        "callslip.toml",
        "\"rating\"]\n",
        "\"rating\"]\nfunctions = [\"pg_catalog.random\"]\n",
    );
    assert_says(&run_on_database(folder.path(), &["catalog", "snapshot", "--out", "own.json"]), 0, &[]);
    assert_says(&run(folder.path(), &["check", "--snapshot", "own.json"]), 0, &["0 findings"]);
}

#[test]
fn inspect_tells_of_a_file_what_it_says_and_of_a_plugin_what_was_proven() {
    let folder = folder();
    let path = folder.path();
    let of_both = [
        "world    callslip:plugin@0.1.0",
        "SDK      callslip-sdk",
        "SHA-256  ",
        "company  int4, bound, required: The company whose positions to count.",
        "open     bool, seen, default true",
        "sort       text, seen, a sort by name, salary, default \"\"",
        "limit    int8, bound, default 50, from 1 to 500",
    ];
    std::fs::rename(path.join("callslip.toml"), path.join("away.toml")).unwrap();
    let output = run(path, &["inspect", "hiring.wasm"]);
    assert_says(&output, 0, &of_both);
    assert_says(&output, 0, &["funnel: closed: 4 shapes, planned", "relations named: interview, position"]);
    std::fs::rename(path.join("away.toml"), path.join("callslip.toml")).unwrap();

    let output = run_on_database(path, &["inspect", "hiring"]);
    let told = assert_says(&output, 0, &of_both);
    assert_eq!(told.matches(": closed: ").count(), 10, "every query is closed: {told}");
    let used = ["relations used: public.interview, public.position", "functions used: pg_catalog.count"];
    assert_says(&output, 0, &["funnel: closed: 4 shapes, proven"]);
    assert_says(&output, 0, &used);
    let output = run(path, &["inspect", "hiring", "--snapshot", "schema.json"]);
    assert_says(&output, 0, &used);
    assert_says(&output, 0, &["funnel: closed: 4 shapes, verified against a snapshot"]);

    let output = run(path, &["inspect", "hiring.wasm", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["bytes"], std::fs::metadata(path.join("hiring.wasm")).unwrap().len());
    assert_eq!(told["sha256"].as_str().map(str::len), Some(64));
    let funnel = &told["queries"][0];
    assert_eq!((&funnel["shapes"], &funnel["open"]), (&Value::from(4), &Value::from(false)));
    assert_eq!(funnel["parameters"][0]["type"], "int4");

    assert_says(&run(path, &["inspect", "schema.json"]), 1, &["CS0101"]);
    assert_says(&run(path, &["inspect", "nowhere.wasm"]), 1, &["can't read nowhere.wasm"]);
    assert_says(
        &run(path, &["inspect", "hirin", "--snapshot", "schema.json"]),
        1,
        &["did you mean \"hiring\"?"],
    );
    assert_says(&run(path, &["inspect"]), 2, &["<FILE|PLUGIN>"]);
}

#[test]
fn catalog_needs_a_database_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let interview = ["table public.interview: A candidate's video interview", "→ position.id", "timestamptz"];
    assert_says(&run_on_database(path, &["catalog", "interview"]), 0, &interview);
    assert_says(&run_on_database(path, &["catalog", "public.interview"]), 0, &interview);
    let all = assert_says(&run_on_database(path, &["catalog"]), 0, &interview);
    for part in [
        "enum public.interview_status (invited, started, completed",
        "numeric(10,2)",
        "view public.interview_card",
        "primary key candidate_tag_pkey (candidate_id, tag_id)",
        "function public.score(a int4, b int4) → int4",
        "domain public.checked over text",
    ] {
        assert!(all.contains(part), "no {part} in {all}");
    }
    assert_says(&run_on_database(path, &["catalog", "intervew"]), 1, &["did you mean \"public.interview\"?"]);
    assert_says(&run_on_database(path, &["catalog", "moods"]), 1, &["did you mean \"attacks.moods\"?"]);
    assert_says(&run_on_database(path, &["catalog", "moods", "--schema", "attacks"]), 0, &["attacks.mood"]);
    for named in ["nowhere.toml", "callslip.toml"] {
        assert_says(&run_on_database(path, &["catalog", "--config", named]), 1, &[named]);
    }
    assert_says(&run_on_database(path, &["catalog", "--schema", ""]), 2, &["--schema"]);

    let output = run_on_database(path, &["catalog", "snapshot", "--schema", "attacks", "--schema", "public"]);
    let written: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(written["search"], serde_json::json!(["attacks", "public"]));
    let output = run_on_database(path, &["catalog", "snapshot", "--out", "/dev/null/schema.json"]);
    assert_says(&output, 1, &["can't write /dev/null/schema.json"]);
    let left: Vec<_> = std::fs::read_dir(path).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
