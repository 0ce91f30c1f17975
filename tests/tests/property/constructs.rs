//! The constructs of the language: which are generated, and how to tell them in a description.

#![allow(unused_imports)]
use callslip_ir::{
    AccessStep, BooleanOperator, Bound, Direction, Distinct, Exclude, FrameMode, GroupingSetKind, IsTest, JoinCondition,
    JoinKind, JsonItem, Materialization, NodeKind, Nulls, Order, Over, Quantifier, RelationName, SearchOrder,
    SetOperator, SlotType, SpecialForm, Subexpression, Window,
};

/// Constructs, and whether the generator makes them.
const CONSTRUCTS: &[(&str, bool)] = &[
    ("with recursive", false),
    ("search", false),
    ("cycle", false),
    ("limit with ties", false),
    ("set operation", false),
    ("values", false),
    ("grouping set", false),
    ("group distinct", false),
    ("window base", false),
    ("order using", false),
    ("only", false),
    ("sample", false),
    ("table columns", false),
    ("functions", false),
    ("rows from", false),
    ("ordinality", false),
    ("column definitions", false),
    ("using", false),
    ("using alias", false),
    ("natural", false),
    ("join alias", false),
    ("row", false),
    ("whole row", false),
    ("access field", false),
    ("access index", false),
    ("access slice", false),
    ("is json", false),
    ("sql json", false),
];

/// Whether the generator makes a construct; those that the table doesn't name it does.
pub fn is_generated(construct: &str) -> bool {
    CONSTRUCTS.iter().find(|(name, _)| *name == construct).is_none_or(|(_, generated)| *generated)
}
