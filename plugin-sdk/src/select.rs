mod join_once;
pub(crate) mod joins;
pub(crate) mod paged;
mod set_operation;

use std::panic::Location;

use callslip_ir::{
    self as ir, Distinct, JoinCondition, JoinKind, Limit, NamedWindow, NodeId, NodeKind, Subexpression,
};

use crate::{
    Condition, Expr, Expressions, Groupings, IntoCte, IntoLateral, IntoRelation, Items, Orders, RowCount,
    Subquery, Using, Window,
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
///
/// A [`union`](Select::union) of two, an [`intersect`](Select::intersect), an [`except`](Select::except) and the
/// [query](crate::Values::query) of VALUES are a `Select` too, and go wherever one goes. Their ORDER BY, LIMIT and OFFSET
/// are of the whole; what else is said of them, such as a FROM or a WHERE, panics.
#[derive(Clone)]
#[must_use = "a query does nothing until it is returned or becomes part of another"]
pub struct Select {
    body: Body,
    order_by: Vec<ir::Order>,
    limit: Option<Limit>,
    offset: Option<NodeId>,
    ctes: Vec<CteId>,
    written_at: &'static Location<'static>,
}

joins::joins!(Select);

/// What stands before the ORDER BY of a query.
#[derive(Clone)]
enum Body {
    /// `SELECT … FROM …`, which may get more clauses.
    Select(Core),
    /// A body that is finished, and its word in SQL.
    Finished(NodeId, &'static str),
}

#[derive(Clone)]
struct Core {
    select: ir::Select,
    filter: Vec<NodeId>,
    having: Vec<NodeId>,
}

/// A SELECT that gives at most one row. Made by [`Select::one`].
///
/// The reply is an object instead of an array of them, and there is none when there is no row. More than one row is
/// an error.
#[derive(Clone)]
#[must_use = "a query does nothing until it is returned"]
pub struct One(pub(crate) Select);

/// `SELECT items`: one item, or several as a tuple of up to 24, `select((a, b))`, an array or a `Vec`. Each is an expression
/// or one with an [`alias`](crate::Expression::alias).
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
    let core = Core { select, filter: Vec::new(), having: Vec::new() };
    Select::of(Body::Select(core), Location::caller())
}

impl Select {
    fn of(body: Body, written_at: &'static Location<'static>) -> Self {
        let (order_by, ctes) = (Vec::new(), Vec::new());
        Self { body, order_by, limit: None, offset: None, ctes, written_at }
    }

    /// The SELECT that a clause is added to.
    #[track_caller]
    fn core(&mut self, clause: &str) -> &mut Core {
        match &mut self.body {
            Body::Select(core) => core,
            Body::Finished(node, word) => panic!(
                "{clause} belongs to a SELECT, and this is the {word} of {}: select from it with `.alias(\"…\")`, or \
                 say it of a query within",
                arena::place(*node)
            ),
        }
    }

    /// `FROM relation`: a table, a CTE, a subquery, a function, or relations that are [`joined`](crate::joined). A second
    /// one is put after a comma.
    #[track_caller]
    pub fn from(mut self, relation: impl IntoRelation) -> Self {
        self.core("FROM").select.from.push(relation.into_relation());
        self
    }

    #[track_caller]
    fn joined(mut self, kind: JoinKind, right: NodeId, condition: JoinCondition) -> Self {
        let Some(left) = self.core("a join").select.from.last_mut() else {
            panic!("a join needs a left side: call `.from(…)` before it");
        };
        *left = join(*left, kind, right, condition);
        self
    }

    /// `WHERE condition`. Several are joined by AND; `None` adds nothing.
    #[track_caller]
    pub fn filter(mut self, condition: impl Condition) -> Self {
        if let Some(condition) = condition.into_condition() {
            self.core("WHERE").filter.push(condition.id);
        }
        self
    }

    /// `GROUP BY items`: expressions, [`rollup`](crate::rollup), [`cube`](crate::cube) and
    /// [`grouping_sets`](crate::grouping_sets), or `()`, the one group of all rows. Several calls add up.
    #[track_caller]
    pub fn group_by(mut self, items: impl Groupings) -> Self {
        self.core("GROUP BY").select.group_by.extend(items.into_groupings());
        self
    }

    /// `GROUP BY DISTINCT items`: of equal grouping sets only one.
    #[track_caller]
    pub fn group_by_distinct(mut self, items: impl Groupings) -> Self {
        self.core("GROUP BY").select.group_distinct = true;
        self.group_by(items)
    }

    /// `HAVING condition`. Several are joined by AND; `None` adds nothing.
    #[track_caller]
    pub fn having(mut self, condition: impl Condition) -> Self {
        if let Some(condition) = condition.into_condition() {
            self.core("HAVING").having.push(condition.id);
        }
        self
    }

    /// `SELECT DISTINCT`: no row twice.
    #[track_caller]
    pub fn distinct(mut self) -> Self {
        self.core("DISTINCT").select.distinct = Distinct::Rows;
        self
    }

    /// `SELECT DISTINCT ON (expressions)`: the first row of each group of equal ones, in the order of ORDER BY, which
    /// has to begin with the same expressions.
    #[track_caller]
    pub fn distinct_on(mut self, expressions: impl Expressions) -> Self {
        self.core("DISTINCT ON").select.distinct = Distinct::On(expressions.into_expressions());
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
            self.limit = Some(Limit { count, with_ties: false });
        }
        self
    }

    /// `FETCH FIRST count ROWS WITH TIES`: LIMIT, and the rows that are equal to the last one in ORDER BY, which it needs.
    #[track_caller]
    pub fn limit_with_ties(mut self, count: impl RowCount) -> Self {
        if let Some(count) = count.into_row_count() {
            self.limit = Some(Limit { count, with_ties: true });
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

    /// `WINDOW name AS (window)`, for `.over("name")` and for a [`base`](crate::Window::base) of later ones.
    #[track_caller]
    pub fn window(mut self, name: &str, window: Window) -> Self {
        let named = NamedWindow { name: name.to_owned(), window: window.into_ir() };
        self.core("WINDOW").select.windows.push(named);
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
        let body = match self.body {
            Body::Finished(node, _) => node,
            Body::Select(Core { mut select, filter, having }) => {
                select.filter = conjunction(filter, self.written_at);
                select.having = conjunction(having, self.written_at);
                arena::push(NodeKind::Select(select), self.written_at)
            }
        };
        let query =
            ir::Query { with: None, body, order_by: self.order_by, limit: self.limit, offset: self.offset };
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
