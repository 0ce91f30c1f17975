//! What is different between two catalogs, in words.

mod about;
mod change;
mod column;
mod constraint;
mod objects;
mod pairs;
mod relation;
mod row_security;
mod server;
mod side;
mod ty;

#[cfg(test)]
mod tests;

pub use change::{Change, ObjectKind, ObjectRef, What};

use self::about::About;
use self::side::Side;
use super::{Contents, PG_CATALOG};

/// What became of a database between two moments, of which each catalog tells one.
///
/// Objects are the same where their names are: those of a schema by both names, functions and operators by their signatures too.
/// Ids mean nothing here. What has another name now and is otherwise alike, in the same place, is told as a probable renaming.
///
/// What one of the two can't know is not told: nothing that came with the second format of snapshots, if one of them is of the
/// first; and of `pg_catalog`, of which a snapshot holds a part, only what both hold, and nothing where the major versions of
/// the servers differ.
///
/// The order is always the same: the server, the relations with their parts, the types, the functions, and so on, by name. Of
/// equal catalogs nothing is told.
pub fn changes(old: &Contents, new: &Contents) -> Vec<Change> {
    let (old, new) = (Side::new(old), Side::new(new));
    let all = old.tells_all() && new.tells_all();
    let partial = old.contents.partial || new.contents.partial;
    let same_major = old.contents.server_version / 10_000 == new.contents.server_version / 10_000;
    let mut differ = Differ { old, new, all, partial, same_major, changes: Vec::new() };
    differ.contents();
    differ.changes
}

struct Differ<'a> {
    old: Side<'a>,
    new: Side<'a>,
    /// Whether both tell what the first format of snapshots did not hold.
    all: bool,
    /// Whether one of them may lack some of `pg_catalog`.
    partial: bool,
    same_major: bool,
    changes: Vec<Change>,
}

impl<'a> Differ<'a> {
    fn contents(&mut self) {
        // Each field by its name: a new one is an error here until somebody says what becomes of it.
        let Contents {
            server_version,
            settings: _,
            partial: _,
            schemas: _,
            extensions: _,
            relations: _,
            types: _,
            functions: _,
            operators: _,
            casts: _,
            collations: _,
        } = self.old.contents;
        self.server_version(*server_version, self.new.contents.server_version);
        if self.all {
            self.settings();
            self.extensions();
            self.schemas();
        }
        self.relations();
        self.types();
        self.functions();
        self.operators();
        self.casts();
        self.collations();
    }

    fn about(&mut self, object: ObjectRef) -> About<'_> {
        About { changes: &mut self.changes, object }
    }

    /// Whether something of a schema is told that only one side has, or that both have.
    fn is_told(&self, schema: &str, in_both: bool) -> bool {
        schema != PG_CATALOG || self.same_major && (in_both || !self.partial)
    }
}
