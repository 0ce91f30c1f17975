//! The `callslip` command.

use std::process::ExitCode;

// A request takes and gives back some sixty small pieces of memory, on whichever thread it is then.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    callslip::cli::main()
}
