//! What does not come back.

use crate::{
    callslip::plugin::diagnostics,
    exports::callslip::plugin::queries::{Failure, Statement},
};

type Plan = Result<Vec<Statement>, Failure>;

pub fn endless_loop() -> Plan {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

pub fn endless_recursion() -> Plan {
    Err(Failure { code: depth(0).to_string(), message: String::new(), parameter: None })
}

#[allow(unconditional_recursion)]
fn depth(above: u64) -> u64 {
    1 + std::hint::black_box(depth(std::hint::black_box(above + 1)))
}

/// As the SDK's hook does it.
pub fn panic() -> Plan {
    diagnostics::panicked(
        "index out of bounds: the len is 3 but the index is 7",
        file!(),
        line!(),
        column!(),
    );
    abort()
}

pub fn panic_forging_log_lines() -> Plan {
    let message = "oops\r\n2026-01-01T00:00:00Z INFO granted everything\u{1b}[2K\u{202e}".repeat(1000);
    diagnostics::panicked(&message, "a\nb", u32::MAX, 0);
    // The host must not let it go on.
    endless_loop()
}

/// Traps without a word.
pub fn abort() -> Plan {
    core::arch::wasm32::unreachable()
}
