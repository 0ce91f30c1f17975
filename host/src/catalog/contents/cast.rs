use serde::{Deserialize, Serialize};

use super::Oid;

/// A cast (`pg_cast`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cast {
    /// The type that it takes.
    pub source: Oid,
    /// The type that it gives.
    pub target: Oid,
    /// The function behind it; none where it is binary-coercible or goes through text.
    pub function: Option<Oid>,
    /// Where PostgreSQL applies it.
    pub context: CastContext,
    /// Whether the two types have the same representation (`castmethod` `b`).
    pub binary: bool,
    /// The extension that it is of.
    pub extension: Option<String>,
}

/// Where PostgreSQL applies a [`Cast`] (`pg_cast.castcontext`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CastContext {
    /// Anywhere.
    #[default]
    Implicit,
    /// In assignments and where it is written.
    Assignment,
    /// Only where it is written.
    Explicit,
}
