use callslip_ir::{self as ir, CaseArm, NodeId, NodeKind};

use crate::{Expr, Expression, IntoExpr, sealed::Sealed};

/// A CASE without an arm yet.
#[must_use = "a CASE needs at least one `.when(…)`"]
pub struct CaseStart {
    operand: Option<NodeId>,
}

/// A CASE. It is an expression, null where no arm applies, until [`Case::otherwise`] says what else.
#[derive(Clone)]
#[must_use = "a CASE does nothing until it is part of a query"]
pub struct Case {
    operand: Option<NodeId>,
    arms: Vec<CaseArm>,
}

/// `CASE WHEN condition THEN value … [ELSE value] END`.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # let r = table("rating");
/// let verdict = case().when(r.col("score").ge(4), "good").when(r.col("score").ge(2), "fair").otherwise("poor");
/// ```
pub fn case() -> CaseStart {
    CaseStart { operand: None }
}

/// `CASE operand WHEN value THEN value … [ELSE value] END`.
#[track_caller]
pub fn case_of(operand: impl IntoExpr) -> CaseStart {
    CaseStart { operand: Some(operand.into_expr().id) }
}

impl CaseStart {
    /// `WHEN condition THEN value`; after [`case_of`], the value to compare with.
    #[track_caller]
    pub fn when(self, condition: impl IntoExpr, value: impl IntoExpr) -> Case {
        Case { operand: self.operand, arms: Vec::new() }.when(condition, value)
    }
}

impl Case {
    /// `WHEN condition THEN value`; after [`case_of`], the value to compare with.
    #[track_caller]
    pub fn when(mut self, condition: impl IntoExpr, value: impl IntoExpr) -> Self {
        self.arms.push(CaseArm { when: condition.into_expr().id, then: value.into_expr().id });
        self
    }

    /// `ELSE value END`.
    #[track_caller]
    pub fn otherwise(self, value: impl IntoExpr) -> Expr {
        let otherwise = Some(value.into_expr().id);
        Expr::push(NodeKind::Case(ir::Case { operand: self.operand, arms: self.arms, otherwise }))
    }
}

impl Sealed for Case {}
impl IntoExpr for Case {
    #[track_caller]
    fn into_expr(self) -> Expr {
        Expr::push(NodeKind::Case(ir::Case { operand: self.operand, arms: self.arms, otherwise: None }))
    }
}
impl Expression for Case {}
