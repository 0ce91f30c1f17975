use std::collections::{HashMap, HashSet};

use super::{Contents, Function, Oid, PG_CATALOG, TypeKind};

/// Whether a schema is PostgreSQL's own.
pub(super) fn is_of_the_system(schema: &str) -> bool {
    schema == "information_schema" || schema.starts_with("pg_")
}

/// Drops the types that a statement can't name and that nothing is of, and the casts of these. The rows of relations, and
/// arrays of them, stay, but for the types of `gone`, of which a relation was that is gone.
pub(super) fn drop_unused(contents: &mut Contents, gone: &HashSet<Oid>) {
    let positions: HashMap<Oid, usize> =
        contents.types.iter().enumerate().map(|(position, ty)| (ty.oid, position)).collect();
    let mut wanted = used(contents, gone);
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

fn used(contents: &Contents, gone: &HashSet<Oid>) -> Vec<Oid> {
    let columns =
        contents.relations.iter().flat_map(|relation| relation.columns.iter().map(|column| column.ty));
    let functions = contents.functions.iter().flat_map(Function::types);
    let operators = contents.operators.iter().flat_map(|o| [o.right, o.result].into_iter().chain(o.left));
    let named = contents.types.iter().filter(|ty| {
        // Other row types than those of the relations are here only where something is of them.
        match ty.schema.as_str() {
            PG_CATALOG => !matches!(ty.kind, TypeKind::Composite { .. }),
            schema => !is_of_the_system(schema) && !gone.contains(&ty.oid),
        }
    });
    let named: Vec<Oid> = named.map(|ty| ty.oid).collect();
    columns.chain(functions).chain(operators).chain(named).collect()
}
