//! From the description of a SELECT to SQL text: verify, lower, print.

mod finding;

pub use finding::{Finding, SourcePlace};
