use callslip_ir::{Direction, NodeId, NodeKind, Order, Query};

use super::Verifier;
use super::coerce::At;
use super::query::ResultColumn;
use crate::Code;
use crate::catalog::Oid;
use crate::nearest::nearest;
use crate::select::Finding;
use crate::select::scope::Scope;
use crate::select::signature::Operand;
use crate::select::verified::Resolution;

// Nothing has to be granted for what compares values where SQL names no operator: DISTINCT, GROUP BY, PARTITION BY,
// ORDER BY, UNION and their like, SEARCH and CYCLE. PostgreSQL takes the default operator class of the type then, and
// only a superuser can create one.

impl<'a> Verifier<'a> {
    /// An item of ORDER BY of a call or a window, and the type that it sorts by.
    pub(super) fn order(&mut self, order: &'a Order, scope: &Scope<'_>) -> Option<Oid> {
        let ty = self.value(order.expression, scope);
        self.ordering(order, ty.map_or(Operand::Opaque, Operand::Known));
        ty
    }

    /// An item of ORDER BY of a query.
    pub(super) fn order_of_query(
        &mut self,
        query: &Query,
        order: &'a Order,
        columns: &[ResultColumn],
        scope: &Scope<'_>,
    ) {
        let node = order.expression;
        let operand = match (self.kind(node), self.kind(query.body)) {
            (NodeKind::OutputName(name), _) => self.output_name(node, name, columns),
            (_, NodeKind::SetOperation(_)) => {
                let message = "ORDER BY of a UNION, INTERSECT or EXCEPT takes only names of its columns";
                let finding = Finding::new(Code::InvalidStructure, message);
                let help = "write output(\"…\"), or select from it with .alias(\"…\") and order that";
                self.find(node, finding.with_help(help));
                return;
            }
            _ => self.value(node, scope).map_or(Operand::Opaque, Operand::Known),
        };
        self.ordering(order, operand);
    }

    fn output_name(&mut self, node: NodeId, name: &str, columns: &[ResultColumn]) -> Operand {
        if self.has_enough() {
            return Operand::Opaque;
        }
        if let Some(column) = columns.iter().find(|column| column.name.as_deref() == Some(name)) {
            return column.operand;
        }
        let finding =
            Finding::new(Code::UnknownOutputName, format!("the select list has no column named \"{name}\""));
        let nearest = nearest(name, columns.iter().filter_map(|column| column.name.as_deref()));
        self.find(
            node,
            match nearest {
                Some(nearest) => finding.with_help(format!("did you mean \"{nearest}\"?")),
                None => finding,
            },
        );
        Operand::Opaque
    }

    /// The operator of USING. PostgreSQL takes it only if it is the less or greater of an operator class.
    pub(super) fn ordering(&mut self, order: &'a Order, operand: Operand) {
        let Direction::Using(written) = &order.direction else { return };
        let node = order.expression;
        let operand = match operand {
            Operand::Untyped => self.known("text"),
            other => other,
        };
        // The operator has no node of its own, and the expression's has a meaning already.
        let at = node.0 as usize;
        let expression = std::mem::replace(&mut self.resolutions[at], Resolution::None);
        // It takes the values as they are.
        self.operator(node, written, &[(At::Fixed(node), operand), (At::Fixed(node), operand)]);
        let operator = std::mem::replace(&mut self.resolutions[at], expression);
        self.orderings.insert(node, operator);
    }

    /// LIMIT and OFFSET.
    pub(super) fn limit(&mut self, query: &'a Query, scope: &Scope<'_>) {
        if let Some(limit) = &query.limit {
            if limit.with_ties && query.order_by.is_empty() {
                let finding =
                    Finding::new(Code::InvalidStructure, "FETCH FIRST … WITH TIES needs an ORDER BY");
                let help = "say with .order_by(…) by what rows tie, or use .limit(…)";
                self.find(limit.count, finding.with_help(help));
            }
            self.count(limit.count, scope);
        }
        if let Some(offset) = query.offset {
            self.count(offset, scope);
        }
    }

    fn count(&mut self, node: NodeId, scope: &Scope<'_>) {
        let int8 = self.builtin("int8");
        match self.expression(node, scope) {
            Operand::Untyped => self.settle(node, int8),
            operand => self.coerced(node, operand, int8),
        }
    }
}
