use std::collections::HashMap;

use tokio_postgres::{Error, Row};

use super::{columns_of, visible};
use crate::catalog::{
    Column, ColumnPrivileges, Generated, Identity, ObjectName, Oid, Visibility,
    reflect::{character, scope::Scope},
};

// Rights on a whole relation are rights on each of its columns. Only a column with rights of its own (`attacl`) can have more.
//
// The NOT NULL of a domain is none of its columns: an outer join or a subquery without rows gives a null of the domain that
// nothing checks, even where it is written to a table.
//
// From PostgreSQL 18 on `attnotnull` does not hold for rows that a constraint was not validated for. The rows of
// `pg_constraint` that tell are there from then on.
pub(super) fn sql(scope: Scope) -> String {
    let may = |action: &str| {
        format!(
            "coalesce(r.usage AND (r.may_{action} OR a.attacl IS NOT NULL AND has_column_privilege(r.oid, a.attnum, '{action}')), false)"
        )
    };
    format!(
        "{visible},
rights AS MATERIALIZED (
  SELECT v.oid, has_schema_privilege(v.schema, 'USAGE') AS usage,
         has_table_privilege(v.oid, 'SELECT') AS may_select, has_table_privilege(v.oid, 'INSERT') AS may_insert,
         has_table_privilege(v.oid, 'UPDATE') AS may_update, has_table_privilege(v.oid, 'REFERENCES') AS may_references
  FROM visible v)
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attndims::int4, cn.nspname, c.collname,
       a.attnotnull AND (a.attrelid, a.attnum) NOT IN (
         SELECT k.conrelid, k.conkey[1] FROM pg_constraint k
         WHERE k.contype = 'n' AND NOT k.convalidated AND k.conrelid <> 0 AND k.conkey[1] IS NOT NULL),
       pg_get_expr(e.adbin, e.adrelid), CASE WHEN a.attgenerated <> '' THEN {generated_from} ELSE '{{}}' END,
       a.attidentity, a.attgenerated, d.description, {select}, {insert}, {update}, {references}
FROM rights r
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation c ON c.oid = a.attcollation AND a.attcollation <> t.typcollation
LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
LEFT JOIN pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
LEFT JOIN pg_description d
  ON d.objoid = a.attrelid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum
ORDER BY a.attrelid, a.attnum",
        visible = visible(scope),
        generated_from = columns_of("e.adbin::text"),
        select = may("select"),
        insert = may("insert"),
        update = may("update"),
        references = may("references"),
    )
}

/// A relation's columns in their order, without those that are left out.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) columns: Vec<Column>,
    /// Their numbers (`attnum`).
    pub(super) numbers: Vec<i16>,
    /// How many are left out.
    pub(super) hidden: usize,
    /// Which columns each generated one is made from, by its position.
    generated_from: Vec<(usize, Vec<i16>)>,
}

pub(super) fn by_relation(rows: &[Row], scope: Scope) -> Result<HashMap<Oid, Columns>, Error> {
    let mut relations: HashMap<Oid, Columns> = HashMap::new();
    for row in rows {
        let its = relations.entry(row.try_get(0)?).or_default();
        let column = column(row)?;
        if scope.visibility == Visibility::Readable && !column.privileges.select {
            its.hidden += 1;
            continue;
        }
        if column.generated.is_some() {
            its.generated_from.push((its.columns.len(), row.try_get(10)?));
        }
        its.columns.push(column);
        its.numbers.push(row.try_get(1)?);
    }
    for its in relations.values_mut() {
        // What names a column that is left out would tell of it.
        for (position, numbers) in &its.generated_from {
            if !numbers.iter().all(|number| *number < 0 || its.numbers.binary_search(number).is_ok()) {
                its.columns[*position].default = None;
            }
        }
    }
    Ok(relations)
}

fn column(row: &Row) -> Result<Column, Error> {
    let collation = match (row.try_get(6)?, row.try_get(7)?) {
        (Some(schema), Some(name)) => Some(ObjectName { schema, name }),
        _ => None,
    };
    Ok(Column {
        name: row.try_get(2)?,
        ty: row.try_get(3)?,
        type_modifier: row.try_get(4)?,
        dimensions: u16::try_from(row.try_get::<_, i32>(5)?).unwrap_or(0),
        collation,
        nullable: !row.try_get::<_, bool>(8)?,
        default: row.try_get(9)?,
        identity: match character(row, 11)? {
            'a' => Some(Identity::Always),
            'd' => Some(Identity::ByDefault),
            _ => None,
        },
        generated: match character(row, 12)? {
            's' => Some(Generated::Stored),
            'v' => Some(Generated::Virtual),
            _ => None,
        },
        comment: row.try_get(13)?,
        privileges: ColumnPrivileges {
            select: row.try_get(14)?,
            insert: row.try_get(15)?,
            update: row.try_get(16)?,
            references: row.try_get(17)?,
        },
    })
}
