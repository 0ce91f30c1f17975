//! The catalog as a file: what it keeps of a database, and the command that writes and reads it.

use std::path::Path;
use std::process::Output;

use callslip_tests::{callslip, database};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    callslip().args(arguments).current_dir(folder).output().unwrap()
}

/// What is the user's of a snapshot: PostgreSQL's own objects, which are another version's elsewhere, come last.
fn own(snapshot: &str) -> String {
    let (own, _) = snapshot.split_once("    \"pg_catalog\": {\n").expect("pg_catalog comes last");
    own.lines()
        .filter(|line| !line.starts_with("  \"postgresql\": "))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[tokio::test]
async fn the_snapshot_of_the_examples_is_current() {
    let url = database().bare("example_snapshot").await;
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
    let path = root().join("example-plugins/hiring/schema.json");
    if std::env::var_os("CALLSLIP_WRITE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(&path, &current).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(own(&kept), own(&current), "write it anew: CALLSLIP_WRITE_GOLDEN=1 make test ARGS=snapshot");
}
