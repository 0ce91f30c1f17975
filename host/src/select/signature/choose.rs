use super::coercion::{STRING, coercible};
use super::polymorphic::{consistent, fill};
use super::{Candidate, Chosen, Operand, Unresolved};
use crate::catalog::{Catalog, Oid, Type};

/// Chooses among the candidates of one name and number of arguments.
pub(in crate::select) fn choose<'a, T>(
    catalog: &Catalog,
    mut candidates: Vec<Candidate<'a, T>>,
    operands: &[Operand],
    operator: bool,
) -> Result<Chosen<'a, T>, Unresolved> {
    if let Some(exact) = exact(&candidates, operands) {
        return chosen(catalog, candidates.swap_remove(exact), operands);
    }
    if operator && let Some(alike) = alike(catalog, &candidates, operands) {
        return chosen(catalog, candidates.swap_remove(alike), operands);
    }
    candidates.retain(|candidate| takes(catalog, candidate, operands));
    if candidates.len() > 1 && operands.contains(&Operand::Opaque) {
        return Err(Unresolved::Opaque);
    }
    chosen(catalog, narrow(catalog, candidates, operands)?, operands)
}

/// The candidate that is declared with exactly these types.
pub(in crate::select) fn exact<T>(candidates: &[Candidate<'_, T>], operands: &[Operand]) -> Option<usize> {
    let types = || operands.iter().copied();
    candidates
        .iter()
        .position(|candidate| candidate.arguments.iter().map(|oid| Operand::Known(*oid)).eq(types()))
}

/// The operator whose operands are both of the type that one of these has, where the other one is untyped
/// (`binary_oper_exact` of PostgreSQL's parse_oper.c).
fn alike<T>(catalog: &Catalog, candidates: &[Candidate<'_, T>], operands: &[Operand]) -> Option<usize> {
    let ([Operand::Known(known), Operand::Untyped] | [Operand::Untyped, Operand::Known(known)]) = *operands
    else {
        return None;
    };
    let of = |oid| exact(candidates, &[Operand::Known(oid), Operand::Known(oid)]);
    of(known).or_else(|| of(catalog.base_type(known)))
}

/// Whether a signature takes the operands, as they are or converted.
fn takes<T>(catalog: &Catalog, candidate: &Candidate<'_, T>, operands: &[Operand]) -> bool {
    candidate.arguments.iter().zip(operands).all(|(&to, operand)| coercible(catalog, *operand, to))
        && consistent(catalog, &candidate.arguments, operands)
}

fn chosen<'a, T>(
    catalog: &Catalog,
    candidate: Candidate<'a, T>,
    operands: &[Operand],
) -> Result<Chosen<'a, T>, Unresolved> {
    if candidate.tied {
        return Err(Unresolved::Ambiguous);
    }
    let (arguments, result) = fill(catalog, &candidate.arguments, operands, candidate.result)?;
    Ok(Chosen {
        item: candidate.item,
        declared: candidate.arguments,
        arguments,
        result,
        spread: candidate.spread,
    })
}

/// The best of candidates that all take the operands: `func_select_candidate` of PostgreSQL's parse_func.c.
fn narrow<'a, T>(
    catalog: &Catalog,
    mut candidates: Vec<Candidate<'a, T>>,
    operands: &[Operand],
) -> Result<Candidate<'a, T>, Unresolved> {
    // "If any input argument is of a domain type, treat it as being of the domain's base type."
    let operands: Vec<Operand> = operands
        .iter()
        .map(|operand| match operand {
            Operand::Known(oid) => Operand::Known(catalog.base_type(*oid)),
            other => *other,
        })
        .collect();
    let categories: Vec<Option<char>> = operands
        .iter()
        .map(|operand| match operand {
            Operand::Known(oid) => catalog.type_by_oid(*oid).map(|ty| ty.category),
            _ => None,
        })
        .collect();
    let is_exact = |position: usize, oid: Oid| operands[position] == Operand::Known(oid);
    let is_preferred = |position: usize, oid: Oid| {
        catalog.type_by_oid(oid).is_some_and(|ty| ty.preferred && Some(ty.category) == categories[position])
    };
    if candidates.len() > 1 {
        keep_best(&mut candidates, is_exact);
    }
    if candidates.len() > 1 {
        keep_best(&mut candidates, |position, oid| is_exact(position, oid) || is_preferred(position, oid));
    }
    if candidates.len() > 1 && operands.contains(&Operand::Untyped) {
        by_category(catalog, &mut candidates, &operands);
    }
    if candidates.len() > 1 && operands.contains(&Operand::Untyped) {
        by_known_type(catalog, &mut candidates, &operands);
    }
    match <[_; 1]>::try_from(candidates) {
        Ok([only]) => Ok(only),
        Err(rest) if rest.is_empty() => Err(Unresolved::NoMatch),
        Err(_) => Err(Unresolved::Ambiguous),
    }
}

/// "If there are both unknown and known-type arguments, and all the known-type arguments have the same type, assume that the
/// unknown arguments are also of that type."
fn by_known_type<T>(catalog: &Catalog, candidates: &mut Vec<Candidate<'_, T>>, operands: &[Operand]) {
    let mut known = operands.iter().filter(|operand| matches!(operand, Operand::Known(_)));
    let Some(&first) = known.next() else { return };
    if known.any(|operand| *operand != first) {
        return;
    }
    let alike = vec![first; operands.len()];
    if candidates.iter().filter(|candidate| takes(catalog, candidate, &alike)).count() == 1 {
        candidates.retain(|candidate| takes(catalog, candidate, &alike));
    }
}

fn keep_best<T>(candidates: &mut Vec<Candidate<'_, T>>, counts: impl Fn(usize, Oid) -> bool) {
    let score = |candidate: &Candidate<'_, T>| {
        candidate.arguments.iter().enumerate().filter(|(position, oid)| counts(*position, **oid)).count()
    };
    let best = candidates.iter().map(score).max().unwrap_or(0);
    candidates.retain(|candidate| score(candidate) == best);
}

/// Chooses a type category for each untyped argument: string if any candidate takes one, otherwise the one that
/// all take; then prefers the preferred types of that category.
fn by_category<T>(catalog: &Catalog, candidates: &mut Vec<Candidate<'_, T>>, operands: &[Operand]) {
    let ty = |oid: Oid| -> Option<&Type> { catalog.type_by_oid(oid) };
    let mut wanted: Vec<Option<(char, bool)>> = vec![None; operands.len()];
    for (position, operand) in operands.iter().enumerate() {
        if *operand != Operand::Untyped {
            continue;
        }
        let found: Vec<(char, bool)> = candidates
            .iter()
            .filter_map(|c| ty(c.arguments[position]))
            .map(|t| (t.category, t.preferred))
            .collect();
        let category = match found.iter().find(|(category, _)| *category == STRING) {
            Some(_) => STRING,
            None if found.iter().all(|(category, _)| *category == found[0].0) && !found.is_empty() => {
                found[0].0
            }
            // The candidates disagree: nothing can be concluded from this argument or any other.
            None => return,
        };
        let preferred = found.iter().any(|(its, preferred)| *its == category && *preferred);
        wanted[position] = Some((category, preferred));
    }
    let fits = |candidate: &Candidate<'_, T>| {
        candidate.arguments.iter().zip(&wanted).all(|(&oid, wanted)| match (wanted, ty(oid)) {
            (Some((category, preferred)), Some(ty)) => {
                ty.category == *category && (!preferred || ty.preferred)
            }
            _ => true,
        })
    };
    if candidates.iter().any(fits) {
        candidates.retain(fits);
    }
}
