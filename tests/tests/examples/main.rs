//! The services in `host/examples`, each as its own process and asked over HTTP; and that the README shows their code.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

mod order_preview;
mod own_pool;
mod readme;
mod service;
