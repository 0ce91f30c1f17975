//! A catalog as a file: what a repository keeps, so that plugins can be checked where there is no database.

mod builtin;
mod document;
mod entries;
mod error;
mod layout;
mod read;
mod selection;
mod write;

#[cfg(test)]
mod tests;

pub use error::SnapshotError;

use callslip_ir::snapshot::{FORMAT, VERSION};
use serde::Deserialize;

use super::{Contents, Function, PG_CATALOG};

/// A catalog, and the schemas in which names without one are looked for, to be kept in a file.
///
/// The file is JSON, by names and in order, a line for each column and function: what a migration changes is what a
/// difference between two of them shows.
///
/// ```
/// let text = r#"{
///   "format": "callslip catalog snapshot", "version": 1, "postgresql": 150018, "search": ["public"],
///   "schemas": {
///     "public": {"relations": {"position": {"kind": "table", "columns": [{"name": "id", "type": "int8"}]}}},
///     "pg_catalog": {"types": {"int8": {"kind": "base", "category": "N"}}}
///   }
/// }"#;
/// let snapshot = callslip::catalog::Snapshot::read(text)?;
/// let catalog = callslip::catalog::Catalog::new(snapshot.contents);
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
}

impl Snapshot {
    /// What verification can use of a catalog. Of the functions of `pg_catalog`, which are thousands, only those stay that
    /// may be called; nothing stays of `information_schema` but the types that something else is of.
    pub fn new(
        mut contents: Contents,
        search: Vec<String>,
        may_be_called: impl Fn(&Function) -> bool,
    ) -> Self {
        contents.functions.retain(|function| match function.schema.as_str() {
            PG_CATALOG => may_be_called(function),
            schema => schema != "information_schema",
        });
        contents.partial = true;
        selection::drop_unused(&mut contents);
        Self { contents, search }
    }

    /// Reads the text of a snapshot.
    ///
    /// # Errors
    /// [`SnapshotError`], for what is no snapshot, one of another version, and one that refers to what it does not hold.
    pub fn read(text: &str) -> Result<Self, SnapshotError> {
        /// What tells whether the rest can be read.
        #[derive(Deserialize)]
        struct Header {
            format: Option<serde_json::Value>,
            version: Option<serde_json::Value>,
        }
        let header: Header = serde_json::from_str(text).map_err(|error| match error.classify() {
            // JSON, but no object.
            serde_json::error::Category::Data => SnapshotError::NotASnapshot,
            _ => SnapshotError::Json(error),
        })?;
        if header.format.is_none_or(|format| format != FORMAT) {
            return Err(SnapshotError::NotASnapshot);
        }
        match header.version {
            Some(version) if version == VERSION => {}
            found => {
                let found = found.map_or_else(|| "none".to_owned(), |version| version.to_string());
                return Err(SnapshotError::UnsupportedVersion { found });
            }
        }
        read::snapshot(serde_json::from_str(text).map_err(SnapshotError::Json)?)
    }

    /// The text of the snapshot. Equal catalogs have equal texts, whatever their ids.
    pub fn to_json(&self) -> String {
        layout::text(&write::document(self))
    }
}
