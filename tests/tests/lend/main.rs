//! What is lent comes back as it was: every kind of connection and transaction, however a call on it ends.

// The lint knows tests by #[test], and not the helpers that they share.
#![allow(clippy::unwrap_used)]

mod before_after;
mod cancels;
mod deadline;
mod drops;
mod ends;
mod owners;
mod places;
mod races;
mod skew;
mod state;
mod support;
