use std::collections::{HashMap, HashSet};

use crate::catalog::unused::{drop_unused, is_of_the_system};
use crate::catalog::{ColumnPrivileges, Contents, Function, Oid, PG_CATALOG, Parallel, TypeKind};

/// Leaves of PostgreSQL's own objects what verification can use of them.
pub(super) fn forget_builtin(contents: &mut Contents, may_be_called: impl Fn(&Function) -> bool) {
    contents.functions.retain(|function| match function.schema.as_str() {
        PG_CATALOG => may_be_called(function),
        schema => schema != "information_schema",
    });
    contents.partial = true;
    drop_unused(contents, &HashSet::new());
    for function in contents.functions.iter_mut().filter(|function| function.schema == PG_CATALOG) {
        function.strict = false;
        function.leakproof = false;
        function.parallel = Parallel::default();
        function.language.clear();
        function.owner.clear();
        function.comment = None;
    }
    for ty in contents.types.iter_mut().filter(|ty| is_of_the_system(&ty.schema)) {
        ty.owner.clear();
        ty.comment = None;
    }
    // What is granted is the operator. A cast's function matters where it needs a grant.
    for operator in &mut contents.operators {
        operator.function = None;
    }
    let needs_grant = |function: &Function| (function.schema != PG_CATALOG).then_some(function.oid);
    let granted: HashSet<Oid> = contents.functions.iter().filter_map(needs_grant).collect();
    for cast in &mut contents.casts {
        cast.function = cast.function.filter(|function| granted.contains(function));
    }
}

/// Gives the types of relations' rows, and arrays, the owner and extension of what they are of. PostgreSQL makes them by
/// itself, and its versions differ in whether an extension has them.
pub(super) fn settle_dependent_types(contents: &mut Contents) {
    let mut of_relations = HashMap::new();
    for relation in &contents.relations {
        if let Some(row_type) = relation.row_type {
            of_relations.insert(row_type, (&relation.owner, &relation.extension));
        }
    }
    for ty in &mut contents.types {
        if let Some((owner, extension)) = of_relations.get(&ty.oid) {
            ty.owner.clone_from(owner);
            ty.extension.clone_from(extension);
        }
    }
    let of_elements: HashMap<Oid, _> =
        contents.types.iter().map(|ty| (ty.oid, (ty.owner.clone(), ty.extension.clone()))).collect();
    for ty in &mut contents.types {
        if let TypeKind::Array { element } = ty.kind {
            let (owner, extension) = of_elements.get(&element).cloned().unwrap_or_default();
            (ty.owner, ty.extension, ty.comment) = (owner, extension, None);
        }
    }
}

/// Forgets what depends on where a database runs and who looks at it: its settings, who owns what, and what the login may do
/// with what it may read.
pub(super) fn forget_environment(contents: &mut Contents) {
    contents.settings.clear();
    let owners = contents.schemas.iter_mut().map(|schema| &mut schema.owner);
    let owners = owners.chain(contents.relations.iter_mut().map(|relation| &mut relation.owner));
    let owners = owners.chain(contents.types.iter_mut().map(|ty| &mut ty.owner));
    let owners = owners.chain(contents.functions.iter_mut().map(|function| &mut function.owner));
    owners.for_each(String::clear);
    for column in contents.relations.iter_mut().flat_map(|relation| &mut relation.columns) {
        column.privileges = ColumnPrivileges::default();
    }
}
