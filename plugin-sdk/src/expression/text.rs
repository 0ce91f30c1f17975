use callslip_ir::{Collate, NodeKind, QualifiedName, SpecialForm};

use super::{Expression, binary, special};
use crate::{Expr, IntoExpr, operand::TextExpression};

/// What a text can do.
pub trait TextOperators: Expression {
    /// `self LIKE pattern`: `%` stands for any text, `_` for one character.
    #[track_caller]
    fn like<R: TextExpression>(self, pattern: R) -> Expr<bool>
    where
        Self: TextExpression,
    {
        binary("~~", self, pattern)
    }

    /// `self ILIKE pattern`: like [`TextOperators::like`], whatever the case of letters.
    #[track_caller]
    fn ilike<R: TextExpression>(self, pattern: R) -> Expr<bool>
    where
        Self: TextExpression,
    {
        binary("~~*", self, pattern)
    }

    /// `self NOT LIKE pattern`.
    #[track_caller]
    fn not_like<R: TextExpression>(self, pattern: R) -> Expr<bool>
    where
        Self: TextExpression,
    {
        binary("!~~", self, pattern)
    }

    /// `self NOT ILIKE pattern`.
    #[track_caller]
    fn not_ilike<R: TextExpression>(self, pattern: R) -> Expr<bool>
    where
        Self: TextExpression,
    {
        binary("!~~*", self, pattern)
    }

    /// `self LIKE pattern ESCAPE escape`: after `escape`, `%` and `_` stand for themselves.
    #[track_caller]
    fn like_escape<R: TextExpression, E: TextExpression>(self, pattern: R, escape: E) -> Expr<bool>
    where
        Self: TextExpression,
    {
        let form = SpecialForm::LikeEscape { case_insensitive: false, negated: false };
        special(form, vec![self.into_expr().id, pattern.into_expr().id, escape.into_expr().id])
    }

    /// `self NOT LIKE pattern ESCAPE escape`: after `escape`, `%` and `_` stand for themselves.
    #[track_caller]
    fn not_like_escape<R: TextExpression, E: TextExpression>(self, pattern: R, escape: E) -> Expr<bool>
    where
        Self: TextExpression,
    {
        let form = SpecialForm::LikeEscape { case_insensitive: false, negated: true };
        special(form, vec![self.into_expr().id, pattern.into_expr().id, escape.into_expr().id])
    }

    /// `self ILIKE pattern ESCAPE escape`: after `escape`, `%` and `_` stand for themselves.
    #[track_caller]
    fn ilike_escape<R: TextExpression, E: TextExpression>(self, pattern: R, escape: E) -> Expr<bool>
    where
        Self: TextExpression,
    {
        let form = SpecialForm::LikeEscape { case_insensitive: true, negated: false };
        special(form, vec![self.into_expr().id, pattern.into_expr().id, escape.into_expr().id])
    }

    /// `self NOT ILIKE pattern ESCAPE escape`: after `escape`, `%` and `_` stand for themselves.
    #[track_caller]
    fn not_ilike_escape<R: TextExpression, E: TextExpression>(self, pattern: R, escape: E) -> Expr<bool>
    where
        Self: TextExpression,
    {
        let form = SpecialForm::LikeEscape { case_insensitive: true, negated: true };
        special(form, vec![self.into_expr().id, pattern.into_expr().id, escape.into_expr().id])
    }

    /// `self SIMILAR TO pattern`: an SQL regular expression, of the whole text.
    #[track_caller]
    fn similar_to<R: TextExpression>(self, pattern: R) -> Expr<bool>
    where
        Self: TextExpression,
    {
        let form = SpecialForm::SimilarTo { negated: false };
        special(form, vec![self.into_expr().id, pattern.into_expr().id])
    }

    /// `self NOT SIMILAR TO pattern`.
    #[track_caller]
    fn not_similar_to<R: TextExpression>(self, pattern: R) -> Expr<bool>
    where
        Self: TextExpression,
    {
        let form = SpecialForm::SimilarTo { negated: true };
        special(form, vec![self.into_expr().id, pattern.into_expr().id])
    }

    /// `self SIMILAR TO pattern ESCAPE escape`.
    #[track_caller]
    fn similar_to_escape<R: TextExpression, E: TextExpression>(self, pattern: R, escape: E) -> Expr<bool>
    where
        Self: TextExpression,
    {
        let form = SpecialForm::SimilarTo { negated: false };
        special(form, vec![self.into_expr().id, pattern.into_expr().id, escape.into_expr().id])
    }

    /// `self NOT SIMILAR TO pattern ESCAPE escape`.
    #[track_caller]
    fn not_similar_to_escape<R: TextExpression, E: TextExpression>(self, pattern: R, escape: E) -> Expr<bool>
    where
        Self: TextExpression,
    {
        let form = SpecialForm::SimilarTo { negated: true };
        special(form, vec![self.into_expr().id, pattern.into_expr().id, escape.into_expr().id])
    }

    /// `self ~ pattern`: whether a POSIX regular expression matches a part of the text.
    #[track_caller]
    fn regex<R: TextExpression>(self, pattern: R) -> Expr<bool>
    where
        Self: TextExpression,
    {
        binary("~", self, pattern)
    }

    /// `self ~* pattern`: the same as [`TextOperators::regex`], whatever the case of letters.
    #[track_caller]
    fn iregex<R: TextExpression>(self, pattern: R) -> Expr<bool>
    where
        Self: TextExpression,
    {
        binary("~*", self, pattern)
    }

    /// `self @@ query`: whether a `tsvector` matches a `tsquery`, such as `call("websearch_to_tsquery", words)`.
    #[track_caller]
    fn matches(self, query: impl IntoExpr) -> Expr<bool> {
        binary("@@", self, query)
    }

    /// `self COLLATE collation`: `"C"`, `"de-x-icu"`.
    #[track_caller]
    fn collate(self, collation: &str) -> Expr<String>
    where
        Self: TextExpression,
    {
        let (value, collation) = (self.into_expr().id, QualifiedName::parse(collation));
        Expr::push(NodeKind::Collate(Collate { value, collation }))
    }
}

impl<T: Expression> TextOperators for T {}
