//! What the SDK's compile-time types say of an operator's result is what PostgreSQL says.

use callslip_sdk::prelude::*;
use callslip_sdk::{CastTarget, ConcatExpression, Divided, Minus, Modulo, NumberExpression, Operand, Plus};
use callslip_sdk::{RoundExpression, SubscriptExpression, Times, TruncateExpression, ZonedExpression};
use callslip_tests::database;

type Numbers = Vec<i32>;
type Texts = Vec<String>;

/// An expression over nulls of the operands' types, and the type that it should have.
type Claim = (String, String);

fn name<T: CastTarget>() -> String {
    T::target().to_string()
}

fn null_of<T: CastTarget>() -> String {
    format!("CAST(NULL AS {})", name::<T>())
}

fn operator<L: CastTarget, O, R: CastTarget>(symbol: &str) -> Claim
where
    Expr<L>: Operand<O, Expr<R>, Output: CastTarget>,
{
    let expression = format!("{} {symbol} {}", null_of::<L>(), null_of::<R>());
    (expression, name::<<Expr<L> as Operand<O, Expr<R>>>::Output>())
}

fn concat<L: CastTarget, R: CastTarget>() -> Claim
where
    Expr<L>: ConcatExpression<Expr<R>, Joined: CastTarget>,
{
    let expression = format!("{} || {}", null_of::<L>(), null_of::<R>());
    (expression, name::<<Expr<L> as ConcatExpression<Expr<R>>>::Joined>())
}

macro_rules! numbers {
    ($claims:ident: $($left:ident)*) => { $( numbers!(@one $claims $left i16 i32 i64 Numeric f32 f64); )* };
    (@one $claims:ident $left:ident $($right:ident)*) => { $(
        $claims.push(operator::<$left, Plus, $right>("+"));
        $claims.push(operator::<$left, Minus, $right>("-"));
        $claims.push(operator::<$left, Times, $right>("*"));
        $claims.push(operator::<$left, Divided, $right>("/"));
    )* };
}

macro_rules! operators {
    ($claims:ident: $($left:ident $operator:ident $symbol:literal $($right:ident)*;)*) => { $( $(
        $claims.push(operator::<$left, $operator, $right>($symbol));
    )* )* };
}

macro_rules! functions {
    ($claims:ident: $($function:literal $trait:ident $result:ident $($type:ident)*;)*) => { $( $(
        $claims.push((
            format!($function, null_of::<$type>()),
            name::<<Expr<$type> as $trait>::$result>(),
        ));
    )* )* };
}

macro_rules! joins {
    ($claims:ident: $($type:ident)*) => { $(
        $claims.push(concat::<String, $type>());
        $claims.push(concat::<$type, String>());
    )* };
}

#[tokio::test]
async fn results_have_the_types_that_postgresql_gives_them() {
    let mut claims: Vec<Claim> = Vec::new();
    numbers!(claims: i16 i32 i64 Numeric f32 f64);
    operators! { claims:
        i16 Modulo "%" i16 i32 i64;
        i32 Modulo "%" i16 i32 i64;
        i64 Modulo "%" i16 i32 i64;
        Numeric Modulo "%" i16 i32 i64 Numeric;
        Date Plus "+" i16 i32 Interval Time;
        Date Minus "-" i16 i32 Interval Date Timestamp Timestamptz;
        Timestamp Plus "+" Interval;
        Timestamp Minus "-" Interval Date Timestamp Timestamptz;
        Timestamptz Plus "+" Interval;
        Timestamptz Minus "-" Interval Date Timestamp Timestamptz;
        Time Plus "+" Interval Date;
        Time Minus "-" Interval Time;
        Interval Plus "+" Interval Date Timestamp Timestamptz Time;
        Interval Minus "-" Interval;
        Interval Times "*" i16 i32 i64 Numeric f32 f64;
        Interval Divided "/" i16 i32 i64 Numeric f32 f64;
        i16 Times "*" Interval;
        i32 Times "*" Interval;
        i64 Times "*" Interval;
        Numeric Times "*" Interval;
        f32 Times "*" Interval;
        f64 Times "*" Interval;
        Json Minus "-" String i32;
    }
    functions! { claims:
        "sum({})" NumberExpression Sum i16 i32 i64 Numeric f32 f64 Interval;
        "avg({})" NumberExpression Average i16 i32 i64 Numeric f32 f64 Interval;
        "round({})" RoundExpression Rounded i16 i32 i64 Numeric f32 f64;
        "date_trunc('day', {})" TruncateExpression Truncated Date Time Timestamp Timestamptz Interval;
        "{} AT TIME ZONE 'UTC'" ZonedExpression Shifted Date Timestamp Timestamptz;
        "({})[1]" SubscriptExpression Element Numbers Texts Json;
    }
    claims.extend([
        ("EXTRACT(year FROM CURRENT_DATE)".to_owned(), name::<Numeric>()),
        ("CURRENT_TIMESTAMP(0)".to_owned(), name::<Timestamptz>()),
        ("LOCALTIMESTAMP".to_owned(), name::<Timestamp>()),
        ("LOCALTIME(3)".to_owned(), name::<Time>()),
    ]);
    joins!(claims: bool i16 i32 i64 f32 f64 Numeric Date Time Timestamp Timestamptz Interval Uuid);
    claims.extend([concat::<String, String>(), concat::<Json, Json>(), concat::<Bytes, Bytes>()]);
    claims.extend([concat::<Vec<i32>, Vec<i32>>(), concat::<Vec<i32>, i32>(), concat::<Date, Vec<Date>>()]);

    let owner = database().owner().await;
    for (expression, claimed) in claims {
        let sql =
            format!("SELECT pg_typeof({expression}) = '{claimed}'::regtype, pg_typeof({expression})::text");
        let row = owner.query_one(&sql, &[]).await.unwrap_or_else(|error| panic!("{expression}: {error}"));
        let (same, found): (bool, String) = (row.get(0), row.get(1));
        assert!(same, "{expression} is {found}, and not {claimed}");
    }
}
