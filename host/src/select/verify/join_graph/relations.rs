use callslip_ir::{Join, JoinCondition, NodeId, NodeKind, RelationName};

use super::{Equality, JoinGraph, Leaf, MOST_CONDITIONS};
use crate::catalog::{Catalog, Relation, RelationKind, UniqueKey};
use crate::select::verified::Resolution;
use crate::select::verify::leaves::{Leaves, MOST_LEAVES};

impl<'a> JoinGraph<'a> {
    /// Adds the leaves of a relation, and gathers the conditions of joins and what may look at relations before it.
    pub(super) fn relation(
        &mut self,
        node: NodeId,
        catalog: &'a Catalog,
        conditions: &mut Vec<NodeId>,
        dependents: &mut Vec<NodeId>,
    ) -> Option<Leaves> {
        let (alias, stored) = match self.kind(node) {
            NodeKind::Join(join) => {
                let left = self.relation(join.left, catalog, conditions, dependents)?;
                let right = self.relation(join.right, catalog, conditions, dependents)?;
                return self.join(join, left, right, conditions);
            }
            NodeKind::Table(table) => {
                let stored = match (&table.name, &self.resolutions[node.0 as usize]) {
                    (RelationName::Stored(_), Resolution::Object { schema, name })
                        if table.columns.is_empty() =>
                    {
                        catalog.relation(schema, name)
                    }
                    _ => None,
                };
                (&table.alias, stored)
            }
            NodeKind::Subquery(subquery) => {
                dependents.extend(subquery.lateral.then_some(node));
                (&subquery.alias, None)
            }
            NodeKind::Functions(functions) => {
                dependents.push(node);
                (&functions.alias, None)
            }
            NodeKind::JsonTable(table) => {
                dependents.push(node);
                (&table.alias, None)
            }
            _ => return None,
        };
        let stored = stored.filter(|relation| {
            let is_table = matches!(
                relation.kind,
                RelationKind::Table | RelationKind::PartitionedTable | RelationKind::MaterializedView
            );
            // A key of columns that can't be read is not known.
            is_table && relation.unique_keys.iter().any(UniqueKey::holds) && relation.hidden_columns == 0
        });
        if self.leaves.len() == MOST_LEAVES {
            return None;
        }
        self.leaves.push(Leaf { alias, relation: stored, keys: Vec::new() });
        Some(Leaves::one(self.leaves.len() - 1))
    }

    fn join(
        &mut self,
        join: &'a Join,
        left: Leaves,
        right: Leaves,
        conditions: &mut Vec<NodeId>,
    ) -> Option<Leaves> {
        // An alias hides the names inside, and NATURAL joins whatever has one name.
        if join.alias.is_some() {
            return None;
        }
        match &join.condition {
            JoinCondition::None => {}
            JoinCondition::On(condition) => conditions.push(*condition),
            JoinCondition::Using { alias: Some(_), .. } | JoinCondition::Natural => return None,
            JoinCondition::Using { columns, alias: None } => {
                for name in columns {
                    let (left, right) = (self.with_column(left, name)?, self.with_column(right, name)?);
                    for (left, right) in left.iter().flat_map(|l| right.iter().map(move |r| (l, r))) {
                        let (left, right) = (self.position((left, name)), self.position((right, name)));
                        self.equalities.push(Equality { column: left, others: vec![right] });
                        self.equalities.push(Equality { column: right, others: vec![left] });
                    }
                    if self.conditions.len() == MOST_CONDITIONS {
                        return None;
                    }
                    self.conditions.push(left | right);
                }
            }
        }
        Some(left | right)
    }

    /// The leaves among these that have a column of that name; none, if that can't be told of one.
    fn with_column(&self, leaves: Leaves, name: &str) -> Option<Leaves> {
        let mut found = Leaves::NONE;
        for leaf in leaves.iter() {
            let relation = self.leaves[leaf].relation?;
            if relation.columns.iter().any(|column| column.name == name) {
                found = found | Leaves::one(leaf);
            }
        }
        Some(found)
    }

    /// Gives each leaf its relation's keys, among them what a foreign key of another leaf refers to.
    pub(super) fn add_keys(&mut self) {
        let relations: Vec<&'a Relation> = self.leaves.iter().filter_map(|leaf| leaf.relation).collect();
        for leaf in 0..self.leaves.len() {
            let Some(relation) = self.leaves[leaf].relation else { continue };
            let references = relations.iter().flat_map(|relation| &relation.foreign_keys);
            // One that compares by containment refers to several rows.
            let references = references.filter(|its| its.target == relation.oid && !its.period);
            let keys = relation.unique_keys.iter().filter(|key| key.holds()).map(|key| &key.columns);
            for columns in keys.chain(references.map(|reference| &reference.target_columns)) {
                let key = columns.iter().map(|name| self.position((leaf, name))).collect();
                self.leaves[leaf].keys.push(key);
            }
        }
    }
}
