use callslip_ir::{Call, NodeId};

use super::Verifier;
use crate::Code;
use crate::catalog::{Function, FunctionKind};
use crate::select::Finding;

impl Verifier<'_> {
    /// What stands around a call must fit the kind of its function, as PostgreSQL wants it (`ParseFuncOrColumn` of its
    /// parse_func.c). `passed` counts the arguments and what is in WITHIN GROUP.
    pub(super) fn used_as(&mut self, node: NodeId, call: &Call, function: &Function, passed: usize) {
        let name = &function.name;
        let is_named = call.arguments.iter().any(|argument| argument.name.is_some());
        match function.kind {
            FunctionKind::Function => {
                let first = [
                    (call.star, "*"),
                    (call.distinct, "DISTINCT"),
                    (!call.within_group.is_empty(), "WITHIN GROUP"),
                    (!call.order_by.is_empty(), "ORDER BY among its arguments"),
                    (call.filter.is_some(), "FILTER"),
                ];
                if let Some((_, has)) = first.iter().find(|(has, _)| *has) {
                    self.only_for(node, &format!("{name} is no aggregate, so it can't have {has}"));
                } else if call.over.is_some() {
                    self.only_for(
                        node,
                        &format!("{name} is no window function nor aggregate, so it can't have OVER"),
                    );
                }
            }
            FunctionKind::Aggregate | FunctionKind::Window if is_named => {
                self.only_for(
                    node,
                    &format!("{name} can't have arguments with names: only plain functions can"),
                );
            }
            FunctionKind::Aggregate => {
                if !call.within_group.is_empty() {
                    self.only_for(
                        node,
                        &format!("{name} is no ordered-set aggregate, so it can't have WITHIN GROUP"),
                    );
                } else if passed == 0 && !call.star {
                    let finding = Finding::new(
                        Code::InvalidStructure,
                        format!("{name} without arguments is {name}(*)"),
                    );
                    self.find(node, finding.with_help("set the star of the call"));
                } else if call.over.is_some() && (call.distinct || !call.order_by.is_empty()) {
                    self.only_for(
                        node,
                        &format!("{name} can't have DISTINCT or ORDER BY among its arguments with OVER"),
                    );
                }
            }
            FunctionKind::Window => {
                if call.over.is_none() {
                    let finding = Finding::new(
                        Code::InvalidStructure,
                        format!("{name} is a window function and needs OVER"),
                    );
                    self.find(node, finding.with_help("give it a window with .over(…)"));
                }
                let first = [
                    (call.distinct, "DISTINCT"),
                    (!call.within_group.is_empty(), "WITHIN GROUP"),
                    (!call.order_by.is_empty(), "ORDER BY among its arguments"),
                    (call.filter.is_some(), "FILTER"),
                ];
                if let Some((_, has)) = first.iter().find(|(has, _)| *has) {
                    self.only_for(
                        node,
                        &format!("{name} is a window function and no aggregate, so it can't have {has}"),
                    );
                }
            }
            FunctionKind::OrderedSet { direct } => {
                self.ordered_set(node, call, function, usize::from(direct))
            }
        }
    }

    fn ordered_set(&mut self, node: NodeId, call: &Call, function: &Function, direct: usize) {
        let name = &function.name;
        if call.within_group.is_empty() {
            return self.needs_within_group(node, name);
        }
        if call.over.is_some() {
            self.only_for(node, &format!("{name} is an ordered-set aggregate, so it can't have OVER"));
        }
        if call.distinct || !call.order_by.is_empty() {
            self.only_for(
                node,
                &format!("{name} has WITHIN GROUP, so it can't have DISTINCT or another ORDER BY"),
            );
        }
        let (passed, keys) = (call.arguments.len(), call.within_group.len());
        if direct < function.arguments.len() {
            if passed != direct {
                self.only_for(
                    node,
                    &format!("{name} has {direct} arguments before WITHIN GROUP, and not {passed}"),
                );
            }
        } else if passed != keys {
            // Its direct arguments are a row that might be among those that are sorted.
            self.only_for(
                node,
                &format!("{name} has {passed} arguments and {keys} sort keys in WITHIN GROUP; it takes as many of both"),
            );
        }
    }

    pub(super) fn needs_within_group(&mut self, node: NodeId, name: &str) {
        let finding = Finding::new(
            Code::InvalidStructure,
            format!("{name} is an ordered-set aggregate and needs WITHIN GROUP"),
        );
        self.find(node, finding.with_help("say what it sorts by with .within_group(…)"));
    }

    /// Refuses what returns a set, where PostgreSQL takes only one value: if more such calls were met than before.
    pub(super) fn no_set_since(&mut self, before: usize, node: NodeId, construct: &str) {
        if self.sets_met != before {
            let message = format!("a function that returns a set can't stand in {construct}");
            let finding = Finding::new(Code::InvalidStructure, message);
            self.find(node, finding.with_help("join it as a relation, with LATERAL"));
        }
    }

    pub(super) fn only_for(&mut self, node: NodeId, message: &str) {
        self.report(node, Code::InvalidStructure, message);
    }
}
