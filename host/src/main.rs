//! The `callslip` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    callslip::cli::main()
}
