use callslip_ir::{Argument, Call, NodeId, Order, Over};
use sea_query::Expr;

use super::{Lowerer, fill, identifier, type_name};
use crate::select::dialect::template;
use crate::select::verified::Resolution;

/// What is said of a call beside its arguments.
struct Clauses {
    order_by: Option<Expr>,
    within_group: Option<Expr>,
    filter: Option<Expr>,
    over: Option<Expr>,
}

impl<'a> Lowerer<'a> {
    pub(super) fn call(&mut self, node: NodeId, call: &'a Call) -> Expr {
        let arguments: Vec<Expr> = call.arguments.iter().map(|argument| self.argument(argument)).collect();
        // A type's name, called like a function.
        if let Resolution::Type(ty) = self.resolution(node) {
            return fill(template::CAST, arguments.into_iter().chain([type_name(ty)]));
        }
        let clauses = Clauses {
            order_by: self.orders(&call.order_by),
            within_group: self.orders(&call.within_group),
            filter: call.filter.map(|condition| self.expression(condition)),
            over: self.over(call),
        };
        called(call, self.object(node), arguments, clauses)
    }

    fn argument(&mut self, argument: &Argument) -> Expr {
        let mut value = self.operand(argument.value);
        if let Some(name) = &argument.name {
            value = fill(template::ARGUMENT_NAMED, [identifier(name), value]);
        }
        if argument.variadic {
            value = fill(template::ARGUMENT_VARIADIC, [value]);
        }
        value
    }

    fn orders(&mut self, orders: &'a [Order]) -> Option<Expr> {
        let orders: Vec<Expr> = orders.iter().map(|order| self.inner_order(order)).collect();
        (!orders.is_empty()).then(|| fill(template::LIST, orders))
    }

    fn over(&mut self, call: &'a Call) -> Option<Expr> {
        match call.over.as_ref()? {
            Over::Named(name) => Some(identifier(name)),
            Over::Window(window) => Some(self.window(window)),
        }
    }
}

fn called(call: &Call, function: Expr, arguments: Vec<Expr>, clauses: Clauses) -> Expr {
    let arguments = fill(template::LIST, arguments);
    let mut lowered = match (call.star, call.distinct, clauses.order_by) {
        (true, _, _) => fill(template::CALL_STAR, [function]),
        (false, false, None) => fill(template::CALL_LIST, [function, arguments]),
        (false, true, None) => fill(template::CALL_DISTINCT, [function, arguments]),
        (false, false, Some(orders)) => fill(template::CALL_ORDERED, [function, arguments, orders]),
        (false, true, Some(orders)) => fill(template::CALL_DISTINCT_ORDERED, [function, arguments, orders]),
    };
    if let Some(orders) = clauses.within_group {
        lowered = fill(template::WITHIN_GROUP, [lowered, orders]);
    }
    if let Some(condition) = clauses.filter {
        lowered = fill(template::FILTER, [lowered, condition]);
    }
    match (&call.over, clauses.over) {
        (Some(Over::Named(_)), Some(name)) => fill(template::OVER_NAMED, [lowered, name]),
        (Some(Over::Window(_)), Some(window)) => fill(template::OVER, [lowered, window]),
        _ => lowered,
    }
}
