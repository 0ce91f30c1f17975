//! The adversarial suite: everything that a plugin could try, tried. Each attack is run by a real component in a real host on a
//! real PostgreSQL, and has to fail for the reason that is written beside it, while what it attacks stays unharmed. Its twin does
//! the same where there is no host, and has to succeed. `make attack` prints the table; as a test it is part of `make test`.

// The lint knows tests by #[test], and not a program that is one.
#![allow(clippy::unwrap_used)]

mod bare;
mod containment;
mod dangers;
mod describe;
mod ground;
mod guest;
mod lines;
mod suite;

use std::process::ExitCode;

use callslip_tests::is_left_out;

fn main() -> ExitCode {
    if is_left_out("its sessions are everybody's, and twins need their own") {
        return ExitCode::SUCCESS;
    }
    // As the test harness has it: what is not an option is a part of the names of the attacks that are wanted.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let wrong = runtime.block_on(async {
        let ground = ground::Ground::new().await;
        let mut attacks = containment::attacks(ground).await;
        attacks.extend(dangers::attacks(ground).await);
        // From here on the rows say what is wrong.
        std::panic::set_hook(Box::new(|_| ()));
        suite::run(attacks, &wanted).await
    });
    match wrong.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
