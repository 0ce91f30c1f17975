//! The functions of daily use. Any other is a [`call`](crate::call).

use std::panic::Location;

use callslip_ir::{self as ir, NodeId, NodeKind, SpecialForm};

use crate::{Call, Expr, Expressions, IntoExpr, arena, expression::special};

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($argument:ident),*);)*) => { $(
        $(#[$doc])*
        #[track_caller]
        pub fn $name($($argument: impl IntoExpr),*) -> Call {
            Call::new(stringify!($name), vec![$($argument.into_expr().id),*])
        }
    )* };
}

functions! {
    /// `count(value)`: how many rows have a value that is not null.
    count(value);
    /// `sum(value)`; null where there is no row.
    sum(value);
    /// `avg(value)`; null where there is no row.
    avg(value);
    /// `min(value)`; null where there is no row.
    min(value);
    /// `max(value)`; null where there is no row.
    max(value);
    /// `array_agg(value)`: the values as an array, nulls too; null where there is no row.
    array_agg(value);
    /// `string_agg(value, separator)`: the texts in one, without nulls; null where there is no row.
    string_agg(value, separator);
    /// `bool_and(value)`: whether all are true.
    bool_and(value);
    /// `bool_or(value)`: whether one is true.
    bool_or(value);
    /// `jsonb_agg(value)`: the values as a JSON array; null where there is no row.
    jsonb_agg(value);

    /// `percentile_cont(fraction)`, with `.within_group(…)`: a value that may lie between two rows. The median is
    /// that of 0.5.
    percentile_cont(fraction);
    /// `percentile_disc(fraction)`, with `.within_group(…)`: the value of a row.
    percentile_disc(fraction);

    /// `row_number()`, with `.over(…)`: 1, 2, 3, … in the window's order.
    row_number();
    /// `rank()`, with `.over(…)`: equal rows have one rank, and a gap follows.
    rank();
    /// `dense_rank()`, with `.over(…)`: equal rows have one rank, and no gap follows.
    dense_rank();
    /// `percent_rank()`, with `.over(…)`: the rank from 0 to 1.
    percent_rank();
    /// `ntile(buckets)`, with `.over(…)`: which of so many equal parts a row is in, from 1.
    ntile(buckets);
    /// `lag(value)`, with `.over(…)`: the value of the row before. `call("lag", (value, offset, default))` says more.
    lag(value);
    /// `lead(value)`, with `.over(…)`: the value of the row after. `call("lead", (value, offset, default))` says more.
    lead(value);
    /// `first_value(value)`, with `.over(…)`: the value of the frame's first row.
    first_value(value);
    /// `last_value(value)`, with `.over(…)`: the value of the frame's last row. Without a frame that is the current
    /// row.
    last_value(value);

    /// `lower(text)`.
    lower(text);
    /// `upper(text)`.
    upper(text);
    /// `length(text)`: in characters.
    length(text);
    /// `abs(number)`.
    abs(number);
    /// `round(number)`: to a whole number. `call("round", (number, digits))` says more.
    round(number);
    /// `now()`: when the transaction began.
    now();
    /// `date_trunc(field, value)`: `date_trunc("month", i.col("created_at"))`.
    date_trunc(field, value);
}

/// `count(*)`: how many rows there are.
#[track_caller]
pub fn count_all() -> Call {
    Call::new("count", Vec::new()).change(|call| call.star = true)
}

/// `count(DISTINCT value)`: how many different values there are, nulls left out.
#[track_caller]
pub fn count_distinct(value: impl IntoExpr) -> Call {
    count(value).distinct()
}

/// `COALESCE(values)`: the first that is not null.
#[track_caller]
pub fn coalesce(values: impl Expressions) -> Expr {
    special_of(SpecialForm::Coalesce, values.into_expressions())
}

/// `NULLIF(value, other)`: null where the two are equal, and `value` otherwise.
#[track_caller]
pub fn nullif(value: impl IntoExpr, other: impl IntoExpr) -> Expr {
    special(SpecialForm::NullIf, [value.into_expr(), other.into_expr()])
}

/// `GREATEST(values)`: nulls left out.
#[track_caller]
pub fn greatest(values: impl Expressions) -> Expr {
    special_of(SpecialForm::Greatest, values.into_expressions())
}

/// `LEAST(values)`: nulls left out.
#[track_caller]
pub fn least(values: impl Expressions) -> Expr {
    special_of(SpecialForm::Least, values.into_expressions())
}

/// `EXTRACT(field FROM value)`: `extract("year", i.col("created_at"))`.
#[track_caller]
pub fn extract(field: &str, value: impl IntoExpr) -> Expr {
    special(SpecialForm::Extract { field: field.to_owned() }, [value.into_expr()])
}

/// `CURRENT_DATE`: the day on which the transaction began.
#[track_caller]
pub fn current_date() -> Expr {
    special(SpecialForm::CurrentDate, [])
}

#[track_caller]
fn special_of(form: SpecialForm, operands: Vec<NodeId>) -> Expr {
    let kind = NodeKind::Special(ir::Special { form, operands });
    Expr::new(arena::push(kind, Location::caller()))
}
