//! Connections that are lent come back clean or not at all, whatever happens while they are away.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod address;
mod canceller;
mod dropped;
mod pool;
mod prepared;
mod proxy;
mod run;
mod session;
mod statement;
mod support;
mod tls;
