//! A catalog as a file: what a repository keeps, so that plugins can be checked where there is no database.

mod builtin;
mod document;
mod entries;
mod error;
mod layout;
mod read;
mod terse;
mod write;

#[cfg(test)]
mod tests;

pub(crate) use builtin::builtin_type;
pub use error::SnapshotError;

use callslip_ir::snapshot::{FORMAT, VERSIONS};
use serde::Deserialize;
use serde_json::Value;

use super::{Contents, Function};

/// A catalog, and the schemas in which names without one are looked for, to be kept in a file.
///
/// The file is JSON, by names and in order, a line for each column, key, index, function and line of a view's query: what a
/// migration changes is what a difference between two of them shows. What is usual is left out, such as that a table is
/// permanent, an index a `btree` and a key validated.
///
/// There are two kinds. [`Snapshot::new`] makes the one that a repository keeps: of what the login may use, and without what
/// another login or another machine has otherwise. [`Snapshot::of_everything`] keeps what the login may not read too, marked by
/// its privileges; [`Contents::readable`] leaves of it what plugins can be proven against.
///
/// ```
/// let text = r#"{
///   "format": "callslip catalog snapshot", "version": 2, "postgresql": 150018, "search": ["public"],
///   "schemas": {
///     "public": {"relations": {"position": {"kind": "table", "columns": [{"name": "id", "type": "int8"}]}}},
///     "pg_catalog": {"types": {"int8": {"kind": "base", "category": "N"}}}
///   }
/// }"#;
/// let snapshot = callslip::catalog::Snapshot::read(text)?;
/// let catalog = callslip::catalog::Catalog::new(snapshot.contents.readable());
/// assert_eq!(catalog.relation("public", "position").map(|position| position.columns.len()), Some(1));
/// # Ok::<(), callslip::catalog::SnapshotError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The catalog. Ids of a snapshot that was read are its own, but for those of PostgreSQL's types, which are the same
    /// everywhere.
    pub contents: Contents,
    /// The schemas to search, in their order, after `pg_catalog`.
    pub search: Vec<String>,
    /// Whether it is [of everything](Self::of_everything), and not of what the login may use.
    pub everything: bool,
}

impl Snapshot {
    /// What verification can use of a catalog. Of the functions of `pg_catalog`, which are thousands, only those stay that
    /// may be called, and of `pg_catalog`'s objects only what resolves names: no owners and comments, and of a function not its language
    /// nor whether it is strict, leakproof and parallel. Nothing stays of `information_schema` but the types that
    /// something else is of.
    ///
    /// What is another in development than in production, with the same tables, is left out: owners, settings, and what the
    /// login may do beside reading.
    pub fn new(contents: Contents, search: Vec<String>, may_be_called: impl Fn(&Function) -> bool) -> Self {
        Self::of_everything(contents, search, may_be_called).narrowed()
    }

    /// The same of everything that was reflected, also of what the login may not read, with owners, settings and all privileges
    /// of the login.
    pub fn of_everything(
        mut contents: Contents,
        search: Vec<String>,
        may_be_called: impl Fn(&Function) -> bool,
    ) -> Self {
        terse::forget_builtin(&mut contents, may_be_called);
        terse::settle_dependent_types(&mut contents);
        Self { contents, search, everything: true }
    }

    /// What [`Snapshot::new`] would have made of it: what the login may read, and what is the same in every environment. So one
    /// of everything can be compared with one that is not.
    pub fn narrowed(self) -> Self {
        let mut contents = self.contents.readable();
        terse::forget_environment(&mut contents);
        Self { contents, everything: false, ..self }
    }

    /// Reads the text of a snapshot, also of an older version, which has less of a catalog: of the first one
    /// not even the schemas by themselves.
    ///
    /// Extensions, owners, collations, and what a relation inherits from, is a part of, reads and calls are named there, and need
    /// not be in it.
    ///
    /// # Errors
    /// [`SnapshotError`], for what is no snapshot, one of a later version, and one that contradicts itself or refers to a type,
    /// column, key's target or cast's function that it does not hold.
    pub fn read(text: &str) -> Result<Self, SnapshotError> {
        /// What tells whether the rest can be read.
        #[derive(Deserialize)]
        struct Header {
            format: Option<Value>,
            version: Option<Value>,
        }
        let header: Header = serde_json::from_str(text).map_err(|error| match error.classify() {
            // JSON, but no object.
            serde_json::error::Category::Data => SnapshotError::NotASnapshot,
            _ => SnapshotError::Json(error),
        })?;
        if header.format.is_none_or(|format| format != FORMAT) {
            return Err(SnapshotError::NotASnapshot);
        }
        let is_read = |version: &Value| VERSIONS.map(Value::from).any(|read| read == *version);
        if !header.version.as_ref().is_some_and(is_read) {
            let found = header.version.map_or_else(|| "none".to_owned(), |version| version.to_string());
            return Err(SnapshotError::UnsupportedVersion { found });
        }
        read::snapshot(serde_json::from_str(text).map_err(SnapshotError::Json)?)
    }

    /// The text of the snapshot. Equal catalogs have equal texts, whatever their ids.
    pub fn to_json(&self) -> String {
        layout::text(&write::document(self))
    }
}
