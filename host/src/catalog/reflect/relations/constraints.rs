use tokio_postgres::{Error, Row};

use super::{Reflected, columns_of, visible};
use crate::catalog::{
    Check, Exclusion, ForeignKey, Oid, ReferentialAction,
    reflect::{character, scope::Scope},
};

// Primary keys and unique constraints are read of their indexes. A foreign key to a partitioned table has copies of itself for
// the partitions, which are its own children.
pub(super) fn sql(scope: Scope) -> String {
    format!(
        "{visible}
SELECT k.conrelid, k.conname, k.contype, k.conkey, k.confrelid, k.confkey, k.confupdtype, k.confdeltype, k.condeferrable,
       k.convalidated, {period}, pg_get_expr(k.conbin, k.conrelid),
       CASE k.contype WHEN 'x' THEN pg_get_constraintdef(k.oid) END,
       CASE k.contype WHEN 'c' THEN {checked} WHEN 'x' THEN {excluded} END
FROM visible v
JOIN pg_constraint k ON k.conrelid = v.oid
LEFT JOIN pg_constraint parent ON parent.oid = k.conparentid
LEFT JOIN pg_index i ON i.indexrelid = k.conindid
WHERE k.contype IN ('c', 'x') OR k.contype = 'f' AND parent.conrelid IS DISTINCT FROM k.conrelid
ORDER BY k.conrelid, k.conname",
        visible = visible(scope),
        period = scope.since(180_000, "k.conperiod", "false"),
        checked = columns_of("k.conbin::text"),
        excluded = columns_of("concat(i.indexprs::text, i.indpred::text)"),
    )
}

/// Adds the constraints all of whose columns are reflected.
pub(super) fn add(reflected: &mut Reflected, rows: &[Row]) -> Result<(), Error> {
    for row in rows {
        let Some(&position) = reflected.positions.get(&row.try_get(0)?) else { continue };
        let name: String = row.try_get(1)?;
        match character(row, 2)? {
            'f' => {
                if let Some(key) = foreign_key(reflected, position, name, row)? {
                    reflected.relations[position].foreign_keys.push(key);
                }
            }
            'c' => {
                let (expression, columns): (Option<String>, Vec<i16>) = (row.try_get(11)?, row.try_get(13)?);
                if let Some(expression) = expression.filter(|_| reflected.shows(position, &columns)) {
                    let check = Check { name, expression, validated: row.try_get(9)? };
                    reflected.relations[position].checks.push(check);
                }
            }
            _ => {
                let (definition, mut columns): (Option<String>, Vec<i16>) =
                    (row.try_get(12)?, row.try_get(13)?);
                // 0 among the columns stands for an expression.
                let plain: Vec<i16> = row.try_get(3)?;
                columns.extend(plain.into_iter().filter(|number| *number != 0));
                if let Some(definition) = definition.filter(|_| reflected.shows(position, &columns)) {
                    reflected.relations[position].exclusions.push(Exclusion { name, definition });
                }
            }
        }
    }
    Ok(())
}

fn foreign_key(
    reflected: &Reflected,
    position: usize,
    name: String,
    row: &Row,
) -> Result<Option<ForeignKey>, Error> {
    let (columns, target_columns): (Vec<i16>, Vec<i16>) = (row.try_get(3)?, row.try_get(5)?);
    let target: Oid = row.try_get(4)?;
    let names = reflected.positions.get(&target).and_then(|&target| {
        Some((reflected.names(position, &columns)?, reflected.names(target, &target_columns)?))
    });
    let Some((columns, target_columns)) = names else { return Ok(None) };
    Ok(Some(ForeignKey {
        name,
        columns,
        target,
        target_columns,
        on_update: action(character(row, 6)?),
        on_delete: action(character(row, 7)?),
        deferrable: row.try_get(8)?,
        validated: row.try_get(9)?,
        period: row.try_get(10)?,
    }))
}

fn action(code: char) -> ReferentialAction {
    match code {
        'r' => ReferentialAction::Restrict,
        'c' => ReferentialAction::Cascade,
        'n' => ReferentialAction::SetNull,
        'd' => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}
