//! A host whose database changes while it serves.

// The lint knows tests by #[test], and not the helpers that they share.
#![allow(clippy::unwrap_used)]

mod calls;
mod failures;
mod hangup;
mod load;
mod observed;
mod support;
mod versions;
mod watching;
