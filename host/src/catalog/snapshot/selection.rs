use std::collections::{HashMap, HashSet};

use crate::catalog::{Contents, Function, Oid, PG_CATALOG, TypeKind};

/// Drops the types that a statement can't name and that nothing is of, and the casts of these. The rows of relations, and
/// arrays of them, stay.
pub(super) fn drop_unused(contents: &mut Contents) {
    let positions: HashMap<Oid, usize> =
        contents.types.iter().enumerate().map(|(position, ty)| (ty.oid, position)).collect();
    let mut wanted = used(contents);
    let mut kept = HashSet::new();
    while let Some(oid) = wanted.pop() {
        if kept.insert(oid)
            && let Some(&position) = positions.get(&oid)
        {
            wanted.extend(contents.types[position].kind.made_of());
        }
    }
    contents.types.retain(|ty| kept.contains(&ty.oid));
    for ty in &mut contents.types {
        ty.array = ty.array.filter(|array| kept.contains(array));
    }
    contents.casts.retain(|cast| {
        [cast.source, cast.target].iter().all(|oid| kept.contains(oid) && positions.contains_key(oid))
    });
}

fn used(contents: &Contents) -> Vec<Oid> {
    let columns =
        contents.relations.iter().flat_map(|relation| relation.columns.iter().map(|column| column.ty));
    let functions = contents.functions.iter().flat_map(Function::types);
    let operators = contents.operators.iter().flat_map(|o| [o.right, o.result].into_iter().chain(o.left));
    let named = contents.types.iter().filter(|ty| {
        // Other row types than those of the relations are here only where something is of them.
        let of_the_system = ty.schema == "information_schema" || ty.schema.starts_with("pg_");
        match ty.schema.as_str() {
            PG_CATALOG => !matches!(ty.kind, TypeKind::Composite { .. }),
            _ => !of_the_system,
        }
    });
    let named: Vec<Oid> = named.map(|ty| ty.oid).collect();
    columns.chain(functions).chain(operators).chain(named).collect()
}
