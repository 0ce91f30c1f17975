//! Answers that are not what they say.

use callslip_ir::{
    Bindings, Description,
    encoding::{self, Message},
};

use crate::exports::callslip::plugin::queries::{Failure, Statement};

pub fn statement(shape: Vec<u8>) -> Statement {
    Statement { name: String::new(), shape, bindings: encoding::encode(&Bindings::new()) }
}

/// It can be read, and says nothing.
pub fn empty_statement() -> Statement {
    statement(encoding::encode(&Description { slots: Vec::new(), files: Vec::new(), nodes: Vec::new() }))
}

pub fn garbage_shape() -> Vec<Statement> {
    vec![statement((0..=255).cycle().take(4096).collect())]
}

pub fn newer_shape() -> Vec<Statement> {
    vec![statement(vec![b'p', 200, 0, 0, 0])]
}

/// A list that says it has four billion nodes.
pub fn lying_length() -> Vec<Statement> {
    vec![statement(vec![b'p', Description::VERSION, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f])]
}

pub fn garbage_bindings() -> Vec<Statement> {
    vec![Statement { bindings: vec![b'j', Bindings::VERSION, b'{'], ..empty_statement() }]
}

/// A refusal whose code no host knows, and whose text would forge a line of a log.
pub fn unknown_failure() -> Failure {
    Failure { code: "root".into(), message: "no\nyes".into(), parameter: Some("a\u{1b}[31m".into()) }
}
