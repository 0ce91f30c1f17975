use std::collections::{BTreeSet, HashMap};

use callslip_ir::{Is, IsTest, NodeId, NodeKind, SpecialForm, Subexpression};

use super::{Equality, JoinGraph, LeafColumn, Position, is_builtin};
use crate::select::verify::leaves::Leaves;

impl<'a> JoinGraph<'a> {
    pub(super) fn condition(&mut self, node: NodeId, bounds: &mut HashMap<usize, BTreeSet<&'a str>>) {
        let mentioned = self.mentioned(node);
        self.conditions.push(mentioned);
        if let NodeKind::Subexpression(Subexpression::Exists(_)) = self.kind(node) {
            return;
        }
        // It may ask for the latest row, or the only one.
        if self.has_query(node) {
            self.restricted = self.restricted | mentioned;
            return;
        }
        match self.kind(node) {
            NodeKind::Operation(operation) => match operation.operands.as_slice() {
                &[left, right] if is_builtin(&operation.operator, &["="]) => self.equality(left, right),
                operands if is_builtin(&operation.operator, &["<", "<=", ">", ">="]) => {
                    for (leaf, column) in operands.iter().filter_map(|&operand| self.column(operand)) {
                        bounds.entry(leaf).or_default().insert(column);
                    }
                }
                _ if is_builtin(&operation.operator, &["@>", "<@", "&&"]) => {
                    self.restricted = self.restricted | mentioned;
                }
                _ => {}
            },
            NodeKind::Special(special) => match (&special.form, special.operands.as_slice()) {
                (SpecialForm::DistinctFrom { negated: true }, &[left, right]) => self.equality(left, right),
                (SpecialForm::Between { .. }, operands) => {
                    for (leaf, column) in operands.iter().filter_map(|&operand| self.column(operand)) {
                        bounds.entry(leaf).or_default().insert(column);
                    }
                }
                (SpecialForm::Overlaps, _) => self.restricted = self.restricted | mentioned,
                _ => {}
            },
            NodeKind::Subexpression(Subexpression::InList { operand, items, negated: false }) => {
                if let &[item] = items.as_slice() {
                    self.equality(*operand, item);
                }
            }
            // Null is no value of a key, but a partial one may be of the rows that have it.
            NodeKind::Is(is) if !is.negated => {
                self.pin(is.value, Vec::new());
                self.without_rows(is);
            }
            _ => {}
        }
    }

    fn without_rows(&mut self, is: &Is) {
        let Some((leaf, name)) = self.column(is.value).filter(|_| is.test == IsTest::Null) else { return };
        let in_key = |key: &Vec<Position>| key.iter().any(|&column| self.columns[column] == (leaf, name));
        if self.leaves[leaf].keys.iter().any(in_key) {
            self.absent = self.absent | Leaves::one(leaf);
        }
    }

    fn equality(&mut self, left: NodeId, right: NodeId) {
        match (self.kind(left), self.kind(right)) {
            (NodeKind::Row(left), NodeKind::Row(right)) => {
                for (&left, &right) in left.iter().zip(right) {
                    self.pin(left, self.columns(right));
                    self.pin(right, self.columns(left));
                }
            }
            _ => {
                self.pin(left, self.columns(right));
                self.pin(right, self.columns(left));
            }
        }
    }

    fn pin(&mut self, node: NodeId, others: Vec<LeafColumn<'a>>) {
        if let Some(column) = self.column(node) {
            let column = self.position(column);
            let others = others.into_iter().map(|other| self.position(other)).collect();
            self.equalities.push(Equality { column, others });
        }
    }
}
