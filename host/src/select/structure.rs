use callslip_ir::{AccessStep, Cte, Description, Item, JoinCondition, NodeId, NodeKind};

use super::{Finding, Limits, SourcePlace};
use crate::Code;
use crate::printable::printable;

/// Checks what no reader may rely on before: that every node refers only to earlier ones, that each but the last
/// is used exactly once, and that counts and depth are within the limits. It takes one pass and no recursion.
pub(super) fn check(description: &Description, limits: &Limits) -> Result<(), Finding> {
    let nodes = &description.nodes;
    let too_large = |what: &str, actual: usize, limit: usize| {
        Finding::new(
            Code::DescriptionTooLarge,
            format!("the description has {actual} {what}; the limit is {limit}"),
        )
    };
    if nodes.len() > limits.nodes {
        return Err(too_large("nodes", nodes.len(), limits.nodes));
    }
    let parts = nodes.len() + nodes.iter().map(|node| names(&node.kind)).sum::<usize>();
    if parts > limits.nodes {
        return Err(too_large("nodes and names", parts, limits.nodes));
    }
    if description.slots.len() > limits.slots {
        return Err(too_large("slots", description.slots.len(), limits.slots));
    }
    if !matches!(nodes.last().map(|node| &node.kind), Some(NodeKind::Query(_))) {
        return Err(Finding::new(Code::InvalidStructure, "the last node of the description is not a query"));
    }
    let mut depths = vec![0_usize; nodes.len()];
    let mut used = vec![false; nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        let invalid = |message: String| {
            Finding::new(Code::InvalidStructure, message).at(place(description, NodeId(index as u32)))
        };
        for child in node.kind.children() {
            let child = child.0 as usize;
            if child >= index {
                return Err(invalid(format!("node {index} refers to node {child}, which is not before it")));
            }
            if std::mem::replace(&mut used[child], true) {
                return Err(invalid(format!("node {child} is used more than once")));
            }
            depths[index] = depths[index].max(depths[child] + 1);
        }
        if depths[index] > limits.depth {
            return Err(Finding::new(
                Code::DescriptionTooLarge,
                format!("the description nests deeper than {} levels", limits.depth),
            )
            .at(place(description, NodeId(index as u32))));
        }
        if let NodeKind::Parameter(slot) = node.kind
            && slot.0 as usize >= description.slots.len()
        {
            return Err(invalid(format!("node {index} names slot {}, which is not declared", slot.0)));
        }
    }
    match used.iter().rev().skip(1).position(|used| !used) {
        Some(from_end) => {
            let index = nodes.len() - 2 - from_end;
            Err(Finding::new(Code::InvalidStructure, format!("node {index} is never used"))
                .at(place(description, NodeId(index as u32))))
        }
        None => Ok(()),
    }
}

/// What a node holds beside other nodes, and as many of as it likes.
fn names(kind: &NodeKind) -> usize {
    match kind {
        NodeKind::Query(query) => query.with.iter().flat_map(|with| &with.ctes).map(names_of_cte).sum(),
        NodeKind::Select(select) => select.windows.len(),
        NodeKind::Table(table) => table.columns.len(),
        NodeKind::Subquery(subquery) => subquery.columns.len(),
        NodeKind::Functions(functions) => {
            let defined: usize = functions.calls.iter().map(|function| function.columns.len()).sum();
            functions.columns.len() + defined
        }
        NodeKind::Join(join) => {
            let using = match &join.condition {
                JoinCondition::Using { columns, .. } => columns.len(),
                JoinCondition::None | JoinCondition::On(_) | JoinCondition::Natural => 0,
            };
            join.columns.len() + using
        }
        NodeKind::JsonTable(table) => table.column_aliases.len(),
        _ => 0,
    }
}

fn names_of_cte(cte: &Cte) -> usize {
    let search = cte.search.as_ref().map_or(0, |search| search.by.len());
    let cycle = cte.cycle.as_ref().map_or(0, |cycle| cycle.columns.len());
    1 + cte.columns.len() + search + cycle
}

/// The name of a column of VALUES, from 0.
pub(super) fn values_name(index: usize) -> String {
    format!("column{}", index + 1)
}

/// The names of a CTE's columns, but for those that SEARCH and CYCLE add.
pub(super) fn cte_columns(description: &Description, cte: &Cte) -> Vec<Option<String>> {
    let mut names = query_columns(description, cte.query);
    for (name, new) in names.iter_mut().zip(&cte.columns) {
        *name = Some(new.clone());
    }
    names
}

/// The names of a query's columns. A set operation has those of its left side.
fn query_columns(description: &Description, mut query: NodeId) -> Vec<Option<String>> {
    let kind = |node: NodeId| description.nodes.get(node.0 as usize).map(|node| &node.kind);
    while let Some(NodeKind::Query(its)) = kind(query) {
        match kind(its.body) {
            Some(NodeKind::SetOperation(operation)) => query = operation.left,
            Some(NodeKind::Select(select)) => {
                let name = |item| item_name(description, item).map(str::to_owned);
                return select.items.iter().map(name).collect();
            }
            Some(NodeKind::Values(values)) => {
                let width = values.rows.first().map_or(0, Vec::len);
                return (0..width).map(|index| Some(values_name(index))).collect();
            }
            _ => break,
        }
    }
    Vec::new()
}

/// The name of a column of a select list: its alias, and without one the name that PostgreSQL gives it where an author
/// would expect one.
pub(super) fn item_name<'a>(description: &'a Description, item: &'a Item) -> Option<&'a str> {
    if let Some(alias) = &item.alias {
        return Some(alias);
    }
    let mut node = item.expression;
    loop {
        match &description.nodes[node.0 as usize].kind {
            NodeKind::Column { name, .. } => return Some(name),
            NodeKind::WholeRow { relation } => return Some(relation),
            NodeKind::Call(call) => return Some(&call.function.name),
            NodeKind::Access(access) => match &access.step {
                AccessStep::Field(name) => return Some(name),
                AccessStep::Index(_) | AccessStep::Slice { .. } => node = access.value,
            },
            NodeKind::Cast(cast) => node = cast.value,
            NodeKind::Collate(collate) => node = collate.value,
            _ => return None,
        }
    }
}

/// Where the author wrote a node.
pub(super) fn place(description: &Description, node: NodeId) -> Option<SourcePlace> {
    let place = description.nodes.get(node.0 as usize)?.place?;
    let file = description.files.get(place.file as usize)?;
    // A file's name is the plugin's own text and ends up in logs and on terminals.
    Some(SourcePlace { file: printable(file, 200), line: place.line, column: place.column })
}

#[cfg(test)]
mod tests {
    use callslip_ir::{Boolean, BooleanOperator, Node, Query, SlotId};

    use super::*;

    fn description(kinds: Vec<NodeKind>) -> Description {
        let nodes = kinds.into_iter().map(|kind| Node { kind, place: None }).collect();
        Description { slots: Vec::new(), files: Vec::new(), nodes }
    }

    fn query(body: u32) -> NodeKind {
        NodeKind::Query(Query { with: None, body: NodeId(body), order_by: vec![], limit: None, offset: None })
    }

    fn not(operand: u32) -> NodeKind {
        NodeKind::Boolean(Boolean { operator: BooleanOperator::Not, operands: vec![NodeId(operand)] })
    }

    fn message(kinds: Vec<NodeKind>) -> String {
        check(&description(kinds), &Limits::default())
            .map_or_else(|finding| finding.message, |()| "fine".to_owned())
    }

    #[test]
    fn only_trees_in_post_order_are_accepted() {
        assert_eq!(message(vec![]), "the last node of the description is not a query");
        assert_eq!(message(vec![NodeKind::Row(vec![]), query(0)]), "fine");
        assert_eq!(
            message(vec![NodeKind::Row(vec![]), query(1)]),
            "node 1 refers to node 1, which is not before it"
        );
        assert_eq!(
            message(vec![query(4_000_000_000)]),
            "node 0 refers to node 4000000000, which is not before it"
        );
        assert_eq!(
            message(vec![NodeKind::Row(vec![]), NodeKind::Row(vec![]), query(1)]),
            "node 0 is never used"
        );
        let shared = NodeKind::Row(vec![NodeId(0), NodeId(0)]);
        assert_eq!(message(vec![NodeKind::Row(vec![]), shared, query(1)]), "node 0 is used more than once");
        let slot = NodeKind::Parameter(SlotId(7));
        assert_eq!(message(vec![slot, query(0)]), "node 0 names slot 7, which is not declared");
    }

    #[test]
    fn a_deep_a_large_and_an_exploding_description_are_refused_at_once() {
        let started = std::time::Instant::now();
        let deep = std::iter::once(NodeKind::Row(vec![])).chain((0..4_000).map(not)).chain([query(4_000)]);
        assert_eq!(message(deep.collect()), "the description nests deeper than 100 levels");
        let large = (0..100_000).map(|_| NodeKind::Row(vec![]));
        assert_eq!(message(large.collect()), "the description has 100000 nodes; the limit is 5000");
        let exploding = (1..64).map(|i| NodeKind::Row(vec![NodeId(i - 1), NodeId(i - 1)]));
        let exploding = std::iter::once(NodeKind::Row(vec![])).chain(exploding).chain([query(63)]);
        assert_eq!(message(exploding.collect()), "node 0 is used more than once");
        assert!(
            started.elapsed().as_secs() < 5,
            "refusing must not depend on what a description would expand to"
        );
    }
}
