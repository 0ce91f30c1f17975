//! Mistakes that do not compile, and what the compiler says of each.
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

/// Compiles each fixture of a folder. The test that calls this must be the only one of its target.
pub fn do_not_compile(folder: &str) {
    if let Some(fixtures) = env::var_os(UNCOUNTED) {
        trybuild::TestCases::new().compile_fail(PathBuf::from(fixtures).join("*.rs"));
    } else if compiler().starts_with(COMPILER) {
        trybuild::TestCases::new().compile_fail(Path::new(folder).join("*.rs"));
    } else {
        are_mistakes(folder);
    }
}

/// Runs the test again on copies of the fixtures, whose messages are overwritten and therefore never wrong.
fn are_mistakes(folder: &str) {
    let copies = scratch("compile-fail");
    _ = fs::remove_dir_all(&copies);
    fs::create_dir_all(&copies).expect("a directory can be made");
    for fixture in fs::read_dir(folder).expect("the fixtures are there") {
        let fixture = fixture.expect("a fixture can be read");
        fs::copy(fixture.path(), copies.join(fixture.file_name())).expect("a fixture can be copied");
    }
    let itself = env::current_exe().expect("a test knows its file");
    let status = Command::new(itself).env(UNCOUNTED, copies).env("TRYBUILD", "overwrite").status();
    assert!(status.expect("the test runs again").success());
}

/// A file in the target directory.
pub fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
