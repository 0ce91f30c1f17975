use callslip_ir::{Bound, Distinct, FrameMode, Item, NodeId, NodeKind, Order, Query, Select, Window};

use super::Verifier;
use crate::Code;
use crate::catalog::Oid;
use crate::nearest::nearest;
use crate::select::Finding;
use crate::select::scope::{Scope, ScopeColumn, ScopeCte, ScopeRelation};
use crate::select::signature::Operand;
use crate::select::structure;

impl<'a> Verifier<'a> {
    /// Verifies a query and gives its columns.
    pub(super) fn query(&mut self, node: NodeId, outer: &Scope<'_>) -> Vec<ScopeColumn> {
        if self.has_enough() {
            return Vec::new();
        }
        let NodeKind::Query(query) = self.kind(node) else {
            self.misplaced(node, "a query");
            return Vec::new();
        };
        let ctes_of_query = query.with.as_ref().map_or(&[][..], |with| &with.ctes);
        if query.with.as_ref().is_some_and(|with| with.recursive) {
            self.not_supported(node, "WITH RECURSIVE");
            return Vec::new();
        }
        for (index, cte) in ctes_of_query.iter().enumerate() {
            if ctes_of_query[..index].iter().any(|earlier| earlier.name == cte.name) {
                self.report(cte.query, Code::DuplicateAlias, format!("two CTEs are named \"{}\"", cte.name));
            }
        }
        let before = self.ctes.len();
        for cte in ctes_of_query {
            self.check_name(cte.query, "name of a CTE", &cte.name);
            if cte.search.is_some() || cte.cycle.is_some() {
                self.not_supported(cte.query, "SEARCH and CYCLE");
            }
            // Each sees those before it.
            let columns = self.query(cte.query, outer);
            let columns = self.rename(cte.query, columns, &cte.columns);
            self.ctes.push(ScopeCte { name: &cte.name, columns: columns.into() });
        }
        let columns = self.body(query, outer);
        self.ctes.truncate(before);
        columns
    }

    fn body(&mut self, query: &'a Query, outer: &Scope<'_>) -> Vec<ScopeColumn> {
        let windows = self.windows.len();
        let (columns, relations) = match self.kind(query.body) {
            NodeKind::Select(select) => self.select(query.body, select, outer),
            NodeKind::SetOperation(_) => {
                self.not_supported(query.body, "a set operation");
                (Vec::new(), Vec::new())
            }
            NodeKind::Values(_) => {
                self.not_supported(query.body, "VALUES");
                (Vec::new(), Vec::new())
            }
            _ => {
                self.misplaced(query.body, "the body of a query");
                (Vec::new(), Vec::new())
            }
        };
        let scope = Scope { relations: &relations, outer: Some(outer) };
        for order in &query.order_by {
            if let NodeKind::OutputName(name) = self.kind(order.expression) {
                self.output_name(order.expression, name, &columns);
            } else {
                self.value(order.expression, &scope);
            }
            self.order_direction(order);
        }
        self.windows.truncate(windows);
        if let Some(limit) = &query.limit {
            if limit.with_ties {
                self.not_supported(limit.count, "FETCH FIRST … WITH TIES");
            }
            self.count(limit.count, outer);
        }
        if let Some(offset) = query.offset {
            self.count(offset, outer);
        }
        columns
    }

    /// LIMIT and OFFSET see no relation of their own query.
    fn count(&mut self, node: NodeId, outer: &Scope<'_>) {
        let int8 = self.builtin("int8");
        match self.expression(node, outer) {
            Operand::Untyped => self.settle(node, int8),
            operand => self.coerced(node, operand, int8),
        }
    }

    fn output_name(&mut self, node: NodeId, name: &str, columns: &[ScopeColumn]) {
        if self.has_enough() {
            return;
        }
        let mut names = columns.iter().filter_map(|column| column.name.as_deref());
        if names.clone().any(|its| its == name) {
            return;
        }
        let message = format!("the select list has no column named \"{name}\"");
        let nearest = nearest(name, &mut names);
        let finding = Finding::new(Code::UnknownOutputName, message);
        self.find(
            node,
            match nearest {
                Some(nearest) => finding.with_help(format!("did you mean \"{nearest}\"?")),
                None => finding,
            },
        );
    }

    pub(super) fn order_direction(&mut self, order: &Order) {
        if let callslip_ir::Direction::Using(_) = order.direction {
            self.not_supported(order.expression, "ORDER BY … USING");
        }
    }

    fn select(
        &mut self,
        node: NodeId,
        select: &'a Select,
        outer: &Scope<'_>,
    ) -> (Vec<ScopeColumn>, Vec<ScopeRelation>) {
        // Only the select list and ORDER BY see the windows; nothing before them sees those of a query around.
        self.windows.push(&[]);
        let mut relations: Vec<ScopeRelation> = Vec::new();
        for &from in &select.from {
            let found = self.relation(from, &relations, outer, true);
            self.add_relations(from, &mut relations, found);
        }
        let scope = Scope { relations: &relations, outer: Some(outer) };
        if let Distinct::On(expressions) = &select.distinct {
            for &expression in expressions {
                self.value(expression, &scope);
            }
        }
        if select.items.is_empty() {
            self.report(node, Code::InvalidStructure, "the select list is empty");
        }
        if select.items.len() > self.context.limits.columns {
            let message = format!("the select list has {} columns", select.items.len());
            self.report(node, Code::DescriptionTooLarge, message);
        }
        if let Some(condition) = select.filter {
            self.condition(condition, &scope);
        }
        for &expression in &select.group_by {
            if let NodeKind::GroupingSet(_) = self.kind(expression) {
                self.not_supported(expression, "GROUPING SETS, ROLLUP and CUBE");
            } else {
                self.value(expression, &scope);
            }
        }
        if select.group_distinct {
            self.not_supported(node, "GROUP BY DISTINCT");
        }
        for (index, named) in select.windows.iter().enumerate() {
            self.check_name(node, "name of a window", &named.name);
            if select.windows[..index].iter().any(|earlier| earlier.name == named.name) {
                self.report(node, Code::DuplicateAlias, format!("two windows are named \"{}\"", named.name));
            }
            self.window(node, &named.window, &scope);
        }
        if !select.windows.is_empty() && select.from.is_empty() {
            self.not_supported(node, "WINDOW without FROM");
        }
        if let Some(condition) = select.having {
            self.condition(condition, &scope);
        }
        self.windows.pop();
        self.windows.push(&select.windows);
        let columns = select.items.iter().map(|item| self.item(item, &scope)).collect();
        (columns, relations)
    }

    fn item(&mut self, item: &'a Item, scope: &Scope<'_>) -> ScopeColumn {
        let ty = self.value(item.expression, scope);
        if let Some(alias) = &item.alias {
            self.check_name(item.expression, "alias", alias);
        }
        let name = structure::item_name(self.description, item).map(Into::into);
        ScopeColumn { name, ty }
    }

    pub(super) fn window(&mut self, node: NodeId, window: &'a Window, scope: &Scope<'_>) {
        if window.base.is_some() {
            self.not_supported(node, "a window that starts from another one");
        }
        for &expression in &window.partition_by {
            self.value(expression, scope);
        }
        let mut key = None;
        for order in &window.order_by {
            let ty = self.value(order.expression, scope);
            key = key.or(ty);
            self.order_direction(order);
        }
        let Some(frame) = &window.frame else { return };
        // The offset of RANGE is added to the sort key; of ROWS and GROUPS it is a number.
        let is_time = |ty: &crate::catalog::Type| ty.category == 'D';
        let offset_type = match frame.mode {
            FrameMode::Range => match key.and_then(|key| self.context.catalog.type_by_oid(key)) {
                Some(ty) if is_time(ty) => self.builtin("interval"),
                _ => key,
            },
            FrameMode::Rows | FrameMode::Groups => self.builtin("int8"),
        };
        for bound in std::iter::once(&frame.start).chain(&frame.end) {
            if let Bound::Preceding(offset) | Bound::Following(offset) = bound {
                match self.expression(*offset, &Scope::EMPTY) {
                    Operand::Untyped => self.settle(*offset, offset_type),
                    operand => self.coerced(*offset, operand, None),
                }
            }
        }
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
                let found = crate::select::types::display(self.context.catalog, oid);
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
