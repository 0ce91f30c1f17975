//! The `callslip` command.

use std::process::ExitCode;

/// Runs the command that the process was given.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
