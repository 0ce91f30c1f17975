use serde::{Deserialize, Serialize};

use super::{
    Check, Column, Exclusion, ForeignKey, Index, ObjectName, Oid, PartitionOf, Partitioning, RowSecurity,
    UniqueKey, View,
};

/// A table or what can be read like one.
///
/// Of the keys, constraints, indexes and policies those are left out that name a column which the login may not read, or a whole
/// row that has one, so that none of them tells of it. What a view names is told all the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Relation {
    /// Its id in `pg_class`.
    pub oid: Oid,
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// How long it lives and whether it survives a crash.
    pub persistence: Persistence,
    /// The role that owns it.
    pub owner: String,
    /// The extension that it is of.
    pub extension: Option<String>,
    /// Its columns in their order, without dropped and system columns, and without those that the login may not read, unless
    /// [everything](crate::catalog::Visibility::Everything) was reflected.
    pub columns: Vec<Column>,
    /// How many of its columns are left out, because the login may not read them. They stand among `columns` wherever PostgreSQL counts them, as in a
    /// list of column aliases or a whole row; the attributes of the row type tell where.
    pub hidden_columns: usize,
    /// The composite type of its rows (`pg_class.reltype`), which has its schema and its name.
    pub row_type: Option<Oid>,
    /// Its primary key, then its unique constraints and its unique indexes of columns, each by name; not those of expressions,
    /// and not those whose index is not complete.
    pub unique_keys: Vec<UniqueKey>,
    /// Its foreign keys, by name, as far as the login may read what they refer to.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its CHECK constraints, by name.
    pub checks: Vec<Check>,
    /// Its EXCLUDE constraints, by name.
    pub exclusions: Vec<Exclusion>,
    /// Its indexes, by name, those behind constraints too.
    pub indexes: Vec<Index>,
    /// Its row-level security.
    pub row_security: RowSecurity,
    /// How its rows are parted, if it is a partitioned table and the login may read what they are parted by.
    pub partitioning: Option<Partitioning>,
    /// What it is a partition of, if the login may read that and what its rows are parted by, whose values the bounds are.
    pub partition_of: Option<PartitionOf>,
    /// The tables that it inherits from, in their order; not the one that it is a partition of, unless the login may not read what the
    /// rows of that are parted by. In the place of one that the login may not read are those that this one inherits from or is
    /// a partition of, so that who shares rows with whom is always told.
    pub inherits: Vec<ObjectName>,
    /// What a view or materialized view is made of.
    pub view: Option<View>,
    /// The server of a foreign table.
    pub foreign_server: Option<String>,
    /// `COMMENT ON`.
    pub comment: Option<String>,
}

/// What a [`Relation`] is (`pg_class.relkind`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// An ordinary table (`r`).
    #[default]
    Table,
    /// A partitioned table (`p`).
    PartitionedTable,
    /// A view (`v`).
    View,
    /// A materialized view (`m`).
    MaterializedView,
    /// A foreign table (`f`).
    ForeignTable,
}

impl RelationKind {
    /// How people name it: `partitioned table`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::PartitionedTable => "partitioned table",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::ForeignTable => "foreign table",
        }
    }
}

/// How long a relation lives (`pg_class.relpersistence`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Persistence {
    /// For good (`p`).
    #[default]
    Permanent,
    /// Until the server crashes (`u`): UNLOGGED.
    Unlogged,
    /// For a session (`t`).
    Temporary,
}
