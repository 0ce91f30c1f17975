use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::generation::Basis;
use super::guard::read_by_caller;
use crate::Config;
use crate::catalog::{Catalog, Contents, Function, Oid, Relation, RelationKind, TypeKind, is_of_the_system};
use crate::grants::Grants;
use crate::select::{ColumnName, RowFilters};

/// What a login needs to have in a database for the plugins of a configuration: what they are granted and what row filters read, under
/// any choice of schemas, and what reading that takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needed {
    /// The schemas of all of it.
    pub schemas: BTreeSet<String>,
    /// The relations by schema and name, with the columns where not all are needed; at least one is.
    pub relations: BTreeMap<(String, String), Option<BTreeSet<String>>>,
    /// The functions by schema and name, each with the types of its arguments as SQL writes them.
    pub functions: BTreeSet<(String, String, Vec<String>)>,
    /// The foreign tables among the relations, with their servers.
    pub foreign: BTreeMap<(String, String), String>,
    /// The relations with policies, which may read other relations with the rights of the login.
    pub with_policies: BTreeSet<(String, String)>,
    /// What the configuration grants that is not in the database.
    pub missing: BTreeSet<String>,
}

impl Needed {
    /// What these plugins need of a database with these contents, of which everything was reflected.
    pub fn of(config: &Config, mut contents: Contents) -> Self {
        // Who looks need not be the login.
        contents.schemas.iter_mut().for_each(|its| its.hidden = false);
        contents.functions.iter_mut().for_each(|its| its.hidden = false);
        contents.operators.iter_mut().for_each(|its| its.hidden = false);
        let basis = Basis::new(Arc::new(Catalog::new(contents)), config.schemas(), config);
        let mut needed = Self::default();
        for (name, plugin) in &config.plugins {
            for (_, filters) in basis.under_each_choice(|path| basis.row_filters(name, plugin, path)) {
                needed.missing.extend(filters.findings().iter().map(|finding| finding.message.clone()));
                needed.add_filters(&filters, &basis.catalog);
            }
            for settings in plugin.all_grants() {
                for (_, (grants, errors)) in
                    basis.under_each_choice(|path| Grants::resolve_known(settings, &basis.catalog, path))
                {
                    needed.missing.extend(errors.iter().map(ToString::to_string));
                    needed.add(&grants, &basis.catalog);
                }
            }
        }
        needed
    }

    fn add(&mut self, grants: &Grants, catalog: &Catalog) {
        let contents = catalog.contents();
        for relation in contents.relations.iter().filter(|its| grants.relation(its)) {
            let columns = relation.columns.iter().map(|column| column.name.clone());
            self.add_read(relation, columns.filter(|name| grants.column(relation, name)).collect(), catalog);
        }
        let operators =
            contents.operators.iter().filter(|its| grants.operator(its)).filter_map(|its| its.function);
        let casts = contents.casts.iter().filter(|its| grants.refused_function(catalog, its).is_none());
        let behind: BTreeSet<Oid> = operators.chain(casts.filter_map(|its| its.function)).collect();
        let functions = contents.functions.iter();
        for function in functions.filter(|its| grants.function(its) || behind.contains(&its.oid)) {
            self.add_function(function, catalog);
        }
        for ty in contents.types.iter().filter(|its| grants.ty(its) && !is_of_the_system(&its.schema)) {
            self.schemas.insert(ty.schema.clone());
        }
    }

    /// What row filters read and run.
    fn add_filters(&mut self, filters: &RowFilters, catalog: &Catalog) {
        for verified in filters.all().into_iter().flat_map(|filter| filter.verified()) {
            for relation in
                verified.relations.iter().filter_map(|(schema, name)| catalog.relation(schema, name))
            {
                let of_it = |read: &&ColumnName| {
                    read.relation.schema == relation.schema && read.relation.name == relation.name
                };
                let columns = verified.columns_read.iter().filter(of_it).map(|read| read.column.clone());
                self.add_read(relation, columns.collect(), catalog);
            }
            for function in verified.runs.iter().filter_map(|oid| catalog.function_by_oid(*oid)) {
                self.add_function(function, catalog);
            }
            let schemas = verified.objects.iter().map(|object| &object.schema);
            self.schemas.extend(schemas.filter(|schema| !is_of_the_system(schema)).cloned());
        }
    }

    /// A relation of which these columns are read, and what reading it takes.
    fn add_read(&mut self, relation: &Relation, mut columns: BTreeSet<String>, catalog: &Catalog) {
        let all = columns.len() == relation.columns.len();
        if columns.is_empty() {
            // Who counts rows has to have a right to some column.
            columns.extend(relation.columns.first().map(|column| column.name.clone()));
        }
        self.add_relation(relation, (!all).then_some(columns));
        for name in read_by_caller(catalog, relation) {
            if let Some(read) = catalog.relation(&name.schema, &name.name) {
                self.add_relation(read, None);
            }
        }
        let calls = relation.view.iter().filter(|_| relation.kind == RelationKind::View);
        for call in calls.flat_map(|view| &view.calls) {
            let of_name = catalog.functions(&call.function.schema, &call.function.name);
            let count = call.arguments.len();
            of_name
                .filter(|its| its.arguments.len() == count)
                .for_each(|its| self.add_function(its, catalog));
        }
    }

    fn add_relation(&mut self, relation: &Relation, columns: Option<BTreeSet<String>>) {
        let name = (relation.schema.clone(), relation.name.clone());
        self.schemas.insert(relation.schema.clone());
        if let Some(server) = &relation.foreign_server {
            self.foreign.insert(name.clone(), server.clone());
        }
        if relation.row_security.enabled {
            self.with_policies.insert(name.clone());
        }
        let known = self.relations.entry(name).or_insert_with(|| Some(BTreeSet::new()));
        match (known.as_mut(), columns) {
            (Some(known), Some(more)) => known.extend(more),
            (_, None) => *known = None,
            (None, _) => {}
        }
    }

    fn add_function(&mut self, function: &Function, catalog: &Catalog) {
        if is_of_the_system(&function.schema) {
            return;
        }
        let arguments = function.arguments.iter().map(|oid| type_as_sql(catalog, *oid)).collect();
        self.schemas.insert(function.schema.clone());
        self.functions.insert((function.schema.clone(), function.name.clone(), arguments));
    }
}

/// A type as SQL names it.
fn type_as_sql(catalog: &Catalog, oid: Oid) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    match catalog.type_by_oid(oid) {
        Some(ty) => match ty.kind {
            TypeKind::Array { element } => format!("{}[]", type_as_sql(catalog, element)),
            _ => format!("{}.{}", quoted(&ty.schema), quoted(&ty.name)),
        },
        // None such can be granted.
        None => oid.to_string(),
    }
}
