use std::collections::BTreeSet;

use callslip_ir::{QualifiedName, TypeName};

use super::error::list_of;
use super::granted::Granted;
use super::written::{self, Relations, Wrong};
use super::{GrantError, GrantSettings, Grants, PARTIAL_CATALOG, missing};
use crate::catalog::{
    Catalog, Function, NameKind, Oid, PG_CATALOG, Relation, RelationKind, SearchPath, TypeKind,
    is_of_the_system,
};
use crate::nearest::{did_you_mean, nearest};

/// How many signatures of a name are told.
const TOLD: usize = 6;

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
    pub fn resolve_known<'a>(
        settings: &GrantSettings,
        catalog: &'a Catalog,
        path: &'a SearchPath,
    ) -> (Self, Vec<GrantError>) {
        let mut resolver = Resolver { catalog, path, grants: Self::default() };
        let mut errors = Vec::new();
        let lists: [(&[String], Resolve<'a>); 5] = [
            (&settings.relations, Resolver::relations),
            (&settings.functions, Resolver::functions),
            (&settings.operators, Resolver::operators),
            (&settings.casts, Resolver::cast),
            (&settings.types, Resolver::ty),
        ];
        for (list, resolve) in lists {
            errors.extend(list.iter().filter_map(|written| resolve(&mut resolver, written).err()));
        }
        let mut grants = resolver.grants;
        grants.add_plain_types(catalog);
        (grants, errors)
    }

    /// Adds the types of the columns that were granted, whose values a plugin sees.
    fn add_plain_types(&mut self, catalog: &Catalog) {
        // Not domains, whose checks call functions, nor composites and ranges, which may hold what is forbidden.
        let is_plain = |oid: &Oid| {
            let ty = catalog.type_by_oid(*oid);
            ty.is_some_and(|ty| {
                ty.schema != PG_CATALOG && matches!(ty.kind, TypeKind::Base | TypeKind::Enum { .. })
            })
        };
        let columns = catalog.contents().relations.iter().flat_map(|relation| {
            relation.columns.iter().filter(|column| self.column(relation, &column.name))
        });
        let plain: Vec<Oid> =
            columns.map(|column| catalog.element_type(column.ty)).filter(is_plain).collect();
        self.types.extend(plain);
    }
}

/// How a grant of one of the lists is resolved.
type Resolve<'a> = fn(&mut Resolver<'a>, &str) -> Result<(), GrantError>;

struct Resolver<'a> {
    catalog: &'a Catalog,
    path: &'a SearchPath,
    grants: Grants,
}

impl Resolver<'_> {
    fn relations(&mut self, written: &str) -> Result<(), GrantError> {
        match written::relations(written).map_err(unreadable("relations", written))? {
            Relations::Like { schema, pattern } => self.relations_like(written, &schema, &pattern),
            Relations::One(name, columns) => self.relation(written, &name, columns),
        }
    }

    fn relation(
        &mut self,
        written: &str,
        name: &QualifiedName,
        columns: Option<Vec<String>>,
    ) -> Result<(), GrantError> {
        let (catalog, path) = (self.catalog, self.path);
        let is_system = name.schema.as_deref().is_some_and(is_of_the_system);
        let schema = match path.first(catalog, NameKind::Relation, name) {
            Some(schema) if is_of_the_system(schema) => None,
            Some(schema) => Some(schema),
            None if is_system => None,
            None => return Err(self.unknown(NameKind::Relation, written, name)),
        };
        let relation = schema.and_then(|schema| catalog.relation(schema, &name.name));
        let Some(relation) = relation else {
            return Err(GrantError::SystemCatalog { name: written.to_owned() });
        };
        let granted = match columns {
            None => Granted::All,
            Some(columns) => Granted::These(known_columns(written, relation, columns)?),
        };
        self.grants.relations.add(&relation.schema, &relation.name, granted);
        Ok(())
    }

    fn relations_like(&mut self, written: &str, schema: &str, pattern: &str) -> Result<(), GrantError> {
        let real = self.path.schema(schema);
        if is_of_the_system(real.unwrap_or(schema)) {
            return Err(GrantError::SystemCatalog { name: written.to_owned() });
        }
        let relations = self.catalog.contents().relations.iter();
        let (foreign, found): (Vec<_>, Vec<_>) = relations
            .filter(|its| Some(its.schema.as_str()) == real && written::is_like(&its.name, pattern))
            .partition(|its| its.kind == RelationKind::ForeignTable);
        if found.is_empty() {
            let help = match (self.path.chosen_as(schema), foreign.first()) {
                (Some(logical), _) => chosen_by_claim(logical),
                (None, Some(foreign)) => format!(
                    "; only foreign tables are like that, such as {}, and these are granted by their own names",
                    foreign.name
                ),
                (None, None) => String::new(),
            };
            let (name, what) = (written.to_owned(), "relation");
            return Err(GrantError::Unknown { list: "relations", name, what, help });
        }
        for relation in found {
            self.grants.relations.add(&relation.schema, &relation.name, Granted::All);
        }
        Ok(())
    }

    fn functions(&mut self, written: &str) -> Result<(), GrantError> {
        let read = written::function(written).map_err(unreadable("functions", written))?;
        let (catalog, path) = (self.catalog, self.path);
        let schemas = path.all(catalog, NameKind::Function, &read.name);
        let Some(first) = schemas.first() else {
            return Err(self.unknown(NameKind::Function, written, &read.name));
        };
        let Some(arguments) = &read.arguments else {
            self.grants.functions.add(first, &read.name.name, Granted::All);
            return Ok(());
        };
        let types = arguments.iter().map(|ty| self.type_of("functions", written, ty));
        let types: Vec<Oid> = types.collect::<Result<_, _>>()?;
        let all: Vec<&Function> =
            schemas.iter().flat_map(|schema| catalog.functions(schema, &read.name.name)).collect();
        let Some(function) = all.iter().find(|function| function.arguments == types) else {
            let help = there_are(all.iter().map(|its| missing::signature(catalog, path, its)));
            return Err(unknown_signature(NameKind::Function, written, help));
        };
        let granted = Granted::These([types].into());
        self.grants.functions.add(&function.schema, &function.name, granted);
        Ok(())
    }

    fn operators(&mut self, written: &str) -> Result<(), GrantError> {
        let read = written::operator(written).map_err(unreadable("operators", written))?;
        let (catalog, path) = (self.catalog, self.path);
        let schemas = path.all(catalog, NameKind::Operator, &read.name);
        let Some(first) = schemas.first() else {
            return Err(self.unknown(NameKind::Operator, written, &read.name));
        };
        let Some((left, right)) = &read.operands else {
            self.grants.operators.add(first, &read.name.name, Granted::All);
            return Ok(());
        };
        let of_type = |ty: &TypeName| self.type_of("operators", written, ty);
        let operands = (left.as_ref().map(of_type).transpose()?, of_type(right)?);
        let mut all = schemas.iter().flat_map(|schema| catalog.operators(schema, &read.name.name));
        let Some(operator) = all.find(|operator| (operator.left, operator.right) == operands) else {
            let all = schemas.iter().flat_map(|schema| catalog.operators(schema, &read.name.name));
            let told = all.map(|its| super::MissingGrant::operator(catalog, path, its).least);
            return Err(unknown_signature(NameKind::Operator, written, there_are(told)));
        };
        self.grants.operators.add(&operator.schema, &operator.name, Granted::These([operands].into()));
        Ok(())
    }

    fn cast(&mut self, written: &str) -> Result<(), GrantError> {
        let read = written::cast(written).map_err(unreadable("casts", written))?;
        let source = self.type_of("casts", written, &read.source)?;
        let target = self.type_of("casts", written, &read.target)?;
        if self.catalog.cast(source, target).is_none() {
            let (name, what) = (written.to_owned(), "cast");
            return Err(GrantError::Unknown { list: "casts", name, what, help: String::new() });
        }
        self.grants.casts.insert((source, target));
        Ok(())
    }

    fn ty(&mut self, written: &str) -> Result<(), GrantError> {
        let read = written::ty(written).map_err(unreadable("types", written))?;
        let Some(found) = self.catalog.named_type(self.path, &read) else {
            return Err(self.unknown(NameKind::Type, written, &read.name));
        };
        self.grants.types.insert(found.element.oid);
        Ok(())
    }

    /// A type of a signature.
    fn type_of(&self, list: &'static str, written: &str, ty: &TypeName) -> Result<Oid, GrantError> {
        match self.catalog.named_type(self.path, ty) {
            Some(found) => Ok(found.oid),
            None => {
                self.path.missed(&ty.name);
                let help = format!("; its type {ty} is not there");
                let what = list.strip_suffix('s').unwrap_or(list);
                Err(GrantError::Unknown { list, name: written.to_owned(), what, help })
            }
        }
    }

    fn unknown(&self, kind: NameKind, written: &str, name: &QualifiedName) -> GrantError {
        self.path.missed(name);
        let contents = self.catalog.contents();
        let relations = contents.relations.iter().map(|its| (its.schema.as_str(), its.name.as_str()));
        let functions = contents.functions.iter().map(|its| (its.schema.as_str(), its.name.as_str()));
        let near = match kind {
            NameKind::Relation => did_you_mean(name, self.path, relations),
            NameKind::Function => did_you_mean(name, self.path, functions),
            _ => None,
        };
        let chosen_as = name.schema.as_deref().and_then(|schema| self.path.chosen_as(schema));
        let help = match near {
            _ if let Some(logical) = chosen_as => chosen_by_claim(logical),
            Some(near) => format!("; {near}"),
            None if kind == NameKind::Function && contents.partial => format!("; {PARTIAL_CATALOG}"),
            None if name.schema.is_some() => String::new(),
            None => format!("; it was looked for in the schemas {}", self.path.searched().join(", ")),
        };
        let (list, what) = list_of(kind);
        GrantError::Unknown { list, name: written.to_owned(), what, help }
    }
}

/// The columns of a grant, which the relation must have.
fn known_columns(
    written: &str,
    relation: &Relation,
    columns: Vec<String>,
) -> Result<BTreeSet<String>, GrantError> {
    let names = || relation.columns.iter().map(|column| column.name.as_str());
    let Some(unknown) = columns.iter().find(|column| !names().any(|name| name == *column)) else {
        return Ok(columns.into_iter().collect());
    };
    let help = match nearest(unknown, names()) {
        Some(nearest) => format!("; for \"{unknown}\", did you mean \"{nearest}\"?"),
        None => format!("; \"{unknown}\" is none of {}", names().collect::<Vec<_>>().join(", ")),
    };
    Err(GrantError::Unknown { list: "relations", name: written.to_owned(), what: "column", help })
}

fn unreadable(list: &'static str, written: &str) -> impl FnOnce(Wrong) -> GrantError {
    move |why| GrantError::Unreadable { list, written: written.to_owned(), why }
}

fn unknown_signature(kind: NameKind, written: &str, help: String) -> GrantError {
    let (list, what) = list_of(kind);
    GrantError::Unknown { list, name: written.to_owned(), what, help }
}

fn there_are(signatures: impl Iterator<Item = String>) -> String {
    let mut told: Vec<String> = signatures.take(TOLD + 1).collect();
    if told.len() > TOLD {
        "…".clone_into(&mut told[TOLD]);
    }
    format!("; there are {}", told.join(", "))
}

fn chosen_by_claim(logical: &str) -> String {
    format!("; a claim chooses this schema, so that it has no other name than \"{logical}\"")
}
