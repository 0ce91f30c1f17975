//! The SELECT language, construct by construct: what the SDK describes gives the rows of hand-written SQL on a real
//! PostgreSQL.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod expressions;
mod queries;
mod relations;
mod resolution;
mod snapshot;
mod sql_json;
mod support;
