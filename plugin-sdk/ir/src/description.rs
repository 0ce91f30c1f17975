use serde::{Deserialize, Serialize};

use crate::{
    Access, Boolean, Call, Case, Cast, Collate, Functions, GroupingSet, Is, Join, JsonTable, JsonTableColumn,
    Operation, Query, Select, SetOperation, Special, SqlJson, Subexpression, Subquery, Table, TypeName,
    Values,
};

/// One SELECT, with everything below it: the *shape* of a statement.
///
/// The last node is the statement and must be a [`NodeKind::Query`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Description {
    /// The type of each slot that [`NodeKind::Parameter`] may name. What is bound to a slot stands in the
    /// statement's [`crate::Bindings`], at the same index.
    pub slots: Vec<SlotType>,
    /// The author's source files that [`Place::file`] names.
    pub files: Vec<String>,
    /// The nodes, children before their parents.
    pub nodes: Vec<Node>,
}

/// The index of a node in [`Description::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeId(pub u32);

/// The index of a slot in [`Description::slots`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SlotId(pub u32);

/// The type that a slot is bound as.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SlotType {
    /// This type, wherever the slot is used.
    Declared(TypeName),
    /// Like an SQL literal in quotes: the type of what it is compared with or assigned to, and `text` where
    /// nothing says.
    Context,
}

/// A node and where the author wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it was written, if the SDK knows.
    pub place: Option<Place>,
}

/// A line of the author's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place {
    /// Index into [`Description::files`].
    pub file: u32,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// Every construct of the language: queries, relations, expressions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum NodeKind {
    /// A whole query: WITH, a body, ORDER BY, LIMIT.
    Query(Query),
    /// A body: `SELECT … FROM …`.
    Select(Select),
    /// A body: UNION, INTERSECT or EXCEPT of two queries.
    SetOperation(SetOperation),
    /// A body: `VALUES (…), (…)`.
    Values(Values),
    /// A relation: a named table, view or CTE.
    Table(Table),
    /// A relation: a query in parentheses.
    Subquery(Subquery),
    /// A relation: one function or `ROWS FROM (…)`.
    Functions(Functions),
    /// A relation: two relations joined.
    Join(Join),
    /// An item of GROUP BY: `ROLLUP`, `CUBE`, `GROUPING SETS`, `()`.
    GroupingSet(GroupingSet),
    /// A column of a relation in scope.
    Column {
        /// The alias of the relation.
        relation: String,
        /// The column's name.
        name: String,
    },
    /// A whole row of a relation in scope.
    WholeRow {
        /// The alias of the relation.
        relation: String,
    },
    /// A column of the select list by its alias; only as a whole item of ORDER BY.
    OutputName(String),
    /// A value that is bound: a parameter, a claim or a constant.
    Parameter(SlotId),
    /// NULL of a type.
    Null(TypeName),
    /// An operator with one or two operands.
    Operation(Operation),
    /// A call of a function, an aggregate or a window function.
    Call(Call),
    /// `CAST(… AS …)`.
    Cast(Cast),
    /// `… COLLATE …`.
    Collate(Collate),
    /// `CASE`.
    Case(Case),
    /// AND, OR, NOT.
    Boolean(Boolean),
    /// `… IS [NOT] …`.
    Is(Is),
    /// What SQL gives a syntax of its own.
    Special(Special),
    /// `ROW(…)`.
    Row(Vec<NodeId>),
    /// `ARRAY[…]`.
    Array(Vec<NodeId>),
    /// A subscript, a slice or a field.
    Access(Access),
    /// An expression over a query or a list: scalar, EXISTS, IN, ANY, ALL, ARRAY.
    Subexpression(Subexpression),
    /// SQL/JSON query functions, PostgreSQL 17 and later.
    SqlJson(SqlJson),
    /// A relation: the rows that paths find in JSON, PostgreSQL 17 and later.
    JsonTable(JsonTable),
    /// An item of a [`JsonTable`]'s COLUMNS.
    JsonTableColumn(JsonTableColumn),
}

impl NodeKind {
    /// The nodes that this one refers to, in the order in which they are written in SQL.
    pub fn children(&self) -> Vec<NodeId> {
        let mut children = Vec::new();
        // One visitor serves reading and rewriting, so that a reference can't be seen by one and missed by the
        // other. A node is small; its clone is cheaper than the certainty would be otherwise.
        self.clone().visit(&mut |id| children.push(*id));
        children
    }

    /// The same node with every reference to another node replaced.
    pub fn map_children(mut self, mut to: impl FnMut(NodeId) -> NodeId) -> Self {
        self.visit(&mut |id| *id = to(*id));
        self
    }

    fn visit(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        match self {
            Self::Query(query) => query.visit_children(visit),
            Self::Select(select) => select.visit_children(visit),
            Self::SetOperation(operation) => {
                visit(&mut operation.left);
                visit(&mut operation.right);
            }
            Self::Values(values) => values.rows.iter_mut().flatten().for_each(visit),
            Self::Table(table) => table.visit_children(visit),
            Self::Subquery(subquery) => visit(&mut subquery.query),
            Self::Functions(functions) => functions.calls.iter_mut().for_each(|f| visit(&mut f.call)),
            Self::Join(join) => join.visit_children(visit),
            Self::GroupingSet(set) => set.items.iter_mut().for_each(visit),
            Self::Column { .. }
            | Self::WholeRow { .. }
            | Self::OutputName(_)
            | Self::Parameter(_)
            | Self::Null(_) => {}
            Self::Operation(operation) => operation.operands.iter_mut().for_each(visit),
            Self::Call(call) => call.visit_children(visit),
            Self::Cast(cast) => visit(&mut cast.value),
            Self::Collate(collate) => visit(&mut collate.value),
            Self::Case(case) => case.visit_children(visit),
            Self::Boolean(boolean) => boolean.operands.iter_mut().for_each(visit),
            Self::Is(is) => visit(&mut is.value),
            Self::Special(special) => special.operands.iter_mut().for_each(visit),
            Self::Row(items) | Self::Array(items) => items.iter_mut().for_each(visit),
            Self::Access(access) => access.visit_children(visit),
            Self::Subexpression(sub) => sub.visit_children(visit),
            Self::SqlJson(json) => json.visit_children(visit),
            Self::JsonTable(table) => table.visit_children(visit),
            Self::JsonTableColumn(column) => column.visit_children(visit),
        }
    }
}
