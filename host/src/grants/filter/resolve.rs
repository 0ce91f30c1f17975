use std::collections::BTreeMap;

use callslip_ir::QualifiedName;

use super::{Filter, FilterError, Filters, Kin, sql};
use crate::catalog::{Catalog, NameKind, SearchPath, is_of_the_system};
use crate::nearest::did_you_mean;

impl Filters {
    /// Looks for the relations of filters, and reads these. Each table of the configuration is given with its name.
    pub fn resolve<'s>(
        tables: impl IntoIterator<Item = (String, &'s BTreeMap<String, String>)>,
        catalog: &Catalog,
        path: &SearchPath,
    ) -> Self {
        let mut filters = Self::default();
        for (table, settings) in tables {
            for (name, sql) in settings {
                match filter(&table, name, sql, catalog, path) {
                    Ok(filter) => filters.filters.push(filter),
                    Err(problem) => {
                        let problem =
                            format!("the filter of \"{name}\" in [{table}] can't be used: {problem}");
                        filters.errors.push(FilterError(problem));
                    }
                }
            }
        }
        filters.kin = Kin::of(catalog, &filters.filters);
        filters
    }
}

fn filter(
    table: &str,
    name: &str,
    sql: &str,
    catalog: &Catalog,
    path: &SearchPath,
) -> Result<Filter, String> {
    let written = QualifiedName::parse(name);
    let found = |written: &QualifiedName| {
        let schema = path.first(catalog, NameKind::Relation, written)?;
        catalog.relation(schema, &written.name).filter(|its| !is_of_the_system(&its.schema))
    };
    let Some(relation) = found(&written) else {
        path.missed(&written);
        let relations = &catalog.contents().relations;
        let names = relations.iter().map(|its| (its.schema.as_str(), its.name.as_str()));
        let help = match did_you_mean(&written, path, names) {
            Some(help) => format!("; {help}"),
            None => String::new(),
        };
        return Err(format!("there is no such relation, or the host's login may not read it{help}"));
    };
    let columns = |written: &QualifiedName| {
        let columns =
            found(written).map(|its| its.columns.iter().map(|column| column.name.clone()).collect());
        // Of what is not there the verifier says so.
        Some(columns.unwrap_or_default())
    };
    let (description, values) = sql::describe(&written, sql, &columns)?;
    Ok(Filter {
        relation: relation.oid,
        name: name.to_owned(),
        table: table.to_owned(),
        sql: sql.to_owned(),
        description,
        values,
    })
}
