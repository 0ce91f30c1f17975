use std::collections::BTreeSet;
use std::iter;

use super::generation::Basis;
use crate::Config;
use crate::catalog::{Catalog, ObjectName, PG_CATALOG, Relation, RelationKind, View};
use crate::grants::{GrantSettings, Grants};
use crate::loan::{Guard, GuardedRelation};

impl Basis {
    /// Guards whatever the plugins of a configuration are granted and their row filters read, under any choice of schemas.
    pub fn guard(&self, config: &Config) -> Guard {
        let relations = &self.catalog.contents().relations;
        let mut granted: BTreeSet<usize> = BTreeSet::new();
        for (name, plugin) in &config.plugins {
            for (_, filters) in self.under_each_choice(|path| self.row_filters(name, plugin, path)) {
                let read: BTreeSet<_> = filters
                    .all()
                    .iter()
                    .flat_map(|its| its.verified())
                    .flat_map(|its| its.relations.iter())
                    .collect();
                let is_read = |relation: &Relation| {
                    read.iter().any(|(schema, name)| *schema == relation.schema && *name == relation.name)
                };
                granted.extend((0..relations.len()).filter(|&index| is_read(&relations[index])));
            }
            let relations_of = |grants: &GrantSettings| grants.relations.clone();
            let named = GrantSettings {
                relations: plugin.all_grants().flat_map(relations_of).collect(),
                ..GrantSettings::default()
            };
            let resolved = |path: &_| Grants::resolve_known(&named, &self.catalog, path).0;
            for (_, grants) in self.under_each_choice(resolved) {
                granted.extend((0..relations.len()).filter(|&index| grants.relation(&relations[index])));
            }
        }
        let granted: Vec<&Relation> = granted.into_iter().map(|index| &relations[index]).collect();
        let read = granted.iter().flat_map(|relation| read_by_caller(&self.catalog, relation));
        let read = read.map(|name| match self.catalog.relation(&name.schema, &name.name) {
            Some(relation) => guarded(relation),
            None => GuardedRelation { schema: name.schema.clone(), name: name.name.clone(), exempt: None },
        });
        let guarded = read.chain(granted.iter().copied().map(guarded)).collect();
        Guard::new(config.database.allow.iter().copied(), guarded)
    }
}

/// What a view reads, or one of those that it reads, with the rights of the caller and not of its owner.
pub(super) fn read_by_caller<'a>(catalog: &'a Catalog, relation: &'a Relation) -> Vec<&'a ObjectName> {
    fn view(relation: &Relation) -> Option<&View> {
        relation.view.as_ref().filter(|_| relation.kind == RelationKind::View)
    }
    let Some(outer) = view(relation) else { return Vec::new() };
    let inner = outer.reads.iter().filter_map(|name| view(catalog.relation(&name.schema, &name.name)?));
    let of_caller = iter::once(outer).chain(inner).filter(|view| view.security_invoker);
    of_caller.flat_map(|view| &view.reads).filter(|name| name.schema != PG_CATALOG).collect()
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
