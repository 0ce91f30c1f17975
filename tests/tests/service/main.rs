//! `callslip serve` as its users meet it: the command, a configuration, a database, and clients of HTTP.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod checked;
mod databases;
mod deployed;
mod formats;
mod grown;
mod identity;
mod leaving;
mod openapi;
mod pages;
mod reload;
mod seen;
mod served;
mod slips;
mod smoke;
mod stopping;
mod watched;
