//! What of a statement may tell of rows that a filter hides, if it is evaluated before the filter.
//!
//! A function tells of its arguments by an error, by a message, or by what it does; that one does not is what PostgreSQL
//! calls leakproof (`proleakproof`). Where a filter is a plain condition of a derived table, PostgreSQL pulls that up into the
//! query around it (`pull_up_subqueries`) and evaluates all conditions of a scan in the order of their cost
//! (`order_qual_clauses`), so that a cheap condition of the plugin's comes first. Then only leakproof functions may be in whatever can
//! become a condition of the scan:
//!
//! - WHERE and ON; HAVING, of which PostgreSQL moves what has no aggregate to WHERE (`subquery_planner`);
//! - the select lists of subqueries and CTEs, whose expressions replace the columns that conditions outside of them name, and all
//!   else in them. A function in FROM that reads columns is in the way of a subquery too;
//! - what follows from equalities: of `f(u.x) = v.y AND v.y = t.z` PostgreSQL makes `f(u.x) = t.z`, and gives a join's value as a
//!   parameter to a scan (`generate_implied_equalities`). So an equality that is not leakproof counts for every relation, and
//!   so does what PostgreSQL may make one of;
//! - what is sorted and grouped by: an index that gives its entries by distance computes that for entries of hidden rows
//!   (`match_pathkeys_to_index`), and a sort may come before joins (`generate_useful_gather_paths`);
//! - the arguments of `min` and its like, of which an index's first entry `IS NOT NULL` is looked for
//!   (`build_minmax_path`), and those that an aggregate sorts its rows by, for the reason above.
//!
//! What else stands in the select list of the statement itself is evaluated above all scans and joins
//! (`apply_scanjoin_target_to_paths`), and there, too, the arguments of other aggregates and of window functions are.
//!
//! An expression without columns does not matter by what it is given, and yet by whether it is evaluated: of
//! `secret = 'x' AND 1 / $1 = id` the division fails where a hidden row has the secret. So whatever stands in one condition is
//! judged as one: if anything in it is not leakproof, it counts for each relation that it names, whether beside that or below it.
//! Conditions that AND joins are judged apart: one that names no column of a relation is not among those of its scan.
//!
//! A filter that asks another table, as with EXISTS or IN, may become a join, and joins of the plugin's come before it
//! (`pull_up_sublinks`). What these evaluate then, be it over other tables or over none, tells of hidden rows by being
//! evaluated at all. So there is a barrier before such a filter wherever anything may tell anything below the outermost select list.
//!
//! The planner calls operators too, to estimate how many rows they leave: on the most common values of a column, hidden ones
//! among them (`statistic_proc_security_check`; it may where the login may read the table). Of leakproof ones that tells
//! nothing. Of others it would, and a subquery behind OFFSET 0 does not keep it from the columns below
//! (`examine_simple_variable`), but one of UNION ALL does: that is what a barrier is printed as.
//!
//! A view is pulled up with its own expressions in the place of its columns, a virtual column likewise, and a foreign
//! server does what it does: over these there is always a barrier.

use std::collections::HashSet;

use callslip_ir::{
    AccessStep, BooleanOperator, Bound, Call, Distinct, IsTest, JoinCondition, NodeId, NodeKind, Over, Query,
    Select, Special, SpecialForm, Subexpression, Window,
};

use super::Verifier;
use crate::catalog::{CastContext, FunctionKind, Generated, Oid, PG_CATALOG, RelationKind, TypeKind};
use crate::select::signature::{self, Operand, Pathway};

/// The functions that can't fail and show nothing, and are not marked as leakproof.
const HARMLESS: &[&str] = &["count", "now", "statement_timestamp", "transaction_timestamp"];

/// The aggregates whose rows are never looked for in an index, or sorted: those of values that no condition is made of.
const UNSORTED: &[&str] = &[
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "count",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_object_agg",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// Over which relations something that is not leakproof is said.
#[derive(Debug, Default)]
struct Leaky {
    /// There is something, be it over no filtered relation.
    anything: bool,
    everything: bool,
    relations: HashSet<Oid>,
}

/// What the columns in a part of a statement are of.
#[derive(Clone, Debug, Default)]
struct Touched {
    /// There are some of which it is not known.
    unknown: bool,
    /// The filtered relations.
    relations: HashSet<Oid>,
}

impl Verifier<'_> {
    /// Remembers that a function is run for what stands at this node.
    pub(super) fn runs(&mut self, node: NodeId, function: Option<Oid>) {
        self.run.extend(function);
        let function = function.and_then(|oid| self.context.catalog.function_by_oid(oid));
        let of_postgres = function.is_some_and(|function| function.schema == PG_CATALOG);
        let is_safe = function.is_some_and(|function| {
            function.leakproof || of_postgres && HARMLESS.contains(&function.name.as_str())
        });
        if !is_safe {
            self.leaky.insert(node);
        }
        if !of_postgres {
            self.foreign.insert(node);
        }
    }

    /// Remembers that a value is converted there.
    pub(super) fn converts(&mut self, node: NodeId, from: Operand, to: Option<Oid>) {
        let catalog = self.context.catalog;
        let (from, to) = match (from, to) {
            (Operand::Untyped, _) => return,
            (Operand::Known(from), Some(to)) if from == to => return,
            (Operand::Known(from), Some(to)) => (from, to),
            _ => {
                self.leaky.insert(node);
                return;
            }
        };
        // The checks of a domain are functions of somebody's.
        let has_checks = matches!(catalog.type_by_oid(to).map(|ty| &ty.kind), Some(TypeKind::Domain { .. }));
        match signature::pathway(catalog, from, to, CastContext::Explicit) {
            Some(Pathway::Relabel) if !has_checks => {}
            Some(Pathway::Cast(cast)) if cast.binary && !has_checks => {}
            Some(Pathway::Cast(cast)) => {
                self.runs(node, cast.function);
                if has_checks {
                    self.leaky.insert(node);
                }
            }
            Some(Pathway::Elements(Some(cast))) => {
                self.runs(node, cast.function);
                self.leaky.insert(node);
            }
            _ => _ = self.leaky.insert(node),
        }
    }

    /// Says of each filtered relation whether the filter needs a barrier.
    pub(super) fn raise_barriers(&mut self) {
        if self.filtered.is_empty() {
            return;
        }
        let leaky = Leaks::new(self).find();
        let catalog = self.context.catalog;
        for filtered in self.filtered.values_mut() {
            let kind = catalog.relation_by_oid(filtered.relation).map(|relation| relation.kind);
            let is_stored = matches!(
                kind,
                Some(RelationKind::Table | RelationKind::PartitionedTable | RelationKind::MaterializedView)
            );
            filtered.barrier = !is_stored
                || leaky.everything
                || leaky.relations.contains(&filtered.relation)
                || leaky.anything && filtered.filter.asks_others();
        }
    }
}

struct Leaks<'v, 'a> {
    verifier: &'v Verifier<'a>,
    /// What is evaluated above all scans.
    above: HashSet<NodeId>,
    found: Leaky,
}

impl<'v, 'a> Leaks<'v, 'a> {
    fn new(verifier: &'v Verifier<'a>) -> Self {
        Self { verifier, above: HashSet::new(), found: Leaky::default() }
    }

    fn kind(&self, node: NodeId) -> &'a NodeKind {
        self.verifier.kind(node)
    }

    fn find(mut self) -> Leaky {
        let nodes = &self.verifier.description.nodes;
        let root = NodeId(nodes.len() as u32 - 1);
        let outermost = match self.kind(root) {
            NodeKind::Query(query) => {
                if let NodeKind::Select(select) = self.kind(query.body) {
                    self.outermost(query, select);
                }
                query.body
            }
            _ => root,
        };
        for (index, node) in nodes.iter().enumerate() {
            let at = NodeId(index as u32);
            match &node.kind {
                NodeKind::Select(select) => self.select(select, at == outermost),
                NodeKind::Query(query) => self.query(query, at == root),
                NodeKind::Join(join) => match &join.condition {
                    JoinCondition::On(condition) => self.conditions(*condition),
                    // It compares columns that are no nodes.
                    JoinCondition::Using { .. } | JoinCondition::Natural
                        if self.verifier.leaky.contains(&at) =>
                    {
                        self.found.anything = true;
                        self.found.everything = true;
                    }
                    _ => {}
                },
                NodeKind::Functions(functions) => {
                    functions.calls.iter().for_each(|its| self.lateral(its.call))
                }
                NodeKind::JsonTable(_) => self.lateral(at),
                NodeKind::Values(values) => values.rows.iter().flatten().for_each(|its| self.anywhere(*its)),
                NodeKind::Table(table) => {
                    if let Some(sample) = &table.sample {
                        self.found.anything = true;
                        sample.arguments.iter().chain(&sample.seed).for_each(|its| self.counted(*its));
                    }
                }
                _ => {}
            }
        }
        self.found
    }

    /// Takes note of what of the statement's own SELECT is evaluated above all scans.
    fn outermost(&mut self, query: &'a Query, select: &'a Select) {
        let sorted = |name: &str| {
            query
                .order_by
                .iter()
                .any(|order| matches!(self.kind(order.expression), NodeKind::OutputName(its) if its == name))
        };
        let name = |item| crate::select::structure::item_name(self.verifier.description, item);
        let plain: Vec<NodeId> = match select.distinct {
            Distinct::All => {
                let items = select.items.iter().filter(|item| !name(item).is_some_and(sorted));
                items.map(|item| item.expression).collect()
            }
            Distinct::Rows | Distinct::On(_) => Vec::new(),
        };
        plain.into_iter().for_each(|item| self.lift(item, true));
        let items = select.items.iter().map(|item| item.expression);
        let others: Vec<NodeId> =
            items.chain(select.having).chain(query.order_by.iter().map(|order| order.expression)).collect();
        others.into_iter().for_each(|other| self.lift(other, false));
    }

    /// Takes note of what of an expression is evaluated above: all of it, or what is in aggregates. No query within it is.
    fn lift(&mut self, node: NodeId, whole: bool) {
        let kind = self.kind(node);
        match kind {
            NodeKind::Query(_) => return,
            NodeKind::Call(call) => return self.lift_call(node, call, whole),
            _ => {}
        }
        if whole {
            self.above.insert(node);
        }
        kind.children().into_iter().for_each(|child| self.lift(child, whole));
    }

    fn lift_call(&mut self, node: NodeId, call: &'a Call, whole: bool) {
        let function = self
            .verifier
            .called
            .get(&node)
            .and_then(|oid| self.verifier.context.catalog.function_by_oid(*oid));
        let is_aggregate = function.is_none_or(|its| its.kind != FunctionKind::Function);
        let arguments = call.arguments.iter().map(|argument| argument.value);
        if !is_aggregate || call.over.is_some() {
            if whole {
                self.above.insert(node);
            }
            return arguments.chain(call.filter).for_each(|child| self.lift(child, whole));
        }
        self.above.insert(node);
        let is_unsorted = function
            .is_some_and(|its| its.schema == PG_CATALOG && UNSORTED.contains(&its.name.as_str()))
            && !call.distinct
            && call.order_by.is_empty()
            && call.within_group.is_empty();
        if is_unsorted {
            arguments.chain(call.filter).for_each(|child| self.lift(child, true));
        }
    }

    fn select(&mut self, select: &'a Select, is_outermost: bool) {
        select.filter.into_iter().chain(select.having).for_each(|condition| self.conditions(condition));
        let items = select.items.iter().map(|item| item.expression);
        let distinct = match &select.distinct {
            Distinct::On(expressions) => expressions.as_slice(),
            Distinct::All | Distinct::Rows => &[],
        };
        let sorted: Vec<NodeId> =
            items.chain(distinct.iter().copied()).chain(select.group_by.iter().copied()).collect();
        for node in sorted {
            if is_outermost { self.counted(node) } else { self.anywhere(node) }
        }
        for window in select.windows.iter().map(|named| &named.window) {
            self.window(window, is_outermost);
        }
    }

    fn query(&mut self, query: &'a Query, is_outermost: bool) {
        query.order_by.iter().for_each(|order| self.counted(order.expression));
        let counts = query.limit.iter().map(|limit| limit.count).chain(query.offset);
        counts.for_each(|count| self.bounded(count, is_outermost));
        let ctes = query.with.iter().flat_map(|with| &with.ctes);
        if ctes.into_iter().any(|cte| cte.search.is_some() || cte.cycle.is_some()) {
            self.found.anything = true;
            self.found.everything = true;
        }
    }

    fn window(&mut self, window: &'a Window, is_outermost: bool) {
        let sorted = window.order_by.iter().map(|order| order.expression);
        for node in window.partition_by.iter().copied().chain(sorted) {
            if is_outermost { self.counted(node) } else { self.anywhere(node) }
        }
        let bounds = window.frame.iter().flat_map(|frame| std::iter::once(&frame.start).chain(&frame.end));
        for bound in bounds {
            if let Bound::Preceding(offset) | Bound::Following(offset) = bound {
                self.bounded(*offset, is_outermost);
            }
        }
    }

    /// A number that must not be negative: if it is made of columns, it tells of them.
    fn bounded(&mut self, node: NodeId, is_outermost: bool) {
        self.found.anything |= !is_outermost;
        self.counted(node);
        let touched = self.touched(node);
        self.add(touched);
    }

    /// Conditions that AND joins, each by itself.
    fn conditions(&mut self, condition: NodeId) {
        let mut open = vec![condition];
        while let Some(node) = open.pop() {
            match self.kind(node) {
                NodeKind::Boolean(boolean) if boolean.operator == BooleanOperator::And => {
                    open.extend(boolean.operands.iter().copied());
                }
                // PostgreSQL makes others of it.
                _ if self.may_equal(node) => self.anywhere(node),
                _ => self.counted(node),
            }
        }
    }

    /// Whether PostgreSQL may make an equality of a condition, or of a part of it. It turns around what NOT stands before
    /// (`negate_clause`), takes out of OR what all its sides have (`find_duplicate_ors`), simplifies CASE and what is compared with a
    /// boolean, and puts functions that are written in SQL in the place of their calls.
    fn may_equal(&self, node: NodeId) -> bool {
        let is_equality = |name: &str| matches!(name, "=" | "<>");
        match self.kind(node) {
            NodeKind::Boolean(boolean) => boolean.operands.iter().any(|its| self.may_equal(*its)),
            NodeKind::Operation(operation) => {
                is_equality(&operation.operator.name) || self.verifier.foreign.contains(&node)
            }
            NodeKind::Call(_) => self.verifier.foreign.contains(&node),
            NodeKind::Is(is) => match is.test {
                IsTest::Null | IsTest::Json { .. } => false,
                IsTest::True | IsTest::False | IsTest::Unknown => self.may_equal(is.value),
            },
            NodeKind::Special(special) => !matches!(
                special.form,
                SpecialForm::Between { .. }
                    | SpecialForm::LikeEscape { .. }
                    | SpecialForm::SimilarTo { .. }
                    | SpecialForm::Overlaps
            ),
            NodeKind::Subexpression(
                Subexpression::Quantified { operator, .. } | Subexpression::QuantifiedArray { operator, .. },
            ) => is_equality(&operator.name) || self.verifier.foreign.contains(&node),
            NodeKind::Subexpression(Subexpression::Exists(_)) => false,
            _ => true,
        }
    }

    /// An expression that is evaluated where the columns in it are.
    fn counted(&mut self, node: NodeId) {
        if self.leaks(node) {
            self.found.anything = true;
            let touched = self.touched(node);
            self.add(touched);
        }
    }

    /// A function in FROM: what is made of no column is made beside the scans.
    fn lateral(&mut self, node: NodeId) {
        let touched = self.touched(node);
        if touched.unknown || !touched.relations.is_empty() {
            self.anywhere(node);
        }
        self.found.anything |= self.leaks(node);
    }

    /// An expression that may end up anywhere.
    fn anywhere(&mut self, node: NodeId) {
        if self.leaks(node) {
            self.found.anything = true;
            self.found.everything = true;
        }
    }

    fn add(&mut self, touched: Touched) {
        self.found.everything |= touched.unknown;
        self.found.relations.extend(touched.relations);
    }

    /// Whether anything in an expression may tell of what it is given.
    fn leaks(&mut self, node: NodeId) -> bool {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if !self.above.contains(&node) && self.may_leak(node) {
                return true;
            }
            let kind = self.kind(node);
            if let NodeKind::Call(Call { over: Some(Over::Window(window)), .. }) = kind {
                // Its frame is judged too, wherever the call stands.
                self.window(window, true);
            }
            open.extend(kind.children());
        }
        false
    }

    fn may_leak(&self, node: NodeId) -> bool {
        if self.verifier.leaky.contains(&node) {
            return true;
        }
        match self.kind(node) {
            NodeKind::Column { .. } | NodeKind::WholeRow { .. } => self.is_virtual(node),
            NodeKind::Cast(cast) => !cast.ty.modifiers.is_empty(),
            NodeKind::Access(access) => !matches!(access.step, AccessStep::Field(_)),
            NodeKind::Is(is) => matches!(is.test, IsTest::Json { .. }),
            // More than one row of a scalar subquery is an error.
            NodeKind::Subexpression(Subexpression::Scalar(_)) => true,
            NodeKind::Special(Special { form, .. }) => matches!(
                form,
                SpecialForm::Greatest
                    | SpecialForm::Least
                    | SpecialForm::Extract { .. }
                    | SpecialForm::AtTimeZone
                    | SpecialForm::Overlaps
                    | SpecialForm::LikeEscape { .. }
                    | SpecialForm::SimilarTo { .. }
            ),
            NodeKind::SqlJson(_) | NodeKind::JsonTable(_) | NodeKind::JsonTableColumn(_) => true,
            _ => false,
        }
    }

    /// Whether a column is computed when it is read.
    fn is_virtual(&self, node: NodeId) -> bool {
        let Some(&(table, column)) = self.verifier.instances.get(&node) else { return false };
        let Some(filtered) = self.verifier.filtered.get(&table) else { return false };
        let columns =
            self.verifier.context.catalog.relation_by_oid(filtered.relation).map(|its| &its.columns);
        let is_virtual = |index: usize| {
            columns.and_then(|its| its.get(index)).is_none_or(|its| its.generated == Some(Generated::Virtual))
        };
        match column {
            Some(column) => is_virtual(column),
            None => columns.is_none_or(|its| (0..its.len()).any(is_virtual)),
        }
    }

    fn touched(&self, node: NodeId) -> Touched {
        let mut touched = Touched::default();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            let kind = self.kind(node);
            if matches!(kind, NodeKind::Column { .. } | NodeKind::WholeRow { .. } | NodeKind::OutputName(_)) {
                match self.verifier.instances.get(&node) {
                    Some((table, _)) => {
                        touched.relations.extend(self.verifier.filtered.get(table).map(|its| its.relation));
                    }
                    None if self.verifier.unfiltered.contains(&node) => {}
                    None => touched.unknown = true,
                }
            }
            open.extend(kind.children());
        }
        touched
    }
}
