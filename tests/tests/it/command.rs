use std::process::Command;

/// The `callslip` command, built from the sources that the tests are built from. Nothing that the machine is configured
/// for reaches it.
pub fn callslip() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callslip-command"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name == "DATABASE_URL") {
        command.env_remove(name);
    }
    command
}
