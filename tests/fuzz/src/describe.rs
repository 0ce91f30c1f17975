//! The property that the tests check for thousands of descriptions, for as many as there is time.

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
