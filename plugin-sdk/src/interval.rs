//! Spans of time in the units that an author thinks in.

use callslip_ir::{Binding, NodeKind, QualifiedName, Scalar};

use crate::{
    Expr, Interval, Numeric, arena,
    operand::RoundExpression,
    value::{declared, push_constant},
};

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident $unit:literal;)*) => { $(
        $(#[$doc])*
        ///
        /// The count is a number or an `Arg` of one.
        #[track_caller]
        pub fn $name(count: impl RoundExpression) -> Expr<Interval> {
            interval(count, $unit)
        }
    )* };
}

units! {
    /// `count * interval '1 second'`.
    seconds "second";
    /// `count * interval '1 minute'`.
    minutes "minute";
    /// `count * interval '1 hour'`.
    hours "hour";
    /// `count * interval '1 day'`: `i.completed_at.ge(now() - days(7))`. A day of a `Timestamptz` is as long as that day
    /// is in the session's time zone, which is UTC.
    days "day";
    /// `count * interval '1 week'`.
    weeks "week";
    /// `count * interval '1 month'`: a month after the 31st is the last of the next month.
    months "month";
    /// `count * interval '1 year'`.
    years "year";
}

#[track_caller]
fn interval(count: impl RoundExpression, unit: &str) -> Expr<Interval> {
    let ty = declared(Scalar::Interval);
    let count = count.into_expr().id;
    // A whole number of units is one constant: PostgreSQL's planner knows it, and people read it. Of others the literal
    // is not the product: '0.1 year' is one month.
    if let NodeKind::Parameter(slot) = arena::kind(count)
        && let Binding::Constant(Some(count)) = arena::binding(slot)
        && count.parse::<i64>().is_ok()
    {
        return push_constant(ty, &[&count, " ", unit].concat());
    }
    let one = push_constant::<Interval>(ty, &["1 ", unit].concat()).id;
    Expr::push(NodeKind::Operation(callslip_ir::Operation {
        operator: QualifiedName::new("*"),
        operands: vec![count, one],
    }))
}

/// A decimal number: `dec("3.50")` is the numeric 3.50, to its last digit. The host refuses the plugin if it is none.
pub fn dec(number: &str) -> Numeric {
    Numeric::new(number)
}
