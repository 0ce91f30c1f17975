use callslip_ir::{GroupingSet, GroupingSetKind, NodeId, NodeKind, Select};

use super::Verifier;
use crate::Code;
use crate::select::scope::Scope;

/// The most members of CUBE, of which each doubles the grouping sets.
const CUBE_MEMBERS: usize = 12;

impl<'a> Verifier<'a> {
    pub(super) fn group_by(&mut self, node: NodeId, select: &'a Select, scope: &Scope<'_>) {
        if select.group_distinct && select.group_by.is_empty() {
            self.report(node, Code::InvalidStructure, "GROUP BY DISTINCT of nothing");
        }
        for &item in &select.group_by {
            match self.kind(item) {
                NodeKind::GroupingSet(set) => self.grouping_set(item, set, scope),
                // `()`, the one group of all rows.
                NodeKind::Row(members) if members.is_empty() => {}
                _ => _ = self.value(item, scope),
            }
        }
    }

    fn grouping_set(&mut self, node: NodeId, set: &'a GroupingSet, scope: &Scope<'_>) {
        if set.items.is_empty() {
            self.report(node, Code::InvalidStructure, "a grouping set without members");
        }
        if set.kind == GroupingSetKind::Cube && set.items.len() > CUBE_MEMBERS {
            let message = format!("CUBE has {} members; PostgreSQL takes {CUBE_MEMBERS}", set.items.len());
            self.report(node, Code::InvalidStructure, message);
        }
        let of_sets = set.kind == GroupingSetKind::Sets;
        for &item in &set.items {
            match self.kind(item) {
                NodeKind::GroupingSet(inner) if of_sets => self.grouping_set(item, inner, scope),
                NodeKind::GroupingSet(_) => {
                    let message = "ROLLUP and CUBE take expressions; a grouping set stands in GROUPING SETS";
                    self.report(item, Code::InvalidStructure, message);
                }
                NodeKind::Row(members) if members.is_empty() && !of_sets => {
                    self.report(item, Code::InvalidStructure, "() stands only in GROUPING SETS and GROUP BY");
                }
                NodeKind::Row(members) => {
                    for &member in members {
                        self.value(member, scope);
                    }
                }
                _ => _ = self.value(item, scope),
            }
        }
    }
}
