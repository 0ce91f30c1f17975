use std::{marker::PhantomData, panic::Location};

use callslip_ir::{self as ir, Argument, NodeId, NodeKind, QualifiedName};

use crate::{
    Any, Condition, Expr, Expression, Expressions, IntoExpr, Orders, Over, SqlType, arena, sealed::Sealed,
};

/// A call of a function, an aggregate or a window function, of type `T`. It is an expression, to which SQL lets more be said.
#[must_use = "a call does nothing until it is part of a query"]
pub struct Call<T = Any> {
    id: NodeId,
    /// A handle means nothing on another thread, where there is another list of nodes.
    ty: PhantomData<*const T>,
}

impl<T> Clone for Call<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Call<T> {}

/// `name(arguments)`, for a function that has no Rust function here: `call("app.score", (c.col("id"), 3))`;
/// `call("pi", ())`.
#[track_caller]
pub fn call(name: &str, arguments: impl Expressions) -> Call {
    Call::new(name, arguments.into_expressions())
}

impl<T> Sealed for Call<T> {}
impl<T: SqlType> IntoExpr for Call<T> {
    type Ty = T;
    #[track_caller]
    fn into_expr(self) -> Expr<T> {
        Expr::new(self.id)
    }
}
impl<T: SqlType> Expression for Call<T> {}

impl<T: SqlType> Call<T> {
    #[track_caller]
    pub(crate) fn new(name: &str, arguments: Vec<NodeId>) -> Self {
        let argument = |value| Argument { name: None, variadic: false, value };
        let call = ir::Call {
            function: QualifiedName::parse(name),
            arguments: arguments.into_iter().map(argument).collect(),
            star: false,
            distinct: false,
            order_by: Vec::new(),
            within_group: Vec::new(),
            filter: None,
            over: None,
        };
        Self::push(call)
    }

    #[track_caller]
    fn push(call: ir::Call) -> Self {
        let id = arena::push(NodeKind::Call(call), Location::caller());
        Self { id, ty: PhantomData }
    }

    /// The same call, changed. The handle may be in use elsewhere, so this is a node of its own.
    #[track_caller]
    pub(crate) fn change(self, change: impl FnOnce(&mut ir::Call)) -> Self {
        let NodeKind::Call(mut call) = arena::kind(self.id) else {
            unreachable!("a call's handle names a call")
        };
        change(&mut call);
        Self::push(call)
    }

    /// `name(DISTINCT …)`: an aggregate of each value once.
    #[track_caller]
    pub fn distinct(self) -> Self {
        self.change(|call| call.distinct = true)
    }

    /// `name(…) FILTER (WHERE condition)`: an aggregate of those rows only. Several are joined by AND; `None` adds
    /// nothing.
    #[track_caller]
    pub fn filter(self, condition: impl Condition) -> Self {
        let Some(condition) = condition.into_condition() else { return self };
        let NodeKind::Call(call) = arena::kind(self.id) else { return self };
        let condition = match call.filter {
            Some(before) => Expr::<bool>::new(before).and(condition).id,
            None => condition.id,
        };
        self.change(|call| call.filter = Some(condition))
    }

    /// `name(… ORDER BY items)`: the order in which an aggregate takes its rows.
    #[track_caller]
    pub fn order_by(self, items: impl Orders) -> Self {
        let items = items.into_orders();
        self.change(|call| call.order_by.extend(items.into_iter().map(crate::Order::into_ir)))
    }

    /// `name(…) WITHIN GROUP (ORDER BY items)`: what an ordered-set aggregate sorts.
    #[track_caller]
    pub fn within_group(self, items: impl Orders) -> Self {
        let items = items.into_orders();
        self.change(|call| call.within_group.extend(items.into_iter().map(crate::Order::into_ir)))
    }

    /// `name(…) OVER window`: a window function, or an aggregate over a window. The window is a [`crate::window`] or
    /// the name of one that [`crate::Select::window`] declares.
    #[track_caller]
    pub fn over(self, window: impl Into<Over>) -> Self {
        let window = window.into().into_ir();
        self.change(|call| call.over = Some(window))
    }

    /// `name(…, argument => value)`.
    #[track_caller]
    pub fn named(self, argument: &str, value: impl IntoExpr) -> Self {
        let value = value.into_expr().id;
        let argument = Argument { name: Some(argument.to_owned()), variadic: false, value };
        self.change(|call| call.arguments.push(argument))
    }

    /// `name(…, VARIADIC last)`: the last argument is an array of the arguments.
    ///
    /// # Panics
    /// If there is no argument.
    #[track_caller]
    pub fn variadic(self) -> Self {
        let call = self.change(|call| {
            if let Some(last) = call.arguments.last_mut() {
                last.variadic = true;
            }
        });
        let NodeKind::Call(changed) = arena::kind(call.id) else { return call };
        assert!(!changed.arguments.is_empty(), "VARIADIC needs an argument");
        call
    }
}
