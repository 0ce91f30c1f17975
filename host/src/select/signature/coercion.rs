use super::Operand;
use super::polymorphic::Polymorphic;
use crate::catalog::{Cast, CastContext, Catalog, Oid, PG_CATALOG, Type, TypeKind};

/// How a value of one type becomes one of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::select) enum Pathway<'a> {
    /// It is one already.
    Relabel,
    /// By a cast of `pg_cast`.
    Cast(&'a Cast),
    /// As text: out of the one type and into the other.
    Text,
    /// As an array, of which each element is converted, by a cast if it takes one.
    Elements(Option<&'a Cast>),
}

/// How PostgreSQL converts a value in a context, if it does (`find_coercion_pathway` of its parse_coerce.c).
pub(in crate::select) fn pathway(
    catalog: &Catalog,
    mut from: Oid,
    mut to: Oid,
    context: CastContext,
) -> Option<Pathway<'_>> {
    let mut of_elements = false;
    // An array of arrays is one type, but domains may lie between; contents are data that anybody may have made.
    for _ in 0..32 {
        from = catalog.base_type(from);
        to = catalog.base_type(to);
        if from == to {
            return Some(if of_elements { Pathway::Elements(None) } else { Pathway::Relabel });
        }
        if let Some(cast) = catalog.cast(from, to) {
            let found = if of_elements { Pathway::Elements(Some(cast)) } else { Pathway::Cast(cast) };
            return (strength(cast.context) <= strength(context)).then_some(found);
        }
        let (source, target) = (catalog.type_by_oid(from)?, catalog.type_by_oid(to)?);
        match (element(source), element(target)) {
            (Some(source), Some(element)) if vector_element(target).is_none() => {
                (from, to, of_elements) = (source, element, true);
            }
            _ => {
                let is_text = match context {
                    CastContext::Implicit => false,
                    CastContext::Assignment => target.category == STRING,
                    CastContext::Explicit => target.category == STRING || source.category == STRING,
                };
                return is_text.then_some(if of_elements { Pathway::Elements(None) } else { Pathway::Text });
            }
        }
    }
    None
}

/// The category of the string types (`typcategory`).
pub(super) const STRING: char = 'S';

fn strength(context: CastContext) -> u8 {
    match context {
        CastContext::Implicit => 0,
        CastContext::Assignment => 1,
        CastContext::Explicit => 2,
    }
}

/// The type of an array's elements, and of those of the two vectors of PostgreSQL's inside that it takes for arrays.
pub(super) fn element(ty: &Type) -> Option<Oid> {
    match ty.kind {
        TypeKind::Array { element } => Some(element),
        _ => vector_element(ty),
    }
}

fn vector_element(ty: &Type) -> Option<Oid> {
    const INT2: Oid = 21;
    const OID: Oid = 26;
    match (ty.schema.as_str(), ty.name.as_str()) {
        (PG_CATALOG, "int2vector") => Some(INT2),
        (PG_CATALOG, "oidvector") => Some(OID),
        _ => None,
    }
}

/// Whether PostgreSQL would convert the operand to the type without being asked (`can_coerce_type`). What a polymorphic type
/// stands for is for the whole signature to say.
pub(super) fn coercible(catalog: &Catalog, operand: Operand, to: Oid) -> bool {
    let Operand::Known(from) = operand else { return true };
    if from == to {
        return true;
    }
    let (Some(source), Some(target)) = (catalog.type_by_oid(from), catalog.type_by_oid(to)) else {
        return false;
    };
    is_any(target)
        || Polymorphic::of(target).is_some()
        || pathway(catalog, from, to, CastContext::Implicit).is_some()
        || as_rows(catalog, source, target)
        || element(source).zip(element(target)).is_some_and(|(source, target)| {
            let types = catalog.type_by_oid(source).zip(catalog.type_by_oid(target));
            types.is_some_and(|(source, target)| as_rows(catalog, source, target))
        })
}

/// Whether a cast to the type can be written, as far as the catalog tells: a row may inherit from another.
pub(in crate::select) fn castable(catalog: &Catalog, from: Oid, to: Oid) -> bool {
    let is_composite = |oid: Oid| {
        let ty = catalog.type_by_oid(catalog.base_type(oid));
        ty.is_some_and(|ty| matches!(ty.kind, TypeKind::Composite { .. }))
    };
    coercible(catalog, Operand::Known(from), to)
        || pathway(catalog, from, to, CastContext::Explicit).is_some()
        || is_composite(from) && is_composite(to)
}

/// Whether one is a composite type and the other one is `record`.
fn as_rows(catalog: &Catalog, source: &Type, target: &Type) -> bool {
    let is_record = |ty: &Type| ty.schema == PG_CATALOG && ty.name == "record";
    let is_composite = |ty: &Type| {
        let base = catalog.type_by_oid(catalog.base_type(ty.oid));
        base.is_some_and(|base| matches!(base.kind, TypeKind::Composite { .. }))
    };
    is_record(source) && is_composite(target) || is_composite(source) && is_record(target)
}

/// Whether a declared type takes a value of any type as it is.
pub(super) fn is_any(ty: &Type) -> bool {
    ty.schema == PG_CATALOG && ty.name == "any"
}

/// The type that several values have together (documentation, section 10.5): of CASE, COALESCE, ARRAY, IN, VALUES, UNION.
/// None if they have none, or if one of them is not known.
pub(in crate::select) fn common_type(catalog: &Catalog, operands: &[Operand]) -> Option<Oid> {
    let first = *operands.first()?;
    if let Operand::Known(oid) = first
        && operands.iter().all(|operand| *operand == first)
    {
        return Some(oid);
    }
    let mut best: Option<&Type> = None;
    for operand in operands {
        let oid = match operand {
            Operand::Known(oid) => catalog.base_type(*oid),
            Operand::Untyped => continue,
            Operand::Opaque => return None,
        };
        let ty = catalog.type_by_oid(oid)?;
        match best {
            None => best = Some(ty),
            Some(best) if best.oid == oid => {}
            Some(best) if best.category != ty.category => return None,
            Some(its) => {
                let forward = coercible(catalog, Operand::Known(its.oid), oid);
                let backward = coercible(catalog, Operand::Known(oid), its.oid);
                if !its.preferred && forward && !backward {
                    best = Some(ty);
                }
            }
        }
    }
    let common = match best {
        Some(ty) => ty.oid,
        // Only constants: PostgreSQL makes them text.
        None => catalog.ty(PG_CATALOG, "text")?.oid,
    };
    operands.iter().all(|operand| coercible(catalog, *operand, common)).then_some(common)
}
