use callslip_ir::{NodeId, NodeKind, QualifiedName, Quantifier, Subexpression};

use super::Expression;
use crate::{
    Expr, IntoExpr, Select,
    operand::{ArrayExpression, Comparable, ComparableToElements},
};

/// Whether a value is among others: of a list, an array or a query.
pub trait MembershipOperators: Expression {
    /// `self IN (query)`. The query has one column.
    #[track_caller]
    fn in_query(self, query: Select) -> Expr<bool> {
        let (operand, query) = (self.into_expr().id, query.into_query());
        Expr::push(NodeKind::Subexpression(Subexpression::In { operand, query, negated: false }))
    }

    /// `self NOT IN (query)`. It is null, not true, as soon as the query gives a null; [`crate::not_exists`] is
    /// what you want then.
    #[track_caller]
    fn not_in_query(self, query: Select) -> Expr<bool> {
        let (operand, query) = (self.into_expr().id, query.into_query());
        Expr::push(NodeKind::Subexpression(Subexpression::In { operand, query, negated: true }))
    }

    /// `self = ANY (elements)`: equal to one of the elements of an array, such as an `Arg<Vec<…>>` of any number of them, or of the
    /// rows of a query. Nothing is in an empty array.
    #[track_caller]
    fn eq_any<E: Elements>(self, elements: E) -> Expr<bool>
    where
        Self: ComparableToElements<E>,
    {
        self.op_any("=", elements)
    }

    /// `self <> ALL (elements)`: equal to none of the elements. Everything is, of an empty array.
    #[track_caller]
    fn ne_all<E: Elements>(self, elements: E) -> Expr<bool>
    where
        Self: ComparableToElements<E>,
    {
        self.op_all("<>", elements)
    }

    /// `self operator ANY (elements)`: whether it is true of one of the elements of an array, or of the rows of a query.
    #[track_caller]
    fn op_any(self, operator: &str, elements: impl Elements) -> Expr<bool> {
        let operand = self.into_expr().id;
        elements.quantified(operand, QualifiedName::parse(operator), Quantifier::Any)
    }

    /// `self operator ALL (elements)`: whether it is true of all elements of an array, or of all rows of a query.
    #[track_caller]
    fn op_all(self, operator: &str, elements: impl Elements) -> Expr<bool> {
        let operand = self.into_expr().id;
        elements.quantified(operand, QualifiedName::parse(operator), Quantifier::All)
    }

    /// `self IN (a, b, …)`, of a list that is known here; of an `Arg<Vec<…>>` see [`MembershipOperators::eq_any`]. Nothing is in an empty
    /// list.
    #[track_caller]
    fn in_list<R: IntoExpr>(self, items: impl IntoIterator<Item = R>) -> Expr<bool>
    where
        Self: Comparable<R>,
    {
        let mut ids = Vec::new();
        for item in items {
            ids.push(item.into_expr().id);
        }
        in_list(self.into_expr().id, ids, false)
    }

    /// `self NOT IN (a, b, …)`. Everything is outside an empty list.
    #[track_caller]
    fn not_in_list<R: IntoExpr>(self, items: impl IntoIterator<Item = R>) -> Expr<bool>
    where
        Self: Comparable<R>,
    {
        let mut ids = Vec::new();
        for item in items {
            ids.push(item.into_expr().id);
        }
        in_list(self.into_expr().id, ids, true)
    }
}

impl<T: Expression> MembershipOperators for T {}

/// What ANY and ALL take: an array, or a query, which has one column or as many as a row that it is compared with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an array nor a query",
    label = "an array, such as an `Arg<Vec<…>>`, or a `Select` is wanted here",
    note = "of values that are known here it is `.in_list([…])`"
)]
pub trait Elements {
    #[doc(hidden)]
    #[track_caller]
    fn quantified(self, operand: NodeId, operator: QualifiedName, quantifier: Quantifier) -> Expr<bool>;
}

#[diagnostic::do_not_recommend]
impl<A: ArrayExpression> Elements for A {
    #[track_caller]
    fn quantified(self, operand: NodeId, operator: QualifiedName, quantifier: Quantifier) -> Expr<bool> {
        let array = self.into_expr().id;
        let over = Subexpression::QuantifiedArray { operand, operator, quantifier, array };
        Expr::push(NodeKind::Subexpression(over))
    }
}

impl Elements for Select {
    #[track_caller]
    fn quantified(self, operand: NodeId, operator: QualifiedName, quantifier: Quantifier) -> Expr<bool> {
        let query = self.into_query();
        let over = Subexpression::Quantified { operand, operator, quantifier, query };
        Expr::push(NodeKind::Subexpression(over))
    }
}

#[track_caller]
fn in_list(operand: NodeId, items: Vec<NodeId>, negated: bool) -> Expr<bool> {
    if items.is_empty() {
        return negated.into_expr();
    }
    Expr::push(NodeKind::Subexpression(Subexpression::InList { operand, items, negated }))
}
