use callslip_ir::{NodeId, SetOperation, SetOperator};

use super::Verifier;
use super::query::ResultColumn;
use super::with::RecursiveCte;
use crate::Code;
use crate::select::Finding;
use crate::select::scope::Scope;
use crate::select::signature::Operand;

impl<'a> Verifier<'a> {
    /// Verifies both sides of a set operation. It has the names of the left one and the types that both have together.
    pub(super) fn set_operation(
        &mut self,
        node: NodeId,
        operation: &'a SetOperation,
        outer: &Scope<'_>,
        recursive: Option<RecursiveCte<'a>>,
    ) -> Vec<ResultColumn> {
        let mut left = self.result(operation.left, outer, None);
        if let Some(recursive) = recursive {
            // The recursive term sees the columns of the first one as these are, and not what both come to.
            let columns = self.settled(&left);
            for (column, settled) in left.iter_mut().zip(&columns) {
                column.operand = settled.ty.map_or(Operand::Opaque, Operand::Known);
            }
            self.define_recursive(recursive, columns);
        }
        let right = self.result(operation.right, outer, None);
        if self.has_enough() {
            return left;
        }
        let name = name(operation.operator);
        if left.len() != right.len() {
            let message = format!("the sides of {name} have {} and {} columns", left.len(), right.len());
            self.report(node, Code::InvalidStructure, message);
            return left;
        }
        let columns = left.into_iter().zip(right);
        columns
            .map(|(left, right)| {
                let operand = self.matched(name, &left, &right);
                if recursive.is_some() {
                    self.same_in_recursion(&left, operand);
                }
                ResultColumn { operand, ..left }
            })
            .collect()
    }

    /// The type that a column of both sides has; PostgreSQL goes by pairs too, even where more than two are united.
    fn matched(&mut self, name: &str, left: &ResultColumn, right: &ResultColumn) -> Operand {
        let sides = [(left.node, left.operand), (right.node, right.operand)];
        let common = self.common_type(&sides, name);
        for (node, operand) in sides {
            if operand == Operand::Untyped {
                self.settle(node, common);
            } else if common.is_none_or(|common| operand != Operand::Known(common)) {
                self.coerced(node, operand, common);
            }
        }
        common.map_or(Operand::Opaque, Operand::Known)
    }

    fn same_in_recursion(&mut self, first: &ResultColumn, overall: Operand) {
        let (Operand::Known(first_type), Operand::Known(overall)) = (first.operand, overall) else { return };
        let catalog = self.context.catalog;
        if catalog.base_type(first_type) == catalog.base_type(overall) {
            return;
        }
        let (is, overall) = (self.shown_type(first_type), self.shown_type(overall));
        let column = first.name.as_deref().unwrap_or("?");
        let message = format!(
            "column \"{column}\" of a recursive CTE is {is} in its non-recursive term, but {overall} with the recursive one"
        );
        let finding = Finding::new(Code::NoCommonType, message);
        self.find(first.node, finding.with_help(format!("cast it there with .cast_as(\"{overall}\")")));
    }
}

fn name(operator: SetOperator) -> &'static str {
    match operator {
        SetOperator::Union => "UNION",
        SetOperator::Intersect => "INTERSECT",
        SetOperator::Except => "EXCEPT",
    }
}
