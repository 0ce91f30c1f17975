use serde::{Deserialize, Serialize};

use crate::{NodeId, TypeName};

/// `JSON_EXISTS|JSON_VALUE|JSON_QUERY(context, path [PASSING …] [RETURNING …] [… ON EMPTY] [… ON ERROR])`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SqlJson {
    /// Which function.
    pub function: SqlJsonFunction,
    /// The JSON to look in.
    pub context: NodeId,
    /// The path.
    pub path: NodeId,
    /// `PASSING`.
    pub passing: Vec<SqlJsonPassing>,
    /// `RETURNING`.
    pub returning: Option<TypeName>,
    /// `… ON EMPTY`.
    pub on_empty: Option<SqlJsonBehavior>,
    /// `… ON ERROR`.
    pub on_error: Option<SqlJsonBehavior>,
}

/// The functions of [`SqlJson`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SqlJsonFunction {
    /// `JSON_EXISTS`.
    Exists,
    /// `JSON_VALUE`.
    Value,
    /// `JSON_QUERY`.
    Query,
    /// `JSON_QUERY` with clauses of its own, which stand after RETURNING.
    QueryWith {
        /// `… WRAPPER`.
        wrapper: Option<JsonWrapper>,
        /// `… QUOTES`.
        quotes: Option<JsonQuotes>,
    },
}

/// Whether JSON_QUERY puts its result in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum JsonWrapper {
    /// `WITHOUT WRAPPER`.
    Without,
    /// `WITH CONDITIONAL WRAPPER`: unless it is one array or object.
    Conditional,
    /// `WITH UNCONDITIONAL WRAPPER`.
    Unconditional,
}

/// Whether a string that JSON_QUERY gives keeps its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum JsonQuotes {
    /// `KEEP QUOTES`.
    Keep,
    /// `OMIT QUOTES`.
    Omit,
}

/// `value AS name` of PASSING.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SqlJsonPassing {
    /// The value.
    pub value: NodeId,
    /// The name that the path knows it by.
    pub name: String,
}

/// What happens on an empty result or an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SqlJsonBehavior {
    /// `ERROR`.
    Error,
    /// `NULL`.
    Null,
    /// `EMPTY ARRAY`.
    EmptyArray,
    /// `EMPTY OBJECT`.
    EmptyObject,
    /// `DEFAULT …`.
    Default(NodeId),
    /// `TRUE`.
    True,
    /// `FALSE`.
    False,
    /// `UNKNOWN`.
    Unknown,
}

impl SqlJson {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        visit(&mut self.context);
        visit(&mut self.path);
        self.passing.iter_mut().for_each(|passing| visit(&mut passing.value));
        self.on_empty
            .iter_mut()
            .chain(&mut self.on_error)
            .for_each(|behavior| behavior.visit_children(visit));
    }
}

impl SqlJsonBehavior {
    pub(crate) fn visit_children(&mut self, visit: &mut dyn FnMut(&mut NodeId)) {
        if let Self::Default(value) = self {
            visit(value);
        }
    }
}
