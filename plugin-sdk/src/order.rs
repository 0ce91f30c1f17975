use callslip_ir::{self as ir, Direction, NodeId, NodeKind, Nulls};

use crate::Expr;

/// An item of ORDER BY.
#[derive(Clone)]
#[must_use = "a sort order does nothing until it is part of a query"]
pub struct Order {
    pub(crate) expression: NodeId,
    pub(crate) direction: Direction,
    pub(crate) nulls: Nulls,
}

impl Order {
    /// `NULLS FIRST`.
    pub fn nulls_first(mut self) -> Self {
        self.nulls = Nulls::First;
        self
    }

    /// `NULLS LAST`.
    pub fn nulls_last(mut self) -> Self {
        self.nulls = Nulls::Last;
        self
    }

    pub(crate) fn into_ir(self) -> ir::Order {
        ir::Order { expression: self.expression, direction: self.direction, nulls: self.nulls }
    }
}

/// A column of the select list by its name in the result; only for ORDER BY.
#[derive(Clone, Copy)]
#[must_use = "a name does nothing until it is part of ORDER BY"]
pub struct Output(pub(crate) Expr);

/// A column of the select list by its name in the result, for ORDER BY: `output("started").desc()`.
#[track_caller]
pub fn output(name: &str) -> Output {
    Output(Expr::push(NodeKind::OutputName(name.to_owned())))
}

impl Output {
    /// `name ASC`.
    pub fn asc(self) -> Order {
        Order { expression: self.0.id, direction: Direction::Ascending, nulls: Nulls::Unspecified }
    }

    /// `name DESC`.
    pub fn desc(self) -> Order {
        Order { expression: self.0.id, direction: Direction::Descending, nulls: Nulls::Unspecified }
    }
}
