use std::path::PathBuf;
use std::process::Command;

/// The `callslip` command, as it was built with the tests.
///
/// # Panics
/// If it was not built, or the test has no path.
pub fn callslip() -> Command {
    let test = std::env::current_exe().expect("a test has a path");
    // Beside the folder of the tests' own programs, where cargo puts the programs of the workspace.
    let program: PathBuf =
        test.parent().and_then(|deps| deps.parent()).expect("tests are in target/…/deps").join("callslip");
    assert!(program.is_file(), "{} is not built: cargo build -p callslip", program.display());
    let mut command = Command::new(program);
    // What the machine is configured for must not reach the tests.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name == "DATABASE_URL") {
        command.env_remove(name);
    }
    command
}
