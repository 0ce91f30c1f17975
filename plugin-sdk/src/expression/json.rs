use super::{Expression, binary};
use crate::{Expr, IntoExpr, Json, operand::JsonExpression};

/// What JSON can do.
pub trait JsonOperators: Expression {
    /// `self -> key`: a field of a JSON object by its name, or an element of an array by its number, from 0.
    #[track_caller]
    fn get(self, key: impl IntoExpr) -> Expr<Json>
    where
        Self: JsonExpression,
    {
        binary("->", self, key)
    }

    /// `self ->> key`: the same as [`JsonOperators::get`], as a text.
    #[track_caller]
    fn get_text(self, key: impl IntoExpr) -> Expr<String>
    where
        Self: JsonExpression,
    {
        binary("->>", self, key)
    }

    /// `self #> path`: what the names and numbers of a path lead to, such as `array(["editions", "0", "year"])`.
    #[track_caller]
    fn get_path(self, path: impl IntoExpr) -> Expr<Json>
    where
        Self: JsonExpression,
    {
        binary("#>", self, path)
    }

    /// `self #>> path`: the same as [`JsonOperators::get_path`], as a text.
    #[track_caller]
    fn get_path_text(self, path: impl IntoExpr) -> Expr<String>
    where
        Self: JsonExpression,
    {
        binary("#>>", self, path)
    }

    /// `self ? key`: whether a jsonb has the key, or its array the text.
    #[track_caller]
    fn has_key(self, key: impl IntoExpr) -> Expr<bool>
    where
        Self: JsonExpression,
    {
        binary("?", self, key)
    }
}

impl<T: Expression> JsonOperators for T {}
