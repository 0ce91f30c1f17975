use serde::{Deserialize, Serialize};

use crate::{JsonQuotes, JsonWrapper, NodeId, SqlJsonBehavior, SqlJsonPassing, TypeName};

/// `JSON_TABLE(context, 'path' [AS name] [PASSING …] COLUMNS (…) [… ON ERROR]) AS alias [(columns)]`, PostgreSQL 17 and later.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JsonTable {
    /// The JSON to look in.
    pub context: NodeId,
    /// The path to the rows. Its text becomes part of the statement, as a literal: SQL takes nothing else there.
    pub path: String,
    /// The path's name.
    pub path_name: Option<String>,
    /// `PASSING`, for every path of the table.
    pub passing: Vec<SqlJsonPassing>,
    /// [`JsonTableColumn`] nodes, at least one.
    pub columns: Vec<NodeId>,
    /// `ERROR` or `EMPTY ARRAY ON ERROR`.
    pub on_error: Option<SqlJsonBehavior>,
    /// The alias, which columns refer to.
    pub alias: String,
    /// New names for its columns, from the first; empty for none.
    pub column_aliases: Vec<String>,
}

/// An item of COLUMNS. Without a path, a column's is its name: `$."name"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum JsonTableColumn {
    /// `name FOR ORDINALITY`.
    Ordinality {
        /// The column's name.
        name: String,
    },
    /// `name type [FORMAT JSON] [PATH 'path'] [… WRAPPER] [… QUOTES] [… ON EMPTY] [… ON ERROR]`.
    Value {
        /// The column's name.
        name: String,
        /// Its type.
        ty: TypeName,
        /// `FORMAT JSON`.
        format_json: bool,
        /// `PATH`.
        path: Option<String>,
        /// `… WRAPPER`.
        wrapper: Option<JsonWrapper>,
        /// `… QUOTES`.
        quotes: Option<JsonQuotes>,
        /// `… ON EMPTY`.
        on_empty: Option<SqlJsonBehavior>,
        /// `… ON ERROR`.
        on_error: Option<SqlJsonBehavior>,
    },
    /// `name type EXISTS [PATH 'path'] [… ON ERROR]`.
    Exists {
        /// The column's name.
        name: String,
        /// Its type: `bool`, or one that a bool can become.
        ty: TypeName,
        /// `PATH`.
        path: Option<String>,
        /// `… ON ERROR`.
        on_error: Option<SqlJsonBehavior>,
    },
    /// `NESTED PATH 'path' [AS name] COLUMNS (…)`.
    Nested {
        /// The path to the rows within a row.
        path: String,
        /// The path's name.
        path_name: Option<String>,
        /// [`JsonTableColumn`] nodes, at least one.
        columns: Vec<NodeId>,
    },
}

impl JsonTable {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        visit(&mut self.context);
        self.passing.iter_mut().for_each(|passing| visit(&mut passing.value));
        self.columns.iter_mut().for_each(&mut *visit);
        self.on_error.iter_mut().for_each(|behavior| behavior.visit_children(visit));
    }
}

impl JsonTableColumn {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        match self {
            Self::Ordinality { .. } => {}
            Self::Value { on_empty, on_error, .. } => {
                on_empty.iter_mut().chain(on_error).for_each(|behavior| behavior.visit_children(visit));
            }
            Self::Exists { on_error, .. } => {
                on_error.iter_mut().for_each(|behavior| behavior.visit_children(visit));
            }
            Self::Nested { columns, .. } => columns.iter_mut().for_each(visit),
        }
    }
}
