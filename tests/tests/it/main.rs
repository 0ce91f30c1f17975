//! Everything that needs a real PostgreSQL or a real component, in one program, so that all tests share one database.

// The lint knows tests by #[test], and not the helpers that they share.
#![allow(clippy::unwrap_used)]

mod allowance;
mod bad_input;
mod breaker;
mod budget;
mod callers;
mod cancel;
mod catalog;
mod check;
mod client;
mod command;
mod containment;
mod cost;
mod demo;
mod drift;
mod findings;
mod grants;
mod guarded;
mod hiring;
mod http;
mod language;
mod lent;
mod log;
mod named_types;
mod observed;
mod owned_tables;
mod pages;
mod parameters;
mod passing_privileges;
mod plans;
mod printed;
mod privileges;
mod round_trips;
mod rows;
mod script;
mod snapshot;
mod sort;
mod support;
mod telling;
mod tenants;
mod tpch;
mod transaction;
mod typing;
