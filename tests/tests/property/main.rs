//! Whatever is described is what PostgreSQL's own parser reads: property tests over generated descriptions.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod choices;
mod constructs;
mod described;
mod fixture;
mod generate;
mod parsed;
mod property;
mod tree;
