use std::marker::PhantomData;

use callslip_ir::{self as ir, CaseArm, NodeId, NodeKind};

use crate::{Expr, Expression, IntoExpr, SqlType, operand::Comparable, sealed::Sealed};

/// A CASE without an arm yet, whose WHENs are of type `O`.
#[must_use = "a CASE needs at least one `.when(…)`"]
pub struct CaseStart<O> {
    operand: Option<NodeId>,
    ty: PhantomData<O>,
}

/// A CASE of type `T`, whose WHENs are of type `O`. It is an expression, null where no arm applies, until
/// [`Case::otherwise`] says what else.
#[must_use = "a CASE does nothing until it is part of a query"]
pub struct Case<O, T> {
    operand: Option<NodeId>,
    arms: Vec<CaseArm>,
    ty: PhantomData<(O, T)>,
}

impl<O, T> Clone for Case<O, T> {
    fn clone(&self) -> Self {
        Self { operand: self.operand, arms: self.arms.clone(), ty: PhantomData }
    }
}

/// `CASE WHEN condition THEN value … [ELSE value] END`. The values are of one type.
///
/// ```
/// # use callslip_sdk::prelude::*;
/// # let r = table("rating");
/// let verdict = case().when(r.col("score").ge(4), "good").when(r.col("score").ge(2), "fair").otherwise("poor");
/// ```
pub fn case() -> CaseStart<bool> {
    CaseStart { operand: None, ty: PhantomData }
}

/// `CASE operand WHEN value THEN value … [ELSE value] END`.
#[track_caller]
pub fn case_of<O: IntoExpr>(operand: O) -> CaseStart<O::Ty> {
    CaseStart { operand: Some(operand.into_expr().id), ty: PhantomData }
}

impl<O: SqlType> CaseStart<O> {
    /// `WHEN condition THEN value`; after [`case_of`], the value to compare with.
    #[track_caller]
    pub fn when<W: IntoExpr, V: IntoExpr>(self, condition: W, value: V) -> Case<O, V::Ty>
    where
        Expr<O>: Comparable<W>,
    {
        let arm = CaseArm { when: condition.into_expr().id, then: value.into_expr().id };
        Case { operand: self.operand, arms: vec![arm], ty: PhantomData }
    }
}

impl<O: SqlType, T: SqlType> Case<O, T> {
    /// `WHEN condition THEN value`; after [`case_of`], the value to compare with.
    #[track_caller]
    pub fn when<W: IntoExpr, V: IntoExpr>(mut self, condition: W, value: V) -> Self
    where
        Expr<O>: Comparable<W>,
        Expr<T>: Comparable<V>,
    {
        self.arms.push(CaseArm { when: condition.into_expr().id, then: value.into_expr().id });
        self
    }

    /// `ELSE value END`.
    #[track_caller]
    pub fn otherwise<V: IntoExpr>(self, value: V) -> Expr<T>
    where
        Expr<T>: Comparable<V>,
    {
        let otherwise = Some(value.into_expr().id);
        Expr::push(NodeKind::Case(ir::Case { operand: self.operand, arms: self.arms, otherwise }))
    }
}

impl<O, T> Sealed for Case<O, T> {}
impl<O: SqlType, T: SqlType> IntoExpr for Case<O, T> {
    type Ty = T;
    #[track_caller]
    fn into_expr(self) -> Expr<T> {
        Expr::push(NodeKind::Case(ir::Case { operand: self.operand, arms: self.arms, otherwise: None }))
    }
}
impl<O: SqlType, T: SqlType> Expression for Case<O, T> {}
