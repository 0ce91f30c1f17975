use std::{marker::PhantomData, panic::Location};

use callslip_ir::{
    Boolean, BooleanOperator, Cast, Collate, Direction, Is, IsTest, NodeId, NodeKind, Nulls, Operation,
    QualifiedName, Quantifier, Special, SpecialForm, Subexpression,
};

use crate::{Key, Select, arena, order::Order, sealed::Sealed, type_name::parse_type};

/// An expression: a column, or anything made of columns, parameters and constants.
///
/// It is a handle of four bytes that may be copied and used any number of times. What it can do is in
/// [`Expression`].
#[derive(Clone, Copy)]
#[must_use = "an expression does nothing until it is part of a query"]
pub struct Expr {
    pub(crate) id: NodeId,
    /// A handle means nothing on another thread, where there is another list of nodes.
    not_send: PhantomData<*const ()>,
}

impl Expr {
    pub(crate) fn new(id: NodeId) -> Self {
        Self { id, not_send: PhantomData }
    }

    #[track_caller]
    pub(crate) fn push(kind: NodeKind) -> Self {
        Self::new(arena::push(kind, Location::caller()))
    }
}

/// What can stand where an expression is wanted: an expression, a parameter, or a Rust value, which becomes a
/// constant.
///
/// A constant is bound, like a parameter; it never becomes part of the SQL's text. A string takes the type of
/// what it is compared with, as a quoted literal does in SQL; other values have the type of their own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an SQL expression",
    label = "an expression, an `Arg`, or a value such as a number, a bool or a string is wanted here",
    note = "a subquery becomes an expression with `.scalar()`; an `Option` has to be opened first"
)]
pub trait IntoExpr: Sealed {
    /// The expression.
    #[track_caller]
    fn into_expr(self) -> Expr;
}

impl Sealed for Expr {}
impl IntoExpr for Expr {
    #[track_caller]
    fn into_expr(self) -> Expr {
        self
    }
}
impl Expression for Expr {}

#[track_caller]
fn operation<const N: usize>(operator: &str, operands: [Expr; N]) -> Expr {
    let operands = operands.iter().map(|operand| operand.id).collect();
    Expr::push(NodeKind::Operation(Operation { operator: QualifiedName::parse(operator), operands }))
}

#[track_caller]
pub(crate) fn special<const N: usize>(form: SpecialForm, operands: [Expr; N]) -> Expr {
    let operands = operands.iter().map(|operand| operand.id).collect();
    Expr::push(NodeKind::Special(Special { form, operands }))
}

#[track_caller]
pub(crate) fn boolean(operator: BooleanOperator, operands: Vec<NodeId>) -> Expr {
    Expr::push(NodeKind::Boolean(Boolean { operator, operands }))
}

#[track_caller]
fn is(value: Expr, test: IsTest, negated: bool) -> Expr {
    Expr::push(NodeKind::Is(Is { value: value.id, test, negated }))
}

#[track_caller]
fn in_list(operand: Expr, items: Vec<NodeId>, negated: bool) -> Expr {
    if items.is_empty() {
        return negated.into_expr();
    }
    Expr::push(NodeKind::Subexpression(Subexpression::InList { operand: operand.id, items, negated }))
}

/// What an expression can do. Each method names the SQL that it stands for.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an expression",
    label = "this has no SQL operators of its own",
    note = "a Rust value becomes an expression with `constant(…)`"
)]
#[expect(clippy::wrong_self_convention, reason = "the names are SQL's")]
pub trait Expression: IntoExpr + Sized {
    /// `self = other`.
    #[track_caller]
    fn eq(self, other: impl IntoExpr) -> Expr {
        operation("=", [self.into_expr(), other.into_expr()])
    }

    /// `self <> other`.
    #[track_caller]
    fn ne(self, other: impl IntoExpr) -> Expr {
        operation("<>", [self.into_expr(), other.into_expr()])
    }

    /// `self < other`.
    #[track_caller]
    fn lt(self, other: impl IntoExpr) -> Expr {
        operation("<", [self.into_expr(), other.into_expr()])
    }

    /// `self <= other`.
    #[track_caller]
    fn le(self, other: impl IntoExpr) -> Expr {
        operation("<=", [self.into_expr(), other.into_expr()])
    }

    /// `self > other`.
    #[track_caller]
    fn gt(self, other: impl IntoExpr) -> Expr {
        operation(">", [self.into_expr(), other.into_expr()])
    }

    /// `self >= other`.
    #[track_caller]
    fn ge(self, other: impl IntoExpr) -> Expr {
        operation(">=", [self.into_expr(), other.into_expr()])
    }

    /// `self + other`.
    #[track_caller]
    fn add(self, other: impl IntoExpr) -> Expr {
        operation("+", [self.into_expr(), other.into_expr()])
    }

    /// `self - other`.
    #[track_caller]
    fn sub(self, other: impl IntoExpr) -> Expr {
        operation("-", [self.into_expr(), other.into_expr()])
    }

    /// `self * other`.
    #[track_caller]
    fn mul(self, other: impl IntoExpr) -> Expr {
        operation("*", [self.into_expr(), other.into_expr()])
    }

    /// `self / other`. Integers divide to an integer.
    #[track_caller]
    fn div(self, other: impl IntoExpr) -> Expr {
        operation("/", [self.into_expr(), other.into_expr()])
    }

    /// `self % other`.
    #[track_caller]
    fn rem(self, other: impl IntoExpr) -> Expr {
        operation("%", [self.into_expr(), other.into_expr()])
    }

    /// `- self`.
    #[track_caller]
    fn neg(self) -> Expr {
        operation("-", [self.into_expr()])
    }

    /// `self AND other`. For several conditions see [`crate::all`].
    #[track_caller]
    fn and(self, other: impl IntoExpr) -> Expr {
        let operands = vec![self.into_expr().id, other.into_expr().id];
        boolean(BooleanOperator::And, operands)
    }

    /// `self OR other`. For several conditions see [`crate::any`].
    #[track_caller]
    fn or(self, other: impl IntoExpr) -> Expr {
        let operands = vec![self.into_expr().id, other.into_expr().id];
        boolean(BooleanOperator::Or, operands)
    }

    /// `NOT self`.
    #[track_caller]
    fn not(self) -> Expr {
        let operands = vec![self.into_expr().id];
        boolean(BooleanOperator::Not, operands)
    }

    /// `self LIKE pattern`: `%` stands for any text, `_` for one character.
    #[track_caller]
    fn like(self, pattern: impl IntoExpr) -> Expr {
        operation("~~", [self.into_expr(), pattern.into_expr()])
    }

    /// `self ILIKE pattern`: like [`Expression::like`], whatever the case of letters.
    #[track_caller]
    fn ilike(self, pattern: impl IntoExpr) -> Expr {
        operation("~~*", [self.into_expr(), pattern.into_expr()])
    }

    /// `self NOT LIKE pattern`.
    #[track_caller]
    fn not_like(self, pattern: impl IntoExpr) -> Expr {
        operation("!~~", [self.into_expr(), pattern.into_expr()])
    }

    /// `self NOT ILIKE pattern`.
    #[track_caller]
    fn not_ilike(self, pattern: impl IntoExpr) -> Expr {
        operation("!~~*", [self.into_expr(), pattern.into_expr()])
    }

    /// `self || other`.
    #[track_caller]
    fn concat(self, other: impl IntoExpr) -> Expr {
        operation("||", [self.into_expr(), other.into_expr()])
    }

    /// `self operator other`, for an operator that has no method here: `.op("@>", tags)`. An operator of a schema
    /// that is not searched is written `"schema.<->"`.
    #[track_caller]
    fn op(self, operator: &str, other: impl IntoExpr) -> Expr {
        operation(operator, [self.into_expr(), other.into_expr()])
    }

    /// `self BETWEEN low AND high`, both included.
    #[track_caller]
    fn between(self, low: impl IntoExpr, high: impl IntoExpr) -> Expr {
        let form = SpecialForm::Between { symmetric: false, negated: false };
        special(form, [self.into_expr(), low.into_expr(), high.into_expr()])
    }

    /// `self NOT BETWEEN low AND high`.
    #[track_caller]
    fn not_between(self, low: impl IntoExpr, high: impl IntoExpr) -> Expr {
        let form = SpecialForm::Between { symmetric: false, negated: true };
        special(form, [self.into_expr(), low.into_expr(), high.into_expr()])
    }

    /// `self BETWEEN SYMMETRIC a AND b`: whichever of the two is the lower.
    #[track_caller]
    fn between_symmetric(self, a: impl IntoExpr, b: impl IntoExpr) -> Expr {
        let form = SpecialForm::Between { symmetric: true, negated: false };
        special(form, [self.into_expr(), a.into_expr(), b.into_expr()])
    }

    /// `self NOT BETWEEN SYMMETRIC a AND b`.
    #[track_caller]
    fn not_between_symmetric(self, a: impl IntoExpr, b: impl IntoExpr) -> Expr {
        let form = SpecialForm::Between { symmetric: true, negated: true };
        special(form, [self.into_expr(), a.into_expr(), b.into_expr()])
    }

    /// `self IS NULL`.
    #[track_caller]
    fn is_null(self) -> Expr {
        is(self.into_expr(), IsTest::Null, false)
    }

    /// `self IS NOT NULL`.
    #[track_caller]
    fn is_not_null(self) -> Expr {
        is(self.into_expr(), IsTest::Null, true)
    }

    /// `self IS TRUE`: false where `self` is null.
    #[track_caller]
    fn is_true(self) -> Expr {
        is(self.into_expr(), IsTest::True, false)
    }

    /// `self IS NOT TRUE`: true where `self` is null.
    #[track_caller]
    fn is_not_true(self) -> Expr {
        is(self.into_expr(), IsTest::True, true)
    }

    /// `self IS FALSE`: false where `self` is null.
    #[track_caller]
    fn is_false(self) -> Expr {
        is(self.into_expr(), IsTest::False, false)
    }

    /// `self IS NOT FALSE`: true where `self` is null.
    #[track_caller]
    fn is_not_false(self) -> Expr {
        is(self.into_expr(), IsTest::False, true)
    }

    /// `self IS UNKNOWN`: whether a condition is null.
    #[track_caller]
    fn is_unknown(self) -> Expr {
        is(self.into_expr(), IsTest::Unknown, false)
    }

    /// `self IS NOT UNKNOWN`.
    #[track_caller]
    fn is_not_unknown(self) -> Expr {
        is(self.into_expr(), IsTest::Unknown, true)
    }

    /// `self IS DISTINCT FROM other`: like `<>`, but null is a value like any other.
    #[track_caller]
    fn is_distinct_from(self, other: impl IntoExpr) -> Expr {
        special(SpecialForm::DistinctFrom { negated: false }, [self.into_expr(), other.into_expr()])
    }

    /// `self IS NOT DISTINCT FROM other`: like `=`, but two nulls are equal.
    #[track_caller]
    fn is_not_distinct_from(self, other: impl IntoExpr) -> Expr {
        special(SpecialForm::DistinctFrom { negated: true }, [self.into_expr(), other.into_expr()])
    }

    /// `self IN (query)`. The query has one column.
    #[track_caller]
    fn in_query(self, query: Select) -> Expr {
        let (operand, query) = (self.into_expr().id, query.into_query());
        Expr::push(NodeKind::Subexpression(Subexpression::In { operand, query, negated: false }))
    }

    /// `self NOT IN (query)`. It is null, not true, as soon as the query gives a null; [`crate::not_exists`] is
    /// what you want then.
    #[track_caller]
    fn not_in_query(self, query: Select) -> Expr {
        let (operand, query) = (self.into_expr().id, query.into_query());
        Expr::push(NodeKind::Subexpression(Subexpression::In { operand, query, negated: true }))
    }

    /// `self = ANY (array)`: equal to one of the elements, of which an `Arg<Vec<…>>` has any number. Nothing is in an empty
    /// array.
    #[track_caller]
    fn eq_any(self, array: impl IntoExpr) -> Expr {
        quantified(self.into_expr(), "=", Quantifier::Any, array.into_expr())
    }

    /// `self <> ALL (array)`: equal to none of the elements. Everything is, of an empty array.
    #[track_caller]
    fn ne_all(self, array: impl IntoExpr) -> Expr {
        quantified(self.into_expr(), "<>", Quantifier::All, array.into_expr())
    }

    /// `self IN (a, b, …)`, of a list that is known here; of an `Arg<Vec<…>>` see [`Self::eq_any`]. Nothing is in an empty
    /// list.
    #[track_caller]
    fn in_list(self, items: impl IntoIterator<Item = impl IntoExpr>) -> Expr {
        let mut ids = Vec::new();
        for item in items {
            ids.push(item.into_expr().id);
        }
        in_list(self.into_expr(), ids, false)
    }

    /// `self NOT IN (a, b, …)`. Everything is outside an empty list.
    #[track_caller]
    fn not_in_list(self, items: impl IntoIterator<Item = impl IntoExpr>) -> Expr {
        let mut ids = Vec::new();
        for item in items {
            ids.push(item.into_expr().id);
        }
        in_list(self.into_expr(), ids, true)
    }

    /// `CAST(self AS ty)`: `"int8"`, `"numeric(10,2)"`, `"text[]"`, `"interview_status"`, `"audit.level"`.
    ///
    /// # Panics
    /// If what is in the parentheses of `ty` is not whole numbers.
    #[track_caller]
    fn cast(self, ty: &str) -> Expr {
        let (value, ty) = (self.into_expr().id, parse_type(ty));
        Expr::push(NodeKind::Cast(Cast { value, ty }))
    }

    /// `self COLLATE collation`: `"C"`, `"de-x-icu"`.
    #[track_caller]
    fn collate(self, collation: &str) -> Expr {
        let (value, collation) = (self.into_expr().id, QualifiedName::parse(collation));
        Expr::push(NodeKind::Collate(Collate { value, collation }))
    }

    /// `self AS name`: the column's name in the result.
    #[track_caller]
    fn alias(self, name: &str) -> Item {
        Item { expression: self.into_expr(), alias: Some(name.to_owned()) }
    }

    /// `self ASC`, for ORDER BY. Nulls come last.
    #[track_caller]
    fn asc(self) -> Order {
        Order { expression: self.into_expr(), direction: Direction::Ascending, nulls: Nulls::Unspecified }
    }

    /// `self DESC`, for ORDER BY. Nulls come first.
    #[track_caller]
    fn desc(self) -> Order {
        Order { expression: self.into_expr(), direction: Direction::Descending, nulls: Nulls::Unspecified }
    }

    /// `self`, as what a key of a [`Sort`](crate::Sort) sorts by.
    #[track_caller]
    fn key(self) -> Key {
        Key(self.into_expr())
    }
}

/// An expression of the select list, with a name.
#[derive(Clone)]
#[must_use = "an item does nothing until it is in a select list"]
pub struct Item {
    pub(crate) expression: Expr,
    pub(crate) alias: Option<String>,
}

/// What WHERE, HAVING and FILTER take: a condition, or `None`, which adds nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition",
    label = "an expression or an `Option` of one is wanted here"
)]
pub trait Condition: Sealed {
    /// The condition, if there is one.
    #[track_caller]
    fn into_condition(self) -> Option<Expr>;
}

impl<T: Expression> Condition for T {
    #[track_caller]
    fn into_condition(self) -> Option<Expr> {
        Some(self.into_expr())
    }
}

impl Condition for bool {
    #[track_caller]
    fn into_condition(self) -> Option<Expr> {
        Some(self.into_expr())
    }
}

impl<T: Sealed> Sealed for Option<T> {}
impl<T: Expression> Condition for Option<T> {
    #[track_caller]
    #[expect(clippy::manual_map, reason = "a closure would hide the author's line")]
    fn into_condition(self) -> Option<Expr> {
        match self {
            Some(condition) => Some(condition.into_expr()),
            None => None,
        }
    }
}

/// A constant as an expression, where its methods are wanted: `constant(1).alias("one")`.
#[track_caller]
pub fn constant(value: impl IntoExpr) -> Expr {
    value.into_expr()
}

/// `NULL` of a type: `null("int4")`.
///
/// # Panics
/// If what is in the parentheses of `ty` is not whole numbers.
#[track_caller]
pub fn null(ty: &str) -> Expr {
    Expr::push(NodeKind::Null(parse_type(ty)))
}

/// `a AND b AND …`; true where there is none. `None` adds nothing.
#[track_caller]
pub fn all(conditions: impl IntoIterator<Item = impl Condition>) -> Expr {
    let mut operands = Vec::new();
    for condition in conditions {
        if let Some(condition) = condition.into_condition() {
            operands.push(condition.id);
        }
    }
    match conjunction(operands, Location::caller()) {
        Some(all) => Expr::new(all),
        None => true.into_expr(),
    }
}

/// `a OR b OR …`; false where there is none. `None` adds nothing.
#[track_caller]
pub fn any(conditions: impl IntoIterator<Item = impl Condition>) -> Expr {
    let mut operands = Vec::new();
    for condition in conditions {
        if let Some(condition) = condition.into_condition() {
            operands.push(condition.id);
        }
    }
    match operands[..] {
        [] => false.into_expr(),
        [one] => Expr::new(one),
        _ => boolean(BooleanOperator::Or, operands),
    }
}

/// The conditions joined by AND, if there is any.
pub(crate) fn conjunction(operands: Vec<NodeId>, written_at: &'static Location<'static>) -> Option<NodeId> {
    match operands[..] {
        [] => None,
        [one] => Some(one),
        _ => {
            let operator = BooleanOperator::And;
            Some(arena::push(NodeKind::Boolean(Boolean { operator, operands }), written_at))
        }
    }
}

#[track_caller]
fn quantified(operand: Expr, operator: &str, quantifier: Quantifier, array: Expr) -> Expr {
    Expr::push(NodeKind::Subexpression(Subexpression::QuantifiedArray {
        operand: operand.id,
        operator: QualifiedName::new(operator),
        quantifier,
        array: array.id,
    }))
}
