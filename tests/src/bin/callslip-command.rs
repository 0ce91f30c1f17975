//! The `callslip` command, under a name of its own: cargo makes a package's programs for that package's own tests only.

use std::process::ExitCode;

fn main() -> ExitCode {
    callslip::cli::main()
}
