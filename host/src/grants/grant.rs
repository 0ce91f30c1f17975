use std::collections::BTreeSet;

use super::builtin;
use super::granted::{ByName, Granted};
use crate::catalog::{Cast, Catalog, Function, Oid, Operator, PG_CATALOG, Relation, Type, TypeKind};

/// Why a catalog snapshot may lack a function of PostgreSQL's, and what to do.
pub(crate) const PARTIAL_CATALOG: &str = "a catalog snapshot has only those of PostgreSQL's functions that are built in \
     or that the configuration granted when it was written: grant it, and write the snapshot anew";

/// What one query of a plugin may touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Grants {
    /// The names of columns.
    pub(super) relations: ByName<String>,
    /// The types of arguments.
    pub(super) functions: ByName<Vec<Oid>>,
    /// The types of the operands; a prefix operator has no left one.
    pub(super) operators: ByName<(Option<Oid>, Oid)>,
    /// The types that they take and give.
    pub(super) casts: BTreeSet<(Oid, Oid)>,
    pub(super) types: BTreeSet<Oid>,
}

impl Grants {
    /// Everything that a configuration could grant, for tests of plugins.
    pub(crate) fn everything(catalog: &Catalog) -> Self {
        let mut grants = Self::default();
        let contents = catalog.contents();
        for its in &contents.relations {
            grants.relations.add(&its.schema, &its.name, Granted::All);
        }
        for its in contents.functions.iter().filter(|its| its.schema != PG_CATALOG) {
            grants.functions.add(&its.schema, &its.name, Granted::All);
        }
        for its in &contents.operators {
            grants.operators.add(&its.schema, &its.name, Granted::All);
        }
        grants.types =
            contents.types.iter().filter(|its| its.schema != PG_CATALOG).map(|its| its.oid).collect();
        grants
    }

    /// What the conditions of an operator may use: everything that the login may, but PostgreSQL's own catalogs.
    pub(crate) fn of_operator(catalog: &Catalog) -> Self {
        let mut grants = Self::everything(catalog);
        for its in catalog.contents().functions.iter().filter(|its| its.schema == PG_CATALOG) {
            grants.functions.add(&its.schema, &its.name, Granted::All);
        }
        grants
    }

    /// Whether a relation may be read: its rows, and of its columns those that [`Grants::column`] says.
    pub fn relation(&self, relation: &Relation) -> bool {
        self.relations.get(&relation.schema, &relation.name).is_some()
    }

    /// Whether a column of a relation may be read.
    pub fn column(&self, relation: &Relation, column: &str) -> bool {
        self.relations.get(&relation.schema, &relation.name).is_some_and(|granted| granted.has(column))
    }

    /// Whether a function may be called.
    pub fn function(&self, function: &Function) -> bool {
        builtin::allows_function(function) || self.names_function(function)
    }

    /// The function that a cast runs, if neither it nor the cast was granted. Those that the built-in casts run need no grant.
    pub fn refused_function<'c>(&self, catalog: &'c Catalog, cast: &Cast) -> Option<&'c Function> {
        let function = catalog.function_by_oid(cast.function?)?;
        let is_granted = builtin::has_cast(cast)
            || self.casts.contains(&(cast.source, cast.target))
            || self.function(function);
        (!is_granted).then_some(function)
    }

    /// Whether a type may be named; of an array, its elements' type.
    pub fn ty(&self, ty: &Type) -> bool {
        builtin::allows_type(ty) || self.types.contains(&ty.oid)
    }

    /// The type that may not be named among those that a value of a type is made of, if there is one.
    pub fn refused_part<'c>(&self, catalog: &'c Catalog, oid: Oid) -> Option<&'c Type> {
        let mut parts = vec![oid];
        let mut seen = BTreeSet::new();
        while let Some(part) = parts.pop() {
            let Some(ty) = catalog.type_by_oid(part).filter(|_| seen.insert(part)) else { continue };
            match &ty.kind {
                _ if self.ty(ty) => {}
                TypeKind::Array { element } => parts.push(*element),
                TypeKind::Composite { attributes } => parts.extend(attributes.iter().map(|its| its.ty)),
                _ => return Some(ty),
            }
        }
        None
    }

    /// Whether a configuration names a function that may be called, built in or not.
    pub fn names_function(&self, function: &Function) -> bool {
        let granted = self.functions.get(&function.schema, &function.name);
        granted.is_some_and(|granted| granted.has(function.arguments.as_slice()))
    }

    /// Whether a configuration names an operator that may be used, built in or not.
    pub fn names_operator(&self, operator: &Operator) -> bool {
        let granted = self.operators.get(&operator.schema, &operator.name);
        granted.is_some_and(|granted| granted.has(&(operator.left, operator.right)))
    }

    /// Whether an operator may be used.
    pub fn operator(&self, operator: &Operator) -> bool {
        builtin::allows_operator(operator) || self.names_operator(operator)
    }
}
