use std::collections::HashMap;

use futures_util::future::try_join3;
use tokio_postgres::{Client, Error, Row};

use super::{ReflectError, character, failed, query, scope::Scope};
use crate::catalog::{Column, ForeignKey, Oid, Relation, RelationKind, UniqueKey};

pub(super) async fn read(client: &Client, scope: Scope) -> Result<Vec<Relation>, ReflectError> {
    let (relations, columns, keys) = try_join3(
        query(client, "the relations", &relations(scope)),
        query(client, "the columns", &columns(scope)),
        query(client, "the keys", KEYS),
    )
    .await?;
    decode(&relations, &columns, &keys).map_err(failed("the relations"))
}

fn relations(scope: Scope) -> String {
    format!(
        "
SELECT c.oid, n.nspname, c.relname, c.relkind, d.description, nullif(c.reltype, 0)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
  AND {usable}
ORDER BY n.nspname, c.relname",
        usable = scope
            .visible("has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')"),
    )
}

// From PostgreSQL 18 on `attnotnull` does not hold for rows that a constraint was not validated for. The rows of
// `pg_constraint` that tell are there from then on.
fn columns(scope: Scope) -> String {
    format!(
        "
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod,
       a.attnotnull AND (a.attrelid, a.attnum) NOT IN (
         SELECT k.conrelid, k.conkey[1] FROM pg_constraint k
         WHERE k.contype = 'n' AND NOT k.convalidated AND k.conrelid <> 0 AND k.conkey[1] IS NOT NULL)
       OR t.typtype = 'd' AND t.typnotnull,
       d.description, {readable}
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_description d
  ON d.objoid = a.attrelid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum",
        readable = scope.visible("has_column_privilege(a.attrelid, a.attnum, 'SELECT')"),
    )
}

// Unique constraints that may be violated for a while (deferrable) or that compare by overlap and not by equality (WITHOUT
// OVERLAPS) promise nothing, and neither do foreign keys to such. A foreign key to a partitioned table has copies of itself for
// the partitions, which are its own children.
const KEYS: &str = "
SELECT k.conrelid, k.conname, k.contype, k.conkey, k.confrelid, coalesce(k.confkey, '{}'), false
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_index i ON i.indexrelid = k.conindid
LEFT JOIN pg_constraint parent ON parent.oid = k.conparentid
WHERE left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
  AND NOT i.indisexclusion
  AND (k.contype IN ('p', 'u') AND i.indimmediate
    OR k.contype = 'f' AND parent.conrelid IS DISTINCT FROM k.conrelid)
UNION ALL
SELECT i.indrelid, x.relname, 'x', (i.indkey::int2[])[0:i.indnkeyatts - 1], 0, '{}', i.indpred IS NOT NULL
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = x.relnamespace
WHERE left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
  AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indexprs IS NULL
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY 1, 3, 2";

fn decode(relations: &[Row], columns: &[Row], keys: &[Row]) -> Result<Vec<Relation>, Error> {
    let mut columns = columns_by_relation(columns)?;
    let mut decoded = Vec::with_capacity(relations.len());
    let mut names = HashMap::with_capacity(relations.len());
    for row in relations {
        let oid: Oid = row.try_get(0)?;
        // Between the two statements a right may have been granted or revoked: rights are not of the snapshot.
        let Some(Columns { readable: its, hidden }) = columns.remove(&oid) else { continue };
        if its.is_empty() {
            continue;
        }
        names.insert(oid, its.iter().map(|(number, column)| (*number, column.name.clone())).collect());
        decoded.push(Relation {
            oid,
            schema: row.try_get(1)?,
            name: row.try_get(2)?,
            kind: match character(row, 3)? {
                'p' => RelationKind::PartitionedTable,
                'v' => RelationKind::View,
                'm' => RelationKind::MaterializedView,
                'f' => RelationKind::ForeignTable,
                _ => RelationKind::Table,
            },
            columns: its.into_iter().map(|(_, column)| column).collect(),
            hidden_columns: hidden,
            row_type: row.try_get(5)?,
            comment: row.try_get(4)?,
            ..Relation::default()
        });
    }
    add_keys(&mut decoded, keys, &names)?;
    Ok(decoded)
}

/// A relation's columns with their numbers (`attnum`), and how many of them can't be read.
#[derive(Default)]
struct Columns {
    readable: Vec<(i16, Column)>,
    hidden: usize,
}

fn columns_by_relation(rows: &[Row]) -> Result<HashMap<Oid, Columns>, Error> {
    let mut columns: HashMap<Oid, Columns> = HashMap::new();
    for row in rows {
        let of_relation = columns.entry(row.try_get(0)?).or_default();
        if !row.try_get::<_, bool>(7)? {
            of_relation.hidden += 1;
            continue;
        }
        let column = Column {
            name: row.try_get(2)?,
            ty: row.try_get(3)?,
            type_modifier: row.try_get(4)?,
            nullable: !row.try_get::<_, bool>(5)?,
            comment: row.try_get(6)?,
            ..Column::default()
        };
        of_relation.readable.push((row.try_get(1)?, column));
    }
    Ok(columns)
}

/// The names of a relation's columns by their numbers (`attnum`).
type Names = HashMap<i16, String>;

/// Adds the keys all of whose columns can be read.
fn add_keys(relations: &mut [Relation], rows: &[Row], names: &HashMap<Oid, Names>) -> Result<(), Error> {
    let positions: HashMap<Oid, usize> = relations.iter().enumerate().map(|(i, r)| (r.oid, i)).collect();
    let named = |relation: Oid, numbers: Vec<i16>| -> Option<Vec<String>> {
        let names = names.get(&relation)?;
        numbers.into_iter().map(|number| names.get(&number).cloned()).collect()
    };
    for row in rows {
        let oid: Oid = row.try_get(0)?;
        let Some(relation) = positions.get(&oid).map(|&position| &mut relations[position]) else { continue };
        let (name, kind): (String, char) = (row.try_get(1)?, character(row, 2)?);
        let Some(columns) = named(oid, row.try_get(3)?) else { continue };
        if kind == 'f' {
            let target = row.try_get(4)?;
            if let Some(target_columns) = named(target, row.try_get(5)?) {
                relation.foreign_keys.push(ForeignKey {
                    name,
                    columns,
                    target,
                    target_columns,
                    ..ForeignKey::default()
                });
            }
        } else {
            let partial = row.try_get(6)?;
            relation.unique_keys.push(UniqueKey {
                name,
                primary: kind == 'p',
                partial,
                columns,
                ..UniqueKey::default()
            });
        }
    }
    Ok(())
}
