use std::collections::{HashMap, HashSet};

use tokio_postgres::{Error, Row};

use super::{
    character,
    scope::{Scope, join_extension_of},
};
use crate::catalog::{Attribute, Check, DomainRules, ObjectName, Oid, Type, TypeKind};

// `named`: whether a statement may name it. Tables bring a row type each, and that an array type; these, the types of schemas that can't
// be used and those of `information_schema` are clutter, except where something that is kept is of that type.
//
// Before PostgreSQL 17 only the type that others were made with by themselves is recorded as a member of an extension, and from then on
// they are too: the array of an element, the multirange of a range, the rows of a table.
pub(super) fn types(scope: Scope) -> String {
    format!(
        "
SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory, t.typispreferred, nullif(t.typarray, 0), element.oid,
       nullif(t.typbasetype, 0), labels.labels, r.rngsubtype, m.rngtypid,
       row_of.oid IS NULL AND n.nspname <> 'information_schema'
         AND (n.nspname = 'pg_catalog' OR left(n.nspname, 3) <> 'pg_')
         AND {usable} AS named,
       attributes.names, attributes.types, attributes.modifiers,
       CASE WHEN n.nspname <> 'pg_catalog' THEN pg_get_userbyid(t.typowner) END, extension.extname, d.description,
       nullif(t.typtypmod, -1), t.typnotnull, pg_get_expr(t.typdefaultbin, 0), collation_schema.nspname, its_collation.collname,
       checks.names, checks.expressions, checks.validated
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_type element ON element.typarray = t.oid
LEFT JOIN pg_class row_of ON row_of.oid = coalesce(nullif(t.typrelid, 0), element.typrelid) AND row_of.relkind <> 'c'
LEFT JOIN (SELECT enumtypid, array_agg(enumlabel::text ORDER BY enumsortorder) AS labels
           FROM pg_enum GROUP BY enumtypid) labels ON labels.enumtypid = t.oid
LEFT JOIN (SELECT attrelid, array_agg(attname::text ORDER BY attnum) AS names, array_agg(atttypid ORDER BY attnum) AS types,
                  array_agg(atttypmod ORDER BY attnum) AS modifiers
           FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped GROUP BY attrelid) attributes ON attributes.attrelid = t.typrelid
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_range m ON m.rngmultitypid = coalesce(element.oid, t.oid)
LEFT JOIN pg_type bare ON bare.oid = coalesce(nullif(t.typbasetype, 0), r.rngsubtype)
LEFT JOIN pg_collation its_collation
  ON its_collation.oid = coalesce(r.rngcollation, t.typcollation) AND its_collation.oid <> bare.typcollation
LEFT JOIN pg_namespace collation_schema ON collation_schema.oid = its_collation.collnamespace
LEFT JOIN (SELECT contypid, array_agg(conname::text ORDER BY conname) AS names,
                  array_agg(pg_get_expr(conbin, 0) ORDER BY conname) AS expressions,
                  array_agg(convalidated ORDER BY conname) AS validated
           FROM pg_constraint WHERE contypid <> 0 AND contype = 'c' GROUP BY contypid) checks ON checks.contypid = t.oid
LEFT JOIN pg_description d
  ON d.classoid = 'pg_type'::regclass AND d.objoid = t.oid AND d.objsubid = 0 AND n.nspname <> 'pg_catalog'
{extension}
WHERE t.typisdefined
ORDER BY n.nspname, t.typname",
        usable = scope.visible("has_schema_privilege(n.oid, 'USAGE')"),
        extension = join_extension_of(
            "CASE WHEN row_of.oid IS NULL THEN 'pg_type'::regclass ELSE 'pg_class'::regclass END",
            "coalesce(row_of.oid, m.rngtypid, element.oid, t.oid)"
        ),
    )
}

/// The types that a statement may name, those that are used, the rows of relations and arrays of them, and what all these
/// are made of.
pub(super) fn decode(rows: &[Row], used: HashSet<Oid>, row_types: &HashSet<Oid>) -> Result<Vec<Type>, Error> {
    let mut types = Vec::with_capacity(rows.len());
    let mut wanted: Vec<Oid> = used.into_iter().collect();
    for row in rows {
        let ty = ty(row)?;
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

fn ty(row: &Row) -> Result<Type, Error> {
    let of = |index| row.try_get::<_, Option<Oid>>(index);
    let labels = || Ok(row.try_get::<_, Option<Vec<String>>>(9)?.unwrap_or_default());
    let kind = match (character(row, 3)?, of(7)?, of(8)?, of(10)?, of(11)?) {
        // First, since the array type of `record` is called a pseudo-type.
        (_, Some(element), ..) => TypeKind::Array { element },
        ('d', _, Some(base), ..) => TypeKind::Domain { base, rules: Box::new(rules(row)?) },
        ('r', _, _, Some(subtype), _) => TypeKind::Range { subtype, collation: collation(row)? },
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
        owner: row.try_get::<_, Option<_>>(16)?.unwrap_or_default(),
        extension: row.try_get(17)?,
        comment: row.try_get(18)?,
    })
}

fn rules(row: &Row) -> Result<DomainRules, Error> {
    let names = row.try_get::<_, Option<Vec<String>>>(24)?.unwrap_or_default();
    let expressions = row.try_get::<_, Option<Vec<String>>>(25)?.unwrap_or_default();
    let validated = row.try_get::<_, Option<Vec<bool>>>(26)?.unwrap_or_default();
    let checks = names.into_iter().zip(expressions).zip(validated);
    Ok(DomainRules {
        type_modifier: row.try_get(19)?,
        not_null: row.try_get(20)?,
        default: row.try_get(21)?,
        collation: collation(row)?,
        checks: checks.map(|((name, expression), validated)| Check { name, expression, validated }).collect(),
    })
}

/// The collation of a domain or a range, where that is not the one of what it is made of.
fn collation(row: &Row) -> Result<Option<ObjectName>, Error> {
    let (schema, name) = (row.try_get::<_, Option<_>>(22)?, row.try_get::<_, Option<_>>(23)?);
    Ok(schema.zip(name).map(|(schema, name)| ObjectName { schema, name }))
}

fn attributes(row: &Row) -> Result<Vec<Attribute>, Error> {
    let names = row.try_get::<_, Option<Vec<String>>>(13)?.unwrap_or_default();
    let types = row.try_get::<_, Option<Vec<Oid>>>(14)?.unwrap_or_default();
    let modifiers = row.try_get::<_, Option<Vec<i32>>>(15)?.unwrap_or_default();
    let attributes = names.into_iter().zip(types).zip(modifiers);
    Ok(attributes.map(|((name, ty), type_modifier)| Attribute { name, ty, type_modifier }).collect())
}
