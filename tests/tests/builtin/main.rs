//! What of `pg_catalog` every plugin may use, against PostgreSQL itself: every version that is on this machine.

// The lint knows tests by #[test], and not the helpers that they share.
#![allow(clippy::unwrap_used)]

mod lists;
mod server;
mod uninterruptible;
mod volatile;
