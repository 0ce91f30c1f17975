use tokio_postgres::{Error, Row};

use super::scope::{Scope, join_extension};
use crate::catalog::Operator;

const USABLE: &str = "has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(o.oprcode, 'EXECUTE')";

// An operator without a function is only announced.
pub(super) fn operators(scope: Scope) -> String {
    format!(
        "
SELECT o.oid, n.nspname, o.oprname, nullif(o.oprleft, 0), o.oprright, o.oprresult, o.oprcode::oid, extension.extname,
       NOT coalesce({usable}, false)
FROM pg_operator o
JOIN pg_namespace n ON n.oid = o.oprnamespace
{extension}
WHERE o.oprcode <> 0
  AND (n.nspname = 'pg_catalog' OR left(n.nspname, 3) <> 'pg_')
  AND {shown}
ORDER BY n.nspname, o.oprname, o.oid",
        extension = join_extension("pg_operator", "o.oid"),
        usable = USABLE,
        shown = scope.visible(USABLE),
    )
}

pub(super) fn decode(rows: &[Row]) -> Result<Vec<Operator>, Error> {
    rows.iter().map(operator).collect()
}

fn operator(row: &Row) -> Result<Operator, Error> {
    Ok(Operator {
        oid: row.try_get(0)?,
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        left: row.try_get(3)?,
        right: row.try_get(4)?,
        result: row.try_get(5)?,
        function: Some(row.try_get(6)?),
        extension: row.try_get(7)?,
        hidden: row.try_get(8)?,
    })
}
