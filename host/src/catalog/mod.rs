//! What the database holds: relations, types, functions, operators, casts and collations.
//!
//! [`Contents`] is the reflected data. [`Catalog`] is the same with indexes over it, immutable, and shared. A
//! [`Snapshot`] keeps it in a file.

mod contents;
pub mod diff;
#[cfg(feature = "postgres")]
mod fingerprint;
#[cfg(feature = "host")]
mod logical;
mod modifier;
mod named;
#[cfg(feature = "postgres")]
mod notify;
mod readable;
#[cfg(feature = "postgres")]
mod reflect;
mod schemas;
mod search_path;
mod snapshot;
mod type_name;
mod unused;

use std::collections::HashMap;

pub use callslip_ir::snapshot::PG_CATALOG;
pub use contents::{
    Attribute, Cast, CastContext, Check, Collation, Column, ColumnPrivileges, Contents, DomainRules,
    Exclusion, Extension, ForeignKey, Function, FunctionKind, Generated, Identity, Index, ObjectName, Oid,
    Operator, Parallel, PartitionOf, Partitioning, Persistence, Policy, PolicyCommand, ReferentialAction,
    Relation, RelationKind, RowSecurity, Schema, Signature, Type, TypeKind, UniqueKey, View, Volatility,
};
#[cfg(feature = "postgres")]
pub use fingerprint::{Fingerprint, fingerprint};
#[cfg(feature = "cli")]
pub(crate) use modifier::with_modifier;
#[cfg(feature = "postgres")]
pub use notify::{CHANNEL, INSTALL_NOTIFY, REMOVE_NOTIFY};
#[cfg(feature = "host")]
pub(crate) use reflect::reflect_within;
#[cfg(feature = "postgres")]
pub use reflect::{ReflectError, Visibility, reflect, reflect_as};
pub use schemas::{ChosenSchemas, LogicalSchema, Schemas};
pub use search_path::{NameKind, SearchPath};
pub(crate) use snapshot::builtin_type;
pub use snapshot::{Snapshot, SnapshotError};
pub(crate) use type_name::NamedType;
pub(crate) use unused::is_of_the_system;

/// A database's metadata, with indexes for looking it up by name and by id.
#[derive(Debug)]
pub struct Catalog {
    contents: Contents,
    relations: Names,
    types: Names,
    functions: Names,
    operators: Names,
    collations: Names,
    types_by_oid: HashMap<Oid, usize>,
    relations_by_oid: HashMap<Oid, usize>,
    functions_by_oid: HashMap<Oid, usize>,
    casts: HashMap<(Oid, Oid), usize>,
}

/// From a name, to schemas, to positions.
type Names = HashMap<String, Vec<(String, usize)>>;

fn index<'a, T: 'a>(items: &'a [T], key: impl Fn(&'a T) -> (&'a str, &'a str)) -> Names {
    index_some(items, |item| Some(key(item)))
}

/// The same of those that have a key.
fn index_some<'a, T: 'a>(items: &'a [T], key: impl Fn(&'a T) -> Option<(&'a str, &'a str)>) -> Names {
    let mut index = Names::new();
    for (position, item) in items.iter().enumerate() {
        if let Some((schema, name)) = key(item) {
            index.entry(name.to_owned()).or_default().push((schema.to_owned(), position));
        }
    }
    index
}

impl Catalog {
    /// Indexes what was reflected.
    pub fn new(contents: Contents) -> Self {
        Self {
            relations: index(&contents.relations, |r| (&r.schema, &r.name)),
            types: index(&contents.types, |t| (&t.schema, &t.name)),
            functions: index_some(&contents.functions, |f| (!f.hidden).then_some((&f.schema, &f.name))),
            operators: index(&contents.operators, |o| (&o.schema, &o.name)),
            collations: index(&contents.collations, |c| (&c.schema, &c.name)),
            types_by_oid: contents.types.iter().enumerate().map(|(i, t)| (t.oid, i)).collect(),
            relations_by_oid: contents.relations.iter().enumerate().map(|(i, r)| (r.oid, i)).collect(),
            functions_by_oid: contents.functions.iter().enumerate().map(|(i, f)| (f.oid, i)).collect(),
            casts: contents.casts.iter().enumerate().map(|(i, c)| ((c.source, c.target), i)).collect(),
            contents,
        }
    }

    /// What was reflected.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// The relation of that schema and name.
    pub fn relation(&self, schema: &str, name: &str) -> Option<&Relation> {
        within(&self.relations, schema, name).next().map(|i| &self.contents.relations[i])
    }

    /// The relation of that id.
    pub fn relation_by_oid(&self, oid: Oid) -> Option<&Relation> {
        self.relations_by_oid.get(&oid).map(|&i| &self.contents.relations[i])
    }

    /// The type of that schema and name.
    pub fn ty(&self, schema: &str, name: &str) -> Option<&Type> {
        within(&self.types, schema, name).next().map(|i| &self.contents.types[i])
    }

    /// The type of that id.
    pub fn type_by_oid(&self, oid: Oid) -> Option<&Type> {
        self.types_by_oid.get(&oid).map(|&i| &self.contents.types[i])
    }

    /// The type of an array's elements, and any other type itself.
    pub fn element_type(&self, oid: Oid) -> Oid {
        match self.type_by_oid(oid).map(|ty| &ty.kind) {
            Some(TypeKind::Array { element }) => *element,
            _ => oid,
        }
    }

    /// The type that a domain is over in the end, and any other type itself.
    pub fn base_type(&self, mut oid: Oid) -> Oid {
        // A domain can't be its own base, but contents are data that anybody may have made.
        for _ in 0..32 {
            match self.type_by_oid(oid).map(|ty| &ty.kind) {
                Some(TypeKind::Domain { base, .. }) => oid = *base,
                _ => break,
            }
        }
        oid
    }

    /// The functions of that schema and name that the login may call: one for each signature.
    pub fn functions<'a>(&'a self, schema: &str, name: &str) -> impl Iterator<Item = &'a Function> {
        within(&self.functions, schema, name).map(|i| &self.contents.functions[i])
    }

    /// The function of that id.
    pub fn function_by_oid(&self, oid: Oid) -> Option<&Function> {
        self.functions_by_oid.get(&oid).map(|&i| &self.contents.functions[i])
    }

    /// The operators of that schema and name: one for each signature.
    pub fn operators<'a>(&'a self, schema: &str, name: &str) -> impl Iterator<Item = &'a Operator> {
        within(&self.operators, schema, name).map(|i| &self.contents.operators[i])
    }

    /// Whether a schema has something of that kind and name.
    pub fn has(&self, kind: NameKind, schema: &str, name: &str) -> bool {
        let names = match kind {
            NameKind::Relation => &self.relations,
            NameKind::Type => &self.types,
            NameKind::Function => &self.functions,
            NameKind::Operator => &self.operators,
            NameKind::Collation => &self.collations,
        };
        within(names, schema, name).next().is_some()
    }

    /// The cast from one type to another, if `pg_cast` has one.
    pub fn cast(&self, source: Oid, target: Oid) -> Option<&Cast> {
        self.casts.get(&(source, target)).map(|&i| &self.contents.casts[i])
    }
}

fn within(index: &Names, schema: &str, name: &str) -> impl Iterator<Item = usize> {
    let found = index.get(name).map_or(&[][..], Vec::as_slice);
    found.iter().filter(move |(its, _)| its == schema).map(|&(_, position)| position)
}
