//! Rust's own operators on expressions.

use std::ops::{Add, Div, Mul, Neg, Not, Rem, Sub};

use crate::{Arg, Call, Case, Expr, Expression, IntoExpr, ParameterType};

macro_rules! operators {
    ($([$($generics:tt)*] $type:ty;)*) => { $(
        operators!(@binary [$($generics)*] $type: Add add, Sub sub, Mul mul, Div div, Rem rem);
        impl<$($generics)*> Neg for $type {
            type Output = Expr;
            #[track_caller]
            fn neg(self) -> Expr { Expression::neg(self) }
        }
        impl<$($generics)*> Not for $type {
            type Output = Expr;
            #[track_caller]
            fn not(self) -> Expr { Expression::not(self) }
        }
    )* };
    (@binary $generics:tt $type:ty: $($trait:ident $method:ident),*) => {
        $(operators!(@one $generics $type: $trait $method);)*
    };
    (@one [$($generics:tt)*] $type:ty: $trait:ident $method:ident) => {
        impl<$($generics)* R: IntoExpr> $trait<R> for $type {
            type Output = Expr;
            #[track_caller]
            fn $method(self, other: R) -> Expr { Expression::$method(self, other) }
        }
    };
}

operators! {
    [] Expr;
    [] Call;
    [] Case;
    [T: ParameterType,] Arg<T>;
}
