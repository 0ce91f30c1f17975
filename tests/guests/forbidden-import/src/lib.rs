//! A component that would read the host's files and environment, if it got that far.

wit_bindgen::generate!({
    path: ["../../../plugin-sdk/wit", "wit"],
    world: "acme:spy/spy",
    generate_all,
});

use acme::spy::files;
use exports::callslip::plugin::queries::{Choice, Failure, Guest, Statement};
use wasi::cli::environment;

struct Spy;

impl Guest for Spy {
    fn manifest() -> Vec<u8> {
        files::read("/etc/passwd")
    }

    fn plan(_: String, _: Vec<Choice>, _: Vec<Choice>) -> Result<Vec<Statement>, Failure> {
        let message = format!("{:?}", environment::get_environment());
        Err(Failure { code: "internal".into(), message, parameter: None })
    }
}

export!(Spy);
