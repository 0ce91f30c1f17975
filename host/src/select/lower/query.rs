use callslip_ir::{
    Distinct, GroupingSet, GroupingSetKind, NodeId, NodeKind, Nulls, Order, Query as QueryNode, Select,
    SetOperation, SetOperator, Values,
};
use sea_query::{Expr, IntoIden, Query, SelectStatement, SubQueryStatement};

use super::{Lowerer, fill, identifier, operator, qualified, relation, unverified};
use crate::select::dialect::template;
use crate::select::print::ColumnForm;
use crate::select::structure;
use crate::select::verified::{OutputColumn, Resolution};

impl<'a> Lowerer<'a> {
    pub(super) fn query(&mut self, node: NodeId) -> Expr {
        let NodeKind::Query(query) = self.kind(node) else { return unverified() };
        let with = query.with.as_ref().map(|with| self.with(with));
        let mut lowered = self.body(query);
        if let Some(limit) = &query.limit {
            let template = if limit.with_ties { template::FETCH_WITH_TIES } else { template::LIMIT };
            let count = self.expression(limit.count);
            lowered = fill(template, [lowered, count]);
        }
        if let Some(offset) = query.offset {
            let offset = self.expression(offset);
            lowered = fill(template::OFFSET, [lowered, offset]);
        }
        if let Some((template, ctes)) = with {
            lowered = fill(template, [ctes, lowered]);
        }
        self.placed(node, lowered)
    }

    /// The body of a query with its ORDER BY.
    fn body(&mut self, query: &'a QueryNode) -> Expr {
        let body = match self.kind(query.body) {
            NodeKind::Select(select) => {
                let mut statement = self.select(query.body, select);
                for order in &query.order_by {
                    let order = self.order(order);
                    statement.order_by_expr(order, sea_query::Order::Asc);
                }
                return Expr::SubQuery(None, Box::new(SubQueryStatement::SelectStatement(statement)));
            }
            NodeKind::SetOperation(operation) => self.set_operation(operation),
            NodeKind::Values(values) => self.values(values),
            _ => return unverified(),
        };
        let body = self.placed(query.body, body);
        if query.order_by.is_empty() {
            return body;
        }
        let orders: Vec<Expr> = query.order_by.iter().map(|order| self.order(order)).collect();
        fill(template::QUERY_ORDERED, std::iter::once(body).chain(orders))
    }

    fn set_operation(&mut self, operation: &SetOperation) -> Expr {
        let template = match (operation.operator, operation.all) {
            (SetOperator::Union, false) => template::UNION,
            (SetOperator::Union, true) => template::UNION_ALL,
            (SetOperator::Intersect, false) => template::INTERSECT,
            (SetOperator::Intersect, true) => template::INTERSECT_ALL,
            (SetOperator::Except, false) => template::EXCEPT,
            (SetOperator::Except, true) => template::EXCEPT_ALL,
        };
        let left = self.query(operation.left);
        fill(template, [left, self.query(operation.right)])
    }

    fn values(&mut self, values: &'a Values) -> Expr {
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let row: Vec<Expr> = row.iter().map(|&value| self.expression(value)).collect();
            rows.push(fill(template::GROUP, row));
        }
        fill(template::VALUES, rows)
    }

    fn select(&mut self, node: NodeId, select: &'a Select) -> SelectStatement {
        let mut statement = Query::select();
        if select.distinct == Distinct::Rows {
            statement.distinct();
        }
        let mut items = Vec::with_capacity(select.items.len());
        for (index, item) in select.items.iter().enumerate() {
            let mut expression = self.expression(item.expression);
            if let (0, Distinct::On(on)) = (index, &select.distinct) {
                let on: Vec<Expr> = on.iter().map(|&node| self.expression(node)).collect();
                expression = fill(template::DISTINCT_ON, [fill(template::LIST, on), expression]);
            }
            // Every column is given its name in so many words, since PostgreSQL's own choice may change.
            items.push(match structure::item_name(self.description, item) {
                Some(name) => fill(template::ALIASED, [expression, identifier(name)]),
                None => expression,
            });
        }
        let mut from: Vec<Expr> = select.from.iter().map(|&from| self.relation(from)).collect();
        let mut filter = select.filter.map(|condition| self.expression(condition));
        let mut group_by = self.group_by(select);
        let completed = self.verified.completed.added.get(&node).map_or(&[][..], Vec::as_slice);
        group_by.extend(completed.iter().map(|&column| self.leaf(column)));
        let mut having = select.having.map(|condition| self.expression(condition));
        if !select.windows.is_empty() {
            // sea-query keeps one window and prints it after ORDER BY and LIMIT: behind what comes before it in SQL it
            // stands in its right place.
            let windows = self.window_clause(&select.windows);
            let before = having.as_mut().or(group_by.last_mut()).or(filter.as_mut());
            if let Some(last) = before.or(from.last_mut()).or(items.last_mut()) {
                *last = fill(template::WORDS, [last.clone(), windows]);
            }
        }
        for item in items {
            statement.expr(item);
        }
        for relation in from {
            statement.from(relation::table_ref(relation));
        }
        filter.map(|condition| statement.and_where(condition));
        statement.add_group_by(group_by);
        having.map(|condition| statement.and_having(condition));
        statement
    }

    fn group_by(&mut self, select: &'a Select) -> Vec<Expr> {
        let mut items: Vec<Expr> = select.group_by.iter().map(|&item| self.group_by_item(item)).collect();
        if select.group_distinct
            && let Some(first) = items.first_mut()
        {
            *first = fill(template::GROUP_BY_DISTINCT, [first.clone()]);
        }
        items
    }

    fn group_by_item(&mut self, node: NodeId) -> Expr {
        match self.kind(node) {
            NodeKind::GroupingSet(set) => {
                let set = self.grouping_set(set);
                self.placed(node, set)
            }
            NodeKind::Row(members) if members.is_empty() => fill(template::GROUP, []),
            // As it stands in an expression: `b.*` is what `to_json(b.*)` has to find in GROUP BY.
            _ => self.operand(node),
        }
    }

    fn grouping_set(&mut self, set: &'a GroupingSet) -> Expr {
        let template = match set.kind {
            GroupingSetKind::Rollup => template::ROLLUP,
            GroupingSetKind::Cube => template::CUBE,
            GroupingSetKind::Sets => template::GROUPING_SETS,
        };
        let mut items = Vec::with_capacity(set.items.len());
        for &item in &set.items {
            items.push(match self.kind(item) {
                NodeKind::Row(members) => {
                    let members: Vec<Expr> = members.iter().map(|&member| self.expression(member)).collect();
                    fill(template::GROUP, members)
                }
                _ => self.group_by_item(item),
            });
        }
        fill(template, items)
    }

    /// An item of ORDER BY of a query, which DISTINCT looks for in the select list.
    fn order(&mut self, order: &'a Order) -> Expr {
        let expression = self.expression(order.expression);
        self.sorted(order, expression)
    }

    /// An item of ORDER BY of a call, which DISTINCT looks for among the arguments, or of a window.
    pub(super) fn inner_order(&mut self, order: &'a Order) -> Expr {
        let expression = self.operand(order.expression);
        self.sorted(order, expression)
    }

    fn sorted(&self, order: &Order, expression: Expr) -> Expr {
        let directed = match &order.direction {
            callslip_ir::Direction::Ascending => fill(template::ASCENDING, [expression]),
            callslip_ir::Direction::Descending => fill(template::DESCENDING, [expression]),
            callslip_ir::Direction::Using(_) => match self.verified.orderings.get(&order.expression) {
                Some(Resolution::Object { schema, name }) => {
                    fill(template::USING_OPERATOR, [expression, operator(schema, name)])
                }
                _ => unverified(),
            },
        };
        match order.nulls {
            Nulls::Unspecified => directed,
            Nulls::First => fill(template::NULLS_FIRST, [directed]),
            Nulls::Last => fill(template::NULLS_LAST, [directed]),
        }
    }
}

/// A query around the query, whose select list casts columns to text: there ORDER BY, DISTINCT and set operations of
/// the query inside keep their meaning.
pub(in crate::select) fn select_as_text(
    query: &Expr,
    columns: &[OutputColumn],
    forms: &[ColumnForm],
) -> Expr {
    const ALIAS: &str = "q";
    let text = || qualified(crate::catalog::PG_CATALOG, "text");
    let mut statement = Query::select();
    for (column, form) in columns.iter().zip(forms) {
        let value = qualified(ALIAS, &column.name);
        let value = match form {
            ColumnForm::AsIs => value,
            ColumnForm::Text => fill(template::CAST, [value, text()]),
            ColumnForm::TextArray => fill(template::CAST, [value, fill(template::TYPE_ARRAY, [text()])]),
        };
        statement.expr_as(value, column.name.clone().into_iden());
    }
    let inner = fill(template::SUBQUERY, [query.clone()]);
    statement.from(relation::table_ref(fill(template::ALIASED, [inner, identifier(ALIAS)])));
    Expr::SubQuery(None, Box::new(SubQueryStatement::SelectStatement(statement)))
}
