use std::collections::{HashMap, HashSet};

use super::{Contents, Function, Oid, PG_CATALOG, TypeKind};

/// Whether a schema is PostgreSQL's own.
pub(crate) fn is_of_the_system(schema: &str) -> bool {
    schema == "information_schema" || schema.starts_with("pg_")
}

/// Drops the types that a statement can't name and that nothing is of, and the casts of these. The rows of relations, and
/// arrays of them, stay, but for the types of `gone`, of which a relation was that is gone.
pub(super) fn drop_unused(contents: &mut Contents, gone: &HashSet<Oid>) {
    let named = contents.types.iter().filter(|ty| {
        // Other row types than those of the relations are here only where something is of them.
        match ty.schema.as_str() {
            PG_CATALOG => !matches!(ty.kind, TypeKind::Composite { .. }),
            schema => !is_of_the_system(schema) && !gone.contains(&ty.oid),
        }
    });
    let kept = with_parts(contents, used(contents).chain(named.map(|ty| ty.oid)));
    contents.types.retain(|ty| kept.contains(&ty.oid));
    for ty in &mut contents.types {
        ty.array = ty.array.filter(|array| kept.contains(array));
    }
    contents.casts.retain(|cast| [cast.source, cast.target].iter().all(|oid| kept.contains(oid)));
}

/// The types that columns, functions and operators are of.
pub(super) fn used(contents: &Contents) -> impl Iterator<Item = Oid> {
    let columns =
        contents.relations.iter().flat_map(|relation| relation.columns.iter().map(|column| column.ty));
    let functions = contents.functions.iter().flat_map(Function::types);
    let operators = contents.operators.iter().flat_map(|o| [o.right, o.result].into_iter().chain(o.left));
    columns.chain(functions).chain(operators)
}

/// Those of these types that there are, and all that they are made of.
pub(super) fn with_parts(contents: &Contents, types: impl Iterator<Item = Oid>) -> HashSet<Oid> {
    let kinds: HashMap<Oid, &TypeKind> = contents.types.iter().map(|ty| (ty.oid, &ty.kind)).collect();
    let mut open: Vec<Oid> = types.collect();
    let mut found = HashSet::new();
    while let Some(oid) = open.pop() {
        if let Some(kind) = kinds.get(&oid)
            && found.insert(oid)
        {
            open.extend(kind.made_of());
        }
    }
    found
}
