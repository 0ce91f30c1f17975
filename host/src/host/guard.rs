use std::collections::BTreeSet;

use super::generation::Basis;
use crate::Config;
use crate::catalog::{Relation, RelationKind};
use crate::grants::{GrantSettings, Grants};
use crate::loan::{Guard, GuardedRelation};

impl Basis {
    /// Guards whatever the plugins of a configuration are granted, under any choice of schemas.
    pub fn guard(&self, config: &Config) -> Guard {
        let relations = &self.catalog.contents().relations;
        let mut granted: BTreeSet<usize> = BTreeSet::new();
        for plugin in config.plugins.values() {
            let named =
                GrantSettings { relations: plugin.grants.relations.clone(), ..GrantSettings::default() };
            let resolved = |path: &_| Grants::resolve_known(&named, &self.catalog, path).0;
            for (_, grants) in self.under_each_choice(resolved) {
                granted.extend((0..relations.len()).filter(|&index| grants.relation(&relations[index])));
            }
        }
        let guarded = granted.into_iter().map(|index| guarded(&relations[index])).collect();
        Guard::new(config.database.allow.iter().copied(), guarded)
    }
}

fn guarded(relation: &Relation) -> GuardedRelation {
    let has_policies = matches!(relation.kind, RelationKind::Table | RelationKind::PartitionedTable);
    let is_forced = relation.row_security.enabled && relation.row_security.forced;
    GuardedRelation {
        schema: relation.schema.clone(),
        name: relation.name.clone(),
        exempt: (has_policies && !is_forced).then(|| relation.owner.clone()),
    }
}
