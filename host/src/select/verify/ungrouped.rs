use std::collections::{HashMap, HashSet};

use callslip_ir::{
    Call, Description, JoinCondition, NodeId, NodeKind, Query, RelationName, Select, Special, SpecialForm,
};

use super::Context;
use super::bare_column::{ColumnName, collated_column, column};
use super::fan_out::is_aggregate;
use crate::Code;
use crate::catalog::{Catalog, FunctionKind, Relation, RelationKind};
use crate::grants::Grants;
use crate::select::verified::Resolution;
use crate::select::{Finding, structure};

/// Finds the columns that stand beside aggregates or GROUP BY, and that are neither grouped, nor in an aggregate, nor of a
/// table whose primary key is grouped.
///
/// PostgreSQL has the last word: what is not certain is left to it. It looks at expressions after it has simplified them, so
/// that a column within one that is grouped is not judged here, nor are grouping sets and joins that merge columns.
pub(super) fn findings(
    description: &Description,
    context: Context<'_>,
    resolutions: &[Resolution],
) -> Vec<Finding> {
    let (catalog, grants) = (context.catalog, context.grants);
    let mut findings = Vec::new();
    for node in &description.nodes {
        if let NodeKind::Query(query) = &node.kind
            && let NodeKind::Select(select) = &description.nodes[query.body.0 as usize].kind
        {
            let grouping = Grouping { description, catalog, grants, resolutions, leaves: HashMap::new() };
            grouping.check(query, select, &mut findings);
        }
    }
    findings
}

/// One SELECT.
struct Grouping<'a> {
    description: &'a Description,
    catalog: &'a Catalog,
    grants: &'a Grants,
    resolutions: &'a [Resolution],
    /// The relations in FROM by their aliases.
    leaves: HashMap<&'a str, Leaf<'a>>,
}

#[derive(Clone, Copy)]
enum Leaf<'a> {
    /// A table with a primary key, whose columns these are.
    Keyed(&'a Relation, &'a [String]),
    /// What has none that stands for its columns.
    Keyless,
    /// What may have one.
    Unknown,
}

impl<'a> Grouping<'a> {
    fn kind(&self, node: NodeId) -> &'a NodeKind {
        &self.description.nodes[node.0 as usize].kind
    }

    fn check(mut self, query: &'a Query, select: &'a Select, findings: &mut Vec<Finding>) {
        let merges = |node| matches!(self.kind(node), NodeKind::GroupingSet(_) | NodeKind::Row(_));
        if select.group_by.iter().copied().any(merges) {
            return;
        }
        let mut from = select.from.clone();
        while let Some(node) = from.pop() {
            if !self.add(node, &mut from) {
                return;
            }
        }
        let items = select.items.iter().map(|item| item.expression);
        let sorted = query.order_by.iter().map(|order| order.expression);
        let expressions: Vec<NodeId> = items.chain(select.having).chain(sorted).collect();
        let is_grouped = !select.group_by.is_empty() || select.having.is_some();
        if !is_grouped && !expressions.iter().any(|&expression| self.aggregates(expression)) {
            return;
        }
        let grouped: HashSet<ColumnName<'a>> =
            select.group_by.iter().filter_map(|&item| self.bare_column(item)).collect();
        let within: HashSet<ColumnName<'a>> =
            select.group_by.iter().flat_map(|&item| self.columns_within(item)).collect();
        for expression in expressions {
            // Of an expression that is a column all is known; what another becomes, PostgreSQL knows.
            let settled = match self.kind(expression) {
                NodeKind::Column { .. } => &grouped,
                _ => &within,
            };
            for (node, column) in self.columns_outside_aggregates(expression) {
                if !settled.contains(&column)
                    && let Some(finding) = self.finding(column, &grouped)
                {
                    findings.push(finding.at(structure::place(self.description, node)));
                }
            }
        }
    }

    /// Adds a relation, and puts off those within a join; false, where a join merges columns or hides them.
    fn add(&mut self, node: NodeId, from: &mut Vec<NodeId>) -> bool {
        let (alias, leaf) = match self.kind(node) {
            NodeKind::Join(join) => {
                from.extend([join.left, join.right]);
                return join.alias.is_none()
                    && matches!(join.condition, JoinCondition::None | JoinCondition::On(_));
            }
            NodeKind::Table(table) => {
                let leaf = match (&table.name, &self.resolutions[node.0 as usize]) {
                    (RelationName::Cte(_), _) => Leaf::Keyless,
                    // Aliases of its columns are not the names in its key.
                    (_, Resolution::Object { schema, name }) if table.columns.is_empty() => {
                        self.stored(schema, name)
                    }
                    _ => Leaf::Unknown,
                };
                (&table.alias, leaf)
            }
            NodeKind::Subquery(subquery) => (&subquery.alias, Leaf::Keyless),
            NodeKind::Functions(functions) => (&functions.alias, Leaf::Keyless),
            _ => return false,
        };
        self.leaves.insert(alias, leaf);
        true
    }

    fn stored(&self, schema: &str, name: &str) -> Leaf<'a> {
        let Some(relation) = self.catalog.relation(schema, name) else { return Leaf::Unknown };
        match relation.unique_keys.iter().find(|key| key.primary) {
            // PostgreSQL groups by no key that may be violated for a while.
            Some(key) if key.deferrable => Leaf::Keyless,
            Some(key) => Leaf::Keyed(relation, &key.columns),
            None if relation.kind == RelationKind::View => Leaf::Keyless,
            // A snapshot of the first format, which tells of no schemas, may lack it, as may one for a login that may not read
            // all its columns.
            None if self.catalog.contents().schemas.is_empty() || relation.hidden_columns > 0 => {
                Leaf::Unknown
            }
            None => Leaf::Keyless,
        }
    }

    fn bare_column(&self, node: NodeId) -> Option<ColumnName<'a>> {
        collated_column(self.description, self.resolutions, node)
    }

    fn columns_within(&self, node: NodeId) -> Vec<ColumnName<'a>> {
        let mut open = vec![node];
        let mut found = Vec::new();
        while let Some(node) = open.pop() {
            match column(self.description, node) {
                Some(column) => found.push(column),
                None => open.extend(self.kind(node).children()),
            }
        }
        found
    }

    /// The columns of an expression with their nodes, but for those in aggregates, in GROUPING, and in subqueries.
    fn columns_outside_aggregates(&self, node: NodeId) -> Vec<(NodeId, ColumnName<'a>)> {
        let mut open = vec![node];
        let mut found = Vec::new();
        while let Some(node) = open.pop() {
            match self.kind(node) {
                NodeKind::Column { relation, name } => found.push((node, (relation.as_str(), name.as_str()))),
                NodeKind::Query(_) | NodeKind::Special(Special { form: SpecialForm::Grouping, .. }) => {}
                NodeKind::Call(call) if call.over.is_none() && self.may_be_aggregate(node) => {}
                kind => open.extend(kind.children()),
            }
        }
        found
    }

    fn may_be_aggregate(&self, node: NodeId) -> bool {
        match &self.resolutions[node.0 as usize] {
            Resolution::Object { schema, name } => is_aggregate(self.catalog, schema, name),
            _ => true,
        }
    }

    /// Whether an expression has an aggregate that is certainly of this SELECT.
    fn aggregates(&self, node: NodeId) -> bool {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            match self.kind(node) {
                NodeKind::Query(_) => {}
                NodeKind::Call(call) if call.over.is_none() && self.is_own_aggregate(node, call) => {
                    return true;
                }
                kind => open.extend(kind.children()),
            }
        }
        false
    }

    /// Of another SELECT around is an aggregate of nothing but columns of that.
    fn is_own_aggregate(&self, node: NodeId, call: &Call) -> bool {
        let Resolution::Object { schema, name } = &self.resolutions[node.0 as usize] else { return false };
        let is_aggregate = |kind| matches!(kind, FunctionKind::Aggregate | FunctionKind::OrderedSet { .. });
        let mut signatures = self.catalog.functions(schema, name).map(|function| function.kind);
        let arguments = call.arguments.iter().map(|argument| argument.value);
        let mut columns = arguments.filter_map(|argument| self.bare_column(argument));
        signatures.all(is_aggregate)
            && (call.star || columns.any(|(alias, _)| self.leaves.contains_key(alias)))
    }

    fn finding(&self, (alias, name): ColumnName<'a>, grouped: &HashSet<ColumnName<'a>>) -> Option<Finding> {
        // What is no relation of this SELECT is of one around it, and there as a constant is here.
        let help = match *self.leaves.get(alias)? {
            Leaf::Unknown => return None,
            Leaf::Keyed(_, key) if key.iter().all(|column| grouped.contains(&(alias, column.as_str()))) => {
                return None;
            }
            // A plugin is not told of a key that it can't read.
            Leaf::Keyed(relation, key) if key.iter().all(|column| self.grants.column(relation, column)) => {
                let key: Vec<String> = key.iter().map(|column| format!("{alias}.{column}")).collect();
                let (key, table) = (key.join(", "), &relation.name);
                format!("group by {key} too, the primary key of {table}, which stands for all its columns")
            }
            Leaf::Keyed(..) | Leaf::Keyless => format!("group by {alias}.{name} too"),
        };
        let message = format!("{alias}.{name} is neither in GROUP BY nor in an aggregate");
        let help = format!("{help}, or take one value of each group, as max(…) and array_agg(…) do");
        Some(Finding::new(Code::UngroupedColumn, message).with_help(help))
    }
}
