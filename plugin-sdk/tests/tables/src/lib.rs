//! A crate of typed tables, as several plugins share one: whatever the database's names are, the strictest author gets no
//! warning.

#![deny(
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    unreachable_pub,
    unsafe_code,
    unused,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]

callslip_sdk::schema!("../schema.json");

/// Names that are none in Rust, or that the macro's own code uses.
pub mod hostile {
    callslip_sdk::schema!("../hostile.json");
}
