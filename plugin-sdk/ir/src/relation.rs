use serde::{Deserialize, Serialize};

use crate::{NodeId, QualifiedName, TypeName};

/// `[ONLY] name AS alias [(columns)] [TABLESAMPLE …]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Table {
    /// Which relation.
    pub name: RelationName,
    /// The alias, which columns refer to.
    pub alias: String,
    /// New names for its columns, from the first; empty for none.
    pub columns: Vec<String>,
    /// Whether tables that inherit from it are left out.
    pub only: bool,
    /// `TABLESAMPLE`.
    pub sample: Option<Sample>,
}

/// Which relation a [`Table`] is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum RelationName {
    /// A table, view, materialized view, foreign table or partition of the database.
    Stored(QualifiedName),
    /// A CTE in scope.
    Cte(String),
}

/// `TABLESAMPLE method (arguments) [REPEATABLE (seed)]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sample {
    /// The method: `bernoulli`, `system`, or an extension's.
    pub method: QualifiedName,
    /// Its arguments.
    pub arguments: Vec<NodeId>,
    /// The seed.
    pub seed: Option<NodeId>,
}

/// `[LATERAL] (query) AS alias [(columns)]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Subquery {
    /// A [`crate::Query`] node.
    pub query: NodeId,
    /// Whether it may refer to relations before it.
    pub lateral: bool,
    /// The alias, which columns refer to.
    pub alias: String,
    /// New names for its columns, from the first; empty for none.
    pub columns: Vec<String>,
}

/// `[LATERAL] function(…) | ROWS FROM (…) [WITH ORDINALITY] AS alias [(columns)]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Functions {
    /// The functions; more than one is `ROWS FROM`.
    pub calls: Vec<TableFunction>,
    /// Whether a column that numbers the rows is added.
    pub ordinality: bool,
    /// Whether LATERAL is written; a function may refer to relations before it without.
    pub lateral: bool,
    /// The alias, which columns refer to.
    pub alias: String,
    /// New names for its columns, from the first; empty for none.
    pub columns: Vec<String>,
}

/// A function of [`Functions`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TableFunction {
    /// A [`crate::Call`] node.
    pub call: NodeId,
    /// The definitions of its columns, where it returns `record`.
    pub columns: Vec<ColumnDefinition>,
}

/// `name type [COLLATE …]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ColumnDefinition {
    /// The column's name.
    pub name: String,
    /// Its type.
    pub ty: TypeName,
    /// Its collation.
    pub collation: Option<QualifiedName>,
}

/// `left kind JOIN right [ON … | USING (…)]`, in parentheses if it has an alias.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Join {
    /// Which join.
    pub kind: JoinKind,
    /// A relation node.
    pub left: NodeId,
    /// A relation node.
    pub right: NodeId,
    /// The condition.
    pub condition: JoinCondition,
    /// The alias of the joined relation, which hides the names inside.
    pub alias: Option<String>,
    /// New names for its columns, from the first; only with an alias.
    pub columns: Vec<String>,
}

/// The kinds of [`Join`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum JoinKind {
    /// `JOIN`.
    Inner,
    /// `LEFT JOIN`.
    Left,
    /// `RIGHT JOIN`.
    Right,
    /// `FULL JOIN`.
    Full,
    /// `CROSS JOIN`, which has no condition.
    Cross,
}

/// The condition of a [`Join`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum JoinCondition {
    /// None, for a cross join.
    None,
    /// `ON …`.
    On(NodeId),
    /// `USING (…) [AS alias]`.
    Using {
        /// The columns that both sides have.
        columns: Vec<String>,
        /// The alias of those columns alone.
        alias: Option<String>,
    },
    /// `NATURAL`.
    Natural,
}

impl Table {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        if let Some(sample) = &mut self.sample {
            sample.arguments.iter_mut().chain(&mut sample.seed).for_each(visit);
        }
    }
}

impl Join {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        visit(&mut self.left);
        visit(&mut self.right);
        if let JoinCondition::On(condition) = &mut self.condition {
            visit(condition);
        }
    }
}
