use tokio_postgres::{Error, Row};

use super::scope::Scope;
use crate::catalog::Collation;

// One name may be there for all encodings and for the database's own, and PostgreSQL takes the latter.
pub(super) fn collations(scope: Scope) -> String {
    format!(
        "
SELECT DISTINCT ON (n.nspname, c.collname) n.nspname, c.collname, NOT c.collisdeterministic
FROM pg_collation c
JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE c.collencoding IN (-1, (SELECT d.encoding FROM pg_database d WHERE d.datname = current_database()))
  AND (n.nspname = 'pg_catalog' OR left(n.nspname, 3) <> 'pg_')
  AND {usable}
ORDER BY n.nspname, c.collname, c.collencoding DESC",
        usable = scope.visible("has_schema_privilege(n.oid, 'USAGE')"),
    )
}

pub(super) fn decode(rows: &[Row]) -> Result<Vec<Collation>, Error> {
    let collation = |row: &Row| {
        Ok(Collation { schema: row.try_get(0)?, name: row.try_get(1)?, nondeterministic: row.try_get(2)? })
    };
    rows.iter().map(collation).collect()
}
