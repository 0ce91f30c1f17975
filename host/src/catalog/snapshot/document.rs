use serde::{Deserialize, Deserializer, Serialize};

use super::entries::Entries;
use crate::catalog::{CastContext, RelationKind, Volatility};

/// The file: a catalog by names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// [`callslip_ir::snapshot::FORMAT`].
    pub format: String,
    /// [`callslip_ir::snapshot::VERSION`].
    pub version: u32,
    /// `server_version_num`.
    pub postgresql: u32,
    /// Where names without a schema are looked for.
    pub search: Vec<String>,
    /// The schemas by name.
    pub schemas: Entries<SchemaEntry>,
    /// The casts.
    #[serde(default)]
    pub casts: Vec<CastEntry>,
}

/// A schema: its relations and types by name, and what a name does not tell apart.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SchemaEntry {
    pub relations: Entries<RelationEntry>,
    pub types: Entries<TypeEntry>,
    pub functions: Vec<FunctionEntry>,
    pub operators: Vec<OperatorEntry>,
    pub collations: Vec<String>,
}

/// A relation and, unless `types` has something of its name, the type of its rows, with the array type of that.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RelationEntry {
    pub kind: RelationKind,
    #[serde(default)]
    pub comment: Option<String>,
    pub columns: Vec<ColumnEntry>,
    /// How many columns can't be read.
    #[serde(default)]
    pub hidden_columns: usize,
    #[serde(default)]
    pub unique_keys: Vec<UniqueKeyEntry>,
    #[serde(default)]
    pub foreign_keys: Vec<ForeignKeyEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnEntry {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    /// `atttypmod`; none where it is -1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modifier: Option<i32>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub nullable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UniqueKeyEntry {
    pub name: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub primary: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub partial: bool,
    pub columns: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForeignKeyEntry {
    pub name: String,
    pub columns: Vec<String>,
    pub target: String,
    pub target_columns: Vec<String>,
}

/// A type and, unless it says otherwise, the array type of it that PostgreSQL names `_name`.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypeEntry {
    pub kind: TypeKindName,
    /// Of an enum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Of a domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Of a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtype: Option<String>,
    /// Of a composite type; a relation's columns, where nothing is said of the type of its rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Vec<AttributeEntry>>,
    /// Of a multirange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Where it is not the usual one of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<char>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub preferred: bool,
    /// The name of its array type, or null for none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub array: Option<Option<String>>,
}

/// An attribute of a composite type, or a column of a function's result.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttributeEntry {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    /// `atttypmod`; none where it is -1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modifier: Option<i32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TypeKindName {
    #[default]
    Base,
    Enum,
    Domain,
    Composite,
    Range,
    Multirange,
    Pseudo,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FunctionEntry {
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volatility: Option<Volatility>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub security_definer: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FunctionKindName {
    #[default]
    Function,
    Aggregate,
    OrderedSet,
    Window,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatorEntry {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    pub right: String,
    pub result: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CastEntry {
    pub source: String,
    pub target: String,
    /// Only one that needs a grant: none of `pg_catalog`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    pub context: CastContext,
    #[serde(default, skip_serializing_if = "is_false")]
    pub binary: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A member that is there, if only as null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
