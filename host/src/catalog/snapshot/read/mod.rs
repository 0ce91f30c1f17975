mod function;
mod name;
mod relation;
mod types;

use std::collections::{HashMap, HashSet};

use callslip_ir::snapshot::{read_reference, reference};

use super::document::{AttributeEntry, CheckEntry, CollationEntry, Document};
use super::{Snapshot, SnapshotError};
use crate::catalog::unused::is_of_the_system;
use crate::catalog::{Attribute, Check, Collation, Contents, Extension, ObjectName, Oid, Schema};
use crate::nearest::nearest;

/// The first id that is not PostgreSQL's own (`FirstNormalObjectId`).
const FIRST_OID: Oid = 16_384;

/// The snapshot that a document tells of, every name resolved.
pub(super) fn snapshot(document: Document) -> Result<Snapshot, SnapshotError> {
    let mut reader = Reader { next: FIRST_OID, ..Reader::default() };
    reader.name(&document)?;
    let extension = |(name, entry): (String, super::document::ExtensionEntry)| Extension {
        name,
        schema: entry.schema,
        version: entry.version,
    };
    let mut contents = Contents {
        server_version: document.postgresql,
        partial: true,
        types: reader.types(&document)?,
        settings: document.settings.0,
        extensions: document.extensions.0.into_iter().map(extension).collect(),
        ..Contents::default()
    };
    // In version 1 they only say where something is.
    let has_schemas = document.version > 1;
    for (schema, entry) in document.schemas.0 {
        for (name, entry) in entry.relations.0 {
            contents.relations.push(reader.relation(&schema, name, entry)?);
        }
        for entry in entry.functions {
            contents.functions.push(reader.function(&schema, entry)?);
        }
        for entry in entry.operators {
            contents.operators.push(reader.operator(&schema, entry)?);
        }
        let collation = |its: &CollationEntry| format!("the collation {}", reference(&schema, &its.name));
        check_once(&entry.collations, |its| &its.name, collation)?;
        for CollationEntry { name, nondeterministic } in entry.collations {
            contents.collations.push(Collation { schema: schema.clone(), name, nondeterministic });
        }
        if has_schemas && (!entry.hidden || document.everything) && !is_of_the_system(&schema) {
            let (owner, comment, hidden) = (entry.owner, entry.comment, entry.hidden);
            contents.schemas.push(Schema { name: schema, owner, comment, hidden });
        }
    }
    reader.check_signatures(&contents)?;
    for entry in document.casts {
        contents.casts.push(reader.cast(entry, &contents.functions)?);
    }
    reader.check_casts(&contents.casts)?;
    Ok(Snapshot { contents, search: document.search, everything: document.everything })
}

/// The ids that names were given.
#[derive(Default)]
struct Reader {
    next: Oid,
    /// Types by schema and name.
    types: HashMap<(String, String), Oid>,
    /// Array types by their elements.
    arrays: HashMap<Oid, Oid>,
    relations: HashMap<(String, String), relation::Named>,
    row_types: Vec<types::RowType>,
}

impl Reader {
    fn oid(&mut self) -> Oid {
        let oid = self.next;
        self.next += 1;
        oid
    }

    /// The type that a reference means.
    fn ty(&self, written: &str, place: &str) -> Result<Oid, SnapshotError> {
        let (element, is_array) = match written.strip_suffix("[]") {
            Some(element) => (element, true),
            None => (written, false),
        };
        let found = read_reference(element).and_then(|name| self.types.get(&name).copied());
        let found = if is_array { found.and_then(|oid| self.arrays.get(&oid).copied()) } else { found };
        found.ok_or_else(|| {
            let known: Vec<String> =
                self.types.keys().map(|(schema, name)| reference(schema, name)).collect();
            let near = nearest(element, known.iter().map(String::as_str)).filter(|near| *near != element);
            unknown("type", written, place, near)
        })
    }

    fn attributes(&self, entries: &[AttributeEntry], place: &str) -> Result<Vec<Attribute>, SnapshotError> {
        let attribute = |entry: &AttributeEntry| {
            Ok(Attribute {
                name: entry.name.clone(),
                ty: self.ty(&entry.ty, place)?,
                type_modifier: entry.modifier.unwrap_or(-1),
            })
        };
        entries.iter().map(attribute).collect()
    }
}

/// The checks of a relation or a domain, which is `place`.
fn checks(entries: Vec<CheckEntry>, place: &str) -> Result<Vec<Check>, SnapshotError> {
    check_once(&entries, |check| &check.name, |check| format!("the check {} of {place}", check.name))?;
    let check =
        |CheckEntry { name, expression, validated }: CheckEntry| Check { name, expression, validated };
    Ok(entries.into_iter().map(check).collect())
}

/// The collation that a reference means, if there is one. It may be one that is not in the snapshot.
fn collation(written: Option<&str>, place: &str) -> Result<Option<ObjectName>, SnapshotError> {
    written.map(|written| name::object("collation", written, place)).transpose()
}

/// Refuses what is in a list twice.
fn check_once<T>(
    items: &[T],
    name: impl Fn(&T) -> &str,
    what: impl Fn(&T) -> String,
) -> Result<(), SnapshotError> {
    let mut known = HashSet::with_capacity(items.len());
    match items.iter().find(|item| !known.insert(name(item))) {
        None => Ok(()),
        Some(item) => Err(SnapshotError::Duplicate(what(item))),
    }
}

fn unknown(what: &'static str, reference: &str, place: &str, nearest: Option<&str>) -> SnapshotError {
    SnapshotError::Unknown {
        what,
        reference: reference.to_owned(),
        place: place.to_owned(),
        nearest: nearest.map(str::to_owned),
    }
}

fn duplicate(what: &str, name: &str) -> SnapshotError {
    SnapshotError::Duplicate(format!("{what} {name}"))
}
