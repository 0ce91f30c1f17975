use callslip_ir::{Access, AccessStep, Cast, NodeKind, Subexpression};

use super::{Expression, binary};
use crate::{
    Alternatives, Expr, Expressions, IntoExpr, Select,
    operand::{ArrayExpression, CompositeExpression, ContainerExpression, SubscriptExpression},
    sql_type::CastTarget,
};

/// What arrays, ranges and composites can do, and what a jsonb has of it.
pub trait ArrayOperators: Expression {
    /// `self[i]`: an element of an array, from 1; `.at((i, j))` is `self[i][j]`, of an array of two dimensions. Of a jsonb
    /// it is a field by its name, or an element from 0.
    #[track_caller]
    fn at(self, subscripts: impl Expressions) -> Expr<Self::Element>
    where
        Self: SubscriptExpression,
    {
        let mut value = self.into_expr().id;
        for subscript in subscripts.into_expressions() {
            value = Expr::<Self::Element>::push(access(value, AccessStep::Index(subscript))).id;
        }
        Expr::new(value)
    }

    /// `self[lower:upper]`: the elements between two subscripts, both included.
    ///
    /// `.slice(1, 2).slice(2, 3)` are slices of two dimensions, as in SQL; `.slice(2, 3).at(1)` is an element of the slice,
    /// `(self[2:3])[1]`.
    #[track_caller]
    fn slice<L: IntoExpr, U: IntoExpr>(self, lower: L, upper: U) -> Expr<Self::Ty>
    where
        Self: ArrayExpression,
    {
        let value = self.into_expr().id;
        let (lower, upper) = (Some(lower.into_expr().id), Some(upper.into_expr().id));
        Expr::push(access(value, AccessStep::Slice { lower, upper }))
    }

    /// `self[lower:]`: the elements from a subscript on.
    #[track_caller]
    fn slice_from<L: IntoExpr>(self, lower: L) -> Expr<Self::Ty>
    where
        Self: ArrayExpression,
    {
        let (value, lower) = (self.into_expr().id, Some(lower.into_expr().id));
        Expr::push(access(value, AccessStep::Slice { lower, upper: None }))
    }

    /// `self[:upper]`: the elements up to a subscript.
    #[track_caller]
    fn slice_to<U: IntoExpr>(self, upper: U) -> Expr<Self::Ty>
    where
        Self: ArrayExpression,
    {
        let (value, upper) = (self.into_expr().id, Some(upper.into_expr().id));
        Expr::push(access(value, AccessStep::Slice { lower: None, upper }))
    }

    /// `(self).name`: a field of a composite.
    #[track_caller]
    fn field(self, name: &str) -> Expr
    where
        Self: CompositeExpression,
    {
        Expr::push(access(self.into_expr().id, AccessStep::Field(name.to_owned())))
    }

    /// `self @> other`: whether an array has all elements of another, a range a value or another range, a jsonb what another
    /// holds.
    #[track_caller]
    fn contains<R: IntoExpr>(self, other: R) -> Expr<bool>
    where
        Self: ContainerExpression<R>,
    {
        binary("@>", self, other)
    }

    /// `self <@ other`: whether the other one contains this.
    #[track_caller]
    fn contained_by<R: ContainerExpression<Self>>(self, other: R) -> Expr<bool> {
        binary("<@", self, other)
    }

    /// `self && other`: whether two arrays or two ranges have a value in common. SQL's OVERLAPS is
    /// [`overlaps`](crate::overlaps()).
    #[track_caller]
    fn overlaps<R: IntoExpr>(self, other: R) -> Expr<bool>
    where
        Self: ContainerExpression<R>,
    {
        binary("&&", self, other)
    }
}

impl<T: Expression> ArrayOperators for T {}

fn access(value: callslip_ir::NodeId, step: AccessStep) -> NodeKind {
    NodeKind::Access(Access { value, step })
}

/// `ARRAY[values]`, of one type: a tuple of up to 12, an array or a `Vec`. Arrays of arrays are the rows of one of two
/// dimensions. Without a value see [`empty_array`].
#[track_caller]
pub fn array<V: Alternatives>(values: V) -> Expr<Vec<V::Ty>> {
    Expr::push(NodeKind::Array(values.into_expressions()))
}

/// `CAST(ARRAY[] AS T[])`: an array without an element. Of a type that has no Rust type it is `constant("{}").cast_as("inet[]")`.
#[track_caller]
pub fn empty_array<T: CastTarget>() -> Expr<Vec<T>> {
    let value = Expr::<Vec<T>>::push(NodeKind::Array(Vec::new())).id;
    Expr::push(NodeKind::Cast(Cast { value, ty: <Vec<T>>::target() }))
}

/// `ARRAY(query)`: the rows of a query, which has one column.
#[track_caller]
pub fn array_query(query: Select) -> Expr {
    Expr::push(NodeKind::Subexpression(Subexpression::Array(query.into_query())))
}
