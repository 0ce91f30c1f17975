use callslip_ir::{
    Bound, Cte, Distinct, Exclude, Frame, FrameMode, Materialization, NamedWindow, NodeId, NodeKind, Nulls,
    Order, Select, Window,
};
use sea_query::{Expr, IntoIden, Query, SelectStatement, SubQueryStatement};

use super::{Lowerer, fill, identifier, qualified, relation, unverified, word};
use crate::select::dialect::template;
use crate::select::print::ColumnForm;
use crate::select::structure;
use crate::select::verified::OutputColumn;

impl<'a> Lowerer<'a> {
    pub(super) fn query(&mut self, node: NodeId) -> Expr {
        let NodeKind::Query(query) = self.kind(node) else { return unverified() };
        let NodeKind::Select(select) = self.kind(query.body) else { return unverified() };
        let ctes: Vec<Expr> =
            query.with.iter().flat_map(|with| &with.ctes).map(|cte| self.cte(cte)).collect();
        let mut statement = self.select(select);
        for order in &query.order_by {
            let order = self.order(order);
            statement.order_by_expr(order, sea_query::Order::Asc);
        }
        let mut lowered = Expr::SubQuery(None, Box::new(SubQueryStatement::SelectStatement(statement)));
        if let Some(limit) = &query.limit {
            let count = self.expression(limit.count);
            lowered = fill(template::LIMIT, [lowered, count]);
        }
        if let Some(offset) = query.offset {
            let offset = self.expression(offset);
            lowered = fill(template::OFFSET, [lowered, offset]);
        }
        if !ctes.is_empty() {
            lowered = fill(template::WITH, [fill(template::LIST, ctes), lowered]);
        }
        self.placed(node, lowered)
    }

    fn cte(&mut self, cte: &'a Cte) -> Expr {
        let query = self.query(cte.query);
        let name = identifier(&cte.name);
        let template = match (cte.materialized, cte.columns.is_empty()) {
            (Materialization::Unspecified, true) => template::CTE,
            (Materialization::Unspecified, false) => template::CTE_COLUMNS,
            (Materialization::Materialized, true) => template::CTE_MATERIALIZED,
            (Materialization::Materialized, false) => template::CTE_COLUMNS_MATERIALIZED,
            (Materialization::NotMaterialized, true) => template::CTE_NOT_MATERIALIZED,
            (Materialization::NotMaterialized, false) => template::CTE_COLUMNS_NOT_MATERIALIZED,
        };
        let columns = fill(template::LIST, cte.columns.iter().map(|column| identifier(column)));
        fill(template, [name, query, columns])
    }

    fn select(&mut self, select: &'a Select) -> SelectStatement {
        let mut statement = Query::select();
        if select.distinct == Distinct::Rows {
            statement.distinct();
        }
        for (index, item) in select.items.iter().enumerate() {
            let mut expression = self.expression(item.expression);
            if let (0, Distinct::On(on)) = (index, &select.distinct) {
                let on: Vec<Expr> = on.iter().map(|&node| self.expression(node)).collect();
                expression = fill(template::DISTINCT_ON, [fill(template::LIST, on), expression]);
            }
            // Every column is given its name in so many words, since PostgreSQL's own choice may change.
            match structure::item_name(self.description, item) {
                Some(name) => statement.expr_as(expression, name.to_owned().into_iden()),
                None => statement.expr(expression),
            };
        }
        let mut from: Vec<Expr> = select.from.iter().map(|&from| self.relation(from)).collect();
        let mut filter = select.filter.map(|condition| self.expression(condition));
        let mut group_by: Vec<Expr> = select.group_by.iter().map(|&node| self.expression(node)).collect();
        let mut having = select.having.map(|condition| self.expression(condition));
        if !select.windows.is_empty() {
            // sea-query keeps one window and prints it after ORDER BY and LIMIT: behind what comes before it in SQL it
            // stands in its right place.
            let windows = self.window_clause(&select.windows);
            match having.as_mut().or(group_by.last_mut()).or(filter.as_mut()).or(from.last_mut()) {
                Some(last) => *last = fill(template::WORDS, [last.clone(), windows]),
                None => having = Some(unverified()),
            }
        }
        for relation in from {
            statement.from(relation::table_ref(relation));
        }
        filter.map(|condition| statement.and_where(condition));
        statement.add_group_by(group_by);
        having.map(|condition| statement.and_having(condition));
        statement
    }

    fn window_clause(&mut self, windows: &'a [NamedWindow]) -> Expr {
        let named = |(name, window)| fill(template::WINDOW_NAMED, [name, window]);
        let windows: Vec<Expr> =
            windows.iter().map(|its| named((identifier(&its.name), self.window(&its.window)))).collect();
        fill(template::WINDOW, windows)
    }

    pub(super) fn order(&mut self, order: &'a Order) -> Expr {
        let expression = self.expression(order.expression);
        let directed = match order.direction {
            callslip_ir::Direction::Ascending => fill(template::ASCENDING, [expression]),
            callslip_ir::Direction::Descending => fill(template::DESCENDING, [expression]),
            callslip_ir::Direction::Using(_) => unverified(),
        };
        match order.nulls {
            Nulls::Unspecified => directed,
            Nulls::First => fill(template::NULLS_FIRST, [directed]),
            Nulls::Last => fill(template::NULLS_LAST, [directed]),
        }
    }

    pub(super) fn window(&mut self, window: &'a Window) -> Expr {
        let mut parts = Vec::new();
        if !window.partition_by.is_empty() {
            let expressions: Vec<Expr> =
                window.partition_by.iter().map(|&node| self.expression(node)).collect();
            parts.push(fill(template::PARTITION_BY, expressions));
        }
        if !window.order_by.is_empty() {
            let orders: Vec<Expr> = window.order_by.iter().map(|order| self.order(order)).collect();
            parts.push(fill(template::ORDER_BY, orders));
        }
        if let Some(frame) = &window.frame {
            parts.push(self.frame(frame));
        }
        fill(template::SEQUENCE, parts)
    }

    fn frame(&mut self, frame: &'a Frame) -> Expr {
        let start = self.bound(&frame.start);
        let extent = match &frame.end {
            Some(end) => {
                let end = self.bound(end);
                fill(template::FRAME_BETWEEN, [start, end])
            }
            None => start,
        };
        let template = match frame.mode {
            FrameMode::Rows => template::FRAME_ROWS,
            FrameMode::Range => template::FRAME_RANGE,
            FrameMode::Groups => template::FRAME_GROUPS,
        };
        let lowered = fill(template, [extent]);
        match frame.exclude {
            Exclude::NoOthers => lowered,
            Exclude::CurrentRow => fill(template::EXCLUDE_CURRENT_ROW, [lowered]),
            Exclude::Group => fill(template::EXCLUDE_GROUP, [lowered]),
            Exclude::Ties => fill(template::EXCLUDE_TIES, [lowered]),
        }
    }

    fn bound(&mut self, bound: &Bound) -> Expr {
        match bound {
            Bound::UnboundedPreceding => word(template::UNBOUNDED_PRECEDING),
            Bound::Preceding(offset) => fill(template::PRECEDING, [self.expression(*offset)]),
            Bound::CurrentRow => word(template::CURRENT_ROW),
            Bound::Following(offset) => fill(template::FOLLOWING, [self.expression(*offset)]),
            Bound::UnboundedFollowing => word(template::UNBOUNDED_FOLLOWING),
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
