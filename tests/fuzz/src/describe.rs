//! The property that the tests check for thousands of descriptions, for as many as there is time. Whatever the bytes are, the
//! well-typed description that is made of them
//!
//! - is verified, with everything granted, and printed;
//! - is read back by PostgreSQL's own parser as one SELECT, whose tree is the one described, and whose parameters are numbered
//!   from 1 without a gap.

#![no_main]

#[path = "subject.rs"]
mod subject;

use libfuzzer_sys::fuzz_target;

use subject::subject;

fuzz_target!(|data: &[u8]| {
    if let Err(problem) = subject().hold(data) {
        panic!("{problem}");
    }
});
