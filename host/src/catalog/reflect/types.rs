use std::collections::{HashMap, HashSet};

use tokio_postgres::{Error, Row};

use super::{character, scope::Scope};
use crate::catalog::{Attribute, Collation, Oid, Type, TypeKind};

// `named`: whether a statement may name it. Tables bring a row type each, and that an array type; these, the types of schemas that can't
// be used and those of `information_schema` are clutter, except where something that is kept is of that type.
pub(super) fn types(scope: Scope) -> String {
    format!(
        "
SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory, t.typispreferred, nullif(t.typarray, 0), element.oid,
       nullif(t.typbasetype, 0), labels.labels, r.rngsubtype, m.rngtypid,
       row_of.oid IS NULL AND n.nspname <> 'information_schema'
         AND (n.nspname = 'pg_catalog' OR left(n.nspname, 3) <> 'pg_')
         AND {usable} AS named,
       attributes.names, attributes.types, attributes.modifiers
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_type element ON element.typarray = t.oid
LEFT JOIN pg_class row_of ON row_of.oid IN (t.typrelid, element.typrelid) AND row_of.relkind <> 'c'
LEFT JOIN (SELECT enumtypid, array_agg(enumlabel::text ORDER BY enumsortorder) AS labels
           FROM pg_enum GROUP BY enumtypid) labels ON labels.enumtypid = t.oid
LEFT JOIN (SELECT attrelid, array_agg(attname::text ORDER BY attnum) AS names, array_agg(atttypid ORDER BY attnum) AS types,
                  array_agg(atttypmod ORDER BY attnum) AS modifiers
           FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped GROUP BY attrelid) attributes ON attributes.attrelid = t.typrelid
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_range m ON m.rngmultitypid = t.oid
WHERE t.typisdefined
ORDER BY n.nspname, t.typname",
        usable = scope.visible("has_schema_privilege(n.oid, 'USAGE')"),
    )
}

pub(super) fn collations(scope: Scope) -> String {
    format!(
        "
SELECT n.nspname, c.collname
FROM pg_collation c
JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE c.collencoding IN (-1, (SELECT d.encoding FROM pg_database d WHERE d.datname = current_database()))
  AND (n.nspname = 'pg_catalog' OR left(n.nspname, 3) <> 'pg_')
  AND {usable}
ORDER BY n.nspname, c.collname, c.collencoding",
        usable = scope.visible("has_schema_privilege(n.oid, 'USAGE')"),
    )
}

/// The types that a statement may name, those that are used, the rows of relations and arrays of them, and what all these
/// are made of.
pub(super) fn decode_types(
    rows: &[Row],
    used: HashSet<Oid>,
    row_types: &HashSet<Oid>,
) -> Result<Vec<Type>, Error> {
    let mut types = Vec::with_capacity(rows.len());
    let mut wanted: Vec<Oid> = used.into_iter().collect();
    for row in rows {
        let ty = decode(row)?;
        if row.try_get(12)? {
            wanted.push(ty.oid);
        }
        if row_types.contains(&ty.oid) {
            wanted.extend([ty.oid].into_iter().chain(ty.array));
        }
        types.push(ty);
    }
    let positions: HashMap<Oid, usize> = types.iter().enumerate().map(|(i, t)| (t.oid, i)).collect();
    let mut kept = HashSet::with_capacity(wanted.len());
    while let Some(oid) = wanted.pop() {
        if kept.insert(oid)
            && let Some(&position) = positions.get(&oid)
        {
            wanted.extend(types[position].kind.made_of());
        }
    }
    types.retain(|ty| kept.contains(&ty.oid));
    for ty in &mut types {
        ty.array = ty.array.filter(|array| kept.contains(array));
    }
    Ok(types)
}

fn decode(row: &Row) -> Result<Type, Error> {
    let of = |index| row.try_get::<_, Option<Oid>>(index);
    let labels = || Ok(row.try_get::<_, Option<Vec<String>>>(9)?.unwrap_or_default());
    let kind = match (character(row, 3)?, of(7)?, of(8)?, of(10)?, of(11)?) {
        // First, since the array type of `record` is called a pseudo-type.
        (_, Some(element), ..) => TypeKind::Array { element },
        ('d', _, Some(base), ..) => TypeKind::Domain { base, rules: Box::default() },
        ('r', _, _, Some(subtype), _) => TypeKind::Range { subtype, collation: None },
        ('m', _, _, _, Some(range)) => TypeKind::Multirange { range },
        ('e', ..) => TypeKind::Enum { labels: labels()? },
        ('c', ..) => TypeKind::Composite { attributes: attributes(row)? },
        ('p', ..) => TypeKind::Pseudo,
        _ => TypeKind::Base,
    };
    Ok(Type {
        oid: row.try_get(0)?,
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        kind,
        category: character(row, 4)?,
        preferred: row.try_get(5)?,
        array: of(6)?,
        ..Type::default()
    })
}

fn attributes(row: &Row) -> Result<Vec<Attribute>, Error> {
    let names = row.try_get::<_, Option<Vec<String>>>(13)?.unwrap_or_default();
    let types = row.try_get::<_, Option<Vec<Oid>>>(14)?.unwrap_or_default();
    let modifiers = row.try_get::<_, Option<Vec<i32>>>(15)?.unwrap_or_default();
    let attributes = names.into_iter().zip(types).zip(modifiers);
    Ok(attributes.map(|((name, ty), type_modifier)| Attribute { name, ty, type_modifier }).collect())
}

pub(super) fn decode_collations(rows: &[Row]) -> Result<Vec<Collation>, Error> {
    let mut collations: Vec<Collation> = Vec::with_capacity(rows.len());
    for row in rows {
        let collation = Collation { schema: row.try_get(0)?, name: row.try_get(1)?, ..Collation::default() };
        // One name may be there for all encodings and for this one.
        if collations.last() != Some(&collation) {
            collations.push(collation);
        }
    }
    Ok(collations)
}
