//! Which function or operator a call means, by PostgreSQL's own rules (documentation, chapter 10, "Type
//! Conversion").

use crate::catalog::{CastContext, Catalog, Oid, PG_CATALOG, Type, TypeKind};

/// What is known of an operand's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// Its type.
    Known(Oid),
    /// A literal or constant without a type of its own (`unknown`).
    Untyped,
    /// Some type that was not inferred; PostgreSQL will say at Describe whether it fits.
    Opaque,
}

/// A signature that a call may mean.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a, T> {
    pub item: &'a T,
    /// The declared types of the arguments, one for each that is passed.
    pub arguments: Vec<Oid>,
    pub result: Oid,
    /// How many arguments came from spreading a VARIADIC one; a signature without is preferred.
    pub spread: bool,
}

/// The signature that was chosen, with polymorphic types filled in.
#[derive(Clone, Debug)]
pub(super) struct Chosen<'a, T> {
    pub item: &'a T,
    /// The types that the arguments have as this signature takes them; none where a polymorphic one could not be
    /// told.
    pub arguments: Vec<Option<Oid>>,
    pub result: Option<Oid>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// None of the candidates takes these types.
    NoMatch,
    /// Several take them equally well.
    Ambiguous,
    /// A type is not known, so that nothing can be said.
    Opaque,
}

/// Chooses among the candidates of one name and number of arguments.
pub(super) fn choose<'a, T>(
    catalog: &Catalog,
    mut candidates: Vec<Candidate<'a, T>>,
    operands: &[Operand],
    operator: bool,
) -> Result<Chosen<'a, T>, Unresolved> {
    if candidates.is_empty() {
        return Err(Unresolved::NoMatch);
    }
    if operands.contains(&Operand::Opaque) {
        return match <[_; 1]>::try_from(candidates) {
            Ok([only]) => Ok(chosen(catalog, only, operands)),
            Err(_) => Err(Unresolved::Opaque),
        };
    }
    if let Some(exact) = exact(catalog, &candidates, operands, operator) {
        return Ok(chosen(catalog, candidates.swap_remove(exact), operands));
    }
    candidates.retain(|candidate| {
        candidate.arguments.iter().zip(operands).all(|(&to, operand)| coercible(catalog, *operand, to))
            && consistent(catalog, &candidate.arguments, operands)
    });
    // "If any input argument is of a domain type, treat it as being of the domain's base type."
    let operands: Vec<Operand> = operands
        .iter()
        .map(|operand| match operand {
            Operand::Known(oid) => Operand::Known(catalog.base_type(*oid)),
            other => *other,
        })
        .collect();
    narrow(catalog, candidates, &operands).map(|candidate| chosen(catalog, candidate, &operands))
}

/// A candidate that takes exactly these types. For an operator, an untyped operand is first taken to be of the
/// other one's type.
fn exact<T>(
    catalog: &Catalog,
    candidates: &[Candidate<'_, T>],
    operands: &[Operand],
    operator: bool,
) -> Option<usize> {
    let matches = |types: &[Option<Oid>]| {
        let exact = |c: &Candidate<'_, T>| c.arguments.iter().map(|oid| Some(*oid)).eq(types.iter().copied());
        let found = candidates.iter().position(|c| exact(c) && !c.spread);
        found.or_else(|| candidates.iter().position(exact))
    };
    let known = |operand: &Operand| match operand {
        Operand::Known(oid) => Some(*oid),
        _ => None,
    };
    let types: Vec<Option<Oid>> = operands.iter().map(known).collect();
    if types.iter().all(Option::is_some) {
        return matches(&types);
    }
    if !operator || operands.len() != 2 {
        return None;
    }
    let other = types.iter().flatten().next()?;
    matches(&[Some(*other), Some(*other)])
        .or_else(|| matches(&[Some(catalog.base_type(*other)), Some(catalog.base_type(*other))]))
}

/// The best of candidates that all take the operands: `func_select_candidate` of PostgreSQL's parse_func.c.
fn narrow<'a, T>(
    catalog: &Catalog,
    mut candidates: Vec<Candidate<'a, T>>,
    operands: &[Operand],
) -> Result<Candidate<'a, T>, Unresolved> {
    if candidates.iter().any(|c| !c.spread) && candidates.len() > 1 {
        // Of two signatures with the same arguments the one that is not variadic wins.
        let plain: Vec<Vec<Oid>> =
            candidates.iter().filter(|c| !c.spread).map(|c| c.arguments.clone()).collect();
        candidates.retain(|c| !c.spread || !plain.contains(&c.arguments));
    }
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
    keep_best(&mut candidates, is_exact);
    if candidates.len() > 1 {
        keep_best(&mut candidates, |position, oid| is_exact(position, oid) || is_preferred(position, oid));
    }
    if candidates.len() > 1 {
        by_category(catalog, &mut candidates, operands);
    }
    if candidates.len() > 1 {
        // "If there are both untyped and known-type arguments, and all the known-type arguments have the same
        // type, assume that the untyped ones are also of that type."
        let mut known = operands.iter().filter_map(|operand| match operand {
            Operand::Known(oid) => Some(*oid),
            _ => None,
        });
        if let Some(first) = known.next()
            && known.all(|oid| oid == first)
        {
            let alike = |c: &Candidate<'_, T>| {
                c.arguments.iter().all(|&to| coercible(catalog, Operand::Known(first), to))
            };
            if candidates.iter().filter(|c| alike(c)).count() == 1 {
                candidates.retain(alike);
            }
        }
    }
    match <[_; 1]>::try_from(candidates) {
        Ok([only]) => Ok(only),
        Err(rest) if rest.is_empty() => Err(Unresolved::NoMatch),
        Err(_) => Err(Unresolved::Ambiguous),
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
    const STRING: char = 'S';
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

/// Whether PostgreSQL would convert the operand to the type without being asked.
fn coercible(catalog: &Catalog, operand: Operand, to: Oid) -> bool {
    let Operand::Known(from) = operand else { return true };
    if from == to {
        return true;
    }
    let (Some(target), Some(source)) =
        (catalog.type_by_oid(to), catalog.type_by_oid(catalog.base_type(from)))
    else {
        return false;
    };
    if let Some(polymorphic) = Polymorphic::of(target) {
        return polymorphic.takes(source);
    }
    if target.schema == PG_CATALOG && matches!(target.name.as_str(), "any" | "record") {
        return target.name == "any"
            || matches!(source.kind, TypeKind::Composite { .. })
            || source.name == "record";
    }
    if source.oid == to {
        return true;
    }
    match catalog.cast(source.oid, to) {
        Some(cast) => cast.context == CastContext::Implicit,
        // An array converts as its elements do.
        None => match (&source.kind, &target.kind) {
            (TypeKind::Array { element: from }, TypeKind::Array { element: to }) => {
                coercible(catalog, Operand::Known(*from), *to)
            }
            _ => false,
        },
    }
}

/// The polymorphic pseudo-types (documentation, section 38.2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Polymorphic {
    Element { family: Family, nonarray: bool, enumeration: bool },
    Array(Family),
    Range(Family),
    Multirange(Family),
}

/// Pseudo-types of one family stand for one type; those of the compatible family for a common type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Family {
    Same,
    Compatible,
}

impl Polymorphic {
    fn of(ty: &Type) -> Option<Self> {
        if ty.schema != PG_CATALOG || ty.kind != TypeKind::Pseudo {
            return None;
        }
        let element = |family, nonarray, enumeration| Self::Element { family, nonarray, enumeration };
        Some(match ty.name.as_str() {
            "anyelement" => element(Family::Same, false, false),
            "anynonarray" => element(Family::Same, true, false),
            "anyenum" => element(Family::Same, true, true),
            "anyarray" => Self::Array(Family::Same),
            "anyrange" => Self::Range(Family::Same),
            "anymultirange" => Self::Multirange(Family::Same),
            "anycompatible" => element(Family::Compatible, false, false),
            "anycompatiblenonarray" => element(Family::Compatible, true, false),
            "anycompatiblearray" => Self::Array(Family::Compatible),
            "anycompatiblerange" => Self::Range(Family::Compatible),
            "anycompatiblemultirange" => Self::Multirange(Family::Compatible),
            _ => return None,
        })
    }

    fn family(self) -> Family {
        match self {
            Self::Element { family, .. }
            | Self::Array(family)
            | Self::Range(family)
            | Self::Multirange(family) => family,
        }
    }

    fn takes(self, ty: &Type) -> bool {
        match self {
            Self::Element { nonarray, enumeration, .. } => {
                (!nonarray || !matches!(ty.kind, TypeKind::Array { .. }))
                    && (!enumeration || matches!(ty.kind, TypeKind::Enum { .. }))
            }
            Self::Array(_) => matches!(ty.kind, TypeKind::Array { .. }),
            Self::Range(_) => matches!(ty.kind, TypeKind::Range { .. }),
            Self::Multirange(_) => matches!(ty.kind, TypeKind::Multirange { .. }),
        }
    }

    /// The type that the family's element stands for, if an argument of this kind is of type `ty`.
    fn element_of(self, catalog: &Catalog, ty: &Type) -> Option<Oid> {
        match (self, &ty.kind) {
            (Self::Element { .. }, _) => Some(ty.oid),
            (Self::Array(_), TypeKind::Array { element }) => Some(*element),
            (Self::Range(_), TypeKind::Range { subtype }) => Some(*subtype),
            (Self::Multirange(_), TypeKind::Multirange { range }) => {
                match catalog.type_by_oid(*range)?.kind {
                    TypeKind::Range { subtype } => Some(subtype),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// Whether the polymorphic arguments of one family agree on what they stand for.
fn consistent(catalog: &Catalog, arguments: &[Oid], operands: &[Operand]) -> bool {
    let mut element = None;
    for (argument, operand) in arguments.iter().zip(operands) {
        let Some(polymorphic) = catalog.type_by_oid(*argument).and_then(Polymorphic::of) else { continue };
        if polymorphic.family() == Family::Compatible {
            continue;
        }
        if let Operand::Known(oid) = operand
            && let Some(ty) = catalog.type_by_oid(catalog.base_type(*oid))
            && let Some(found) = polymorphic.element_of(catalog, ty)
            && *element.get_or_insert(found) != found
        {
            return false;
        }
    }
    true
}

/// Fills in what the polymorphic types of a signature stand for.
fn chosen<'a, T>(catalog: &Catalog, candidate: Candidate<'a, T>, operands: &[Operand]) -> Chosen<'a, T> {
    let mut elements: Vec<Oid> = Vec::new();
    let mut range = None;
    for (argument, operand) in candidate.arguments.iter().zip(operands) {
        let Some(polymorphic) = catalog.type_by_oid(*argument).and_then(Polymorphic::of) else { continue };
        if let Operand::Known(oid) = operand
            && let Some(ty) = catalog.type_by_oid(catalog.base_type(*oid))
            && let Some(element) = polymorphic.element_of(catalog, ty)
        {
            elements.push(element);
            if matches!(polymorphic, Polymorphic::Range(_)) {
                range = Some(ty.oid);
            }
        }
    }
    let element = common_type(catalog, &elements);
    let fill = |declared: Oid| -> Option<Oid> {
        match catalog.type_by_oid(declared).and_then(Polymorphic::of) {
            None => Some(declared),
            Some(Polymorphic::Element { .. }) => element,
            Some(Polymorphic::Array(_)) => catalog.type_by_oid(element?)?.array,
            Some(Polymorphic::Range(_)) => range,
            Some(Polymorphic::Multirange(_)) => None,
        }
    };
    let arguments = candidate.arguments.iter().map(|&declared| fill(declared)).collect();
    Chosen { item: candidate.item, arguments, result: fill(candidate.result) }
}

/// The type that several values have together (documentation, section 10.5): of CASE, COALESCE, ARRAY, IN.
pub(super) fn common_type(catalog: &Catalog, types: &[Oid]) -> Option<Oid> {
    let (first, rest) = types.split_first()?;
    if rest.iter().all(|oid| oid == first) {
        return Some(*first);
    }
    let mut best = catalog.type_by_oid(catalog.base_type(*first))?;
    for &oid in rest {
        let ty = catalog.type_by_oid(catalog.base_type(oid))?;
        if ty.oid == best.oid {
            continue;
        }
        if ty.category != best.category {
            return None;
        }
        let forward = coercible(catalog, Operand::Known(best.oid), ty.oid);
        let backward = coercible(catalog, Operand::Known(ty.oid), best.oid);
        if !best.preferred && forward && !backward {
            best = ty;
        }
    }
    Some(best.oid)
}
