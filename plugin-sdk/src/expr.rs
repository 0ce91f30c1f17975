use std::{marker::PhantomData, panic::Location};

use callslip_ir::{NodeId, NodeKind};

use crate::{Any, CastTarget, Expression, SqlType, arena, sealed::Sealed, type_name::parse_type};

/// An expression of type `T`: anything made of columns, parameters and constants.
///
/// It is a handle of four bytes that may be copied and used any number of times. What it can do is in
/// [`Expression`]. An `Expr` without a type is an `Expr<Any>`, which goes with every type.
#[must_use = "an expression does nothing until it is part of a query"]
pub struct Expr<T = Any> {
    pub(crate) id: NodeId,
    /// A handle means nothing on another thread, where there is another list of nodes.
    ty: PhantomData<*const T>,
}

impl<T> Clone for Expr<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Expr<T> {}

impl<T> Expr<T> {
    pub(crate) fn new(id: NodeId) -> Self {
        Self { id, ty: PhantomData }
    }

    #[track_caller]
    pub(crate) fn push(kind: NodeKind) -> Self {
        Self::new(arena::push(kind, Location::caller()))
    }
}

/// What can stand where an expression is wanted: an expression, a column, a parameter, or a Rust value, which becomes a
/// constant.
///
/// A constant is bound, like a parameter; it never becomes part of the SQL's text. A string is a text; beside an
/// [`Any`] it takes the type of what it is compared with, as a quoted literal does in SQL. A number with a point, an `f64`,
/// is a numeric, as it is in SQL: `9.99`. Other values have the type of their own: `9.99_f32`, `Date::new("2026-01-31")`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an SQL expression",
    label = "an expression, an `Arg`, or a value such as a number, a bool or a string is wanted here",
    note = "a subquery becomes an expression with `.scalar()`",
    note = "an `Option` is opened first: `.filter(title.map(|title| pos.title.eq(title)))`"
)]
pub trait IntoExpr: Sealed {
    /// Its type.
    type Ty: SqlType;

    /// The expression.
    #[track_caller]
    fn into_expr(self) -> Expr<Self::Ty>;
}

impl<T> Sealed for Expr<T> {}
impl<T: SqlType> IntoExpr for Expr<T> {
    type Ty = T;
    #[track_caller]
    fn into_expr(self) -> Self {
        self
    }
}

impl<T: SqlType> Expression for Expr<T> {}

/// A constant as an expression, where its methods are wanted: `constant(1).alias("one")`.
#[track_caller]
pub fn constant<V: IntoExpr>(value: V) -> Expr<V::Ty> {
    value.into_expr()
}

/// `NULL` of a type: `null_of::<Date>()`.
#[track_caller]
pub fn null_of<T: CastTarget>() -> Expr<T> {
    Expr::push(NodeKind::Null(T::target()))
}

/// `NULL` of a type that has no Rust type, or has modifiers: `null("inet")`.
///
/// # Panics
/// If what is in the parentheses of `ty` is not whole numbers.
#[track_caller]
pub fn null(ty: &str) -> Expr {
    Expr::push(NodeKind::Null(parse_type(ty)))
}
