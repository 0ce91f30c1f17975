//! What the tests share: a private PostgreSQL with the hiring data, components built from source, and hosts on both.

mod components;
mod database;
mod rows;

pub use components::{component, component_with};
pub use database::{Database, database};
pub use rows::rows;
