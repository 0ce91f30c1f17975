use std::collections::HashSet;

use callslip_ir::{Distinct, GroupingSet, GroupingSetKind, NodeId, NodeKind, Query, Select};

use super::Verifier;
use crate::catalog::{Column, FunctionKind, PG_CATALOG};
use crate::select::verified::Completion;

/// PostgreSQL's own types that have no operator class of equality.
const WITHOUT_EQUALITY: &[&str] = &[
    "box",
    "circle",
    "json",
    "jsonpath",
    "line",
    "lseg",
    "path",
    "pg_snapshot",
    "point",
    "polygon",
    "refcursor",
    "txid_snapshot",
    "xml",
];

/// A column of a filtered relation in FROM, by the node of that and its position; its whole row without one.
pub(super) type Instance = (NodeId, Option<usize>);

impl Verifier<'_> {
    /// What has to be added to GROUP BY, by the SELECT: the columns that stand beside aggregates since the primary key of their
    /// table is grouped.
    ///
    /// Of a table PostgreSQL knows that (`check_functional_grouping`), of the derived table that a filter makes of it it does not.
    /// What the key determines makes no other groups. As in PostgreSQL the key has to be in every grouping set, and then
    /// what is added is, too.
    ///
    /// What PostgreSQL can't group by, such as `json`, is one of the group's values instead: all of them are the same.
    pub(super) fn complete_groups(&self) -> Completion {
        let mut completed = Completion::default();
        if self.filtered.is_empty() {
            return completed;
        }
        for node in &self.description.nodes {
            let NodeKind::Query(query) = &node.kind else { continue };
            let NodeKind::Select(select) = self.kind(query.body) else { continue };
            if select.group_by.is_empty() {
                continue;
            }
            let grouped = self.grouped(&select.group_by);
            let keyed: HashSet<NodeId> = grouped
                .iter()
                .map(|(table, _)| *table)
                .filter(|table| self.has_key_in(*table, &grouped))
                .collect();
            if keyed.is_empty() {
                continue;
            }
            // What is in some of the sets is null in the others.
            let mut known = grouped;
            known.extend(self.in_any_set(&select.group_by));
            let added = self.ungrouped(query, select, &keyed, known, &mut completed.single);
            if !added.is_empty() {
                completed.added.insert(query.body, added);
            }
        }
        completed
    }

    /// The columns that are in every grouping set.
    fn grouped(&self, items: &[NodeId]) -> HashSet<Instance> {
        items.iter().flat_map(|&item| self.grouped_by(item)).collect()
    }

    fn grouped_by(&self, item: NodeId) -> HashSet<Instance> {
        match self.kind(item) {
            NodeKind::Column { .. } => self.instances.get(&item).copied().into_iter().collect(),
            NodeKind::GroupingSet(GroupingSet { kind: GroupingSetKind::Sets, items }) => {
                let mut sets = items.iter().map(|&set| match self.kind(set) {
                    NodeKind::Row(members) => self.grouped(members),
                    _ => self.grouped_by(set),
                });
                let first = sets.next().unwrap_or_default();
                sets.fold(first, |common, set| common.intersection(&set).copied().collect())
            }
            // The others have a set of nothing.
            _ => HashSet::new(),
        }
    }

    /// The columns that are in some grouping set.
    fn in_any_set(&self, items: &[NodeId]) -> HashSet<Instance> {
        let (mut open, mut found) = (items.to_vec(), HashSet::new());
        while let Some(item) = open.pop() {
            match self.kind(item) {
                NodeKind::GroupingSet(set) => open.extend(&set.items),
                NodeKind::Row(members) => open.extend(members),
                _ => found.extend(self.instances.get(&item)),
            }
        }
        found
    }

    fn has_key_in(&self, table: NodeId, grouped: &HashSet<Instance>) -> bool {
        let Some(filtered) = self.filtered.get(&table) else { return false };
        let Some(relation) = self.context.catalog.relation_by_oid(filtered.relation) else { return false };
        let Some(key) = relation.unique_keys.iter().find(|key| key.primary && !key.deferrable) else {
            return false;
        };
        key.columns.iter().all(|name| {
            let at = relation.columns.iter().position(|column| column.name == *name);
            at.is_some_and(|at| grouped.contains(&(table, Some(at))))
        })
    }

    fn ungrouped(
        &self,
        query: &Query,
        select: &Select,
        keyed: &HashSet<NodeId>,
        mut grouped: HashSet<Instance>,
        single: &mut HashSet<NodeId>,
    ) -> Vec<NodeId> {
        let items = select.items.iter().map(|item| item.expression);
        let distinct = match &select.distinct {
            Distinct::On(expressions) => expressions.as_slice(),
            Distinct::All | Distinct::Rows => &[],
        };
        let sorted = query.order_by.iter().map(|order| order.expression);
        let mut open: Vec<(NodeId, bool)> = items
            .chain(distinct.iter().copied())
            .chain(select.having)
            .chain(sorted)
            .map(|node| (node, false))
            .collect();
        for window in select.windows.iter().map(|named| &named.window) {
            let sorted = window.order_by.iter().map(|order| order.expression);
            open.extend(window.partition_by.iter().copied().chain(sorted).map(|node| (node, false)));
        }
        open.reverse();
        let mut added = Vec::new();
        while let Some((node, in_query)) = open.pop() {
            let kind = self.kind(node);
            match kind {
                NodeKind::Column { .. } | NodeKind::WholeRow { .. } => {
                    let instance = self.instances.get(&node).filter(|(table, _)| keyed.contains(table));
                    match instance {
                        Some(instance) if grouped.contains(instance) => {}
                        Some(&instance) if self.can_be_grouped(instance) => {
                            grouped.insert(instance);
                            added.push(node);
                        }
                        Some(_) => _ = single.insert(node),
                        None => {}
                    }
                }
                // An aggregate of a subquery may take a value of the query around it, which is one of a group then.
                NodeKind::Call(call) if !in_query && call.over.is_none() && self.is_plain_aggregate(node) => {
                }
                _ => {
                    let in_query = in_query || matches!(kind, NodeKind::Query(_));
                    open.extend(kind.children().into_iter().rev().map(|child| (child, in_query)));
                }
            }
        }
        added
    }

    fn can_be_grouped(&self, (table, column): Instance) -> bool {
        let Some(filtered) = self.filtered.get(&table) else { return true };
        let Some(relation) = self.context.catalog.relation_by_oid(filtered.relation) else { return true };
        let can_be = |column: &Column| {
            let ty = self.context.catalog.type_by_oid(self.context.catalog.base_type(column.ty));
            ty.is_none_or(|ty| ty.schema != PG_CATALOG || !WITHOUT_EQUALITY.contains(&ty.name.as_str()))
        };
        match column {
            Some(column) => relation.columns.get(column).is_none_or(can_be),
            None => relation.columns.iter().all(can_be),
        }
    }

    /// An ordered-set aggregate takes direct arguments too, which are of the group.
    fn is_plain_aggregate(&self, node: NodeId) -> bool {
        let function = self.called.get(&node).and_then(|oid| self.context.catalog.function_by_oid(*oid));
        function.is_some_and(|function| function.kind == FunctionKind::Aggregate)
    }
}
