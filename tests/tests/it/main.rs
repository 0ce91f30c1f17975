//! Everything that needs a real PostgreSQL or a real component, in one program, so that all tests share one database.

// The lint knows tests by #[test], and not the helpers that they share.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod cancel;
mod catalog;
mod check;
mod client;
mod command;
mod containment;
mod demo;
mod drift;
mod findings;
mod hiring;
mod http;
mod language;
mod lent;
mod log;
mod named_types;
mod observed;
mod parameters;
mod plans;
mod printed;
mod privileges;
mod round_trips;
mod rows;
mod snapshot;
mod sort;
mod support;
mod tenants;
mod tpch;
mod transaction;
mod typing;
