use tokio_postgres::{Error, Row};

use super::{Reflected, columns_of, visible};
use crate::catalog::{Index, UniqueKey, reflect::scope::Scope};

// Each key is as `pg_get_indexdef` has it in the whole index. Of a single key that gives only the column or the expression, and
// not what comes after it: a collation that is not the expression's own, an operator class that is not its type's own, and an
// order that is not the usual one. What the own collation of an expression is can only be seen there.
pub(super) fn sql(scope: Scope) -> String {
    format!(
        "{visible},
keys AS (
  SELECT i.indexrelid, array_agg(concat(
           key.text,
           CASE WHEN CASE WHEN of.attnum IS NOT NULL THEN c.oid <> of.attcollation
                          ELSE strpos(pg_get_indexdef(i.indexrelid), key.text || ' COLLATE ') > 0 END
                THEN concat(' COLLATE ', nullif(quote_ident(cn.nspname) || '.', 'pg_catalog.'), quote_ident(c.collname)) END,
           CASE WHEN NOT o.opcdefault OR a.attoptions IS NOT NULL
                THEN concat(' ', nullif(quote_ident(opn.nspname) || '.', 'pg_catalog.'), quote_ident(o.opcname)) END,
           CASE WHEN a.attoptions IS NOT NULL
                THEN ' (' || (SELECT string_agg(quote_ident(option_name) || '=' || quote_literal(option_value), ', ')
                              FROM pg_options_to_table(a.attoptions)) || ')' END,
           CASE i.indoption[a.attnum - 1] & 3 WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' NULLS FIRST' WHEN 3 THEN ' DESC' END
         ) ORDER BY a.attnum) AS texts
  FROM visible v
  JOIN pg_index i ON i.indrelid = v.oid
  JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum <= i.indnkeyatts
  LEFT JOIN pg_attribute of ON of.attrelid = i.indrelid AND of.attnum = nullif(i.indkey[a.attnum - 1], 0)
  LEFT JOIN pg_collation c ON c.oid = i.indcollation[a.attnum - 1]
  LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
  JOIN pg_opclass o ON o.oid = i.indclass[a.attnum - 1]
  JOIN pg_namespace opn ON opn.oid = o.opcnamespace
  CROSS JOIN LATERAL (SELECT CASE WHEN of.attnum IS NOT NULL THEN quote_ident(of.attname)
                                  ELSE pg_get_indexdef(i.indexrelid, a.attnum, false) END AS text) key
  GROUP BY i.indexrelid)
SELECT i.indrelid, x.relname, m.amname, i.indisunique, i.indisvalid, i.indkey::int2[], i.indnkeyatts, keys.texts,
       pg_get_expr(i.indpred, i.indrelid), {named}, i.indexprs IS NOT NULL, NOT i.indimmediate, {nulls_not_distinct},
       k.conname, coalesce(k.contype = 'p', false), coalesce({overlaps}, false)
FROM visible v
JOIN pg_index i ON i.indrelid = v.oid
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_am m ON m.oid = x.relam
JOIN keys ON keys.indexrelid = i.indexrelid
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u')
ORDER BY i.indrelid, x.relname",
        visible = visible(scope),
        named = columns_of("concat(i.indexprs::text, i.indpred::text)"),
        nulls_not_distinct = scope.since(150_000, "i.indnullsnotdistinct", "false"),
        overlaps = scope.since(180_000, "k.conperiod", "false"),
    )
}

/// Adds the indexes all of whose columns are reflected, and the keys all of whose columns are.
pub(super) fn add(reflected: &mut Reflected, rows: &[Row]) -> Result<(), Error> {
    let mut unique_keys = Vec::new();
    for row in rows {
        let Some(&position) = reflected.positions.get(&row.try_get(0)?) else { continue };
        // 0 stands for an expression.
        let numbers: Vec<i16> = row.try_get(5)?;
        let (keys, included) =
            numbers.split_at(usize::try_from(row.try_get::<_, i16>(6)?).unwrap_or(0).min(numbers.len()));
        if let Some(key) = unique_key(reflected, position, keys, row)? {
            let is_constraint = row.try_get::<_, Option<&str>>(13)?.is_some();
            unique_keys.push((position, is_constraint, key));
        }
        let mut named: Vec<i16> = row.try_get(9)?;
        named.extend(keys.iter().filter(|number| **number != 0));
        let Some(included) =
            reflected.names(position, included).filter(|_| reflected.shows(position, &named))
        else {
            continue;
        };
        reflected.relations[position].indexes.push(Index {
            name: row.try_get(1)?,
            method: row.try_get(2)?,
            unique: row.try_get(3)?,
            valid: row.try_get(4)?,
            keys: row.try_get(7)?,
            included,
            predicate: row.try_get(8)?,
        });
    }
    unique_keys.sort_by(|(_, a_constraint, a), (_, b_constraint, b)| {
        (b.primary, b_constraint, &a.name).cmp(&(a.primary, a_constraint, &b.name))
    });
    for (position, _, key) in unique_keys {
        reflected.relations[position].unique_keys.push(key);
    }
    Ok(())
}

/// The key that an index is of: not one that is not complete yet, and not one of expressions.
fn unique_key(
    reflected: &Reflected,
    position: usize,
    keys: &[i16],
    row: &Row,
) -> Result<Option<UniqueKey>, Error> {
    let constraint: Option<String> = row.try_get(13)?;
    let (is_unique, is_valid, has_expressions): (bool, bool, bool) =
        (row.try_get(3)?, row.try_get(4)?, row.try_get(10)?);
    if !(is_unique || constraint.is_some()) || !is_valid || has_expressions {
        return Ok(None);
    }
    let Some(columns) = reflected.names(position, keys) else { return Ok(None) };
    Ok(Some(UniqueKey {
        name: match constraint {
            Some(name) => name,
            None => row.try_get(1)?,
        },
        primary: row.try_get(14)?,
        partial: row.try_get::<_, Option<&str>>(8)?.is_some(),
        deferrable: row.try_get(11)?,
        without_overlaps: row.try_get(15)?,
        nulls_not_distinct: row.try_get(12)?,
        columns,
    }))
}
