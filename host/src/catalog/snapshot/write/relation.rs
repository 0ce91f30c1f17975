use super::super::document::{
    ColumnEntry, ExclusionEntry, ForeignKeyEntry, IndexEntry, PartitionOfEntry, PolicyEntry, Privilege,
    RelationEntry, RowSecurityEntry, USUAL_METHOD, UniqueKeyEntry, ViewEntry,
};
use super::{Writer, checks, comment};
use crate::catalog::{
    Column, ColumnPrivileges, Exclusion, ForeignKey, Index, ObjectName, PartitionOf, Policy, Relation,
    RowSecurity, Signature, UniqueKey, View,
};

impl Writer<'_> {
    pub(super) fn relation(&self, relation: &Relation) -> RelationEntry {
        let mut unique_keys: Vec<_> = relation.unique_keys.iter().map(unique_key).collect();
        unique_keys.sort_by(|a, b| (!a.primary, &a.name).cmp(&(!b.primary, &b.name)));
        let mut foreign_keys: Vec<_> =
            relation.foreign_keys.iter().filter_map(|key| self.foreign_key(key)).collect();
        foreign_keys.sort_by(|a, b| a.name.cmp(&b.name));
        let mut exclusions: Vec<_> = relation.exclusions.iter().map(exclusion).collect();
        exclusions.sort_by(|a, b| a.name.cmp(&b.name));
        let mut indexes: Vec<_> = relation.indexes.iter().map(index).collect();
        indexes.sort_by(|a, b| a.name.cmp(&b.name));
        RelationEntry {
            kind: relation.kind,
            persistence: relation.persistence,
            owner: relation.owner.clone(),
            extension: relation.extension.clone(),
            comment: comment(&relation.comment),
            foreign_server: relation.foreign_server.clone(),
            partitioned_by: relation.partitioning.as_ref().map(|partitioning| partitioning.key.clone()),
            partition_of: relation.partition_of.as_ref().map(partition_of),
            inherits: relation.inherits.iter().map(ObjectName::to_string).collect(),
            columns: relation.columns.iter().map(|column| self.column(relation, column)).collect(),
            hidden_columns: relation.hidden_columns,
            unique_keys,
            foreign_keys,
            checks: checks(&relation.checks),
            exclusions,
            indexes,
            row_security: row_security(&relation.row_security),
            view: relation.view.as_ref().map(view),
        }
    }

    fn column(&self, relation: &Relation, column: &Column) -> ColumnEntry {
        let ty = self.ty(column.ty);
        let usual = RelationEntry::usual_dimensions(relation.kind, &ty);
        ColumnEntry {
            name: column.name.clone(),
            modifier: (column.type_modifier != -1).then_some(column.type_modifier),
            dimensions: (column.dimensions != usual).then_some(column.dimensions),
            collation: column.collation.as_ref().map(ObjectName::to_string),
            nullable: column.nullable,
            default: column.default.clone(),
            identity: column.identity,
            generated: column.generated,
            privileges: privileges(column.privileges),
            comment: comment(&column.comment),
            ty,
        }
    }

    /// A key; none to a relation that is not there.
    fn foreign_key(&self, key: &ForeignKey) -> Option<ForeignKeyEntry> {
        Some(ForeignKeyEntry {
            name: key.name.clone(),
            columns: key.columns.clone(),
            target: self.relations.get(&key.target)?.clone(),
            target_columns: key.target_columns.clone(),
            on_update: key.on_update,
            on_delete: key.on_delete,
            deferrable: key.deferrable,
            validated: key.validated,
            period: key.period,
        })
    }
}

/// The privileges on a column, in an order of their own; none where they are the usual.
fn privileges(privileges: ColumnPrivileges) -> Option<Vec<Privilege>> {
    let ColumnPrivileges { select, insert, update, references } = privileges;
    let all = [
        (select, Privilege::Select),
        (insert, Privilege::Insert),
        (update, Privilege::Update),
        (references, Privilege::References),
    ];
    let held = all.into_iter().filter_map(|(holds, privilege)| holds.then_some(privilege)).collect();
    (privileges != ColumnPrivileges::default()).then_some(held)
}

fn unique_key(key: &UniqueKey) -> UniqueKeyEntry {
    UniqueKeyEntry {
        name: key.name.clone(),
        primary: key.primary,
        partial: key.partial,
        deferrable: key.deferrable,
        without_overlaps: key.without_overlaps,
        nulls_not_distinct: key.nulls_not_distinct,
        columns: key.columns.clone(),
    }
}

fn exclusion(exclusion: &Exclusion) -> ExclusionEntry {
    ExclusionEntry { name: exclusion.name.clone(), definition: exclusion.definition.clone() }
}

fn index(index: &Index) -> IndexEntry {
    IndexEntry {
        name: index.name.clone(),
        method: Some(index.method.clone()).filter(|method| method != USUAL_METHOD),
        unique: index.unique,
        valid: index.valid,
        keys: index.keys.clone(),
        included: index.included.clone(),
        predicate: index.predicate.clone(),
    }
}

fn partition_of(partition_of: &PartitionOf) -> PartitionOfEntry {
    PartitionOfEntry { parent: partition_of.parent.to_string(), bounds: partition_of.bounds.clone() }
}

fn row_security(row_security: &RowSecurity) -> RowSecurityEntry {
    let policy = |policy: &Policy| {
        let mut roles = policy.roles.clone();
        roles.sort();
        PolicyEntry {
            name: policy.name.clone(),
            command: policy.command,
            permissive: policy.permissive,
            roles,
            using: policy.using.clone(),
            check: policy.check.clone(),
        }
    };
    let mut policies: Vec<_> = row_security.policies.iter().map(policy).collect();
    policies.sort_by(|a, b| a.name.cmp(&b.name));
    RowSecurityEntry { enabled: row_security.enabled, forced: row_security.forced, policies }
}

fn view(view: &View) -> ViewEntry {
    ViewEntry {
        definition: view.definition.split('\n').map(str::to_owned).collect(),
        security_barrier: view.security_barrier,
        security_invoker: view.security_invoker,
        reads: view.reads.iter().map(ObjectName::to_string).collect(),
        calls: view.calls.iter().map(Signature::to_string).collect(),
    }
}
