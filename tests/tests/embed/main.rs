//! A host inside of a service that lends it every connection: it opens none of its own.

// The lint knows tests by #[test], and not the helpers that they share.
#![allow(clippy::unwrap_used)]

mod promises;
mod refreshed;
mod started;
mod support;
