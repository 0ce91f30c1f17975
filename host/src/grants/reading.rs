use std::collections::{BTreeSet, HashSet};

use callslip_ir::snapshot::reference;

use super::Grants;
use crate::catalog::{
    Catalog, Function, ObjectName, Oid, PG_CATALOG, Relation, RelationKind, Signature, TypeKind, Volatility,
    is_of_the_system,
};

/// The type of what types are read from and written to, `cstring`.
const CSTRING: Oid = 2275;

/// The pseudo-types that the functions take and give which read and write arrays, enums, ranges and rows. What these are made
/// of is read and written by functions of its own.
const MADE_OF_OTHERS: &[&str] = &["any", "anyarray", "anyenum", "anymultirange", "anyrange", "record"];

/// What keeps a granted relation from being read: what reading it reads and runs beside it and was not granted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RefusedReading<'c> {
    /// Whether it is a view of which the catalog does not say what it is made of.
    pub unknown: bool,
    /// The relations of PostgreSQL's own catalogs that it shows, by itself or by a view or materialized view in it. Nothing
    /// grants these.
    pub of_the_system: BTreeSet<&'c ObjectName>,
    /// The foreign tables that reading it reads, and that were not granted by their own names.
    pub foreign: Vec<&'c Relation>,
    /// The functions that reading it calls.
    pub calls: Vec<CalledByView<'c>>,
}

/// A function that a view calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CalledByView<'c> {
    /// One that can be granted.
    Function(&'c Function),
    /// One that the host's login may not call, so that it can't be granted either.
    Unknown(&'c Signature),
}

impl RefusedReading<'_> {
    /// Whether nothing keeps it from being read.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Grants {
    /// Vets a relation for what reading it really reads and runs.
    ///
    /// - A **view** runs its functions with the rights of who reads it, so that to grant one would be to grant them: each must
    ///   be built in or granted. Those behind operators and casts that may be used, the input and output functions of types
    ///   that may be named, and the immutable functions of `pg_catalog`, which can do nothing but compute, need no grant:
    ///   what they are given, the view's owner wrote. What a function calls in its turn is not known: it is granted with that.
    /// - The **tables** of a view are read with its owner's rights, and need no grant: it was made to show them. The relations
    ///   of `pg_catalog` and `information_schema` are never shown.
    /// - A **materialized view** runs nothing when it is read: its rows are stored. They are rows of what it reads all the
    ///   same, so that it shows no system catalog either, nor does a view over it.
    /// - A **foreign table** opens a connection to another server. It must be granted by its own name wherever reading a
    ///   relation reads it: in a view, as a partition or as a child that inherits. The login sees only those that it may read.
    ///
    /// Nothing is run by reading a column with a default, and a virtual generated column can call nothing that somebody
    /// defined, which PostgreSQL 18 sees to. The policies of a table's row-level security call functions with the rights of
    /// who reads: they are the table's own and given nothing by a plugin, and PostgreSQL evaluates them before anything that
    /// a plugin writes, unless that is leakproof.
    pub fn refused_reading<'c>(&self, catalog: &'c Catalog, relation: &'c Relation) -> RefusedReading<'c> {
        let mut refused = RefusedReading::default();
        let mut read = vec![relation];
        let views = [RelationKind::View, RelationKind::MaterializedView];
        if views.contains(&relation.kind) {
            let Some(view) = &relation.view else {
                // Snapshots of the first format, which have no schemas, tell nothing of views.
                refused.unknown = !catalog.contents().schemas.is_empty();
                return refused;
            };
            let shown = shown(catalog, relation);
            refused.of_the_system = shown.into_iter().filter(|its| is_of_the_system(&its.schema)).collect();
            if relation.kind == RelationKind::View {
                refused.calls = self.refused_calls(catalog, &view.calls);
                read.extend(view.reads.iter().filter_map(|its| catalog.relation(&its.schema, &its.name)));
            }
        }
        refused.foreign = self.refused_foreign(catalog, &read);
        refused
    }

    /// The foreign tables that reading these reads, and that were not granted.
    fn refused_foreign<'c>(&self, catalog: &'c Catalog, read: &[&'c Relation]) -> Vec<&'c Relation> {
        let relations = catalog.contents().relations.iter();
        let foreign = relations.filter(|its| its.kind == RelationKind::ForeignTable && !self.relation(its));
        let is_read =
            |name: (&str, &str)| read.iter().any(|its| (its.schema.as_str(), its.name.as_str()) == name);
        let is_part = |foreign: &&Relation| {
            let mut open: Vec<(&str, &str)> = vec![(&foreign.schema, &foreign.name)];
            let mut seen = HashSet::new();
            while let Some(name) = open.pop() {
                if is_read(name) {
                    return true;
                }
                let Some(relation) = catalog.relation(name.0, name.1).filter(|_| seen.insert(name)) else {
                    continue;
                };
                let parents = relation.partition_of.iter().map(|its| &its.parent).chain(&relation.inherits);
                open.extend(parents.map(|its| (its.schema.as_str(), its.name.as_str())));
            }
            false
        };
        foreign.filter(is_part).collect()
    }

    /// The functions among these that a plugin may not have called for it.
    fn refused_calls<'c>(
        &self,
        catalog: &'c Catalog,
        calls: &'c BTreeSet<Signature>,
    ) -> Vec<CalledByView<'c>> {
        let contents = catalog.contents();
        let operators =
            contents.operators.iter().filter(|its| self.operator(its)).filter_map(|its| its.function);
        let casts = contents.casts.iter().filter(|cast| {
            let target = catalog.type_by_oid(cast.target);
            target.is_some_and(|target| self.ty(target)) && self.refused_function(catalog, cast).is_none()
        });
        let behind: HashSet<Oid> = operators.chain(casts.filter_map(|cast| cast.function)).collect();
        let mut refused = Vec::new();
        for signature in calls {
            let ObjectName { schema, name } = &signature.function;
            let found = catalog.functions(schema, name).find(|its| takes(catalog, its, &signature.arguments));
            match found {
                Some(function) if self.may_run(catalog, function, &behind) => {}
                Some(function) => refused.push(CalledByView::Function(function)),
                // A snapshot leaves out most of PostgreSQL's own.
                None if contents.partial && schema == PG_CATALOG => {}
                None => refused.push(CalledByView::Unknown(signature)),
            }
        }
        refused
    }

    fn may_run(&self, catalog: &Catalog, function: &Function, behind: &HashSet<Oid>) -> bool {
        let is_pure = function.schema == PG_CATALOG && function.volatility == Volatility::Immutable;
        self.function(function)
            || is_pure
            || behind.contains(&function.oid)
            || self.reads_or_writes(catalog, function)
    }

    /// Whether it is the input or output function of a type that may be named.
    fn reads_or_writes(&self, catalog: &Catalog, function: &Function) -> bool {
        let ty = match function.arguments.as_slice() {
            [CSTRING, ..] => function.returns,
            [ty] if function.returns == CSTRING => *ty,
            _ => return false,
        };
        catalog.type_by_oid(ty).is_some_and(|ty| {
            let is_made = ty.kind == TypeKind::Pseudo && MADE_OF_OTHERS.contains(&ty.name.as_str());
            is_made || self.ty(ty)
        })
    }
}

/// The relations whose rows a view shows, those of the views and materialized views in it too.
fn shown<'c>(catalog: &'c Catalog, relation: &'c Relation) -> BTreeSet<&'c ObjectName> {
    let mut shown = BTreeSet::new();
    let mut open = vec![relation];
    while let Some(relation) = open.pop() {
        for name in relation.view.iter().flat_map(|view| &view.reads) {
            if shown.insert(name) {
                open.extend(catalog.relation(&name.schema, &name.name));
            }
        }
    }
    shown
}

/// Whether a function takes these types, which are written as snapshots write them.
fn takes(catalog: &Catalog, function: &Function, written: &[String]) -> bool {
    let refers = |oid: &Oid, written: &String| {
        let Some(ty) = catalog.type_by_oid(*oid) else { return false };
        match ty.kind {
            TypeKind::Array { element } => catalog.type_by_oid(element).is_some_and(|element| {
                written.strip_suffix("[]") == Some(reference(&element.schema, &element.name).as_str())
            }),
            _ => *written == reference(&ty.schema, &ty.name),
        }
    };
    function.arguments.len() == written.len()
        && function.arguments.iter().zip(written).all(|(oid, written)| refers(oid, written))
}
