use std::collections::BTreeSet;

use callslip_ir::QualifiedName;
use serde::Deserialize;

use super::{BUILTIN_FUNCTIONS, BUILTIN_TYPES};
use crate::catalog::{
    Cast, Catalog, Function, NameKind, Oid, Operator, PG_CATALOG, Relation, SearchPath, Type, TypeKind,
    is_of_the_system,
};
use crate::nearest::did_you_mean;

/// The `[plugins.NAME.grants]` of a configuration.
///
/// A name without a schema is looked for in the schemas that the configuration searches. The names of logical schemas are
/// those that plugins know: what is granted of one is granted of the schema that it stands for, and of no other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrantSettings {
    /// Relations that may be read: `position`, `audit.event`.
    pub relations: Vec<String>,
    /// Functions that may be called beside the built-in ones ([`BUILTIN_FUNCTIONS`]): `app.score`, with every
    /// signature of that name; `pg_catalog.random`.
    pub functions: Vec<String>,
    /// Operators outside `pg_catalog` that may be used: `public.%`.
    pub operators: Vec<String>,
    /// Types that may be named, in casts above all, beside the built-in ones ([`BUILTIN_TYPES`]): `app.color`. The enums
    /// and base types of the columns of granted relations, and of the elements of their arrays, need no grant. Their
    /// domains, composites and ranges do: a cast to a domain runs the functions in its checks, and the others may hold
    /// one.
    pub types: Vec<String>,
}

impl GrantSettings {
    /// Each grant by itself.
    #[cfg(feature = "host")]
    pub(crate) fn each(&self) -> Vec<Self> {
        let Self { relations, functions, operators, types } = self;
        let one = |name: &String| vec![name.clone()];
        let relations = relations.iter().map(|name| Self { relations: one(name), ..Self::default() });
        let functions = functions.iter().map(|name| Self { functions: one(name), ..Self::default() });
        let operators = operators.iter().map(|name| Self { operators: one(name), ..Self::default() });
        let types = types.iter().map(|name| Self { types: one(name), ..Self::default() });
        relations.chain(functions).chain(operators).chain(types).collect()
    }

    /// Whether a plugin with these grants may call the function of `pg_catalog`: it is built in, or named here.
    pub fn may_call(&self, function: &Function) -> bool {
        let named = |written: &String| {
            *written == function.name
                || written.strip_prefix("pg_catalog.").is_some_and(|name| name == function.name)
        };
        is_builtin(function) || self.functions.iter().any(named)
    }
}

/// The types of PostgreSQL's inside, by their ids, which are the same everywhere (`pg_type.dat`): `tid`, `xid`, `cid`,
/// `aclitem`, `cstring`, `internal`, `xid8`. A signature that takes one, such as `age(xid)`, looks at the server and not at
/// values.
const INTERNAL_TYPES: &[Oid] = &[27, 28, 29, 1033, 2275, 2281, 5069];

/// Why a catalog snapshot may lack a function of PostgreSQL's, and what to do.
pub(crate) const PARTIAL_CATALOG: &str = "a catalog snapshot has only those of PostgreSQL's functions that are built in \
     or that the configuration granted when it was written: grant it, and write the snapshot anew";

/// What one plugin may touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Grants {
    relations: BTreeSet<(String, String)>,
    functions: BTreeSet<(String, String)>,
    operators: BTreeSet<(String, String)>,
    types: BTreeSet<Oid>,
}

/// A grant that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// What is granted does not exist, or the login of the host may not use it.
    #[error(
        "grants.{list} names \"{name}\", which this login can't use: there is no such {what}, or PostgreSQL has not \
         granted it to the login{help}"
    )]
    Unknown {
        /// `relations`, `functions`, `operators` or `types`.
        list: &'static str,
        /// The name as it was written.
        name: String,
        /// `relation`, `function`, `operator` or `type`.
        what: &'static str,
        /// What may be meant, or where it was looked for.
        help: String,
    },
    /// PostgreSQL's own catalogs are never granted.
    #[error("grants.relations names \"{name}\": PostgreSQL's own catalogs can't be granted")]
    SystemCatalog {
        /// The name as it was written.
        name: String,
    },
}

impl Grants {
    /// Resolves what a configuration says.
    ///
    /// # Errors
    /// All the grants that can't be used.
    pub fn resolve(
        settings: &GrantSettings,
        catalog: &Catalog,
        path: &SearchPath,
    ) -> Result<Self, Vec<GrantError>> {
        let (grants, errors) = Self::resolve_known(settings, catalog, path);
        if errors.is_empty() { Ok(grants) } else { Err(errors) }
    }

    /// Resolves what can be resolved of what a configuration says, and says what can't be: that grants nothing.
    pub fn resolve_known(
        settings: &GrantSettings,
        catalog: &Catalog,
        path: &SearchPath,
    ) -> (Self, Vec<GrantError>) {
        let mut grants = Self::default();
        let mut errors = Vec::new();
        let lists = [
            (&settings.relations, NameKind::Relation, &mut grants.relations),
            (&settings.functions, NameKind::Function, &mut grants.functions),
            (&settings.operators, NameKind::Operator, &mut grants.operators),
        ];
        for (list, kind, granted) in lists {
            for written in list {
                match found(catalog, path, kind, written) {
                    Ok((schema, _)) if kind == NameKind::Relation && is_of_the_system(&schema) => {
                        errors.push(GrantError::SystemCatalog { name: written.clone() });
                    }
                    Ok(name) => _ = granted.insert(name),
                    Err(error) => errors.push(error),
                }
            }
        }
        for written in &settings.types {
            match found(catalog, path, NameKind::Type, written) {
                Ok((schema, name)) => grants.types.extend(catalog.ty(&schema, &name).map(|ty| ty.oid)),
                Err(error) => errors.push(error),
            }
        }
        let columns =
            catalog.contents().relations.iter().filter(|r| grants.relation(r)).flat_map(|r| &r.columns);
        // Not domains, whose checks call functions, nor composites and ranges, which may hold what is forbidden.
        let is_plain = |oid: &Oid| {
            let ty = catalog.type_by_oid(*oid);
            ty.is_some_and(|ty| {
                ty.schema != PG_CATALOG && matches!(ty.kind, TypeKind::Base | TypeKind::Enum { .. })
            })
        };
        let plain: Vec<Oid> =
            columns.map(|column| catalog.element_type(column.ty)).filter(is_plain).collect();
        grants.types.extend(plain);
        (grants, errors)
    }

    /// Everything that a configuration could grant, for tests of plugins.
    pub(crate) fn everything(catalog: &Catalog) -> Self {
        let name = |schema: &String, name: &String| (schema.clone(), name.clone());
        let contents = catalog.contents();
        let functions = contents.functions.iter().filter(|its| its.schema != PG_CATALOG);
        Self {
            relations: contents.relations.iter().map(|its| name(&its.schema, &its.name)).collect(),
            functions: functions.map(|its| name(&its.schema, &its.name)).collect(),
            operators: contents.operators.iter().map(|its| name(&its.schema, &its.name)).collect(),
            types: contents.types.iter().filter(|its| its.schema != PG_CATALOG).map(|its| its.oid).collect(),
        }
    }

    /// Whether a relation may be read.
    pub fn relation(&self, relation: &Relation) -> bool {
        self.relations.contains(&(relation.schema.clone(), relation.name.clone()))
    }

    /// Whether a function may be called.
    pub fn function(&self, function: &Function) -> bool {
        is_builtin(function) || self.functions.contains(&(function.schema.clone(), function.name.clone()))
    }

    /// The function that a cast runs and that was not granted, if there is one. Those of `pg_catalog` need no grant.
    pub fn refused_function<'c>(&self, catalog: &'c Catalog, cast: &Cast) -> Option<&'c Function> {
        let function = catalog.function_by_oid(cast.function?)?;
        (function.schema != PG_CATALOG && !self.function(function)).then_some(function)
    }

    /// Whether a type may be named; of an array, its elements' type.
    pub fn ty(&self, ty: &Type) -> bool {
        let builtin = ty.schema == PG_CATALOG && BUILTIN_TYPES.binary_search(&ty.name.as_str()).is_ok();
        builtin || self.types.contains(&ty.oid)
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

    /// Whether an operator may be used. Those of `pg_catalog` may: none of them is volatile.
    pub fn operator(&self, operator: &Operator) -> bool {
        operator.schema == PG_CATALOG
            || self.operators.contains(&(operator.schema.clone(), operator.name.clone()))
    }
}

/// Whether every plugin may call a function.
fn is_builtin(function: &Function) -> bool {
    function.schema == PG_CATALOG
        && BUILTIN_FUNCTIONS.binary_search(&function.name.as_str()).is_ok()
        && !function.arguments.iter().any(|oid| INTERNAL_TYPES.contains(oid))
}

/// The schema and the name of what a grant names.
fn found(
    catalog: &Catalog,
    path: &SearchPath,
    kind: NameKind,
    written: &str,
) -> Result<(String, String), GrantError> {
    // An operator may itself hold no dot, and a function's or relation's name with a dot must be qualified.
    let name = QualifiedName::parse(written);
    match path.first(catalog, kind, &name) {
        Some(schema) => Ok((schema.to_owned(), name.name.clone())),
        None if kind == NameKind::Relation && name.schema.as_deref().is_some_and(is_of_the_system) => {
            Err(GrantError::SystemCatalog { name: written.to_owned() })
        }
        None => Err(unknown(catalog, path, kind, written, &name)),
    }
}

fn unknown(
    catalog: &Catalog,
    path: &SearchPath,
    kind: NameKind,
    written: &str,
    name: &QualifiedName,
) -> GrantError {
    path.missed(name);
    let contents = catalog.contents();
    let relations = contents.relations.iter().map(|its| (its.schema.as_str(), its.name.as_str()));
    let functions = contents.functions.iter().map(|its| (its.schema.as_str(), its.name.as_str()));
    let near = match kind {
        NameKind::Relation => did_you_mean(name, path, relations),
        NameKind::Function => did_you_mean(name, path, functions),
        _ => None,
    };
    let chosen_as = name.schema.as_deref().and_then(|schema| path.chosen_as(schema));
    let help = match near {
        _ if let Some(logical) = chosen_as => {
            format!("; a claim chooses this schema, so that it has no other name than \"{logical}\"",)
        }
        Some(near) => format!("; {near}"),
        None if kind == NameKind::Function && contents.partial => format!("; {PARTIAL_CATALOG}"),
        None if name.schema.is_some() => String::new(),
        None => format!("; it was looked for in the schemas {}", path.searched().join(", ")),
    };
    let (list, what) = match kind {
        NameKind::Relation => ("relations", "relation"),
        NameKind::Function => ("functions", "function"),
        NameKind::Operator => ("operators", "operator"),
        NameKind::Type => ("types", "type"),
        // No list is of them.
        NameKind::Collation => ("collations", "collation"),
    };
    GrantError::Unknown { list, name: written.to_owned(), what, help }
}
