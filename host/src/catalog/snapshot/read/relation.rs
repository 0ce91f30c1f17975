use std::collections::HashSet;

use callslip_ir::snapshot::{read_reference, reference};

use super::super::SnapshotError;
use super::super::document::{
    ColumnEntry, ExclusionEntry, ForeignKeyEntry, IndexEntry, PartitionOfEntry, PolicyEntry, Privilege,
    RelationEntry, RowSecurityEntry, USUAL_METHOD, UniqueKeyEntry, ViewEntry,
};
use super::{Reader, check_once, checks, collation, duplicate, name, unknown};
use crate::catalog::{
    Column, ColumnPrivileges, Exclusion, ForeignKey, Index, ObjectName, Oid, PartitionOf, Partitioning,
    Policy, Relation, RelationKind, RowSecurity, UniqueKey, View,
};
use crate::nearest::nearest;

/// What a foreign key may refer to.
pub(super) struct Named {
    pub oid: Oid,
    pub row_type: Option<Oid>,
    pub columns: HashSet<String>,
}

impl Named {
    /// Refuses a key of columns that are not there.
    fn check(&self, columns: &[String], key: &str) -> Result<(), SnapshotError> {
        match columns.iter().find(|column| !self.columns.contains(*column)) {
            None => Ok(()),
            Some(column) => {
                let near = nearest(column, self.columns.iter().map(String::as_str));
                Err(unknown("column", column, key, near))
            }
        }
    }
}

impl Reader {
    pub(super) fn relation(
        &self,
        schema: &str,
        name: String,
        entry: RelationEntry,
    ) -> Result<Relation, SnapshotError> {
        let place = reference(schema, &name);
        let named = &self.relations[&(schema.to_owned(), name.clone())];
        if named.columns.len() < entry.columns.len() {
            return Err(duplicate("a column of", &place));
        }
        check_kind(&entry, &place)?;
        let own_name = ObjectName { schema: schema.to_owned(), name: name.clone() };
        let mut columns = Vec::with_capacity(entry.columns.len());
        for column in entry.columns {
            columns.push(self.column(entry.kind, column, &place)?);
        }
        let (oid, row_type) = (named.oid, named.row_type);
        Ok(Relation {
            oid,
            schema: schema.to_owned(),
            name,
            kind: entry.kind,
            persistence: entry.persistence,
            owner: entry.owner,
            extension: entry.extension,
            columns,
            hidden_columns: entry.hidden_columns,
            row_type,
            unique_keys: unique_keys(entry.unique_keys, named, &place)?,
            foreign_keys: self.foreign_keys(entry.foreign_keys, named, &place)?,
            checks: checks(entry.checks, &place)?,
            exclusions: exclusions(entry.exclusions, &place)?,
            indexes: indexes(entry.indexes, &place)?,
            row_security: row_security(entry.row_security, &place)?,
            partitioning: entry.partitioned_by.map(|key| Partitioning { key }),
            partition_of: entry.partition_of.map(|its| partition_of(its, &own_name)).transpose()?,
            inherits: inherits(&entry.inherits, &own_name)?,
            view: entry.view.map(|view| self::view(view, &place)).transpose()?,
            foreign_server: entry.foreign_server,
            comment: entry.comment,
        })
    }

    fn column(&self, kind: RelationKind, entry: ColumnEntry, place: &str) -> Result<Column, SnapshotError> {
        let place = format!("the column {} of {place}", entry.name);
        let usual = RelationEntry::usual_dimensions(kind, &entry.ty);
        Ok(Column {
            ty: self.ty(&entry.ty, &place)?,
            type_modifier: entry.modifier.unwrap_or(-1),
            dimensions: entry.dimensions.unwrap_or(usual),
            collation: collation(entry.collation.as_deref(), &place)?,
            nullable: entry.nullable,
            default: entry.default,
            identity: entry.identity,
            generated: entry.generated,
            privileges: privileges(entry.privileges.as_deref(), &place)?,
            comment: entry.comment,
            name: entry.name,
        })
    }

    fn foreign_keys(
        &self,
        entries: Vec<ForeignKeyEntry>,
        named: &Named,
        place: &str,
    ) -> Result<Vec<ForeignKey>, SnapshotError> {
        check_once(&entries, |key| &key.name, |key| format!("the key {} of {place}", key.name))?;
        let mut keys = Vec::with_capacity(entries.len());
        for key in entries {
            let its_place = format!("the key {} of {place}", key.name);
            named.check(&key.columns, &its_place)?;
            let target = read_reference(&key.target).and_then(|target| self.relations.get(&target));
            let target = target.ok_or_else(|| unknown("relation", &key.target, &its_place, None))?;
            target.check(&key.target_columns, &its_place)?;
            if key.columns.len() != key.target_columns.len() {
                return Err(invalid(
                    place,
                    "has a foreign key with not as many `target_columns` as `columns`",
                ));
            }
            keys.push(ForeignKey {
                name: key.name,
                columns: key.columns,
                target: target.oid,
                target_columns: key.target_columns,
                on_update: key.on_update,
                on_delete: key.on_delete,
                deferrable: key.deferrable,
                validated: key.validated,
                period: key.period,
            });
        }
        Ok(keys)
    }
}

/// Refuses what a relation of its kind can't have.
fn check_kind(entry: &RelationEntry, place: &str) -> Result<(), SnapshotError> {
    let is_view = matches!(entry.kind, RelationKind::View | RelationKind::MaterializedView);
    if entry.view.is_some() && !is_view {
        return Err(invalid(place, "has a `view` and is none"));
    }
    if entry.partitioned_by.is_some() && entry.kind != RelationKind::PartitionedTable {
        return Err(invalid(place, "is `partitioned_by` something and no partitioned table"));
    }
    if entry.foreign_server.is_some() && entry.kind != RelationKind::ForeignTable {
        return Err(invalid(place, "has a `foreign_server` and is no foreign table"));
    }
    Ok(())
}

fn privileges(entry: Option<&[Privilege]>, place: &str) -> Result<ColumnPrivileges, SnapshotError> {
    let Some(held) = entry else { return Ok(ColumnPrivileges::default()) };
    if held.iter().enumerate().any(|(at, privilege)| held[..at].contains(privilege)) {
        return Err(duplicate("a privilege on", place));
    }
    Ok(ColumnPrivileges {
        select: held.contains(&Privilege::Select),
        insert: held.contains(&Privilege::Insert),
        update: held.contains(&Privilege::Update),
        references: held.contains(&Privilege::References),
    })
}

fn unique_keys(
    entries: Vec<UniqueKeyEntry>,
    named: &Named,
    place: &str,
) -> Result<Vec<UniqueKey>, SnapshotError> {
    check_once(&entries, |key| &key.name, |key| format!("the key {} of {place}", key.name))?;
    let mut keys = Vec::with_capacity(entries.len());
    for key in entries {
        named.check(&key.columns, &format!("the key {} of {place}", key.name))?;
        keys.push(UniqueKey {
            name: key.name,
            primary: key.primary,
            partial: key.partial,
            deferrable: key.deferrable,
            without_overlaps: key.without_overlaps,
            nulls_not_distinct: key.nulls_not_distinct,
            columns: key.columns,
        });
    }
    Ok(keys)
}

fn exclusions(entries: Vec<ExclusionEntry>, place: &str) -> Result<Vec<Exclusion>, SnapshotError> {
    check_once(&entries, |its| &its.name, |its| format!("the exclusion {} of {place}", its.name))?;
    let exclusion = |ExclusionEntry { name, definition }| Exclusion { name, definition };
    Ok(entries.into_iter().map(exclusion).collect())
}

fn indexes(entries: Vec<IndexEntry>, place: &str) -> Result<Vec<Index>, SnapshotError> {
    check_once(&entries, |index| &index.name, |index| format!("the index {} of {place}", index.name))?;
    let index = |index: IndexEntry| Index {
        name: index.name,
        method: index.method.unwrap_or_else(|| USUAL_METHOD.to_owned()),
        unique: index.unique,
        valid: index.valid,
        keys: index.keys,
        included: index.included,
        predicate: index.predicate,
    };
    Ok(entries.into_iter().map(index).collect())
}

fn row_security(entry: RowSecurityEntry, place: &str) -> Result<RowSecurity, SnapshotError> {
    let RowSecurityEntry { enabled, forced, policies } = entry;
    check_once(&policies, |policy| &policy.name, |policy| format!("the policy {} of {place}", policy.name))?;
    for policy in &policies {
        let role = |role: &String| format!("the role {role} of the policy {} of {place}", policy.name);
        check_once(&policy.roles, |role| role, role)?;
    }
    let policy = |policy: PolicyEntry| Policy {
        name: policy.name,
        command: policy.command,
        permissive: policy.permissive,
        roles: policy.roles,
        using: policy.using,
        check: policy.check,
    };
    Ok(RowSecurity { enabled, forced, policies: policies.into_iter().map(policy).collect() })
}

fn partition_of(entry: PartitionOfEntry, own: &ObjectName) -> Result<PartitionOf, SnapshotError> {
    let parent = name::object("relation", &entry.parent, &own.to_string())?;
    if parent == *own {
        return Err(invalid(&own.to_string(), "is a partition of itself"));
    }
    Ok(PartitionOf { parent, bounds: entry.bounds })
}

fn inherits(entries: &[String], own: &ObjectName) -> Result<Vec<ObjectName>, SnapshotError> {
    let place = own.to_string();
    let mut parents = Vec::with_capacity(entries.len());
    for written in entries {
        let parent = name::object("relation", written, &place)?;
        if parent == *own {
            return Err(invalid(&place, "inherits from itself"));
        }
        if parents.contains(&parent) {
            return Err(duplicate(&format!("{parent} among what is inherited by"), &place));
        }
        parents.push(parent);
    }
    Ok(parents)
}

fn view(entry: ViewEntry, place: &str) -> Result<View, SnapshotError> {
    let place = format!("the view {place}");
    let mut view = View {
        definition: entry.definition.join("\n"),
        security_barrier: entry.security_barrier,
        security_invoker: entry.security_invoker,
        ..View::default()
    };
    for written in &entry.reads {
        if !view.reads.insert(name::object("relation", written, &place)?) {
            return Err(duplicate(&format!("{written} among what is read by"), &place));
        }
    }
    for written in &entry.calls {
        if !view.calls.insert(name::signature(written, &place)?) {
            return Err(duplicate(&format!("{written} among what is called by"), &place));
        }
    }
    Ok(view)
}

fn invalid(relation: &str, wrong: &'static str) -> SnapshotError {
    SnapshotError::InvalidRelation { relation: relation.to_owned(), wrong }
}
