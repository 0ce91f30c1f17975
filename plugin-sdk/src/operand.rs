//! Which expressions go together. Each trait here is one condition on the types of operands; a compiler's message about it
//! names the operands themselves, so that an author reads which column is meant.

use crate::{
    IntoExpr, Select,
    sql_type::{
        Arithmetic, ArrayType, BooleanType, Compares, CompositeType, Contains, Joins, JsonType, Lowers,
        NumberType, Rounds, SqlType, SubscriptType, TextType, Truncates, Zoned,
    },
};

/// That an expression compares with another: with `=`, `<`, `BETWEEN`, `IN`, and so on.
///
/// Numbers of every type compare with each other, and so do dates and timestamps; other types with their own. An
/// [`Any`](crate::Any) goes with everything.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be compared with `{R}`",
    label = "`{R}` is not of a type that compares with `{Self}`",
    note = "a number compares with numbers of any width, a text with a string, an enum column with its Rust enum, a time with \
            an `Arg` or a value of its own type, such as `Date::new(\"2026-01-31\")`, and whatever it is with the elements of \
            a list by `.eq_any(…)`",
    note = "`.cast::<…>()` makes another type of an expression"
)]
pub trait Comparable<R> {}
#[diagnostic::do_not_recommend]
impl<L: IntoExpr<Ty: Compares<R::Ty>>, R: IntoExpr> Comparable<R> for L {}

/// That an expression compares with the elements of an array, or with the rows of a query.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be compared with the elements of `{A}`",
    label = "an array whose elements compare with `{Self}` is wanted here, such as an `Arg<Vec<…>>`",
    note = "of values that are known here it is `.in_list([…])`"
)]
pub trait ComparableToElements<A> {}
#[diagnostic::do_not_recommend]
impl<L, A> ComparableToElements<A> for L
where
    L: IntoExpr<Ty: Compares<<A::Ty as ArrayType>::Element>>,
    A: ArrayExpression,
{
}
impl<L: IntoExpr> ComparableToElements<Select> for L {}

/// An expression that is an array.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an array",
    label = "an array is wanted here, such as a column of type `Vec<…>` or an `Arg<Vec<…>>`"
)]
pub trait ArrayExpression: IntoExpr<Ty: ArrayType> {}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: ArrayType>> ArrayExpression for T {}

/// An expression that has subscripts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no subscripts",
    label = "an array or JSON is wanted here"
)]
pub trait SubscriptExpression: IntoExpr {
    /// What a subscript gives.
    type Element: SqlType;
}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: SubscriptType>> SubscriptExpression for T {
    type Element = <T::Ty as SubscriptType>::Element;
}

/// An expression that has fields.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fields",
    label = "a composite is wanted here: a column of a composite type, a `row(…)` or a `whole_row(…)`"
)]
pub trait CompositeExpression: IntoExpr {}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: CompositeType>> CompositeExpression for T {}

/// That an expression contains another.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't contain `{R}`",
    label = "two arrays of one type, two of JSON, or a range are wanted here",
    note = "whether one value is among the elements of an array is `.eq_any(…)`"
)]
pub trait ContainerExpression<R>: IntoExpr {}
#[diagnostic::do_not_recommend]
impl<L: IntoExpr<Ty: Contains<R::Ty>>, R: IntoExpr> ContainerExpression<R> for L {}

/// An expression that `AT TIME ZONE` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a time",
    label = "a `Timestamptz`, `Timestamp`, `Date` or `Time` is wanted here"
)]
pub trait ZonedExpression: IntoExpr {
    /// What it gives.
    type Shifted: SqlType;
}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: Zoned>> ZonedExpression for T {
    type Shifted = <T::Ty as Zoned>::Shifted;
}

/// That an arithmetic operator takes two expressions.
#[diagnostic::on_unimplemented(
    message = "no arithmetic operator ({Operator}) takes `{Self}` and `{R}`",
    label = "`{R}` is not of a type that goes with `{Self}` here",
    note = "`days(7)`, `hours(2)` and their like are intervals, which dates and times add and subtract; `.cast::<…>()` makes \
            another type of an expression, and `.op(\"…\", …)` takes any operator"
)]
pub trait Operand<Operator, R> {
    /// The type of the result.
    type Output: SqlType;
}
#[diagnostic::do_not_recommend]
impl<Operator, L: IntoExpr<Ty: Arithmetic<Operator, R::Ty>>, R: IntoExpr> Operand<Operator, R> for L {
    type Output = <L::Ty as Arithmetic<Operator, R::Ty>>::Output;
}

/// An expression that is true, false or null.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition",
    label = "a comparison or another expression of type `bool` is wanted here"
)]
pub trait BooleanExpression: IntoExpr {}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: BooleanType>> BooleanExpression for T {}

/// An expression that is a text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a text",
    label = "an expression of type `String`, a string or an `Arg<String>` is wanted here",
    note = "`.cast::<String>()` makes a text of another type"
)]
pub trait TextExpression: IntoExpr {}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: TextType>> TextExpression for T {}

/// An expression that is JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not JSON",
    label = "an expression of type `Json` is wanted here"
)]
pub trait JsonExpression: IntoExpr {}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: JsonType>> JsonExpression for T {}

/// That `||` joins two expressions: a text and anything else, two arrays, bytes or JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` and `{R}` can't be joined with `||`",
    label = "of the two one has to be a text, or both arrays of one type, bytes or JSON",
    note = "`.cast::<String>()` makes a text of another type"
)]
pub trait ConcatExpression<R>: IntoExpr {
    /// The type of the result.
    type Joined: SqlType;
}
#[diagnostic::do_not_recommend]
impl<L: IntoExpr<Ty: Joins<R::Ty>>, R: IntoExpr> ConcatExpression<R> for L {
    type Joined = <L::Ty as Joins<R::Ty>>::Joined;
}

/// An expression that is a number or an interval.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number",
    label = "a number or an interval is wanted here",
    note = "`.cast::<Numeric>()` and its like make a number of another type"
)]
pub trait NumberExpression: IntoExpr {
    /// The type of `sum(…)`.
    type Sum: SqlType;
    /// The type of `avg(…)`.
    type Average: SqlType;
}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: NumberType>> NumberExpression for T {
    type Sum = <T::Ty as NumberType>::Sum;
    type Average = <T::Ty as NumberType>::Average;
}

/// An expression that `round(…)` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number",
    label = "a number is wanted here",
    note = "to round to so many digits: `call(\"round\", (number, digits))`"
)]
pub trait RoundExpression: IntoExpr {
    /// What it gives.
    type Rounded: SqlType;
}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: Rounds>> RoundExpression for T {
    type Rounded = <T::Ty as Rounds>::Rounded;
}

/// An expression that `date_trunc(…)` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a time nor an interval",
    label = "a `Date`, `Timestamp`, `Timestamptz` or `Interval` is wanted here"
)]
pub trait TruncateExpression: IntoExpr {
    /// What it gives.
    type Truncated: SqlType;
}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: Truncates>> TruncateExpression for T {
    type Truncated = <T::Ty as Truncates>::Truncated;
}

/// An expression that `lower(…)` and `upper(…)` take.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a text nor a range",
    label = "an expression of type `String`, a string, an `Arg<String>` or a `Range` is wanted here",
    note = "`.cast::<String>()` makes a text of another type"
)]
pub trait LowerExpression: IntoExpr {
    /// What they give.
    type Lowered: SqlType;
}
#[diagnostic::do_not_recommend]
impl<T: IntoExpr<Ty: Lowers>> LowerExpression for T {
    type Lowered = <T::Ty as Lowers>::Lowered;
}
