//! What the tests share: a private PostgreSQL with the hiring data, components built from source, and hosts on both.

mod components;
mod database;

pub use components::component;
pub use database::{Database, database};
