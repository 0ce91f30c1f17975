use callslip_ir::{Argument, Call};

use super::Candidate;
use crate::catalog::{Catalog, Function, Oid, Operator, PG_CATALOG};

/// The functions that a call may mean, of the schemas to search in their order: those of that name that take as many
/// arguments, or those names (`FuncnameGetCandidates` of PostgreSQL's namespace.c). `passed` counts what stands in WITHIN GROUP
/// too.
pub(in crate::select) fn of_function<'a>(
    catalog: &'a Catalog,
    schemas: &[&str],
    name: &str,
    call: &Call,
    passed: usize,
) -> Vec<Candidate<'a, Function>> {
    let found = schemas.iter().enumerate().flat_map(|(path, schema)| {
        catalog.functions(schema, name).filter_map(move |function| {
            let (arguments, spread) = arguments(function, call, passed)?;
            Some(Candidate { item: function, arguments, result: function.returns, spread, path, tied: false })
        })
    });
    nearest(found)
}

/// The functions of `pg_catalog` of a name that take as many arguments.
pub(in crate::select) fn by_position<'a>(
    catalog: &'a Catalog,
    name: &str,
    passed: usize,
) -> Vec<Candidate<'a, Function>> {
    let functions = catalog.functions(PG_CATALOG, name).filter(|function| function.arguments.len() == passed);
    functions
        .map(|function| Candidate {
            item: function,
            arguments: function.arguments.clone(),
            result: function.returns,
            spread: false,
            path: 0,
            tied: false,
        })
        .collect()
}

/// The operators of a name with as many operands.
pub(in crate::select) fn of_operator<'a>(
    catalog: &'a Catalog,
    schemas: &[&str],
    name: &str,
    operands: usize,
) -> Vec<Candidate<'a, Operator>> {
    let found = schemas.iter().enumerate().flat_map(|(path, schema)| {
        let operators = catalog.operators(schema, name);
        operators.filter(move |operator| operator.left.is_some() == (operands == 2)).map(move |operator| {
            Candidate {
                item: operator,
                arguments: operator.left.into_iter().chain([operator.right]).collect(),
                result: operator.result,
                spread: false,
                path,
                tied: false,
            }
        })
    });
    nearest(found)
}

/// Of those with the same arguments, the one whose schema is searched first, and within a schema the one that is not variadic;
/// what is neither nearer nor better than another is tied with it.
fn nearest<'a, T>(found: impl Iterator<Item = Candidate<'a, T>>) -> Vec<Candidate<'a, T>> {
    let mut nearest: Vec<Candidate<'a, T>> = Vec::new();
    for candidate in found {
        let rank = |candidate: &Candidate<'_, T>| (candidate.path, candidate.spread);
        match nearest.iter_mut().find(|its| its.arguments == candidate.arguments) {
            None => nearest.push(candidate),
            Some(its) if rank(its) < rank(&candidate) => {}
            Some(its) if rank(its) > rank(&candidate) => *its = candidate,
            Some(its) => its.tied = true,
        }
    }
    nearest
}

/// The types that a function declares for a call's arguments, in the order in which they are passed, and whether a VARIADIC
/// argument was spread for them; nothing if it can't take that many or those names.
fn arguments(function: &Function, call: &Call, passed: usize) -> Option<(Vec<Oid>, bool)> {
    let declared = &function.arguments;
    let as_array = call.arguments.last().is_some_and(|argument| argument.variadic);
    if call.arguments.iter().any(|argument| argument.name.is_some()) {
        let spread = function.variadic.is_some() && !as_array;
        return if spread { None } else { named(function, &call.arguments).map(|types| (types, false)) };
    }
    if let Some(element) = function.variadic
        && !as_array
        && passed >= declared.len()
    {
        let mut arguments = declared[..declared.len().checked_sub(1)?].to_vec();
        arguments.resize(passed, element);
        return Some((arguments, true));
    }
    let least = declared.len().saturating_sub(usize::from(function.defaults));
    (passed >= least && passed <= declared.len()).then(|| (declared[..passed].to_vec(), false))
}

/// The declared types of arguments of which some have names.
fn named(function: &Function, arguments: &[Argument]) -> Option<Vec<Oid>> {
    let mut given = vec![false; function.arguments.len()];
    let mut types = Vec::with_capacity(arguments.len());
    for (index, argument) in arguments.iter().enumerate() {
        let position = match &argument.name {
            None => index,
            Some(name) => function.argument_names.iter().position(|its| its == name)?,
        };
        if std::mem::replace(given.get_mut(position)?, true) {
            return None;
        }
        types.push(function.arguments[position]);
    }
    let required = function.arguments.len().saturating_sub(usize::from(function.defaults));
    given[..required].iter().all(|given| *given).then_some(types)
}
