use super::{Grants, missing};
use crate::catalog::{Catalog, PG_CATALOG, SearchPath};

/// What grants come to: what a plugin can see beside what is built in, by names that grants could have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    /// The relations that may be read, each with the columns that may.
    pub relations: Vec<VisibleRelation>,
    /// The functions that may be called, by signature.
    pub functions: Vec<String>,
    /// The operators that may be used, by signature.
    pub operators: Vec<String>,
    /// The casts that may run their functions.
    pub casts: Vec<String>,
    /// The types that may be named, those of the columns too.
    pub types: Vec<String>,
}

/// A relation that a plugin may read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VisibleRelation {
    /// Its name.
    pub name: String,
    /// What it is: `table`, `view`.
    pub kind: &'static str,
    /// The columns that may be read, each with its type.
    pub columns: Vec<(String, String)>,
    /// How many of its columns may not.
    pub hidden: usize,
    /// Whether reading it would read or run what was not granted, so that it is refused.
    pub refused: bool,
}

impl Grants {
    /// What these grants come to.
    pub fn visible(&self, catalog: &Catalog, path: &SearchPath) -> Visible {
        let contents = catalog.contents();
        let granted = contents.relations.iter().filter(|relation| self.relation(relation));
        let relations = granted.map(|relation| {
            let columns = relation.columns.iter().filter(|column| self.column(relation, &column.name));
            let columns: Vec<_> =
                columns.map(|its| (its.name.clone(), missing::ty(catalog, path, its.ty))).collect();
            VisibleRelation {
                name: super::written::name(path.shown(&relation.schema), &relation.name),
                kind: relation.kind.as_str(),
                hidden: relation.columns.len() - columns.len() + relation.hidden_columns,
                columns,
                refused: !self.refused_reading(catalog, relation).is_empty(),
            }
        });
        let functions = contents.functions.iter().filter(|its| {
            let granted = self.functions.get(&its.schema, &its.name);
            !its.hidden && granted.is_some_and(|granted| granted.has(its.arguments.as_slice()))
        });
        let operators = contents.operators.iter().filter(|its| {
            let granted = self.operators.get(&its.schema, &its.name);
            granted.is_some_and(|granted| granted.has(&(its.left, its.right)))
        });
        let casts = contents.casts.iter().filter(|its| self.casts.contains(&(its.source, its.target)));
        let types =
            contents.types.iter().filter(|its| its.schema != PG_CATALOG && self.types.contains(&its.oid));
        Visible {
            relations: relations.collect(),
            functions: functions.map(|its| missing::signature(catalog, path, its)).collect(),
            operators: operators
                .map(|its| missing::MissingGrant::operator(catalog, path, its).least)
                .collect(),
            casts: casts.map(|its| missing::MissingGrant::cast(catalog, path, its).least).collect(),
            types: types.map(|its| missing::ty(catalog, path, its.oid)).collect(),
        }
    }
}
