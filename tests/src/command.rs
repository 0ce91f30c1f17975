use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::components::{root, target_folder};

/// The `callslip` command, built from the sources that the tests are built from. Nothing that the machine is configured
/// for reaches it.
///
/// # Panics
/// If it does not build.
pub fn callslip() -> Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| {
        // Cargo makes a package's programs for that package's own tests only.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "callslip", "--target-dir"])
            .arg(target_folder())
            .current_dir(root())
            .status();
        assert!(built.is_ok_and(|status| status.success()), "the command does not build");
        target_folder().join("debug/callslip")
    });
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name == "DATABASE_URL") {
        command.env_remove(name);
    }
    command
}
