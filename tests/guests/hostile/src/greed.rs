//! What takes more than its share.

use callslip_ir::{Description, encoding::Message};

use crate::{
    exports::callslip::plugin::queries::{Failure, Statement},
    lies::{empty_statement, statement},
};

pub fn allocation_bomb() -> Result<Vec<Statement>, Failure> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

/// 8 MiB of shape.
pub fn huge_shape() -> Vec<Statement> {
    vec![Statement { shape: vec![b'p'; 8 << 20], ..empty_statement() }]
}

pub fn many_statements() -> Vec<Statement> {
    (0..100_000).map(|_| Statement { name: String::new(), shape: Vec::new(), bindings: Vec::new() }).collect()
}

/// A million empty names, each of which is one byte here and 24 in the host's memory.
pub fn many_files() -> Vec<Statement> {
    // No slots; 999,000 files (a length of three bytes in postcard), each of no bytes; no nodes.
    let mut shape = vec![b'p', Description::VERSION, 0, 0xd8, 0xfc, 0x3c];
    shape.resize(shape.len() + 999_000, 0);
    shape.push(0);
    vec![statement(shape)]
}
