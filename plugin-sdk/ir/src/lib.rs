//! What a Callslip plugin and its host say to each other: the description of a SELECT, the values that are
//! bound to it, and the declaration of the queries that a plugin offers.
//!
//! Everything here is plain data. A [`Description`] is **one flat list of nodes**, each of which refers only to
//! earlier ones, and each of which is used exactly once. So no reader ever recurses on untrusted input, a
//! description can't explode by sharing, and its size is the length of a list.
//!
//! How it may change: a struct never gains, loses or reorders a field, and an enum only ever gets new variants
//! at its end. What can't be said so makes a new version, and the structs of the one before stay as they were, to be
//! read and converted (a manifest is of version 2). A component that was built years ago can so be read for good; the
//! golden bytes in `tests/golden` are what every release has to keep reading. The names are those of the SQL standard
//! and of PostgreSQL's documentation.
//!
//! Two formats carry the same types: postcard, which the Rust SDK writes, and JSON (feature `json`), which other
//! languages write and people read. See [`encoding`].

mod binding;
mod description;
pub mod encoding;
mod expression;
mod json_table;
mod manifest;
mod name;
mod query;
mod relation;
pub mod snapshot;
mod sql_json;
mod window;

pub use binding::{Binding, Bindings};
pub use description::{Description, Node, NodeId, NodeKind, Place, SlotId, SlotType};
pub use expression::{
    Access, AccessStep, Argument, Boolean, BooleanOperator, Call, Case, CaseArm, Cast, Collate, Is, IsTest,
    JsonItem, Operation, Over, Quantifier, Special, SpecialForm, Subexpression,
};
pub use json_table::{JsonTable, JsonTableColumn};
pub use manifest::{
    Domain, Example, Manifest, NamedReply, Parameter, ParameterMode, PlanMode, Presence,
    Query as QueryDeclaration, Range, Reply, Rows, Scalar, ValueType,
};
pub use name::{QualifiedName, TypeName};
pub use query::{
    Cte, Cycle, Direction, Distinct, GroupingSet, GroupingSetKind, Item, Limit, Materialization, NamedWindow,
    Nulls, Order, Query, Search, SearchOrder, Select, SetOperation, SetOperator, Values, With,
};
pub use relation::{
    ColumnDefinition, Functions, Join, JoinCondition, JoinKind, RelationName, Sample, Subquery, Table,
    TableFunction,
};
pub use sql_json::{JsonQuotes, JsonWrapper, SqlJson, SqlJsonBehavior, SqlJsonFunction, SqlJsonPassing};
pub use window::{Bound, Exclude, Frame, FrameMode, Window};
