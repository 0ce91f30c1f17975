use std::collections::BTreeSet;

use crate::catalog::{Catalog, ObjectName, Oid, PG_CATALOG};
use crate::select::scope::Origin;
use crate::select::verified::{ColumnName, DefinedColumn, Resolution, Verified};
use crate::select::{ResolvedType, types};

/// Says what of the database a statement uses, by its names: what a change of it may break.
pub(super) fn fill(verified: &mut Verified, catalog: &Catalog, read: &BTreeSet<Origin>) {
    let mut objects = BTreeSet::new();
    let mut add = |schema: &str, name: &str| {
        if schema != PG_CATALOG {
            objects.insert(ObjectName { schema: schema.to_owned(), name: name.to_owned() });
        }
    };
    let resolved = verified.resolutions.iter().chain(verified.orderings.values());
    for resolution in resolved {
        match resolution {
            Resolution::None | Resolution::Untyped => {}
            Resolution::Object { schema, name } => add(schema, name),
            Resolution::Type(ResolvedType { schema, name, .. }) => add(schema, name),
            Resolution::Sampled { relation, method } => {
                add(&relation.0, &relation.1);
                add(&method.0, &method.1);
            }
            Resolution::Columns(columns) => {
                for DefinedColumn { ty, collation } in columns {
                    add(&ty.schema, &ty.name);
                    if let Some((schema, name)) = collation {
                        add(schema, name);
                    }
                }
            }
        }
    }
    for (schema, name) in &verified.functions {
        add(schema, name);
    }
    for ty in verified.coercions.values() {
        add(&ty.schema, &ty.name);
    }
    let mut add_type = |oid: Oid| {
        if let Some(ty) = types::of_oid(catalog, oid) {
            add(&ty.schema, &ty.name);
        }
    };
    verified.columns.iter().filter_map(|column| column.ty).for_each(&mut add_type);
    for origin in read {
        let Some(relation) = catalog.relation_by_oid(origin.relation) else { continue };
        let Some(column) = relation.columns.get(origin.column) else { continue };
        add_type(column.ty);
        let of = ObjectName { schema: relation.schema.clone(), name: relation.name.clone() };
        verified.columns_read.insert(ColumnName { relation: of, column: column.name.clone() });
    }
    verified.objects = objects;
    // A change of what a filter reads may break the statements under it.
    for condition in verified.filters.iter().flat_map(|filter| &filter.conditions) {
        verified.objects.extend(condition.verified.objects.iter().cloned());
        verified.columns_read.extend(condition.verified.columns_read.iter().cloned());
    }
}
