//! Bad input of every kind, a row each: what comes in, the stable code and the status that answer it, and the words that
//! say what to do. After each row the host still answers a good request.

mod clients;
mod command;
mod components;
mod configuration;
mod database;
mod requests;

use std::net::SocketAddr;

use crate::client::{Response, get};

/// Asserts what a client is told: the code, the status, and what is wrong or to be done.
#[track_caller]
fn assert_told(row: &str, told: &Response, status: u16, code: &str, says: &str) {
    let shown = String::from_utf8_lossy(&told.body);
    assert!(told.head.contains("application/problem+json"), "{row}: {} {shown}", told.head);
    let problem = told.json();
    assert_eq!((told.status, problem["code"].as_str()), (status, Some(code)), "{row}: {problem}");
    assert_eq!(problem["status"], status, "{row}: {problem}");
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(says), "{row}: no {says:?} in {problem}");
    assert_eq!(told.head.contains("retry-after: 1"), status == 503, "{row}: {}", told.head);
}

/// Asserts that a good request has its reply.
async fn assert_serving(row: &str, address: SocketAddr) {
    let served = get(address, "/q/language/slices?limit=1").await;
    assert_eq!(served.status, 200, "after {row}: {}", String::from_utf8_lossy(&served.body));
    assert_eq!(served.json().as_array().map(Vec::len), Some(1), "after {row}");
}
