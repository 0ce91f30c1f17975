//! Bytes that a plugin may send as a description, in either format. Whatever they are,
//!
//! - they are refused in words that are printable, or become one SELECT, which PostgreSQL's own parser reads;
//! - under row filters, that reads no relation without what the filter is given;
//! - nothing panics, and nothing takes long (libFuzzer's `-timeout`), though the verifier recurses and the parser does.
//!
//! The first byte tells the format, whether there are row filters, and whether the others are a description, or what a
//! well-typed one is made of, of which up to three bytes are changed. That a well-typed one becomes what it describes is asserted
//! by `describe.rs`.

#![no_main]

#[path = "subject.rs"]
mod subject;
#[path = "told.rs"]
mod told;

use std::sync::LazyLock;

use callslip::grants::FilterValue;
use callslip::select::RowFilters;
use callslip_ir::{
    Description,
    encoding::{self, Message},
};
use libfuzzer_sys::fuzz_target;

use subject::{generate, parsed, property, subject};
use told::assert_told;

/// The bytes that say which of a description's bytes are changed.
const CHANGES: usize = 3;

/// The bit that says that it is JSON.
const JSON: u8 = 4;
/// The bit that says that relations are under row filters.
const FILTERED: u8 = 8;

/// All of the fixture.
const RELATIONS: &[&str] = &["person", "worker", "Odd \"table\"", "lively"];

/// A filter of each.
static FILTERS: LazyLock<RowFilters> = LazyLock::new(|| {
    let of = |name: &&str| ((*name).to_owned(), "id < claim('below')".to_owned());
    subject().filters(&RELATIONS.iter().map(of).collect())
});

fn written(description: &Description, is_json: bool) -> Vec<u8> {
    match is_json {
        true => encoding::encode_json(description).expect("it can be written"),
        false => encoding::encode(description),
    }
}

fuzz_target!(|data: &[u8]| {
    let [how, data @ ..] = data else { return };
    let (changes, is_json) = (usize::from(how % 4) * CHANGES, how & JSON != 0);
    let bytes = match (changes, data.len()) {
        (0, _) => [&[if is_json { b'j' } else { b'p' }, Description::VERSION], data].concat(),
        (changes, length) if length < changes => return,
        (changes, _) => {
            let (changes, data) = data.split_at(changes);
            let mut bytes = written(&generate::description(data), is_json);
            for change in changes.chunks(CHANGES) {
                let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
                bytes[at] = change[2];
            }
            bytes
        }
    };
    let Ok(description) = encoding::decode::<Description>(&bytes) else { return };
    let filters = if how & FILTERED == 0 { RowFilters::none() } else { &*FILTERS };
    let printed = match subject().print_under(&description, filters) {
        Ok(printed) => printed,
        Err(findings) => {
            assert!(!findings.is_empty());
            findings.iter().for_each(|finding| assert_told(&finding.to_string()));
            return;
        }
    };
    if how & FILTERED != 0 {
        let is_bound = |slot| matches!(printed.filter_value(slot), Some(FilterValue::Claim(_)));
        let is_filtered = printed.parameters.iter().any(|its| is_bound(its.slot));
        let named = |name: &&str| format!("\"app\".\"{}\" AS", name.replace('"', "\"\""));
        let reads = RELATIONS.iter().any(|name| printed.sql.contains(&named(name)));
        assert!(
            is_filtered || !reads,
            "rows are read without their filter\n{}\n{description:#?}",
            printed.sql
        );
    }
    match parsed::statement(&printed.sql, &property::parameters(&printed)) {
        Ok(_) => {}
        // The reader of the parser's tree goes down a hundred levels, of which an expression takes two and more. And what is
        // around a filter, such as OFFSET 0, is no description's.
        Err(error) if error.contains("recursion limit") || how & FILTERED != 0 => {
            assert_eq!(
                pg_query::split_with_parser(&printed.sql).map(|statements| statements.len()).ok(),
                Some(1)
            );
        }
        Err(error) => panic!("{error}\n{}\n{description:#?}", printed.sql),
    }
});
