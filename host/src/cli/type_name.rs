//! Types, for people.

use callslip_ir::snapshot::reference;

use crate::catalog::{Catalog, Oid, Type, TypeKind};

/// A type's name as a cast would write it: `int4`, `public.mood[]`.
pub(super) fn type_name(catalog: &Catalog, oid: Oid) -> String {
    match catalog.type_by_oid(oid) {
        Some(Type { kind: TypeKind::Array { element }, .. }) => format!("{}[]", type_name(catalog, *element)),
        Some(ty) => reference(&ty.schema, &ty.name),
        None => format!("type {oid}"),
    }
}
