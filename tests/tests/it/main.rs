//! Everything that needs a real PostgreSQL or a real component, in one program, so that all tests share one database.

mod catalog;
mod containment;
mod demo;
mod findings;
mod hiring;
mod http;
mod language;
mod parameters;
mod support;
