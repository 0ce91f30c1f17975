use serde::{Deserialize, Serialize};

use crate::{NodeId, QualifiedName, Window};

/// `[WITH …] body [ORDER BY …] [LIMIT …] [OFFSET …]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Query {
    /// The common table expressions.
    pub with: Option<With>,
    /// A [`Select`], [`SetOperation`] or [`Values`] node.
    pub body: NodeId,
    /// The sort order.
    pub order_by: Vec<Order>,
    /// `LIMIT`, or `FETCH FIRST … WITH TIES`.
    pub limit: Option<Limit>,
    /// `OFFSET`.
    pub offset: Option<NodeId>,
}

/// `WITH [RECURSIVE] …`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct With {
    /// Whether a CTE may refer to itself.
    pub recursive: bool,
    /// The expressions, in the order in which they are written; at least one.
    pub ctes: Vec<Cte>,
}

/// `name [(columns)] AS [[NOT] MATERIALIZED] (query) [SEARCH …] [CYCLE …]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cte {
    /// The name that relations refer to it by.
    pub name: String,
    /// New names for its columns, from the first; empty for none.
    pub columns: Vec<String>,
    /// A [`Query`] node.
    pub query: NodeId,
    /// Whether PostgreSQL may fold it into the query that uses it.
    pub materialized: Materialization,
    /// `SEARCH`.
    pub search: Option<Search>,
    /// `CYCLE`.
    pub cycle: Option<Cycle>,
}

/// What is written of materialization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Materialization {
    /// Nothing: PostgreSQL decides.
    Unspecified,
    /// `MATERIALIZED`.
    Materialized,
    /// `NOT MATERIALIZED`.
    NotMaterialized,
}

/// `SEARCH BREADTH|DEPTH FIRST BY columns SET column`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Search {
    /// Breadth or depth.
    pub order: SearchOrder,
    /// The columns to search by.
    pub by: Vec<String>,
    /// The column that the order is written to.
    pub set: String,
}

/// The order of a [`Search`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SearchOrder {
    /// `BREADTH FIRST`.
    Breadth,
    /// `DEPTH FIRST`.
    Depth,
}

/// `CYCLE columns SET mark [TO value DEFAULT value] USING path`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cycle {
    /// The columns whose repetition is a cycle.
    pub columns: Vec<String>,
    /// The column that marks a cycle.
    pub mark: String,
    /// The mark's values, for a cycle and otherwise; without them true and false.
    pub values: Option<(NodeId, NodeId)>,
    /// The column that holds the path.
    pub path: String,
}

/// `SELECT [DISTINCT …] items [FROM …] [WHERE …] [GROUP BY …] [HAVING …] [WINDOW …]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Select {
    /// `DISTINCT`.
    pub distinct: Distinct,
    /// The select list; at least one item.
    pub items: Vec<Item>,
    /// The relations, which a comma separates.
    pub from: Vec<NodeId>,
    /// The condition of WHERE.
    pub filter: Option<NodeId>,
    /// The items of GROUP BY: expressions and [`GroupingSet`] nodes.
    pub group_by: Vec<NodeId>,
    /// `GROUP BY DISTINCT`.
    pub group_distinct: bool,
    /// The condition of HAVING.
    pub having: Option<NodeId>,
    /// The windows of the WINDOW clause.
    pub windows: Vec<NamedWindow>,
}

/// What is written of DISTINCT.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Distinct {
    /// Nothing: all rows.
    All,
    /// `DISTINCT`.
    Rows,
    /// `DISTINCT ON (…)`.
    On(Vec<NodeId>),
}

/// `expression [AS alias]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Item {
    /// The expression.
    pub expression: NodeId,
    /// The column's name in the result. Without one, a column keeps its name and a call has its function's.
    pub alias: Option<String>,
}

/// `ROLLUP (…)`, `CUBE (…)`, `GROUPING SETS (…)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GroupingSet {
    /// Which.
    pub kind: GroupingSetKind,
    /// Expressions, [`crate::NodeKind::Row`] nodes for several that stay together (an empty one is `()`), and
    /// within `GROUPING SETS` further grouping sets.
    pub items: Vec<NodeId>,
}

/// The kinds of [`GroupingSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum GroupingSetKind {
    /// `ROLLUP`.
    Rollup,
    /// `CUBE`.
    Cube,
    /// `GROUPING SETS`.
    Sets,
}

/// `name AS (window)` of the WINDOW clause.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamedWindow {
    /// The name that `OVER` refers to it by.
    pub name: String,
    /// The window.
    pub window: Window,
}

/// `left UNION|INTERSECT|EXCEPT [ALL] right`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetOperation {
    /// Which.
    pub operator: SetOperator,
    /// Whether duplicates stay.
    pub all: bool,
    /// A [`Query`] node.
    pub left: NodeId,
    /// A [`Query`] node.
    pub right: NodeId,
}

/// The operators of [`SetOperation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SetOperator {
    /// `UNION`.
    Union,
    /// `INTERSECT`.
    Intersect,
    /// `EXCEPT`.
    Except,
}

/// `VALUES (…), (…)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Values {
    /// The rows, all of one length; at least one row of at least one expression.
    pub rows: Vec<Vec<NodeId>>,
}

/// An item of ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Order {
    /// What to sort by.
    pub expression: NodeId,
    /// Which way.
    pub direction: Direction,
    /// Where nulls go.
    pub nulls: Nulls,
}

/// The direction of an [`Order`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Direction {
    /// `ASC`.
    Ascending,
    /// `DESC`.
    Descending,
    /// `USING operator`.
    Using(QualifiedName),
}

/// Where nulls go in an [`Order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Nulls {
    /// Nothing is written: last when ascending, first when descending.
    Unspecified,
    /// `NULLS FIRST`.
    First,
    /// `NULLS LAST`.
    Last,
}

/// `LIMIT count` or `FETCH FIRST count ROWS WITH TIES`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limit {
    /// How many rows.
    pub count: NodeId,
    /// Whether rows that tie with the last one come too.
    pub with_ties: bool,
}

impl Query {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        for cte in self.with.iter_mut().flat_map(|with| &mut with.ctes) {
            visit(&mut cte.query);
            if let Some((value, default)) = cte.cycle.as_mut().and_then(|cycle| cycle.values.as_mut()) {
                visit(value);
                visit(default);
            }
        }
        visit(&mut self.body);
        self.order_by.iter_mut().for_each(|order| visit(&mut order.expression));
        self.limit.iter_mut().for_each(|limit| visit(&mut limit.count));
        self.offset.iter_mut().for_each(visit);
    }
}

impl Select {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        if let Distinct::On(expressions) = &mut self.distinct {
            expressions.iter_mut().for_each(&mut *visit);
        }
        self.items.iter_mut().for_each(|item| visit(&mut item.expression));
        self.from.iter_mut().for_each(&mut *visit);
        self.filter.iter_mut().for_each(&mut *visit);
        self.group_by.iter_mut().for_each(&mut *visit);
        self.having.iter_mut().for_each(&mut *visit);
        self.windows.iter_mut().for_each(|named| named.window.visit_children(visit));
    }
}
