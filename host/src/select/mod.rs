//! From the description of a SELECT to SQL text: verify, lower, print.
//!
//! Each stage takes only what the one before it made: [`verify()`] resolves every name against the catalog and the
//! grants, [`lower()`] turns what was verified into sea-query's structures, and [`print()`] makes the text.

mod dialect;
mod filter;
mod finding;
mod limits;
mod lower;
mod page;
mod print;
mod scope;
mod signature;
mod structure;
mod types;
mod value_rule;
mod verified;
mod verify;

#[cfg(test)]
mod tests;

pub use filter::{RowFilter, RowFilters};
pub use finding::{Finding, SourcePlace};
pub use limits::Limits;
pub use lower::{Lowered, StatementParameter, lower};
pub use page::{Page, page};
pub use print::{ColumnForm, Comment, Printed, place_of_query, place_of_slot, print, print_constant};

pub use types::{ResolvedType, resolve as resolve_type};
pub use value_rule::ValueRule;
pub use verified::{ColumnName, OutputColumn, Verified};
pub use verify::{Context, verify};
