use std::collections::BTreeMap;

use tokio_postgres::{Error, Row};

use super::scope::Scope;
use crate::catalog::{Extension, Schema};

pub(super) const SETTINGS: &str = "
SELECT s.name, s.setting
FROM pg_settings s
WHERE s.name IN ('server_encoding')";

pub(super) fn schemas(scope: Scope) -> String {
    format!(
        "
SELECT n.nspname, pg_get_userbyid(n.nspowner), obj_description(n.oid, 'pg_namespace')
FROM pg_namespace n
WHERE left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema' AND {usable}
ORDER BY n.nspname",
        usable = scope.visible("has_schema_privilege(n.oid, 'USAGE')"),
    )
}

pub(super) const EXTENSIONS: &str = "
SELECT e.extname, n.nspname, e.extversion
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
ORDER BY e.extname";

pub(super) fn decode_settings(rows: &[Row]) -> Result<BTreeMap<String, String>, Error> {
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(super) fn decode_schemas(rows: &[Row]) -> Result<Vec<Schema>, Error> {
    let schema =
        |row: &Row| Ok(Schema { name: row.try_get(0)?, owner: row.try_get(1)?, comment: row.try_get(2)? });
    rows.iter().map(schema).collect()
}

pub(super) fn decode_extensions(rows: &[Row]) -> Result<Vec<Extension>, Error> {
    let extension = |row: &Row| {
        Ok(Extension { name: row.try_get(0)?, schema: row.try_get(1)?, version: row.try_get(2)? })
    };
    rows.iter().map(extension).collect()
}
