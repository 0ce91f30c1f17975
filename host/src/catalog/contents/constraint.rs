use serde::{Deserialize, Serialize};

use super::Oid;

/// A primary key, unique constraint or unique index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UniqueKey {
    /// The constraint's or index's name.
    pub name: String,
    /// Whether it is the primary key.
    pub primary: bool,
    /// Whether only those rows are unique by it that its index is of (`CREATE UNIQUE INDEX … WHERE …`).
    pub partial: bool,
    /// Whether it may be violated until the end of a statement or transaction (DEFERRABLE).
    pub deferrable: bool,
    /// Whether rows of the same columns must only not overlap in the last one (WITHOUT OVERLAPS, from PostgreSQL 18 on).
    pub without_overlaps: bool,
    /// Whether two nulls are the same (NULLS NOT DISTINCT, from PostgreSQL 15 on).
    pub nulls_not_distinct: bool,
    /// The names of its columns, in its order.
    pub columns: Vec<String>,
}

impl UniqueKey {
    /// Whether a statement never sees two rows of the same columns: not where it may be violated for a while, and not where it
    /// compares by overlap and not by equality. A partial one tells of its own rows alone.
    pub fn holds(&self) -> bool {
        !self.deferrable && !self.without_overlaps
    }
}

/// A foreign key. It tells how relations belong together; it may be NOT VALID, so it promises nothing about the rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// The relation that it refers to.
    pub target: Oid,
    /// The names of the columns that it refers to, in the order of `columns`.
    pub target_columns: Vec<String>,
    /// What becomes of its rows when what they refer to changes.
    pub on_update: ReferentialAction,
    /// What becomes of its rows when what they refer to is deleted.
    pub on_delete: ReferentialAction,
    /// Whether it is checked at the end of a transaction (DEFERRABLE), if asked to.
    pub deferrable: bool,
    /// Whether all rows were checked: not where it is NOT VALID, nor where it is NOT ENFORCED (from PostgreSQL 18 on).
    pub validated: bool,
    /// Whether its last columns are compared by containment and not by equality (PERIOD, from PostgreSQL 18 on).
    pub period: bool,
}

/// What a foreign key does (`confupdtype`, `confdeltype`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferentialAction {
    /// `NO ACTION`: an error, at the end of the statement.
    #[default]
    NoAction,
    /// `RESTRICT`: an error.
    Restrict,
    /// `CASCADE`.
    Cascade,
    /// `SET NULL`.
    SetNull,
    /// `SET DEFAULT`.
    SetDefault,
}

/// A CHECK constraint of a relation or a domain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Check {
    /// The constraint's name.
    pub name: String,
    /// What must not be false, as SQL.
    pub expression: String,
    /// Whether all values were checked: not where it is NOT VALID, nor where it is NOT ENFORCED (from PostgreSQL 18 on).
    pub validated: bool,
}

/// An EXCLUDE constraint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exclusion {
    /// The constraint's name.
    pub name: String,
    /// What `pg_get_constraintdef` says: `EXCLUDE USING gist (room WITH =, during WITH &&)`.
    pub definition: String,
}
