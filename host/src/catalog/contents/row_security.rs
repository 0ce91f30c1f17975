use serde::{Deserialize, Serialize};

/// The row-level security of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowSecurity {
    /// Whether it is on (`relrowsecurity`).
    pub enabled: bool,
    /// Whether it holds for the table's owner too (`relforcerowsecurity`).
    pub forced: bool,
    /// Its policies, by name, which may be there while it is off.
    pub policies: Vec<Policy>,
}

/// A policy of row-level security (`pg_policy`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Which statements it is about.
    pub command: PolicyCommand,
    /// Whether it adds rows to those that other policies allow, or takes some away (AS RESTRICTIVE).
    pub permissive: bool,
    /// The roles that it is for, by name; `public` is everybody.
    pub roles: Vec<String>,
    /// Which rows may be seen (USING), as SQL.
    pub using: Option<String>,
    /// Which rows may be written (WITH CHECK), as SQL.
    pub check: Option<String>,
}

/// Which statements a [`Policy`] is about (`pg_policy.polcmd`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyCommand {
    /// All of them.
    #[default]
    All,
    /// SELECT.
    Select,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}
