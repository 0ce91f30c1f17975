//! What a query is made of, but for its relations and expressions. Each test has the name of a row of the table of what a
//! query builder gets wrong, `facts/select-language.md`, or says which rule of SQL's it is about.
//!
//! The table's row "locking, INTO" has no test: a description has no node for either, as it has none for anything that writes.

mod clauses;
mod ctes;
mod grouping;
mod set_operations;
mod windows;
