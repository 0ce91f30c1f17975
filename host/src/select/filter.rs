#[cfg(feature = "host")]
use std::collections::BTreeMap;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use callslip_ir::{Description, Node, NodeId, NodeKind};

use super::verified::Resolution;
use super::{Context, Finding, Limits, ResolvedType, Verified, verify};
use crate::Code;
use crate::catalog::{Catalog, Oid, SearchPath, Volatility};
use crate::grants::filter::{Filter, Filters, Kin};
use crate::grants::{FilterValue, Grants};

/// The row filters of one plugin under one choice of schemas, each verified as a query of the host's own is. None by default.
#[derive(Debug, Default)]
pub struct RowFilters {
    relations: HashMap<Oid, Arc<RowFilter>>,
    pub(super) kin: Kin,
    /// What is wrong with those that can't be used. As long as there is one, nothing is given.
    pub(super) broken: Vec<Finding>,
    /// The logical schemas that claims choose and that have a say in what they mean.
    pub(super) consulted: BTreeSet<String>,
}

/// What a row of a relation has to pass.
#[derive(Debug)]
pub struct RowFilter {
    /// The relation, as the database names it: its schema and its name.
    pub(super) relation: (String, String),
    pub(super) conditions: Vec<Condition>,
}

/// One filter of a relation.
#[derive(Debug)]
pub(super) struct Condition {
    /// What is written.
    pub sql: String,
    pub description: Description,
    pub verified: Verified,
    /// The values of its slots.
    pub values: Vec<FilterValue>,
    /// The claims of these, each with the type that it is bound as.
    pub claims: Vec<(FilterValue, ResolvedType)>,
    /// Where it stands in the description.
    pub node: NodeId,
    /// The alias of the relation in it.
    pub alias: String,
}

impl RowFilter {
    /// The relation, as `schema.name`.
    pub fn relation(&self) -> String {
        format!("{}.{}", self.relation.0, self.relation.1)
    }

    /// The conditions that a row has to pass, as they are written.
    pub fn conditions(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(|condition| condition.sql.as_str())
    }

    /// What its conditions read and run with the rights of the host's login, each by itself.
    #[cfg(feature = "host")]
    pub(crate) fn verified(&self) -> impl Iterator<Item = &Verified> {
        self.conditions.iter().map(|condition| &condition.verified)
    }

    /// Whether it asks other relations, or its own again.
    pub(super) fn asks_others(&self) -> bool {
        let is_query = |node: &&Node| matches!(node.kind, NodeKind::Query(_));
        // One is the filter's own.
        self.conditions.iter().any(|its| its.description.nodes.iter().filter(is_query).count() > 1)
    }

    /// The names of the claims that it reads, in order.
    pub fn claims(&self) -> BTreeSet<&str> {
        let values = self.conditions.iter().flat_map(|condition| &condition.values);
        values
            .filter_map(|value| match value {
                FilterValue::Claim(name) => Some(name.as_str()),
                FilterValue::Constant(_) => None,
            })
            .collect()
    }
}

impl RowFilters {
    /// No filters at all.
    pub fn none() -> &'static Self {
        static NONE: LazyLock<RowFilters> = LazyLock::new(RowFilters::default);
        &NONE
    }

    /// Reads and verifies filters: for each table of a configuration its name, and the conditions by the names of relations.
    /// Those that can't be used are among its [`findings`](Self::findings).
    #[cfg(feature = "host")]
    pub fn resolve<'s>(
        tables: impl IntoIterator<Item = (String, &'s BTreeMap<String, String>)>,
        catalog: &Catalog,
        path: &SearchPath,
        limits: &Limits,
    ) -> Self {
        Self::new(Filters::resolve(tables, catalog, path), catalog, path, limits)
    }

    /// The filter of a relation.
    pub(super) fn of(&self, relation: Oid) -> Option<&Arc<RowFilter>> {
        self.relations.get(&relation)
    }

    /// All of them, by the names of their relations.
    pub fn all(&self) -> Vec<&Arc<RowFilter>> {
        let mut all: Vec<_> = self.relations.values().collect();
        all.sort_by(|a, b| a.relation.cmp(&b.relation));
        all
    }

    /// What is wrong with those that can't be used.
    pub fn findings(&self) -> &[Finding] {
        &self.broken
    }

    /// Verifies filters that were read along a path, with the rights of the host's login. Those that can't be used are among its
    /// [`findings`](Self::findings).
    pub fn new(filters: Filters, catalog: &Catalog, path: &SearchPath, limits: &Limits) -> Self {
        let grants = Grants::of_operator(catalog);
        let broken = |message: String| Finding::new(Code::UnusableFilter, message);
        let mut verified = Self { kin: filters.kin, ..Self::default() };
        verified.broken.extend(filters.errors.iter().map(|error| broken(error.to_string())));
        let mut conditions: HashMap<Oid, Vec<Condition>> = HashMap::new();
        for filter in filters.filters {
            let relation = filter.relation;
            match condition(&filter, &grants, catalog, path, limits) {
                Ok(condition) => conditions.entry(relation).or_default().push(condition),
                Err(problems) => {
                    let Filter { name, table, .. } = &filter;
                    let said = |its: String| {
                        broken(format!("the filter of \"{name}\" in [{table}] can't be used: {its}"))
                    };
                    verified.broken.extend(problems.into_iter().map(said));
                }
            }
        }
        for (oid, conditions) in conditions {
            let Some(relation) = catalog.relation_by_oid(oid) else { continue };
            let relation = (relation.schema.clone(), relation.name.clone());
            verified.relations.insert(oid, Arc::new(RowFilter { relation, conditions }));
        }
        verified.consulted = path.consulted();
        verified
    }
}

fn condition(
    filter: &Filter,
    grants: &Grants,
    catalog: &Catalog,
    path: &SearchPath,
    limits: &Limits,
) -> Result<Condition, Vec<String>> {
    let none = RowFilters::default();
    let context = Context { plugin: &filter.table, catalog, grants, path, limits, filters: &none };
    let verified = verify(&filter.description, context).map_err(|findings| {
        let told = |finding: &Finding| match &finding.help {
            Some(help) => format!("{}; {help}", finding.message),
            None => finding.message.clone(),
        };
        findings.iter().map(told).collect::<Vec<_>>()
    })?;
    if let Some(volatile) = verified.runs.iter().find_map(|oid| {
        catalog.function_by_oid(*oid).filter(|function| function.volatility == Volatility::Volatile)
    }) {
        let (schema, name) = (path.shown(&volatile.schema), &volatile.name);
        return Err(vec![format!(
            "it calls {schema}.{name}, which is volatile: a filter decides the same way always"
        )]);
    }
    let claims = claims(filter, &verified, path)?;
    // The filter's own query is the last node, and its body the one before it.
    let body = filter.description.nodes.iter().rev().find_map(|node| match &node.kind {
        NodeKind::Select(select) => Some(select),
        _ => None,
    });
    let Some(node) = body.and_then(|select| select.filter) else {
        return Err(vec!["it is empty".to_owned()]);
    };
    let alias = match filter.description.nodes.first().map(|node| &node.kind) {
        Some(NodeKind::Table(table)) => table.alias.clone(),
        _ => return Err(vec!["it is of no relation".to_owned()]),
    };
    let (sql, description, values) = (filter.sql.clone(), filter.description.clone(), filter.values.clone());
    Ok(Condition { sql, description, verified, values, claims, node, alias })
}

/// The claims that a filter reads, of one type each.
fn claims(
    filter: &Filter,
    verified: &Verified,
    path: &SearchPath,
) -> Result<Vec<(FilterValue, ResolvedType)>, Vec<String>> {
    let mut claims: Vec<(FilterValue, ResolvedType)> = Vec::new();
    for (node, resolution) in filter.description.nodes.iter().zip(&verified.resolutions) {
        let (NodeKind::Parameter(slot), Resolution::Type(ty)) = (&node.kind, resolution) else { continue };
        let Some(value @ FilterValue::Claim(name)) = filter.values.get(slot.0 as usize) else { continue };
        match claims.iter().find(|(its, _)| its == value) {
            Some((_, before)) if before != ty => {
                let (before, ty) = (before.shown(path), ty.shown(path));
                return Err(vec![format!(
                    "claim('{name}') is a {before} in one place and a {ty} in another; cast it to one type in each, as in \
                     claim('{name}')::{before}"
                )]);
            }
            Some(_) => {}
            None => claims.push((value.clone(), ty.clone())),
        }
    }
    Ok(claims)
}

/// What of a statement is said over the relation of a filter, and how it is kept from rows that do not pass.
#[derive(Clone, Debug)]
pub(super) struct Filtered {
    pub relation: Oid,
    pub filter: Arc<RowFilter>,
    /// The columns that the statement sees of the relation, by their own names and in their order.
    pub columns: Vec<String>,
    /// Whether nothing that the plugin says may be evaluated before the filter.
    pub barrier: bool,
}

/// The filters of a statement, each once.
pub(super) fn once<'f>(filtered: impl Iterator<Item = &'f Filtered>) -> Vec<Arc<RowFilter>> {
    let mut seen = HashSet::new();
    let mut filters: Vec<_> =
        filtered.filter(|its| seen.insert(its.relation)).map(|its| its.filter.clone()).collect();
    filters.sort_by(|a, b| a.relation.cmp(&b.relation));
    filters
}
