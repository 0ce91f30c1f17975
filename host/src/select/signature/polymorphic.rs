use super::coercion::{common_type, element};
use super::{Operand, Unresolved};
use crate::catalog::{Catalog, Oid, PG_CATALOG, Type, TypeKind};

/// The polymorphic pseudo-types (documentation, section 38.2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Polymorphic {
    family: Family,
    shape: Shape,
}

/// Pseudo-types of one family stand for one type; those of the compatible family for a common type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Family {
    Same,
    Compatible,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    Element,
    NonArray,
    Enum,
    Array,
    Range,
    Multirange,
}

impl Polymorphic {
    pub(super) fn of(ty: &Type) -> Option<Self> {
        if ty.schema != PG_CATALOG || ty.kind != TypeKind::Pseudo {
            return None;
        }
        let (family, shape) = match ty.name.as_str() {
            "anyelement" => (Family::Same, Shape::Element),
            "anynonarray" => (Family::Same, Shape::NonArray),
            "anyenum" => (Family::Same, Shape::Enum),
            "anyarray" => (Family::Same, Shape::Array),
            "anyrange" => (Family::Same, Shape::Range),
            "anymultirange" => (Family::Same, Shape::Multirange),
            "anycompatible" => (Family::Compatible, Shape::Element),
            "anycompatiblenonarray" => (Family::Compatible, Shape::NonArray),
            "anycompatiblearray" => (Family::Compatible, Shape::Array),
            "anycompatiblerange" => (Family::Compatible, Shape::Range),
            "anycompatiblemultirange" => (Family::Compatible, Shape::Multirange),
            _ => return None,
        };
        Some(Self { family, shape })
    }

    fn of_oid(catalog: &Catalog, oid: Oid) -> Option<Self> {
        catalog.type_by_oid(oid).and_then(Self::of)
    }
}

/// What the pseudo-types of one family stand for in a call.
#[derive(Clone, Copy, Default, Debug)]
struct StandsFor {
    element: Option<Oid>,
    array: Option<Oid>,
    range: Option<Oid>,
    multirange: Option<Oid>,
    /// Whether an operand's type is not known, so that more can't be told.
    opaque: bool,
}

/// Whether the operands agree on what the polymorphic types of a signature stand for.
pub(super) fn consistent(catalog: &Catalog, declared: &[Oid], operands: &[Operand]) -> bool {
    [Family::Same, Family::Compatible]
        .iter()
        .all(|family| unify(catalog, *family, declared, operands).is_some())
}

/// The types that the arguments are converted to, and that of the result.
pub(super) fn fill(
    catalog: &Catalog,
    declared: &[Oid],
    operands: &[Operand],
    result: Oid,
) -> Result<(Vec<Option<Oid>>, Option<Oid>), Unresolved> {
    let unified = |family| unify(catalog, family, declared, operands).ok_or(Unresolved::NoMatch);
    let (same, compatible) = (unified(Family::Same)?, unified(Family::Compatible)?);
    let stands_for = |polymorphic: Polymorphic| match polymorphic.family {
        Family::Same => same.shape(catalog, polymorphic.shape),
        Family::Compatible => compatible.shape(catalog, polymorphic.shape),
    };
    let mut arguments = Vec::with_capacity(declared.len());
    for (&declared, &operand) in declared.iter().zip(operands) {
        let own = match operand {
            Operand::Known(oid) => Some(oid),
            Operand::Untyped | Operand::Opaque => None,
        };
        let is_compatible = |its: Polymorphic| its.family == Family::Compatible && operand != Operand::Opaque;
        arguments.push(match Polymorphic::of_oid(catalog, declared) {
            Some(polymorphic) if operand == Operand::Untyped || is_compatible(polymorphic) => {
                stands_for(polymorphic)?
            }
            Some(_) => own,
            None if catalog.type_by_oid(declared).is_some_and(super::coercion::is_any) => own,
            None => Some(declared),
        });
    }
    let result = match Polymorphic::of_oid(catalog, result) {
        Some(polymorphic) => stands_for(polymorphic)?,
        None => Some(result),
    };
    Ok((arguments, result))
}

impl StandsFor {
    /// The type that a pseudo-type of that shape stands for; none if an operand is not known that would tell.
    fn shape(&self, catalog: &Catalog, shape: Shape) -> Result<Option<Oid>, Unresolved> {
        let found = match shape {
            Shape::Element | Shape::NonArray | Shape::Enum => self.element,
            Shape::Array => self.array.or_else(|| catalog.type_by_oid(self.element?)?.array),
            Shape::Range => self.range,
            Shape::Multirange => self.multirange.or_else(|| multirange_of(catalog, self.range?)),
        };
        if found.is_none() && !self.opaque { Err(Unresolved::Undetermined) } else { Ok(found) }
    }
}

/// What the pseudo-types of a family stand for, if the operands agree (`check_generic_type_consistency` of PostgreSQL's
/// parse_coerce.c).
fn unify(catalog: &Catalog, family: Family, declared: &[Oid], operands: &[Operand]) -> Option<StandsFor> {
    let mut found = StandsFor::default();
    // The types that must have a common one, if the family is the compatible one.
    let mut elements: Vec<Operand> = Vec::new();
    let (mut is_used, mut nonarray, mut enumeration) = (false, false, false);
    for (&declared, operand) in declared.iter().zip(operands) {
        let Some(polymorphic) = Polymorphic::of_oid(catalog, declared).filter(|its| its.family == family)
        else {
            continue;
        };
        is_used = true;
        nonarray |= polymorphic.shape == Shape::NonArray;
        enumeration |= polymorphic.shape == Shape::Enum;
        let oid = match operand {
            Operand::Known(oid) => *oid,
            Operand::Untyped => continue,
            Operand::Opaque => {
                found.opaque = true;
                continue;
            }
        };
        let base = catalog.base_type(oid);
        let is_new = |slot: &mut Option<Oid>, oid: Oid| *slot.get_or_insert(oid) == oid;
        let agrees = match (polymorphic.shape, family) {
            (Shape::Element | Shape::NonArray | Shape::Enum, Family::Same) => is_new(&mut found.element, oid),
            (Shape::Element | Shape::NonArray | Shape::Enum, Family::Compatible) => {
                elements.push(Operand::Known(oid));
                true
            }
            (Shape::Array, Family::Same) => is_new(&mut found.array, base),
            (Shape::Array, Family::Compatible) => {
                elements.push(Operand::Known(element(catalog.type_by_oid(base)?)?));
                true
            }
            (Shape::Range, _) => {
                elements.push(Operand::Known(subtype(catalog, base)?));
                is_new(&mut found.range, base)
            }
            (Shape::Multirange, _) => {
                elements.push(Operand::Known(subtype(catalog, range_of(catalog, base)?)?));
                is_new(&mut found.multirange, base)
            }
        };
        if !agrees {
            return None;
        }
    }
    if let Some(multirange) = found.multirange {
        let range = range_of(catalog, multirange)?;
        if *found.range.get_or_insert(range) != range {
            return None;
        }
    }
    let bounds = match found.range {
        Some(range) => Some(subtype(catalog, range)?),
        None => None,
    };
    match family {
        Family::Same => {
            let of_array = match found.array {
                Some(array) => Some(element(catalog.type_by_oid(array)?)?),
                None => None,
            };
            for oid in of_array.into_iter().chain(bounds) {
                if *found.element.get_or_insert(oid) != oid {
                    return None;
                }
            }
        }
        Family::Compatible => {
            if elements.is_empty() && is_used && !found.opaque {
                // All are constants, which PostgreSQL makes text.
                elements.push(Operand::Untyped);
            }
            if !elements.is_empty() {
                found.element = Some(common_type(catalog, &elements)?);
            }
            if bounds.is_some_and(|subtype| found.element != Some(subtype)) {
                return None;
            }
            // Of an operand that is not known the common type may become another.
            if found.opaque {
                found.element = None;
            }
        }
    }
    let kind = |oid: Oid| catalog.type_by_oid(oid).map(|ty| &ty.kind);
    let is_array = |oid: Oid| matches!(kind(catalog.base_type(oid)), Some(TypeKind::Array { .. }));
    let is_enum = |oid: Oid| matches!(kind(oid), Some(TypeKind::Enum { .. }));
    if nonarray && found.element.is_some_and(is_array) {
        return None;
    }
    if enumeration && !found.opaque && !found.element.is_some_and(is_enum) {
        return None;
    }
    Some(found)
}

fn subtype(catalog: &Catalog, range: Oid) -> Option<Oid> {
    match catalog.type_by_oid(range)?.kind {
        TypeKind::Range { subtype, .. } => Some(subtype),
        _ => None,
    }
}

fn range_of(catalog: &Catalog, multirange: Oid) -> Option<Oid> {
    match catalog.type_by_oid(multirange)?.kind {
        TypeKind::Multirange { range } => Some(range),
        _ => None,
    }
}

fn multirange_of(catalog: &Catalog, range: Oid) -> Option<Oid> {
    let is_its = |ty: &&Type| ty.kind == TypeKind::Multirange { range };
    catalog.contents().types.iter().find(is_its).map(|ty| ty.oid)
}
