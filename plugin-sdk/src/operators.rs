//! Rust's own operators on expressions.

use std::ops::{Add, Div, Mul, Neg, Not, Rem, Sub};

use crate::{
    Arg, Call, Case, Column, Expr, Expression, IntoExpr, ParameterType,
    operand::{BooleanExpression, NumberExpression, Operand},
    sql_type::{Divided, Minus, Modulo, Plus, SqlType, Times},
};

macro_rules! operators {
    ($([$($generics:tt)*] $type:ty;)*) => { $(
        operators!(@binary [$($generics)*] $type: Add add Plus, Sub sub Minus, Mul mul Times, Div div Divided, Rem rem Modulo);
        impl<$($generics)*> Neg for $type
        where
            Self: NumberExpression + Expression,
        {
            type Output = Expr<<Self as IntoExpr>::Ty>;
            #[track_caller]
            fn neg(self) -> Self::Output { Expression::neg(self) }
        }
        impl<$($generics)*> Not for $type
        where
            Self: BooleanExpression + Expression,
        {
            type Output = Expr<bool>;
            #[track_caller]
            fn not(self) -> Self::Output { Expression::not(self) }
        }
    )* };
    (@binary $generics:tt $type:ty: $($trait:ident $method:ident $operator:ident),*) => {
        $(operators!(@one $generics $type: $trait $method $operator);)*
    };
    (@one [$($generics:tt)*] $type:ty: $trait:ident $method:ident $operator:ident) => {
        impl<$($generics)* R: IntoExpr> $trait<R> for $type
        where
            Self: Operand<$operator, R> + Expression,
        {
            type Output = Expr<<Self as Operand<$operator, R>>::Output>;
            #[track_caller]
            fn $method(self, other: R) -> Self::Output { Expression::$method(self, other) }
        }
    };
}

operators! {
    [T: SqlType,] Expr<T>;
    [T: SqlType,] Call<T>;
    [O: SqlType, T: SqlType,] Case<O, T>;
    [T: ParameterType,] Arg<T>;
    [T: SqlType, Name: 'static,] Column<T, Name>;
}
