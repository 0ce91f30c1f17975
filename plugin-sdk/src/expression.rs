mod array;
mod json;
mod membership;
mod row;
mod text;

pub use array::{ArrayOperators, array, array_query, empty_array};
pub use json::JsonOperators;
pub use membership::{Elements, MembershipOperators};
pub use row::{RowValues, row, whole_row};
pub use text::TextOperators;

use callslip_ir::{
    Boolean, BooleanOperator, Cast, Direction, Is, IsTest, NodeId, NodeKind, Nulls, Operation, QualifiedName,
    Special, SpecialForm,
};

use crate::{
    Expr, IntoExpr, Item, Key,
    operand::{BooleanExpression, Comparable, ConcatExpression, NumberExpression, Operand, ZonedExpression},
    order::Order,
    sql_type::{CastTarget, Divided, Minus, Modulo, Plus, Times},
    type_name::parse_type,
};

#[track_caller]
fn operation<T>(operator: &str, operands: Vec<NodeId>) -> Expr<T> {
    Expr::push(NodeKind::Operation(Operation { operator: QualifiedName::parse(operator), operands }))
}

#[track_caller]
fn binary<T>(operator: &str, left: impl IntoExpr, right: impl IntoExpr) -> Expr<T> {
    operation(operator, vec![left.into_expr().id, right.into_expr().id])
}

#[track_caller]
pub(crate) fn special<T>(form: SpecialForm, operands: Vec<NodeId>) -> Expr<T> {
    Expr::push(NodeKind::Special(Special { form, operands }))
}

#[track_caller]
pub(crate) fn boolean(operator: BooleanOperator, operands: Vec<NodeId>) -> Expr<bool> {
    Expr::push(NodeKind::Boolean(Boolean { operator, operands }))
}

#[track_caller]
fn is(value: NodeId, test: IsTest, negated: bool) -> Expr<bool> {
    Expr::push(NodeKind::Is(Is { value, test, negated }))
}

/// `operator operand`, for a prefix operator other than `-`: `prefix("@", balance)`.
#[track_caller]
pub fn prefix(operator: &str, operand: impl IntoExpr) -> Expr {
    operation(operator, vec![operand.into_expr().id])
}

/// What an expression can do. Each method names the SQL that it stands for.
///
/// Beside these there are [`TextOperators`], [`ArrayOperators`], [`JsonOperators`] and [`MembershipOperators`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an expression",
    label = "this has no SQL operators of its own",
    note = "a Rust value becomes an expression with `constant(…)`"
)]
#[expect(clippy::wrong_self_convention, reason = "the names are SQL's")]
pub trait Expression: IntoExpr + Sized {
    /// `self = other`.
    #[track_caller]
    fn eq<R: IntoExpr>(self, other: R) -> Expr<bool>
    where
        Self: Comparable<R>,
    {
        binary("=", self, other)
    }

    /// `self <> other`.
    #[track_caller]
    fn ne<R: IntoExpr>(self, other: R) -> Expr<bool>
    where
        Self: Comparable<R>,
    {
        binary("<>", self, other)
    }

    /// `self < other`.
    #[track_caller]
    fn lt<R: IntoExpr>(self, other: R) -> Expr<bool>
    where
        Self: Comparable<R>,
    {
        binary("<", self, other)
    }

    /// `self <= other`.
    #[track_caller]
    fn le<R: IntoExpr>(self, other: R) -> Expr<bool>
    where
        Self: Comparable<R>,
    {
        binary("<=", self, other)
    }

    /// `self > other`.
    #[track_caller]
    fn gt<R: IntoExpr>(self, other: R) -> Expr<bool>
    where
        Self: Comparable<R>,
    {
        binary(">", self, other)
    }

    /// `self >= other`.
    #[track_caller]
    fn ge<R: IntoExpr>(self, other: R) -> Expr<bool>
    where
        Self: Comparable<R>,
    {
        binary(">=", self, other)
    }

    /// `self + other`.
    #[track_caller]
    fn add<R: IntoExpr>(self, other: R) -> Expr<Self::Output>
    where
        Self: Operand<Plus, R>,
    {
        binary("+", self, other)
    }

    /// `self - other`.
    #[track_caller]
    fn sub<R: IntoExpr>(self, other: R) -> Expr<Self::Output>
    where
        Self: Operand<Minus, R>,
    {
        binary("-", self, other)
    }

    /// `self * other`.
    #[track_caller]
    fn mul<R: IntoExpr>(self, other: R) -> Expr<Self::Output>
    where
        Self: Operand<Times, R>,
    {
        binary("*", self, other)
    }

    /// `self / other`. Integers divide to an integer.
    #[track_caller]
    fn div<R: IntoExpr>(self, other: R) -> Expr<Self::Output>
    where
        Self: Operand<Divided, R>,
    {
        binary("/", self, other)
    }

    /// `self % other`.
    #[track_caller]
    fn rem<R: IntoExpr>(self, other: R) -> Expr<Self::Output>
    where
        Self: Operand<Modulo, R>,
    {
        binary("%", self, other)
    }

    /// `- self`.
    #[track_caller]
    fn neg(self) -> Expr<Self::Ty>
    where
        Self: NumberExpression,
    {
        operation("-", vec![self.into_expr().id])
    }

    /// `self AND other`. For several conditions see [`crate::all`].
    #[track_caller]
    fn and<R: BooleanExpression>(self, other: R) -> Expr<bool>
    where
        Self: BooleanExpression,
    {
        let operands = vec![self.into_expr().id, other.into_expr().id];
        boolean(BooleanOperator::And, operands)
    }

    /// `self OR other`. For several conditions see [`crate::any`].
    #[track_caller]
    fn or<R: BooleanExpression>(self, other: R) -> Expr<bool>
    where
        Self: BooleanExpression,
    {
        let operands = vec![self.into_expr().id, other.into_expr().id];
        boolean(BooleanOperator::Or, operands)
    }

    /// `NOT self`.
    #[track_caller]
    fn not(self) -> Expr<bool>
    where
        Self: BooleanExpression,
    {
        let operands = vec![self.into_expr().id];
        boolean(BooleanOperator::Not, operands)
    }

    /// `self || other`.
    #[track_caller]
    fn concat<R: IntoExpr>(self, other: R) -> Expr<Self::Joined>
    where
        Self: ConcatExpression<R>,
    {
        binary("||", self, other)
    }

    /// `self operator other`, for an operator that has no method here: `.op("<->", point)`. An operator of a schema
    /// that is not searched is written `"schema.<->"`.
    #[track_caller]
    fn op(self, operator: &str, other: impl IntoExpr) -> Expr {
        binary(operator, self, other)
    }

    /// `self BETWEEN low AND high`, both included.
    #[track_caller]
    fn between<A: IntoExpr, B: IntoExpr>(self, low: A, high: B) -> Expr<bool>
    where
        Self: Comparable<A> + Comparable<B>,
    {
        let form = SpecialForm::Between { symmetric: false, negated: false };
        special(form, vec![self.into_expr().id, low.into_expr().id, high.into_expr().id])
    }

    /// `self NOT BETWEEN low AND high`.
    #[track_caller]
    fn not_between<A: IntoExpr, B: IntoExpr>(self, low: A, high: B) -> Expr<bool>
    where
        Self: Comparable<A> + Comparable<B>,
    {
        let form = SpecialForm::Between { symmetric: false, negated: true };
        special(form, vec![self.into_expr().id, low.into_expr().id, high.into_expr().id])
    }

    /// `self BETWEEN SYMMETRIC a AND b`: whichever of the two is the lower.
    #[track_caller]
    fn between_symmetric<A: IntoExpr, B: IntoExpr>(self, a: A, b: B) -> Expr<bool>
    where
        Self: Comparable<A> + Comparable<B>,
    {
        let form = SpecialForm::Between { symmetric: true, negated: false };
        special(form, vec![self.into_expr().id, a.into_expr().id, b.into_expr().id])
    }

    /// `self NOT BETWEEN SYMMETRIC a AND b`.
    #[track_caller]
    fn not_between_symmetric<A: IntoExpr, B: IntoExpr>(self, a: A, b: B) -> Expr<bool>
    where
        Self: Comparable<A> + Comparable<B>,
    {
        let form = SpecialForm::Between { symmetric: true, negated: true };
        special(form, vec![self.into_expr().id, a.into_expr().id, b.into_expr().id])
    }

    /// `self IS NULL`.
    #[track_caller]
    fn is_null(self) -> Expr<bool> {
        is(self.into_expr().id, IsTest::Null, false)
    }

    /// `self IS NOT NULL`.
    #[track_caller]
    fn is_not_null(self) -> Expr<bool> {
        is(self.into_expr().id, IsTest::Null, true)
    }

    /// `self IS TRUE`: false where `self` is null.
    #[track_caller]
    fn is_true(self) -> Expr<bool>
    where
        Self: BooleanExpression,
    {
        is(self.into_expr().id, IsTest::True, false)
    }

    /// `self IS NOT TRUE`: true where `self` is null.
    #[track_caller]
    fn is_not_true(self) -> Expr<bool>
    where
        Self: BooleanExpression,
    {
        is(self.into_expr().id, IsTest::True, true)
    }

    /// `self IS FALSE`: false where `self` is null.
    #[track_caller]
    fn is_false(self) -> Expr<bool>
    where
        Self: BooleanExpression,
    {
        is(self.into_expr().id, IsTest::False, false)
    }

    /// `self IS NOT FALSE`: true where `self` is null.
    #[track_caller]
    fn is_not_false(self) -> Expr<bool>
    where
        Self: BooleanExpression,
    {
        is(self.into_expr().id, IsTest::False, true)
    }

    /// `self IS UNKNOWN`: whether a condition is null.
    #[track_caller]
    fn is_unknown(self) -> Expr<bool>
    where
        Self: BooleanExpression,
    {
        is(self.into_expr().id, IsTest::Unknown, false)
    }

    /// `self IS NOT UNKNOWN`.
    #[track_caller]
    fn is_not_unknown(self) -> Expr<bool>
    where
        Self: BooleanExpression,
    {
        is(self.into_expr().id, IsTest::Unknown, true)
    }

    /// `self IS DISTINCT FROM other`: like `<>`, but null is a value like any other.
    #[track_caller]
    fn is_distinct_from<R: IntoExpr>(self, other: R) -> Expr<bool>
    where
        Self: Comparable<R>,
    {
        special(SpecialForm::DistinctFrom { negated: false }, vec![self.into_expr().id, other.into_expr().id])
    }

    /// `self IS NOT DISTINCT FROM other`: like `=`, but two nulls are equal.
    #[track_caller]
    fn is_not_distinct_from<R: IntoExpr>(self, other: R) -> Expr<bool>
    where
        Self: Comparable<R>,
    {
        special(SpecialForm::DistinctFrom { negated: true }, vec![self.into_expr().id, other.into_expr().id])
    }

    /// `CAST(self AS T)`: `c.profile.get_text("score").cast::<Numeric>()`.
    #[track_caller]
    fn cast<T: CastTarget>(self) -> Expr<T> {
        let (value, ty) = (self.into_expr().id, T::target());
        Expr::push(NodeKind::Cast(Cast { value, ty }))
    }

    /// `CAST(self AS ty)`, for a type that has no Rust type or has modifiers: `"numeric(10,2)"`, `"inet"`,
    /// `"audit.level"`, `"varchar(3)[]"`.
    ///
    /// # Panics
    /// If what is in the parentheses of `ty` is not whole numbers.
    #[track_caller]
    fn cast_as(self, ty: &str) -> Expr {
        let (value, ty) = (self.into_expr().id, parse_type(ty));
        Expr::push(NodeKind::Cast(Cast { value, ty }))
    }

    /// `self AT TIME ZONE zone`: what the clocks of a zone show at a moment, or the moment at which they show it.
    #[track_caller]
    fn at_time_zone<Z: IntoExpr>(self, zone: Z) -> Expr<Self::Shifted>
    where
        Self: ZonedExpression,
    {
        special(SpecialForm::AtTimeZone, vec![self.into_expr().id, zone.into_expr().id])
    }

    /// `self AS name`: the column's name in the result.
    #[track_caller]
    fn alias(self, name: &str) -> Item {
        Item { expression: self.into_expr().id, alias: Some(name.to_owned()) }
    }

    /// `self ASC`, for ORDER BY. Nulls come last.
    #[track_caller]
    fn asc(self) -> Order {
        Order { expression: self.into_expr().id, direction: Direction::Ascending, nulls: Nulls::Unspecified }
    }

    /// `self DESC`, for ORDER BY. Nulls come first.
    #[track_caller]
    fn desc(self) -> Order {
        Order { expression: self.into_expr().id, direction: Direction::Descending, nulls: Nulls::Unspecified }
    }

    /// `self`, as what a key of a [`Sort`](struct@crate::Sort) sorts by.
    #[track_caller]
    fn key(self) -> Key {
        Key(Expr::new(self.into_expr().id))
    }
}
