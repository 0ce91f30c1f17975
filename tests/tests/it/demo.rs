//! The command, as a new user runs it.

use std::path::Path;
use std::process::{Command, Output};

use callslip_tests::{component, configured, database};

use crate::command::callslip;
use crate::support::TABLES;

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_demonstration_shows_proof_rows_sql_and_plan_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    // The server's user must be able to reach it.
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = callslip()
        .args(["demo", "--once", "--scale", "0.01"])
        .current_dir(root)
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    let shown = text(&output);
    assert!(output.status.success(), "{shown}");
    for part in [
        "hiring.funnel: closed, 4 shapes, proven",
        "started",
        "/* callslip hiring.funnel ",
        "FROM \"callslip_demo\".\"position\" AS \"p\"",
        ": int4, the parameter company",
        "cost=",
    ] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    let rows = shown.lines().find_map(|line| line.strip_prefix('(')?.split(' ').next()?.parse::<u32>().ok());
    assert!(rows.is_some_and(|rows| rows > 0), "{shown}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn the_demonstration_in_a_given_database_takes_its_schema_away_again() {
    let owner = database().owner().await;
    let exists = "SELECT 1 FROM pg_namespace WHERE nspname = 'callslip_demo'";
    let url = database().owner_url();
    let output = tokio::task::spawn_blocking(move || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        callslip()
            .args(["demo", "--once", "--scale", "0.01", "--database-url", &url])
            .current_dir(root)
            .output()
    });
    let output = output.await.unwrap().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(owner.query(exists, &[]).await.unwrap().is_empty());
}

#[test]
fn the_demonstration_of_tpch_serves_its_22_queries() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let demo = |arguments: &[&str]| {
        let output = callslip().arg("demo").args(arguments).current_dir(root).output().unwrap();
        (output.status.code(), text(&output))
    };
    let (code, shown) = demo(&["--tpch", "--once"]);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown.matches(": closed, 1 shape, proven").count(), 22, "{shown}");
    for part in [
        "loading the data: 86805 rows",
        "$ callslip run tpch q03_shipping_priority\n",
        "267010.5894",
        "(10 rows)",
        "FROM \"callslip_demo\".\"customer\" AS \"c\"",
        "cost=",
    ] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    let (code, shown) = demo(&["--tpch", "--once", "--scale", "0.012"]);
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("TPC-H has no data of scale 0.012: take 0.01, or 0.023 and more"), "{shown}");
}

/// A configuration file beside the component that it names.
fn configuration() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(component("example-plugins/hiring"), folder.path().join("hiring.wasm")).unwrap();
    let text = format!(
        "[plugins.hiring]\ncomponent = \"hiring.wasm\"\n[plugins.hiring.grants]\nrelations = {TABLES}\n"
    );
    std::fs::write(folder.path().join("callslip.toml"), configured(&text)).unwrap();
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command: Command = callslip();
    command.args(arguments).current_dir(folder).env("DATABASE_URL", database().url()).output().unwrap()
}

#[test]
fn run_prints_json_into_a_pipe_and_a_table_when_asked() {
    let folder = configuration();
    let output = run(folder.path(), &["run", "hiring", "funnel", "company=1", "limit=2"]);
    assert!(output.status.success(), "{}", text(&output));
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "{rows}");
    let output =
        run(folder.path(), &["run", "hiring", "funnel", "company=1", "limit=2", "--format", "table"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("title") && table.contains("(2 rows)") && !table.contains('\u{1b}'), "{table}");
}

#[test]
fn explain_shows_every_shape() {
    let folder = configuration();
    let output = run(folder.path(), &["explain", "hiring", "funnel"]);
    let shown = text(&output);
    assert!(output.status.success(), "{shown}");
    assert_eq!(shown.matches("-- shape: ").count(), 4, "{shown}");
    assert!(shown.contains("-- shape: open=true, since=present"), "{shown}");
    assert!(shown.contains("cost="), "{shown}");
}
