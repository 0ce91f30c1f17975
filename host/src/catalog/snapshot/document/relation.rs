use serde::{Deserialize, Serialize};

use super::{is_default, is_false, is_true, yes};
use crate::catalog::{Generated, Identity, Persistence, PolicyCommand, ReferentialAction, RelationKind};

/// A relation and, unless `types` has something of its name, the type of its rows, with the array type of that.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct RelationEntry {
    pub kind: RelationKind,
    #[serde(default)]
    pub persistence: Persistence,
    /// Empty where nothing is said.
    #[serde(default)]
    pub owner: String,
    #[serde(default)]
    pub extension: Option<String>,
    #[serde(default)]
    pub comment: Option<String>,
    #[serde(default)]
    pub foreign_server: Option<String>,
    #[serde(default)]
    pub partitioned_by: Option<String>,
    #[serde(default)]
    pub partition_of: Option<PartitionOfEntry>,
    #[serde(default)]
    pub inherits: Vec<String>,
    pub columns: Vec<ColumnEntry>,
    /// How many columns can't be read.
    #[serde(default)]
    pub hidden_columns: usize,
    #[serde(default)]
    pub unique_keys: Vec<UniqueKeyEntry>,
    #[serde(default)]
    pub foreign_keys: Vec<ForeignKeyEntry>,
    #[serde(default)]
    pub checks: Vec<CheckEntry>,
    #[serde(default)]
    pub exclusions: Vec<ExclusionEntry>,
    #[serde(default)]
    pub indexes: Vec<IndexEntry>,
    #[serde(default)]
    pub row_security: RowSecurityEntry,
    #[serde(default)]
    pub view: Option<ViewEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct PartitionOfEntry {
    pub parent: String,
    pub bounds: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct ColumnEntry {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    /// `atttypmod`; none where it is -1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modifier: Option<i32>,
    /// Where they are not [the usual](RelationEntry::usual_dimensions).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub nullable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<Generated>,
    /// None where it may be read, and no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privileges: Option<Vec<Privilege>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What the login may do with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::catalog::snapshot) enum Privilege {
    Select,
    Insert,
    Update,
    References,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct UniqueKeyEntry {
    pub name: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub primary: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub partial: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub deferrable: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub without_overlaps: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub nulls_not_distinct: bool,
    pub columns: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct ForeignKeyEntry {
    pub name: String,
    pub columns: Vec<String>,
    pub target: String,
    pub target_columns: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_update: ReferentialAction,
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_delete: ReferentialAction,
    #[serde(default, skip_serializing_if = "is_false")]
    pub deferrable: bool,
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub validated: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub period: bool,
}

/// A check of a relation or a domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct CheckEntry {
    pub name: String,
    pub expression: String,
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub validated: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct ExclusionEntry {
    pub name: String,
    pub definition: String,
}

/// The method of an index of which nothing is said.
pub(in crate::catalog::snapshot) const USUAL_METHOD: &str = "btree";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct IndexEntry {
    pub name: String,
    /// Where it is not [the usual](USUAL_METHOD).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub unique: bool,
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub valid: bool,
    pub keys: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub included: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::catalog::snapshot) struct RowSecurityEntry {
    pub enabled: bool,
    pub forced: bool,
    pub policies: Vec<PolicyEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct PolicyEntry {
    pub name: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub command: PolicyCommand,
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub permissive: bool,
    pub roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub using: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::catalog::snapshot) struct ViewEntry {
    /// The lines of its query.
    pub definition: Vec<String>,
    #[serde(default)]
    pub security_barrier: bool,
    #[serde(default)]
    pub security_invoker: bool,
    #[serde(default)]
    pub reads: Vec<String>,
    #[serde(default)]
    pub calls: Vec<String>,
}

impl RelationEntry {
    /// How many dimensions a column of a type has where nothing is said: PostgreSQL keeps what is declared of a table's, and
    /// nothing of a view's.
    pub(in crate::catalog::snapshot) fn usual_dimensions(kind: RelationKind, ty: &str) -> u16 {
        let is_view = matches!(kind, RelationKind::View | RelationKind::MaterializedView);
        u16::from(ty.ends_with("[]") && !is_view)
    }
}
