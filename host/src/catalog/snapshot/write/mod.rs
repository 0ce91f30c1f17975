mod function;
mod relation;
mod ty;

use std::collections::{HashMap, HashSet};

use callslip_ir::snapshot::{FORMAT, VERSION, reference};

use super::Snapshot;
use super::document::{
    CheckEntry, CollationEntry, Document, ExtensionEntry, FunctionEntry, OperatorEntry, RelationEntry,
    SchemaEntry, TypeEntry,
};
use super::entries::Entries;
use crate::catalog::unused::is_of_the_system;
use crate::catalog::{Check, Contents, Function, Oid, PG_CATALOG, Relation, Type, TypeKind};

/// The snapshot by names, everything in order.
pub(super) fn document(snapshot: &Snapshot) -> Document {
    let contents = &snapshot.contents;
    let writer = Writer::new(contents);
    let extension = |its: &crate::catalog::Extension| {
        let entry = ExtensionEntry { schema: its.schema.clone(), version: its.version.clone() };
        (its.name.clone(), entry)
    };
    let mut document = Document {
        format: FORMAT.to_owned(),
        version: VERSION,
        postgresql: contents.server_version,
        settings: Entries(contents.settings.clone()),
        search: snapshot.search.clone(),
        everything: snapshot.everything,
        extensions: Entries(contents.extensions.iter().map(extension).collect()),
        ..Document::default()
    };
    let schemas = &mut document.schemas.0;
    for schema in &contents.schemas {
        let entry = schemas.entry(schema.name.clone()).or_default();
        entry.owner.clone_from(&schema.owner);
        entry.comment = comment(&schema.comment);
    }
    let mut schema = |name: &str, entry: Entry| entry.add(schemas.entry(name.to_owned()).or_default());
    for relation in &contents.relations {
        schema(&relation.schema, Entry::Relation(relation.name.clone(), writer.relation(relation)));
    }
    for ty in &contents.types {
        if let Some(entry) = writer.entry(ty) {
            schema(&ty.schema, Entry::Type(ty.name.clone(), entry));
        }
    }
    for function in &contents.functions {
        schema(&function.schema, Entry::Function(writer.function(function)));
    }
    for operator in &contents.operators {
        schema(&operator.schema, Entry::Operator(writer.operator(operator)));
    }
    for collation in &contents.collations {
        let (name, nondeterministic) = (collation.name.clone(), collation.nondeterministic);
        schema(&collation.schema, Entry::Collation(CollationEntry { name, nondeterministic }));
    }
    let usable = contents.schemas.iter().filter(|schema| !schema.hidden);
    let usable: HashSet<&str> = usable.map(|schema| schema.name.as_str()).collect();
    for (name, schema) in schemas {
        schema.hidden = !usable.contains(name.as_str()) && !is_of_the_system(name);
        schema.functions.sort_by(|a, b| (&a.name, &a.arguments).cmp(&(&b.name, &b.arguments)));
        schema.operators.sort_by(|a, b| (&a.name, &a.left, &a.right).cmp(&(&b.name, &b.left, &b.right)));
        schema.collations.sort();
    }
    document.casts = contents.casts.iter().map(|cast| writer.cast(cast)).collect();
    document.casts.sort_by(|a, b| (&a.source, &a.target).cmp(&(&b.source, &b.target)));
    document
}

/// What a schema has.
enum Entry {
    Relation(String, RelationEntry),
    Type(String, TypeEntry),
    Function(FunctionEntry),
    Operator(OperatorEntry),
    Collation(CollationEntry),
}

impl Entry {
    fn add(self, schema: &mut SchemaEntry) {
        match self {
            Self::Relation(name, relation) => _ = schema.relations.0.insert(name, relation),
            Self::Type(name, ty) => _ = schema.types.0.insert(name, ty),
            Self::Function(function) => schema.functions.push(function),
            Self::Operator(operator) => schema.operators.push(operator),
            Self::Collation(collation) => schema.collations.push(collation),
        }
    }
}

/// The names of what ids mean.
struct Writer<'a> {
    types: HashMap<Oid, &'a Type>,
    relations: HashMap<Oid, String>,
    functions: HashMap<Oid, &'a Function>,
    /// The relations by the types of their rows.
    row_types: HashMap<Oid, &'a Relation>,
}

impl<'a> Writer<'a> {
    fn new(contents: &'a Contents) -> Self {
        let relation = |relation: &Relation| (relation.oid, reference(&relation.schema, &relation.name));
        Self {
            types: contents.types.iter().map(|ty| (ty.oid, ty)).collect(),
            relations: contents.relations.iter().map(relation).collect(),
            functions: contents.functions.iter().map(|function| (function.oid, function)).collect(),
            row_types: contents.relations.iter().filter_map(|its| Some((its.row_type?, its))).collect(),
        }
    }

    /// The reference to a type. One that is not in the catalog has none, and then reading says so.
    fn ty(&self, oid: Oid) -> String {
        match self.types.get(&oid) {
            Some(Type { kind: TypeKind::Array { element }, .. }) => format!("{}[]", self.ty(*element)),
            Some(ty) => reference(&ty.schema, &ty.name),
            None => reference(PG_CATALOG, &format!("type {oid}")),
        }
    }

    fn types(&self, oids: &[Oid]) -> Vec<String> {
        oids.iter().map(|oid| self.ty(*oid)).collect()
    }
}

fn checks(checks: &[Check]) -> Vec<CheckEntry> {
    let entry = |check: &Check| CheckEntry {
        name: check.name.clone(),
        expression: check.expression.clone(),
        validated: check.validated,
    };
    let mut entries: Vec<_> = checks.iter().map(entry).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

/// An empty comment says nothing; PostgreSQL has none.
fn comment(comment: &Option<String>) -> Option<String> {
    comment.clone().filter(|comment| !comment.is_empty())
}
