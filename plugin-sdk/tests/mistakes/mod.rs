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
/// Says where the fixtures are, to the run of this test that compiles them.
const FIXTURES: &str = "CALLSLIP_FIXTURES";
/// What `trybuild` has the fixtures compiled with, for all that it compiles: by itself it compiles what they depend on
/// once without the last of these and once with it.
const FLAGS: [&str; 6] = ["--cfg", "trybuild", "--verbose", "-A", "dead_code", "--diagnostic-width=140"];

/// Compiles each fixture of a folder. The test that calls this must be the only one of its target.
pub fn do_not_compile(folder: &str) {
    if let Some(fixtures) = env::var_os(FIXTURES) {
        trybuild::TestCases::new().compile_fail(PathBuf::from(fixtures).join("*.rs"));
    } else if compiler().starts_with(COMPILER) {
        run_again(Path::new(folder), &[]);
    } else {
        // Messages that are overwritten are never wrong.
        run_again(&copied(folder), &[("TRYBUILD", "overwrite")]);
    }
}

/// Runs this test again on these fixtures.
fn run_again(fixtures: &Path, settings: &[(&str, &str)]) {
    let itself = env::current_exe().expect("a test knows its file");
    let mut again = Command::new(itself);
    again.args(env::args_os().skip(1)).env(FIXTURES, fixtures).envs(settings.iter().copied());
    // Before any other flags, cargo takes these.
    again.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    assert!(again.status().expect("the test runs again").success());
}

fn copied(folder: &str) -> PathBuf {
    let copies = scratch("compile-fail");
    _ = fs::remove_dir_all(&copies);
    fs::create_dir_all(&copies).expect("a directory can be made");
    for fixture in fs::read_dir(folder).expect("the fixtures are there") {
        let fixture = fixture.expect("a fixture can be read");
        fs::copy(fixture.path(), copies.join(fixture.file_name())).expect("a fixture can be copied");
    }
    copies
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
