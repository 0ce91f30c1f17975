use callslip_ir::{Domain, QualifiedName, Scalar, TypeName, ValueType};

use crate::catalog::{Catalog, PG_CATALOG, TypeKind};
use crate::select::ResolvedType;

/// The values that a claim takes which a row filter reads as a value of this type.
pub(super) fn value_type(catalog: &Catalog, ty: &ResolvedType) -> ValueType {
    let scalar = Scalar::ALL.into_iter().find(|its| ty.schema == PG_CATALOG && ty.name == its.type_name());
    let name = || TypeName {
        name: QualifiedName::within(ty.schema.as_str(), ty.name.as_str()),
        modifiers: Vec::new(),
        array: false,
    };
    let domain = match (scalar, catalog.ty(&ty.schema, &ty.name).map(|its| &its.kind)) {
        (Some(scalar), _) => Domain::Scalar(scalar),
        (None, Some(TypeKind::Enum { labels })) => Domain::Enum { labels: labels.clone(), ty: Some(name()) },
        _ => Domain::Named(name()),
    };
    // Null is what it is where the caller has none.
    ValueType { domain, array: ty.array, nullable: true }
}
