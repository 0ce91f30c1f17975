use callslip_ir::{GroupingSet, GroupingSetKind, NodeId, NodeKind, Special, SpecialForm};

use super::{Generator, Place, Relation, Scope, Ty};

/// The GROUP BY of a select.
pub(super) struct Grouping {
    pub items: Vec<NodeId>,
    pub distinct: bool,
    /// What is grouped by: expressions that may be repeated.
    pub keys: Vec<(NodeId, Ty)>,
    /// The columns among them, by relation.
    relations: Vec<Relation>,
}

impl Grouping {
    /// What is left of the relations when they are grouped.
    pub fn scope<'a>(&self, outer: &'a Scope<'a>) -> Scope<'a> {
        Scope { relations: self.relations.clone(), outer: Some(outer) }
    }
}

impl Generator<'_> {
    pub(super) fn group_by(&mut self, rows: &Scope<'_>, fuel: usize) -> Grouping {
        let place = Place::columns(rows, fuel.min(2));
        let (mut items, mut keys) = (Vec::new(), Vec::new());
        let mut relations: Vec<Relation> = rows.relations.clone();
        relations.iter_mut().for_each(|relation| relation.whole = false);
        let mut kept: Vec<(String, String)> = Vec::new();
        for _ in 0..self.choices.below(3) {
            if self.choices.chance(35) {
                items.push(self.grouping_set(place, &mut keys, &mut kept, 2));
            } else {
                items.push(self.group_key(place, &mut keys, &mut kept));
            }
        }
        for relation in &mut relations {
            relation.columns.retain(|(name, _)| {
                kept.iter().any(|(alias, kept)| *alias == relation.alias && kept == name)
            });
        }
        let distinct = !items.is_empty() && self.choices.chance(20);
        Grouping { items, distinct, keys, relations }
    }

    fn group_key(
        &mut self,
        place: Place<'_>,
        keys: &mut Vec<(NodeId, Ty)>,
        kept: &mut Vec<(String, String)>,
    ) -> NodeId {
        let ty = self.choices.of(Ty::COMPARABLE);
        let key = self.expression(ty, place);
        match &self.nodes[key.0 as usize].kind {
            NodeKind::Column { relation, name } => kept.push((relation.clone(), name.clone())),
            // What is grouped by a value alone is not grouped by anything that could be repeated.
            NodeKind::Parameter(_) | NodeKind::Null(_) => return key,
            _ => {}
        }
        keys.push((key, ty));
        key
    }

    fn grouping_set(
        &mut self,
        place: Place<'_>,
        keys: &mut Vec<(NodeId, Ty)>,
        kept: &mut Vec<(String, String)>,
        depth: usize,
    ) -> NodeId {
        let kind = self.choices.of(&[GroupingSetKind::Rollup, GroupingSetKind::Cube, GroupingSetKind::Sets]);
        let mut items = Vec::new();
        for _ in 0..=self.choices.below(3) {
            let item = match self.choices.below(4) {
                0 if kind == GroupingSetKind::Sets && depth > 0 => {
                    self.grouping_set(place, keys, kept, depth - 1)
                }
                1 => {
                    // Several that stay together; none is the empty set, which only GROUPING SETS has.
                    let least = usize::from(kind != GroupingSetKind::Sets);
                    let count = least + self.choices.below(3);
                    let together = (0..count).map(|_| self.group_key(place, keys, kept)).collect();
                    self.add(NodeKind::Row(together))
                }
                _ => self.group_key(place, keys, kept),
            };
            items.push(item);
        }
        self.add(NodeKind::GroupingSet(GroupingSet { kind, items }))
    }

    /// `GROUPING(…)` of columns that are grouped by. Of those around the query it would be the GROUPING of a query around.
    pub(super) fn grouping_call(&mut self, grouping: &Grouping) -> Option<NodeId> {
        let is_own = |(key, _): &&(NodeId, Ty)| match &self.nodes[key.0 as usize].kind {
            NodeKind::Column { relation, .. } => grouping.relations.iter().any(|its| its.alias == *relation),
            _ => false,
        };
        let own: Vec<NodeId> = grouping.keys.iter().filter(is_own).map(|(key, _)| *key).collect();
        if own.is_empty() {
            return None;
        }
        let mut operands = Vec::new();
        for _ in 0..=self.choices.below(2) {
            let key = self.choices.of(&own);
            operands.push(self.copy(key));
        }
        Some(self.add(NodeKind::Special(Special { form: SpecialForm::Grouping, operands })))
    }
}
