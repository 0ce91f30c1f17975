use callslip_ir::{Argument, Call, Direction, NodeId, NodeKind, Nulls, Order, Over, QualifiedName};

use super::types::{AGGREGATES, FUNCTIONS, WINDOW_FUNCTIONS};
use super::{Generator, Place, Ty, qualified};

fn positional(values: Vec<NodeId>) -> Vec<Argument> {
    values.into_iter().map(|value| Argument { name: None, variadic: false, value }).collect()
}

pub(super) fn plain(function: QualifiedName, values: Vec<NodeId>) -> Call {
    Call {
        function,
        arguments: positional(values),
        star: false,
        distinct: false,
        order_by: vec![],
        within_group: vec![],
        filter: None,
        over: None,
    }
}

impl Generator<'_> {
    pub(super) fn plain_call(&mut self, function: QualifiedName, values: Vec<NodeId>) -> NodeId {
        self.add(NodeKind::Call(plain(function, values)))
    }

    pub(super) fn call(&mut self, ty: Ty, place: Place<'_>) -> Option<NodeId> {
        match ty {
            Ty::Text if self.choices.chance(15) => return Some(self.call_by_names(place)),
            Ty::Int8 if self.choices.chance(15) => {
                let value = self.expression(Ty::Ints, place);
                let arguments = vec![Argument { name: None, variadic: true, value }];
                let call = Call { arguments, ..plain(qualified("total"), vec![]) };
                return Some(self.add(NodeKind::Call(call)));
            }
            Ty::Interval if self.choices.chance(20) => {
                let named = |name: &str, value| Argument { name: Some(name.into()), variadic: false, value };
                let arguments = vec![
                    named("days", self.expression(Ty::Int4, place)),
                    named("secs", self.expression(Ty::Float8, place)),
                ];
                let call = Call { arguments, ..plain(qualified("make_interval"), vec![]) };
                return Some(self.add(NodeKind::Call(call)));
            }
            _ => {}
        }
        let of_type: Vec<_> = FUNCTIONS.iter().filter(|(.., result)| *result == ty).collect();
        if of_type.is_empty() {
            return None;
        }
        let (name, arguments, _) = *self.choices.of(&of_type);
        let arguments = arguments.iter().map(|&ty| self.expression(ty, place)).collect();
        Some(self.plain_call(qualified(name), arguments))
    }

    /// A call with arguments by name, in another order than the function's.
    fn call_by_names(&mut self, place: Place<'_>) -> NodeId {
        let mut arguments = positional(vec![self.expression(Ty::Text, place)]);
        for (name, ty) in [("times", Ty::Int4), ("loud", Ty::Bool)] {
            if self.choices.chance(60) {
                let value = self.expression(ty, place);
                arguments.push(Argument { name: Some(name.into()), variadic: false, value });
            }
        }
        let call = Call { arguments, ..plain(qualified("app.greet"), vec![]) };
        self.add(NodeKind::Call(call))
    }

    pub(super) fn order(&mut self, expression: NodeId) -> Order {
        let direction = match self.choices.below(3) {
            0 => Direction::Ascending,
            1 => Direction::Descending,
            _ => Direction::Using(qualified(self.choices.of(&["<", ">", "pg_catalog.>"]))),
        };
        let nulls = self.choices.of(&[Nulls::Unspecified, Nulls::First, Nulls::Last]);
        Order { expression, direction, nulls }
    }

    /// An aggregate, where one may stand.
    pub(super) fn aggregate(&mut self, ty: Ty, place: Place<'_>) -> Option<NodeId> {
        let inside = Place::columns(place.rows?, place.fuel);
        let filter = |generator: &mut Self| {
            generator.choices.chance(25).then(|| generator.expression(Ty::Bool, inside))
        };
        if self.choices.chance(25)
            && let Some(call) = self.ordered_set(ty, inside)
        {
            return Some(call);
        }
        if ty == Ty::Int8 && self.choices.chance(30) {
            let call = match self.choices.chance(30) {
                true => plain(qualified("count"), vec![self.row_value(inside)]),
                false => Call { star: true, ..plain(qualified("count"), vec![]) },
            };
            let filter = filter(self);
            return Some(self.add(NodeKind::Call(Call { filter, ..call })));
        }
        let of_type: Vec<_> = AGGREGATES.iter().filter(|(.., result)| *result == ty).collect();
        if of_type.is_empty() {
            return None;
        }
        let (name, arguments, _) = *self.choices.of(&of_type);
        let arguments: Vec<NodeId> = arguments.iter().map(|&ty| self.expression(ty, inside)).collect();
        let distinct = self.choices.chance(25);
        let mut order_by = Vec::new();
        if self.choices.chance(25) {
            // With DISTINCT the arguments are all that can be sorted by.
            let by = if distinct || self.choices.chance(30) {
                self.copy(arguments[0])
            } else {
                let ty = self.choices.of(Ty::COMPARABLE);
                self.expression(ty, inside)
            };
            order_by.push(self.order(by));
        }
        let filter = filter(self);
        let call = Call { distinct, order_by, filter, ..plain(qualified(name), arguments) };
        Some(self.add(NodeKind::Call(call)))
    }

    fn ordered_set(&mut self, ty: Ty, inside: Place<'_>) -> Option<NodeId> {
        let scope = super::Scope::default();
        let fixed = Place::columns(&scope, inside.fuel.min(1));
        let (name, direct, sorted) = match ty {
            Ty::Float8 => match self.choices.below(2) {
                0 => ("percentile_cont", vec![self.expression(Ty::Float8, fixed)], vec![Ty::Float8]),
                _ => ("mode", vec![], vec![ty]),
            },
            Ty::Int8 => {
                let types = vec![self.choices.of(Ty::ORDERED); 1 + self.choices.below(2)];
                let direct = types.iter().map(|&ty| self.expression(ty, fixed)).collect();
                (self.choices.of(&["rank", "dense_rank"]), direct, types)
            }
            _ if Ty::ORDERED.contains(&ty) => match self.choices.below(2) {
                0 => ("percentile_disc", vec![self.expression(Ty::Float8, fixed)], vec![ty]),
                _ => ("mode", vec![], vec![ty]),
            },
            _ => return None,
        };
        let mut within_group = Vec::new();
        for ty in sorted {
            let by = self.expression(ty, inside);
            within_group.push(self.order(by));
        }
        let filter = self.choices.chance(20).then(|| self.expression(Ty::Bool, inside));
        let call = Call { within_group, filter, ..plain(qualified(name), direct) };
        Some(self.add(NodeKind::Call(call)))
    }

    /// A window function, where one may stand.
    pub(super) fn window_call(&mut self, ty: Ty, place: Place<'_>) -> Option<NodeId> {
        let windows = place.windows?;
        let inside = place.without_windows();
        let all = WINDOW_FUNCTIONS.iter().map(|its| (its, false));
        let all = all.chain(AGGREGATES.iter().map(|its| (its, true)));
        let of_type: Vec<_> = all.filter(|((.., result), _)| *result == ty).collect();
        if of_type.is_empty() {
            return None;
        }
        let ((name, arguments, _), is_aggregate) = self.choices.of(&of_type);
        let star = *name == "count" && self.choices.chance(30);
        let arguments = if star { &[] } else { *arguments };
        let arguments = arguments.iter().map(|&ty| self.expression(ty, inside)).collect();
        // FILTER takes no aggregate, not even over a grouped row.
        let filtered = Place { rows: None, ..inside };
        let filter = (is_aggregate && self.choices.chance(25)).then(|| self.expression(Ty::Bool, filtered));
        let over = if !windows.is_empty() && self.choices.chance(50) {
            let index = self.choices.below(windows.len());
            let base = &windows[index];
            if !base.framed && self.choices.chance(40) {
                let named = Some(base.name.clone());
                Over::Window(self.window(inside, named, base.ordered).0)
            } else {
                Over::Named(base.name.clone())
            }
        } else {
            Over::Window(self.window(inside, None, false).0)
        };
        let call = Call { star, filter, over: Some(over), ..plain(qualified(name), arguments) };
        Some(self.add(NodeKind::Call(call)))
    }
}
