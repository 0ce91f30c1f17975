//! Tests of plugins, which need neither a database nor WebAssembly.
//!
//! ```
//! # use callslip_sdk::{prelude::*, testing};
//! #[query]
//! fn companies() -> Select {
//!     let c = table("company");
//!     select(c.col("name")).from(c)
//! }
//! export_plugin!(companies);
//!
//! assert_eq!(PLUGIN.manifest().queries[0].name, "companies");
//! let plan = testing::plan(&PLUGIN, "companies", &[]).unwrap();
//! assert!(plan[0].bindings.is_empty());
//! ```

use crate::{Choice, Failure, Plugin, Statement};

/// The statements of a query, given what is seen of its parameters: `("open", "true")` of a bool, the label of an enum,
/// `("sort", "-closed,title")` of a sort order, the JSON text of an open parameter, and `("since", "present")` of an optional bound one.
///
/// # Errors
/// The query's own refusal, an unknown query, or choices that the query can't have.
pub fn plan(plugin: &Plugin, query: &str, parameters: &[(&str, &str)]) -> Result<Vec<Statement>, Failure> {
    plan_for(plugin, query, parameters, &[])
}

/// The same as [`plan()`], given what is seen of the caller's claims too.
///
/// # Errors
/// Those of [`plan()`].
pub fn plan_for(
    plugin: &Plugin,
    query: &str,
    parameters: &[(&str, &str)],
    claims: &[(&str, &str)],
) -> Result<Vec<Statement>, Failure> {
    let choice = |&(parameter, value): &(&str, &str)| Choice {
        parameter: parameter.to_owned(),
        value: value.to_owned(),
    };
    let parameters: Vec<Choice> = parameters.iter().map(choice).collect();
    let claims: Vec<Choice> = claims.iter().map(choice).collect();
    plugin.plan(query, &parameters, &claims)
}
