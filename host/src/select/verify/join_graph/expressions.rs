use callslip_ir::{NodeId, NodeKind, Subexpression};

use super::{JoinGraph, LeafColumn, is_builtin};
use crate::select::verify::bare_column::column;
use crate::select::verify::leaves::Leaves;

const COMPARISONS: &[&str] = &["=", "<>", "<", "<=", ">", ">=", "~~", "!~~"];

impl<'a> JoinGraph<'a> {
    /// The columns of leaves anywhere in an expression; of a whole row, its name as one.
    pub(super) fn columns(&self, node: NodeId) -> Vec<LeafColumn<'a>> {
        let (mut open, mut found) = (vec![node], Vec::new());
        while let Some(node) = open.pop() {
            match (column(self.description, node), self.kind(node)) {
                (Some((relation, name)), _) => found.extend(self.leaf(relation).map(|leaf| (leaf, name))),
                (None, NodeKind::WholeRow { relation }) => {
                    found.extend(self.leaf(relation).map(|leaf| (leaf, "")));
                }
                (None, kind) => open.extend(kind.children()),
            }
        }
        found
    }

    /// The leaves that an expression or a query is about.
    pub(in super::super) fn mentioned(&self, node: NodeId) -> Leaves {
        self.columns(node).iter().fold(Leaves::NONE, |found, (leaf, _)| found | Leaves::one(*leaf))
    }

    /// The leaves whose columns the value of an expression is made of: not those that only its conditions look at, as in
    /// `CASE WHEN … THEN 1 ELSE 0 END`.
    pub(in super::super) fn valued(&self, node: NodeId) -> Leaves {
        let (mut open, mut found) = (vec![node], Leaves::NONE);
        while let Some(node) = open.pop() {
            match self.kind(node) {
                NodeKind::Case(case) => {
                    open.extend(case.arms.iter().map(|arm| arm.then).chain(case.otherwise));
                }
                NodeKind::Boolean(_)
                | NodeKind::Is(_)
                | NodeKind::Subexpression(Subexpression::Exists(_)) => {}
                NodeKind::Operation(operation) if is_builtin(&operation.operator, COMPARISONS) => {}
                NodeKind::Column { relation, .. } | NodeKind::WholeRow { relation } => {
                    found = self.leaf(relation).map_or(found, |leaf| found | Leaves::one(leaf));
                }
                kind => open.extend(kind.children()),
            }
        }
        found
    }

    pub(super) fn has_query(&self, node: NodeId) -> bool {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            match self.kind(node) {
                NodeKind::Query(_) => return true,
                kind => open.extend(kind.children()),
            }
        }
        false
    }
}
