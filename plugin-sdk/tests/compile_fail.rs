//! Mistakes with typed tables, and what the compiler says of each: it names the column, and what to do.
//!
//! The `.stderr` files have the messages of one compiler, which `TRYBUILD=overwrite` writes anew. Another one words and
//! places its own part differently; under it the mistakes only have to be mistakes.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The compiler whose messages the `.stderr` files have.
const COMPILER: &str = "rustc 1.95.";
/// Says where the fixtures are, to a run of this test in which no message counts.
const UNCOUNTED: &str = "CALLSLIP_FIXTURES";

#[test]
fn mistakes_do_not_compile() {
    // A fixture is compiled as a crate of the target directory: it finds the snapshots from there.
    for snapshot in ["schema.json", "preludes.json"] {
        fs::copy(Path::new("tests").join(snapshot), scratch(snapshot)).expect("the snapshot can be copied");
    }
    if let Some(fixtures) = env::var_os(UNCOUNTED) {
        trybuild::TestCases::new().compile_fail(PathBuf::from(fixtures).join("*.rs"));
    } else if compiler().starts_with(COMPILER) {
        trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
    } else {
        mistakes_are_mistakes();
    }
}

/// Runs the test again on copies of the fixtures, whose messages are overwritten and therefore never wrong.
fn mistakes_are_mistakes() {
    let copies = scratch("compile-fail");
    _ = fs::remove_dir_all(&copies);
    fs::create_dir_all(&copies).expect("a directory can be made");
    for fixture in fs::read_dir("tests/compile-fail").expect("the fixtures are there") {
        let fixture = fixture.expect("a fixture can be read");
        fs::copy(fixture.path(), copies.join(fixture.file_name())).expect("a fixture can be copied");
    }
    let itself = env::current_exe().expect("a test knows its file");
    let status = Command::new(itself).env(UNCOUNTED, copies).env("TRYBUILD", "overwrite").status();
    assert!(status.expect("the test runs again").success());
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
