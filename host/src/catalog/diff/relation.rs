use std::collections::{BTreeMap, BTreeSet};

use callslip_ir::snapshot::reference;

use super::change::ObjectKind;
use super::pairs::pairs;
use super::{Differ, ObjectRef, What};
use crate::catalog::{ObjectName, PartitionOf, Partitioning, Persistence, Relation, TypeKind, View};

impl<'a> Differ<'a> {
    pub(super) fn relations(&mut self) {
        let (old, new) = (&self.old.contents.relations, &self.new.contents.relations);
        let key = |its: &'a Relation| (its.schema.as_str(), its.name.as_str());
        let found = pairs(old, new, key, key);
        let gone = found.values().filter(|(_, new)| new.is_none()).filter_map(|(old, _)| *old);
        let made = found.values().filter(|(old, _)| old.is_none()).filter_map(|(_, new)| *new);
        let renamed = self.renamed(gone.collect(), made.collect());
        let taken: BTreeSet<_> = renamed.values().map(|new| key(new)).collect();
        for ((schema, name), pair) in found {
            let object = ObjectRef::new(ObjectKind::Relation, schema, name);
            match (pair, renamed.get(&(schema, name))) {
                ((Some(old), Some(new)), _) => self.relation(&object, old, new),
                ((Some(old), None), Some(new)) => {
                    let to = reference(&new.schema, &new.name);
                    self.about(object.clone()).tell(What::Renamed { to });
                    self.relation(&object, old, new);
                }
                ((Some(_), None), None) => self.about(object).tell(What::Disappeared),
                ((None, Some(new)), _) if !taken.contains(&(schema, name)) => {
                    self.about(object).appeared(new.kind.as_str());
                }
                _ => {}
            }
        }
    }

    /// The relations that probably have another name now: of one kind, with the same columns, where only one of each is so.
    fn renamed(
        &self,
        gone: Vec<&'a Relation>,
        made: Vec<&'a Relation>,
    ) -> BTreeMap<(&'a str, &'a str), &'a Relation> {
        let mut alike: BTreeMap<_, (Vec<&Relation>, Vec<&'a Relation>)> = BTreeMap::new();
        for (side, relations, is_old) in [(&self.old, &gone, true), (&self.new, &made, false)] {
            for &relation in relations.iter().filter(|its| !its.columns.is_empty()) {
                let columns = relation.columns.iter();
                let columns: Vec<_> =
                    columns.map(|its| (its.name.as_str(), side.ty(its.ty), its.type_modifier)).collect();
                let of = alike.entry((relation.kind.as_str(), columns)).or_default();
                if is_old { of.0.push(relation) } else { of.1.push(relation) }
            }
        }
        let mut renamed = BTreeMap::new();
        for (gone, made) in alike.into_values() {
            // One that only moved to another schema is told from others by its name.
            let moved = |old: &Relation| -> Vec<&'a Relation> {
                made.iter().copied().filter(|new| new.name == old.name).collect()
            };
            for old in &gone {
                let new = match (&gone[..], &made[..], &moved(old)[..]) {
                    ([_], [new], _) | (_, _, [new]) => *new,
                    _ => continue,
                };
                if let Some(old) = self.old_relation(old) {
                    renamed.insert((old.schema.as_str(), old.name.as_str()), new);
                }
            }
        }
        renamed
    }

    fn old_relation(&self, relation: &Relation) -> Option<&'a Relation> {
        self.old.contents.relations.iter().find(|its| std::ptr::eq(*its, relation))
    }

    fn relation(&mut self, object: &ObjectRef, old: &'a Relation, new: &'a Relation) {
        let Relation {
            oid: _,
            // What it is found by.
            schema: _,
            name: _,
            kind: old_kind,
            persistence,
            owner,
            extension,
            columns: _,
            hidden_columns,
            row_type: _,
            unique_keys: _,
            foreign_keys: _,
            checks: _,
            exclusions: _,
            indexes: _,
            row_security: _,
            partitioning,
            partition_of,
            inherits,
            view,
            foreign_server,
            comment,
        } = old;
        let all = self.all;
        let mut about = self.about(object.clone());
        about.text(What::KIND, old_kind.as_str(), new.kind.as_str());
        if all {
            about.text("persistence", self::persistence(*persistence), self::persistence(new.persistence));
            about.text("owner", owner, &new.owner);
            about.option("extension", extension.clone(), new.extension.clone());
        }
        about.text(
            "number of columns that the login may not read",
            hidden_columns.to_string(),
            new.hidden_columns.to_string(),
        );
        if all {
            let key = |its: &Option<Partitioning>| its.as_ref().map(|Partitioning { key }| key.clone());
            about.option("partition key", key(partitioning), key(&new.partitioning));
            let parent = |its: &Option<PartitionOf>| its.as_ref().map(|its| its.parent.to_string());
            about.option("partitioned table", parent(partition_of), parent(&new.partition_of));
            let bounds = |its: &Option<PartitionOf>| {
                its.as_ref().map(|PartitionOf { parent: _, bounds }| bounds.clone())
            };
            about.option("partition bound", bounds(partition_of), bounds(&new.partition_of));
            let parents = |its: &[ObjectName]| {
                let names: Vec<_> = its.iter().map(ObjectName::to_string).collect();
                Some(names.join(", "))
            };
            about.option("inheritance", parents(inherits), parents(&new.inherits));
            about.option("foreign server", foreign_server.clone(), new.foreign_server.clone());
        }
        about.option("comment", comment.clone(), new.comment.clone());
        if all {
            self.view(object, view.as_ref(), new.view.as_ref());
        }
        let renamed = self.columns(object, old, new);
        self.unique_keys(object, (&old.unique_keys, &new.unique_keys), &renamed);
        self.foreign_keys(object, (&old.foreign_keys, &new.foreign_keys), &renamed);
        if all {
            self.checks(object, &old.checks, &new.checks);
            self.exclusions(object, &old.exclusions, &new.exclusions);
            self.indexes(object, (&old.indexes, &new.indexes), &renamed);
            self.row_security(object, &old.row_security, &new.row_security);
        }
        self.hidden_columns(object, old, new);
    }

    fn view(&mut self, object: &ObjectRef, old: Option<&View>, new: Option<&View>) {
        let mut about = self.about(object.clone());
        let (old, new) = match (old, new) {
            (Some(old), Some(new)) => (old, new),
            // Then it is of another kind too.
            (old, new) => {
                let definition = |view: Option<&View>| view.map(|view| view.definition.clone());
                return about.option("definition", definition(old), definition(new));
            }
        };
        let View { definition, security_barrier, security_invoker, reads, calls } = old;
        about.text("definition", definition, &new.definition);
        about.is("a security barrier", *security_barrier, new.security_barrier);
        about.is("a security invoker", *security_invoker, new.security_invoker);
        let names = |of: &BTreeSet<ObjectName>| of.iter().map(ToString::to_string).collect::<Vec<_>>();
        about.items("reads", &names(reads), &names(&new.reads));
        let signatures = |of: &BTreeSet<_>| of.iter().map(ToString::to_string).collect::<Vec<String>>();
        about.items("calls", &signatures(calls), &signatures(&new.calls));
    }

    /// The columns that the login may not read, which the type of a relation's rows has all the same.
    fn hidden_columns(&mut self, object: &ObjectRef, old: &Relation, new: &Relation) {
        let hidden = |side: &super::Side<'_>, relation: &Relation| -> Vec<String> {
            let row = relation.row_type.and_then(|row| side.type_of(row)).map(|row| &row.kind);
            let Some(TypeKind::Composite { attributes }) = row else { return Vec::new() };
            let is_hidden = |name: &String| relation.columns.iter().all(|column| column.name != *name);
            let hidden = attributes.iter().filter(|its| is_hidden(&its.name));
            hidden.map(|its| format!("{} {}", its.name, side.ty(its.ty))).collect()
        };
        let (old, new) = (hidden(&self.old, old), hidden(&self.new, new));
        self.about(object.clone()).items(What::HIDES, &old, &new);
    }
}

fn persistence(persistence: Persistence) -> &'static str {
    match persistence {
        Persistence::Permanent => "permanent",
        Persistence::Unlogged => "unlogged",
        Persistence::Temporary => "temporary",
    }
}
