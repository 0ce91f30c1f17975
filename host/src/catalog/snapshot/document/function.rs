use serde::{Deserialize, Serialize};

use super::{AttributeEntry, is_default, is_false};
use crate::catalog::{CastContext, Parallel, Volatility};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct FunctionEntry {
    pub name: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: FunctionKindName,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argument_names: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub defaults: u16,
    /// Of an ordered-set aggregate: how many of its arguments are direct ones.
    #[serde(default, skip_serializing_if = "is_default")]
    pub direct: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variadic: Option<String>,
    pub returns: String,
    /// The output arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<AttributeEntry>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub set: bool,
    /// Immutable, if nothing is said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub volatility: Volatility,
    #[serde(default, skip_serializing_if = "is_false")]
    pub security_definer: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub strict: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub leakproof: bool,
    /// Unsafe, if nothing is said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub parallel: Parallel,
    /// Empty where nothing is said, as of those of `pg_catalog`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// Empty where nothing is said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether the login may not call it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::catalog::snapshot) enum FunctionKindName {
    #[default]
    Function,
    Aggregate,
    OrderedSet,
    Window,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct OperatorEntry {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    pub right: String,
    pub result: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Whether the login may not use it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct CastEntry {
    pub source: String,
    pub target: String,
    /// Only one that needs a grant: none of `pg_catalog`. In version 1 a name alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    pub context: CastContext,
    #[serde(default, skip_serializing_if = "is_false")]
    pub binary: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
}
