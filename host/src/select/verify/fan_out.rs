#[cfg(test)]
mod tests;

use callslip_ir::{Call, Description, NodeId, NodeKind, Order, Query, Select};

use super::join_graph::JoinGraph;
use super::leaves::Leaves;
use crate::Code;
use crate::catalog::{Catalog, FunctionKind, PG_CATALOG};
use crate::select::verified::Resolution;
use crate::select::{Finding, structure};

/// The aggregates that take a value as often as it comes and give the same.
const DUPLICATES_DONT_MATTER: &[&str] = &[
    "any_value",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "every",
    "json_object_agg_unique",
    "json_object_agg_unique_strict",
    "jsonb_object_agg",
    "jsonb_object_agg_strict",
    "jsonb_object_agg_unique",
    "jsonb_object_agg_unique_strict",
    "max",
    "min",
    "range_agg",
    "range_intersect_agg",
];

/// The aggregates that give the same when each value comes as many times as every other.
const SHARES_MATTER: &[&str] = &[
    "avg",
    "corr",
    "covar_pop",
    "cume_dist",
    "mode",
    "percent_rank",
    "percentile_cont",
    "percentile_disc",
    "regr_avgx",
    "regr_avgy",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "stddev_pop",
    "var_pop",
];

/// Warns of each aggregate whose values come more than once, because a join brings many rows for one of theirs.
///
/// A chain of joins, each to many, is what an aggregate over its last relation is for. Over one before it, and where two
/// joins to many stand side by side, every row of one is there once for each row of the other. What is not known to be so
/// is not warned of: a view, a subquery, a relation without keys, and whatever an aggregate of somebody's does.
///
/// Nor is an aggregate of what belongs to the many rows of a relation, where these are what the query is about, so that a
/// value is meant to come once for each of them, as the book of each loan:
///
/// - GROUP BY has a column of the many rows: `FROM book JOIN loan … GROUP BY loan.fine`;
/// - they alone lead from what is aggregated to what is grouped by: `FROM reader JOIN loan … JOIN book … GROUP BY reader.id`;
/// - FROM has them first, and what is aggregated is looked up from there by its key: `FROM loan JOIN book …`.
///
/// Of two joins to many side by side, both to what is aggregated or one to the many rows, it warns all the same.
pub(super) fn warnings(
    description: &Description,
    catalog: &Catalog,
    resolutions: &[Resolution],
) -> Vec<Finding> {
    let mut found = Vec::new();
    for node in &description.nodes {
        let NodeKind::Query(query) = &node.kind else { continue };
        let NodeKind::Select(select) = &description.nodes[query.body.0 as usize].kind else { continue };
        let aggregates = aggregates(description, catalog, resolutions, query, select);
        if aggregates.is_empty() {
            continue;
        }
        let Some(graph) = JoinGraph::new(description, catalog, resolutions, select) else { continue };
        for (node, call) in aggregates {
            if let Some(fan_out) = fan_out(&graph, call) {
                found.push(
                    finding(description, &graph, call, &fan_out).at(structure::place(description, node)),
                );
            }
        }
    }
    found
}

/// The aggregates of a SELECT, among them those of its HAVING and ORDER BY, that duplicates matter to; none of its
/// subqueries'.
fn aggregates<'a>(
    description: &'a Description,
    catalog: &Catalog,
    resolutions: &[Resolution],
    query: &'a Query,
    select: &'a Select,
) -> Vec<(NodeId, &'a Call)> {
    let sorted = |orders: &'a [Order]| orders.iter().map(|order| order.expression);
    let windows = select.windows.iter().map(|named| &named.window);
    let windows =
        windows.flat_map(|window| window.partition_by.iter().copied().chain(sorted(&window.order_by)));
    let items = select.items.iter().map(|item| item.expression);
    let mut open: Vec<NodeId> =
        items.chain(select.having).chain(sorted(&query.order_by)).chain(windows).collect();
    let mut found = Vec::new();
    while let Some(node) = open.pop() {
        match &description.nodes[node.0 as usize].kind {
            NodeKind::Query(_) => {}
            NodeKind::Call(call) if call.over.is_none() => match &resolutions[node.0 as usize] {
                Resolution::Object { schema, name } if is_aggregate(catalog, schema, name) => {
                    let matters = DUPLICATES_DONT_MATTER.binary_search(&name.as_str()).is_err();
                    if schema == PG_CATALOG && matters && !call.distinct {
                        found.push((node, call));
                    }
                }
                _ => open.extend(description.nodes[node.0 as usize].kind.children()),
            },
            kind => open.extend(kind.children()),
        }
    }
    found
}

/// Whether a function of that name may be an aggregate.
pub(super) fn is_aggregate(catalog: &Catalog, schema: &str, name: &str) -> bool {
    catalog
        .functions(schema, name)
        .any(|function| matches!(function.kind, FunctionKind::Aggregate | FunctionKind::OrderedSet { .. }))
}

/// How the values of an aggregate come more than once.
enum FanOut {
    /// Each row of `one` comes once for each row of `many`, which is joined to it.
    OfParent { one: usize, many: usize },
    /// Each row of `one` comes once for each row of `other`; both are joined to `parent`.
    SideBySide { one: usize, other: usize, parent: usize },
}

fn fan_out(graph: &JoinGraph<'_>, call: &Call) -> Option<FanOut> {
    let sorted = call.within_group.iter().map(|order| order.expression);
    let values: Vec<NodeId> = call.arguments.iter().map(|argument| argument.value).chain(sorted).collect();
    let ordered = call.order_by.iter().map(|order| order.expression);
    let of_call: Vec<NodeId> = values.iter().copied().chain(ordered).chain(call.filter).collect();
    let used = of_call.iter().fold(Leaves::NONE, |used, node| used | graph.mentioned(*node));
    let name = call.function.name.as_str();
    // A sum of ones and zeros counts too, and whatever else is made of constants.
    let counts = name == "count" || values.iter().all(|value| graph.valued(*value).is_empty());
    let shares_matter = SHARES_MATTER.binary_search(&name).is_ok();
    if used.is_empty() {
        // Without a column of anything it counts rows; with one of a query around, it is none of this one's.
        let counts_rows = call.star || (name == "count" && of_call.is_empty());
        return if counts_rows { side_by_side(graph, graph.may_be_many()) } else { None };
    }
    if !used.and(graph.unknown()).is_empty() {
        return None;
    }
    let fixed = graph.determined_by(Leaves::NONE);
    // In a group of one row of the parent each row comes as often as every other.
    let spared = if shares_matter { fixed } else { Leaves::NONE };
    let many = graph.may_be_many().without(graph.determined_by(used));
    // Those for each row of which the aggregate is meant to take a value.
    let mut meant = Leaves::NONE;
    for many in many.iter() {
        let apart = used.without(graph.determined_by_one(many));
        let Some(one) = apart.iter().next() else {
            // Counting the rows of the join is what a count over one is for.
            if counts || (shares_matter && used.is_within(fixed)) {
                continue;
            }
            let others = meant.without(graph.determined_by_one(many));
            let is_beside = others.iter().any(|other| !graph.determined_by_one(other).has(many));
            if !is_beside && graph.is_for_each(many, used) {
                meant = meant | Leaves::one(many);
                continue;
            }
            return used.iter().next().map(|one| FanOut::OfParent { one, many });
        };
        if let Some(fan_out) = beside(graph, one, many, spared) {
            return Some(fan_out);
        }
    }
    if counts {
        return side_by_side(graph, many);
    }
    let others = graph.may_be_many().without(graph.determined_by(used | meant));
    let mut pairs = meant.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    pairs.find_map(|(one, other)| beside(graph, one, other, spared))
}

/// Two relations that are joined side by side, but to one that is spared.
fn beside(graph: &JoinGraph<'_>, one: usize, other: usize, spared: Leaves) -> Option<FanOut> {
    let parent = graph.shared_by(one, other).filter(|parent| !spared.has(*parent))?;
    Some(FanOut::SideBySide { one, other, parent })
}

/// Two of these relations that are joined side by side.
fn side_by_side(graph: &JoinGraph<'_>, among: Leaves) -> Option<FanOut> {
    let mut pairs = among.iter().flat_map(|one| among.iter().map(move |other| (one, other)));
    pairs.find_map(|(one, other)| if one < other { beside(graph, one, other, Leaves::NONE) } else { None })
}

fn finding(description: &Description, graph: &JoinGraph<'_>, call: &Call, fan_out: &FanOut) -> Finding {
    let named = |leaf: usize| {
        let leaf = &graph.leaves[leaf];
        match leaf.relation {
            Some(relation) if relation.name != leaf.alias => format!("{} ({})", relation.name, leaf.alias),
            _ => leaf.alias.to_owned(),
        }
    };
    let call = written(description, call);
    let (message, many) = match *fan_out {
        FanOut::OfParent { one, many } => {
            let (one, many) = (named(one), named(many));
            let message =
                format!("{call} takes each row of {one} once for each row of {many} that is joined to it");
            (message, many)
        }
        FanOut::SideBySide { one, other, parent } => {
            let (one, other, parent) = (named(one), named(other), named(parent));
            let message = format!(
                "{call} takes each row of {one} once for each row of {other}: both are joined to {parent}, many rows to one, \
                 and not to one another"
            );
            (message, other)
        }
    };
    let help = format!(
        "aggregate {many} in a subquery before it is joined, or in a scalar subquery; to count, count_distinct(…) may do, \
         and exists(…) where only its being there matters"
    );
    Finding::new(Code::FanOut, message).with_help(help)
}

/// The call as its author may know it again.
fn written(description: &Description, call: &Call) -> String {
    let argument = match call.arguments.as_slice() {
        [] if call.star => "*".to_owned(),
        [argument] => match &description.nodes[argument.value.0 as usize].kind {
            NodeKind::Column { relation, name } => format!("{relation}.{name}"),
            _ => "…".to_owned(),
        },
        _ => "…".to_owned(),
    };
    format!("{}({argument})", call.function.name)
}
