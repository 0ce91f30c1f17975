use std::panic::Location;

use callslip_ir::{Boolean, BooleanOperator, NodeId, NodeKind};

use crate::{Expr, IntoExpr, arena, expression::boolean, operand::BooleanExpression, sealed::Sealed};

/// What WHERE, HAVING and FILTER take: a condition, or `None`, which adds nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a condition",
    label = "a comparison or another expression of type `bool`, or an `Option` of one, is wanted here"
)]
pub trait Condition: Sealed {
    /// The condition, if there is one.
    #[track_caller]
    fn into_condition(self) -> Option<Expr<bool>>;
}

#[diagnostic::do_not_recommend]
impl<T: BooleanExpression> Condition for T {
    #[track_caller]
    fn into_condition(self) -> Option<Expr<bool>> {
        Some(Expr::new(self.into_expr().id))
    }
}

impl<T: Sealed> Sealed for Option<T> {}
#[diagnostic::do_not_recommend]
impl<T: BooleanExpression> Condition for Option<T> {
    #[track_caller]
    #[expect(clippy::manual_map, reason = "a closure would hide the author's line")]
    fn into_condition(self) -> Option<Expr<bool>> {
        match self {
            Some(condition) => Some(Expr::new(condition.into_expr().id)),
            None => None,
        }
    }
}

/// `a AND b AND …`; true where there is none. `None` adds nothing.
#[track_caller]
pub fn all(conditions: impl IntoIterator<Item = impl Condition>) -> Expr<bool> {
    match conjunction(operands(conditions), Location::caller()) {
        Some(all) => Expr::new(all),
        None => true.into_expr(),
    }
}

/// `a OR b OR …`; false where there is none. `None` adds nothing.
#[track_caller]
pub fn any(conditions: impl IntoIterator<Item = impl Condition>) -> Expr<bool> {
    let operands = operands(conditions);
    match operands[..] {
        [] => false.into_expr(),
        [one] => Expr::new(one),
        _ => boolean(BooleanOperator::Or, operands),
    }
}

#[track_caller]
fn operands(conditions: impl IntoIterator<Item = impl Condition>) -> Vec<NodeId> {
    let mut operands = Vec::new();
    for condition in conditions {
        if let Some(condition) = condition.into_condition() {
            operands.push(condition.id);
        }
    }
    operands
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
