//! The functions of daily use. Any other is a [`call`](crate::call).

use callslip_ir::SpecialForm;

use crate::{
    Alternatives, Any, Call, Date, Expr, IntoExpr, Json, Numeric, Time, Timestamp, Timestamptz,
    expression::special,
    operand::{
        BooleanExpression, Comparable, LowerExpression, NumberExpression, RoundExpression, TextExpression,
        TruncateExpression,
    },
};

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident<$($type:ident: $bound:ident),*>($($argument:ident: $of:ident),*) -> $result:ty;)*) => { $(
        $(#[$doc])*
        #[track_caller]
        pub fn $name<$($type: $bound),*>($($argument: $of),*) -> Call<$result> {
            Call::new(stringify!($name), vec![$($argument.into_expr().id),*])
        }
    )* };
}

functions! {
    /// `count(value)`: how many rows have a value that is not null.
    count<V: IntoExpr>(value: V) -> i64;
    /// `sum(value)`; null where there is no row.
    sum<V: NumberExpression>(value: V) -> V::Sum;
    /// `avg(value)`; null where there is no row.
    avg<V: NumberExpression>(value: V) -> V::Average;
    /// `min(value)`; null where there is no row.
    min<V: IntoExpr>(value: V) -> V::Ty;
    /// `max(value)`; null where there is no row.
    max<V: IntoExpr>(value: V) -> V::Ty;
    /// `array_agg(value)`: the values as an array, nulls too; null where there is no row.
    array_agg<V: IntoExpr>(value: V) -> Vec<V::Ty>;
    /// `string_agg(value, separator)`: the texts in one, without nulls; null where there is no row.
    string_agg<V: TextExpression, S: TextExpression>(value: V, separator: S) -> String;
    /// `bool_and(value)`: whether all are true.
    bool_and<V: BooleanExpression>(value: V) -> bool;
    /// `bool_or(value)`: whether one is true.
    bool_or<V: BooleanExpression>(value: V) -> bool;
    /// `jsonb_agg(value)`: the values as a JSON array; null where there is no row.
    jsonb_agg<V: IntoExpr>(value: V) -> Json;

    /// `percentile_cont(fraction)`, with `.within_group(…)`: a value that may lie between two rows. The median is
    /// that of 0.5.
    percentile_cont<F: IntoExpr>(fraction: F) -> Any;
    /// `percentile_disc(fraction)`, with `.within_group(…)`: the value of a row.
    percentile_disc<F: IntoExpr>(fraction: F) -> Any;

    /// `row_number()`, with `.over(…)`: 1, 2, 3, … in the window's order.
    row_number<>() -> i64;
    /// `rank()`, with `.over(…)`: equal rows have one rank, and a gap follows.
    rank<>() -> i64;
    /// `dense_rank()`, with `.over(…)`: equal rows have one rank, and no gap follows.
    dense_rank<>() -> i64;
    /// `percent_rank()`, with `.over(…)`: the rank from 0 to 1.
    percent_rank<>() -> f64;
    /// `ntile(buckets)`, with `.over(…)`: which of so many equal parts a row is in, from 1.
    ntile<N: NumberExpression>(buckets: N) -> i32;
    /// `lag(value)`, with `.over(…)`: the value of the row before. `call("lag", (value, offset, default))` says more.
    lag<V: IntoExpr>(value: V) -> V::Ty;
    /// `lead(value)`, with `.over(…)`: the value of the row after. `call("lead", (value, offset, default))` says more.
    lead<V: IntoExpr>(value: V) -> V::Ty;
    /// `first_value(value)`, with `.over(…)`: the value of the frame's first row.
    first_value<V: IntoExpr>(value: V) -> V::Ty;
    /// `last_value(value)`, with `.over(…)`: the value of the frame's last row. Without a frame that is the current
    /// row.
    last_value<V: IntoExpr>(value: V) -> V::Ty;

    /// `lower(value)`: a text in lower case, or the lower bound of a range.
    lower<T: LowerExpression>(value: T) -> T::Lowered;
    /// `upper(value)`: a text in upper case, or the upper bound of a range.
    upper<T: LowerExpression>(value: T) -> T::Lowered;
    /// `length(text)`: in characters.
    length<T: TextExpression>(text: T) -> i32;
    /// `substring(text, start, count)`: so many characters, from one on; the first is number 1.
    substring<T: TextExpression, S: NumberExpression, N: NumberExpression>(text: T, start: S, count: N) -> String;
    /// `abs(number)`.
    abs<N: NumberExpression>(number: N) -> N::Ty;
    /// `round(number)`: to a whole number. To so many digits it is `call("round", (number, digits))`.
    round<N: RoundExpression>(number: N) -> N::Rounded;
    /// `now()`: when the transaction began.
    now<>() -> Timestamptz;
    /// `date_trunc(field, value)`: `date_trunc("month", i.created_at)`.
    date_trunc<F: TextExpression, V: TruncateExpression>(field: F, value: V) -> V::Truncated;
}

/// `count(*)`: how many rows there are.
#[track_caller]
pub fn count_all() -> Call<i64> {
    Call::new("count", Vec::new()).change(|call| call.star = true)
}

/// `count(DISTINCT value)`: how many different values there are, nulls left out.
#[track_caller]
pub fn count_distinct(value: impl IntoExpr) -> Call<i64> {
    count(value).distinct()
}

/// `COALESCE(values)`: the first that is not null.
#[track_caller]
pub fn coalesce<V: Alternatives>(values: V) -> Expr<V::Ty> {
    special(SpecialForm::Coalesce, values.into_expressions())
}

/// `NULLIF(value, other)`: null where the two are equal, and `value` otherwise.
#[track_caller]
pub fn nullif<V: IntoExpr + Comparable<O>, O: IntoExpr>(value: V, other: O) -> Expr<V::Ty> {
    special(SpecialForm::NullIf, vec![value.into_expr().id, other.into_expr().id])
}

/// `GREATEST(values)`: nulls left out.
#[track_caller]
pub fn greatest<V: Alternatives>(values: V) -> Expr<V::Ty> {
    special(SpecialForm::Greatest, values.into_expressions())
}

/// `LEAST(values)`: nulls left out.
#[track_caller]
pub fn least<V: Alternatives>(values: V) -> Expr<V::Ty> {
    special(SpecialForm::Least, values.into_expressions())
}

/// `EXTRACT(field FROM value)`: `extract("year", i.created_at)`.
#[track_caller]
pub fn extract(field: &str, value: impl TruncateExpression) -> Expr<Numeric> {
    special(SpecialForm::Extract { field: field.to_owned() }, vec![value.into_expr().id])
}

/// `CURRENT_DATE`: the day on which the transaction began.
#[track_caller]
pub fn current_date() -> Expr<Date> {
    special(SpecialForm::CurrentDate, Vec::new())
}

/// `CURRENT_TIMESTAMP`: when the transaction began; `current_timestamp(0)` is `CURRENT_TIMESTAMP(0)`, to the second.
#[track_caller]
pub fn current_timestamp(precision: impl Into<Option<u8>>) -> Expr<Timestamptz> {
    special(SpecialForm::CurrentTimestamp { precision: precision.into() }, Vec::new())
}

/// `CURRENT_TIME`: the time of day when the transaction began, a `timetz`.
#[track_caller]
pub fn current_time(precision: impl Into<Option<u8>>) -> Expr {
    special(SpecialForm::CurrentTime { precision: precision.into() }, Vec::new())
}

/// `LOCALTIMESTAMP`: when the transaction began, without its zone.
#[track_caller]
pub fn localtimestamp(precision: impl Into<Option<u8>>) -> Expr<Timestamp> {
    special(SpecialForm::LocalTimestamp { precision: precision.into() }, Vec::new())
}

/// `LOCALTIME`: the time of day when the transaction began, without its zone.
#[track_caller]
pub fn localtime(precision: impl Into<Option<u8>>) -> Expr<Time> {
    special(SpecialForm::LocalTime { precision: precision.into() }, Vec::new())
}

/// `(start, end) OVERLAPS (start, end)`: whether two periods have a moment in common. An end may be an interval. Of ranges
/// see [`ArrayOperators::overlaps`](crate::ArrayOperators::overlaps).
#[track_caller]
pub fn overlaps<A: IntoExpr, B: IntoExpr, C: IntoExpr, D: IntoExpr>(
    (start, end): (A, B),
    (other_start, other_end): (C, D),
) -> Expr<bool> {
    let first = [start.into_expr().id, end.into_expr().id];
    special(SpecialForm::Overlaps, [first, [other_start.into_expr().id, other_end.into_expr().id]].concat())
}
