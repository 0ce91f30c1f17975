mod join_once;
pub(crate) mod joins;

use std::panic::Location;

use callslip_ir::{
    self as ir, Distinct, JoinCondition, JoinKind, Limit, NamedWindow, NodeId, NodeKind, Subexpression,
};

use crate::{
    Condition, Expr, Expressions, IntoCte, IntoLateral, IntoRelation, Items, Orders, RowCount, Subquery,
    Using, Window,
    arena::{self, CteId},
    condition::conjunction,
    joined::join,
    operand::BooleanExpression,
};

/// A SELECT. Begin with [`select`], and add to it in any order.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// let (pos, i) = (table("position").alias("p"), table("interview").alias("i"));
/// let query = select((pos.col("title"), count(i.col("id")).alias("interviews")))
///     .from(pos)
///     .left_join(i, i.col("position_id").eq(pos.col("id")))
///     .group_by(pos.col("id"))
///     .order_by(output("interviews").desc())
///     .limit(10);
/// ```
#[derive(Clone)]
#[must_use = "a query does nothing until it is returned or becomes part of another"]
pub struct Select {
    select: ir::Select,
    filter: Vec<NodeId>,
    having: Vec<NodeId>,
    order_by: Vec<ir::Order>,
    limit: Option<NodeId>,
    offset: Option<NodeId>,
    ctes: Vec<CteId>,
    written_at: &'static Location<'static>,
}

joins::joins!(Select);

/// A SELECT that gives at most one row. Made by [`Select::one`].
///
/// The reply is an object instead of an array of them, and there is none when there is no row. More than one row is
/// an error.
#[derive(Clone)]
#[must_use = "a query does nothing until it is returned"]
pub struct One(pub(crate) Select);

/// `SELECT items`: one item, a tuple of up to 24, an array or a `Vec`, each an expression or one with an
/// [`alias`](crate::Expression::alias).
#[track_caller]
pub fn select(items: impl Items) -> Select {
    let select = ir::Select {
        distinct: Distinct::All,
        items: items.into_items(),
        from: Vec::new(),
        filter: None,
        group_by: Vec::new(),
        group_distinct: false,
        having: None,
        windows: Vec::new(),
    };
    Select {
        select,
        filter: Vec::new(),
        having: Vec::new(),
        order_by: Vec::new(),
        limit: None,
        offset: None,
        ctes: Vec::new(),
        written_at: Location::caller(),
    }
}

impl Select {
    /// `FROM relation`: a table, a CTE, a subquery, a function, or relations that are [`joined`](crate::joined). A second
    /// one is put after a comma.
    pub fn from(mut self, relation: impl IntoRelation) -> Self {
        self.select.from.push(relation.into_relation());
        self
    }

    #[track_caller]
    fn joined(mut self, kind: JoinKind, right: NodeId, condition: JoinCondition) -> Self {
        let Some(left) = self.select.from.last_mut() else {
            panic!("a join needs a left side: call `.from(…)` before it");
        };
        *left = join(*left, kind, right, condition);
        self
    }

    /// `WHERE condition`. Several are joined by AND; `None` adds nothing.
    #[track_caller]
    pub fn filter(mut self, condition: impl Condition) -> Self {
        if let Some(condition) = condition.into_condition() {
            self.filter.push(condition.id);
        }
        self
    }

    /// `GROUP BY items`. Several calls add up.
    #[track_caller]
    pub fn group_by(mut self, items: impl Expressions) -> Self {
        self.select.group_by.extend(items.into_expressions());
        self
    }

    /// `HAVING condition`. Several are joined by AND; `None` adds nothing.
    #[track_caller]
    pub fn having(mut self, condition: impl Condition) -> Self {
        if let Some(condition) = condition.into_condition() {
            self.having.push(condition.id);
        }
        self
    }

    /// `SELECT DISTINCT`: no row twice.
    pub fn distinct(mut self) -> Self {
        self.select.distinct = Distinct::Rows;
        self
    }

    /// `SELECT DISTINCT ON (expressions)`: the first row of each group of equal ones, in the order of ORDER BY, which
    /// has to begin with the same expressions.
    #[track_caller]
    pub fn distinct_on(mut self, expressions: impl Expressions) -> Self {
        self.select.distinct = Distinct::On(expressions.into_expressions());
        self
    }

    /// `ORDER BY items`: expressions, [`asc`](crate::Expression::asc) or [`desc`](crate::Expression::desc) ones, or
    /// [`output`](crate::output) names. Several calls add up.
    #[track_caller]
    pub fn order_by(mut self, items: impl Orders) -> Self {
        self.order_by.extend(items.into_orders().into_iter().map(crate::Order::into_ir));
        self
    }

    /// `LIMIT count`. The last call counts; `None` changes nothing.
    #[track_caller]
    pub fn limit(mut self, count: impl RowCount) -> Self {
        if let Some(count) = count.into_row_count() {
            self.limit = Some(count);
        }
        self
    }

    /// `OFFSET count`. The last call counts; `None` changes nothing.
    #[track_caller]
    pub fn offset(mut self, count: impl RowCount) -> Self {
        if let Some(count) = count.into_row_count() {
            self.offset = Some(count);
        }
        self
    }

    /// `WINDOW name AS (window)`, for `.over("name")`.
    pub fn window(mut self, name: &str, window: Window) -> Self {
        self.select.windows.push(NamedWindow { name: name.to_owned(), window: window.into_ir() });
        self
    }

    /// `WITH cte`: declares it here, for this query and those inside. Only needed where [`Cte`](crate::Cte) says.
    pub fn with(mut self, cte: impl IntoCte) -> Self {
        self.ctes.push(cte.into_cte().definition());
        self
    }

    /// `(query) AS alias`: a relation, for FROM and joins.
    #[track_caller]
    pub fn alias(self, alias: &str) -> Subquery {
        Subquery::new(self.into_query(), alias)
    }

    /// `(query)` as an expression: the query has one column and at most one row.
    #[track_caller]
    pub fn scalar(self) -> Expr {
        Expr::push(NodeKind::Subexpression(Subexpression::Scalar(self.into_query())))
    }

    /// The statement gives at most one row.
    pub fn one(self) -> One {
        One(self)
    }

    pub(crate) fn into_query(self) -> NodeId {
        let mut select = self.select;
        select.filter = conjunction(self.filter, self.written_at);
        select.having = conjunction(self.having, self.written_at);
        let body = arena::push(NodeKind::Select(select), self.written_at);
        let limit = self.limit.map(|count| Limit { count, with_ties: false });
        let query = ir::Query { with: None, body, order_by: self.order_by, limit, offset: self.offset };
        arena::push_query(query, self.ctes, self.written_at)
    }
}

/// `(query)` as an expression: the same as [`Select::scalar`].
#[track_caller]
pub fn scalar(query: Select) -> Expr {
    query.scalar()
}

/// `EXISTS (query)`: whether it gives a row.
#[track_caller]
pub fn exists(query: Select) -> Expr<bool> {
    Expr::push(NodeKind::Subexpression(Subexpression::Exists(query.into_query())))
}

/// `NOT EXISTS (query)`: whether it gives no row.
#[track_caller]
pub fn not_exists(query: Select) -> Expr<bool> {
    crate::Expression::not(exists(query))
}
