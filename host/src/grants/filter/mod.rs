//! Row filters: which rows of a relation a plugin is given, as an operator writes it. What is written is parsed here into a
//! description, as a plugin's own query is one; whether it can be used is for the verifier to say.

mod kin;
#[cfg(feature = "host")]
mod resolve;
#[cfg(feature = "host")]
mod sql;

use callslip_ir::Description;
#[cfg(feature = "host")]
use callslip_ir::QualifiedName;

use crate::catalog::Oid;

pub use kin::{Kin, Relative};
#[cfg(feature = "host")]
pub(crate) use sql::check;

/// A value in a filter, which is bound like a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FilterValue {
    /// The claim of that name. Where a caller has none, no row passes.
    Claim(String),
    /// What is written in the filter, in PostgreSQL's text form, or null.
    Constant(Option<String>),
}

/// A filter of a relation that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The relation.
    pub relation: Oid,
    /// Its name as the configuration has it.
    pub name: String,
    /// The table of the configuration that it is in: `filters` or `plugins.NAME.filters`.
    pub table: String,
    /// The condition as it is written.
    pub sql: String,
    /// `SELECT … FROM relation WHERE condition`, in which the relation goes by its own name.
    pub description: Description,
    /// The values of its slots, in their order.
    pub values: Vec<FilterValue>,
}

/// The filters of one plugin, as far as they can be read, under one choice of schemas.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// Those that can be read.
    pub filters: Vec<Filter>,
    /// What is wrong with the others, each with the help that there is.
    pub errors: Vec<FilterError>,
    /// The relations that have no filter, and lead to rows of one that has.
    pub kin: Kin,
}

/// Why a filter can't be used: a sentence that names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(pub(crate) String);

/// What names mean of which a filter is made: the columns of a relation, where it is known.
#[cfg(feature = "host")]
pub(crate) type ColumnsOf<'a> = &'a dyn Fn(&QualifiedName) -> Option<Vec<String>>;
