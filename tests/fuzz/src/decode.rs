//! Bytes that a plugin may send: whatever they are, they are refused or become one SELECT, and the host does not fail.

#![no_main]

#[path = "subject.rs"]
mod subject;

use callslip_ir::{
    Description,
    encoding::{self, Message},
};
use libfuzzer_sys::fuzz_target;

use subject::{generate, parsed, property, subject};

/// The bytes that say which of a description's bytes are changed.
const CHANGES: usize = 3;

// The first byte tells whether the rest is a description, or what a well-typed one is made of, of which up to three bytes
// are changed.
fuzz_target!(|data: &[u8]| {
    let [how, data @ ..] = data else { return };
    let changes = usize::from(how % 4) * CHANGES;
    let bytes = match (changes, data.len()) {
        (0, _) => [&[b'p', Description::VERSION], data].concat(),
        (changes, length) if length < changes => return,
        (changes, _) => {
            let (changes, data) = data.split_at(changes);
            let mut bytes = encoding::encode(&generate::description(data));
            for change in changes.chunks(CHANGES) {
                let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
                bytes[at] = change[2];
            }
            bytes
        }
    };
    let Ok(description) = encoding::decode::<Description>(&bytes) else { return };
    let Ok(printed) = subject().print(&description) else { return };
    match parsed::statement(&printed.sql, &property::parameters(&printed)) {
        Ok(_) => {}
        // The reader of the parser's tree goes down a hundred levels, of which an expression takes two and more.
        Err(error) if error.contains("recursion limit") => {
            assert_eq!(pg_query::split_with_parser(&printed.sql).map(|statements| statements.len()).ok(), Some(1));
        }
        Err(error) => panic!("{error}\n{}\n{description:#?}", printed.sql),
    }
});
