use callslip_ir::{Distinct, Item, NodeId, NodeKind, Query, Select};

use super::Verifier;
use super::placement::Clause;
use super::with::RecursiveCte;
use crate::Code;
use crate::catalog::Oid;
use crate::select::scope::{Scope, ScopeColumn, ScopeRelation};
use crate::select::signature::Operand;
use crate::select::structure;

/// A column of a query's result, of which what is around the query may tell the type.
#[derive(Clone, Debug)]
pub(super) struct ResultColumn {
    pub name: Option<std::rc::Rc<str>>,
    pub operand: Operand,
    /// Where it was written: of a set operation in the first query, of VALUES in the first row.
    pub node: NodeId,
}

impl<'a> Verifier<'a> {
    /// Verifies a query and gives its columns.
    pub(super) fn query(&mut self, node: NodeId, outer: &Scope<'_>) -> Vec<ScopeColumn> {
        let columns = self.result(node, outer, None);
        ScopeColumn::of_query(self.settled(&columns), node)
    }

    /// Verifies a query, in which constants of the select list have no type yet if they have none of their own.
    pub(super) fn result(
        &mut self,
        node: NodeId,
        outer: &Scope<'_>,
        recursive: Option<RecursiveCte<'a>>,
    ) -> Vec<ResultColumn> {
        if self.has_enough() {
            return Vec::new();
        }
        let NodeKind::Query(query) = self.kind(node) else {
            self.misplaced(node, "a query");
            return Vec::new();
        };
        let before = self.ctes.len();
        let sets = self.sets_met;
        if let Some(with) = &query.with {
            self.with(node, with, outer);
        }
        let columns = self.body(query, outer, recursive);
        self.ctes.truncate(before);
        self.sets_met = sets;
        columns
    }

    /// The columns as what is not a query sees them: a constant without a type is a text.
    pub(super) fn settled(&mut self, columns: &[ResultColumn]) -> Vec<ScopeColumn> {
        let text = self.builtin("text");
        let mut settled = Vec::with_capacity(columns.len());
        for column in columns {
            let ty = match column.operand {
                Operand::Known(oid) => Some(oid),
                Operand::Untyped => {
                    self.settle(column.node, text);
                    text
                }
                Operand::Opaque => None,
            };
            settled.push(ScopeColumn::made(column.name.clone(), ty));
        }
        settled
    }

    fn body(
        &mut self,
        query: &'a Query,
        outer: &Scope<'_>,
        recursive: Option<RecursiveCte<'a>>,
    ) -> Vec<ResultColumn> {
        let windows = self.windows.len();
        let queries = self.begin_query(query.body, outer);
        let (columns, relations) = match self.kind(query.body) {
            NodeKind::Select(select) => self.select(query.body, select, outer),
            NodeKind::SetOperation(operation) => {
                (self.set_operation(query.body, operation, outer, recursive), Vec::new())
            }
            NodeKind::Values(values) => (self.values(query.body, values, outer), Vec::new()),
            _ => {
                self.misplaced(query.body, "the body of a query");
                (Vec::new(), Vec::new())
            }
        };
        let scope = Scope { relations: &relations, outer: Some(outer) };
        self.enter(Clause::Results);
        for order in &query.order_by {
            self.order_of_query(query, order, &columns, &scope);
        }
        self.windows.truncate(windows);
        if let NodeKind::Select(select) = self.kind(query.body) {
            self.distinct(query, select);
        }
        self.enter(Clause::Limit);
        // They see no relation of their own query.
        self.limit(query, &Scope { relations: &[], outer: Some(outer) });
        self.queries.truncate(queries);
        columns
    }

    fn select(
        &mut self,
        node: NodeId,
        select: &'a Select,
        outer: &Scope<'_>,
    ) -> (Vec<ResultColumn>, Vec<ScopeRelation>) {
        // Only DISTINCT ON, the select list and ORDER BY see the windows; nothing before them sees those of a query around.
        self.windows.push(Vec::new());
        let mut relations: Vec<ScopeRelation> = Vec::new();
        for &from in &select.from {
            let found = self.relation(from, &relations, outer).relations;
            self.add_relations(from, &mut relations, found);
        }
        let scope = Scope { relations: &relations, outer: Some(outer) };
        if select.items.is_empty() {
            self.report(node, Code::InvalidStructure, "the select list is empty");
        }
        if select.items.len() > self.context.limits.columns {
            let message = format!("the select list has {} columns", select.items.len());
            self.report(node, Code::DescriptionTooLarge, message);
        }
        if let Some(condition) = select.filter {
            self.enter(Clause::Where);
            self.condition(condition, &scope);
        }
        self.enter(Clause::GroupBy);
        self.group_by(node, select, &scope);
        let windows = self.window_clause(node, &select.windows, &scope);
        if let Some(condition) = select.having {
            self.enter(Clause::Having);
            self.condition(condition, &scope);
        }
        self.windows.pop();
        self.windows.push(windows);
        self.enter(Clause::Results);
        if let Distinct::On(expressions) = &select.distinct {
            for &expression in expressions {
                self.value(expression, &scope);
            }
        }
        let columns = select.items.iter().map(|item| self.item(item, &scope)).collect();
        (columns, relations)
    }

    fn item(&mut self, item: &'a Item, scope: &Scope<'_>) -> ResultColumn {
        let operand = self.expression(item.expression, scope);
        if let Some(alias) = &item.alias {
            self.check_name(item.expression, "alias", alias);
        }
        let name = structure::item_name(self.description, item).map(Into::into);
        ResultColumn { name, operand, node: item.expression }
    }

    /// Gives the first columns new names.
    pub(super) fn rename(
        &mut self,
        node: NodeId,
        mut columns: Vec<ScopeColumn>,
        names: &[String],
    ) -> Vec<ScopeColumn> {
        if names.len() > columns.len() {
            let message = format!("{} column aliases for {} columns", names.len(), columns.len());
            self.report(node, Code::InvalidStructure, message);
        }
        for (column, name) in columns.iter_mut().zip(names) {
            self.check_name(node, "column alias", name);
            column.name = Some(name.as_str().into());
        }
        columns
    }

    /// An expression whose value is used as it is; an untyped constant becomes text.
    pub(super) fn value(&mut self, node: NodeId, scope: &Scope<'_>) -> Option<Oid> {
        match self.expression(node, scope) {
            Operand::Known(oid) => Some(oid),
            Operand::Untyped => {
                let text = self.builtin("text");
                self.settle(node, text);
                text
            }
            Operand::Opaque => None,
        }
    }

    /// An expression that must be a boolean.
    pub(super) fn condition(&mut self, node: NodeId, scope: &Scope<'_>) {
        let bool = self.builtin("bool");
        let sets = self.sets_met;
        let condition = self.expression(node, scope);
        self.no_set_since(sets, node, "a condition");
        match condition {
            Operand::Untyped => self.settle(node, bool),
            Operand::Known(oid) if Some(self.context.catalog.base_type(oid)) != bool => {
                let found = self.shown_type(oid);
                self.report(
                    node,
                    Code::UnknownOperator,
                    format!("a condition must be bool, and this is {found}"),
                );
            }
            Operand::Known(_) => {}
            Operand::Opaque => self.coerced(node, Operand::Opaque, bool),
        }
    }
}
