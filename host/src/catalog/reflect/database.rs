use std::collections::BTreeMap;

use tokio_postgres::{Error, Row};

use super::{character, scope::Scope};
use crate::catalog::{Extension, Schema};

/// What a database has by a name alone.
#[derive(Default)]
pub(super) struct Database {
    pub(super) settings: BTreeMap<String, String>,
    pub(super) schemas: Vec<Schema>,
    pub(super) extensions: Vec<Extension>,
}

/// The settings that are read of the server, of those that the host does not set itself.
const SETTINGS: &[&str] = &[
    // What there is room for.
    "server_encoding",
    "max_identifier_length",
    // What is read of the input of a statement, and how.
    "array_nulls",
    "timezone_abbreviations",
    "transform_null_equals",
    "xmloption",
    // What a statement sees.
    "default_transaction_isolation",
    "gin_fuzzy_search_limit",
    "row_security",
    // What some functions go by.
    "default_text_search_config",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
];

/// The schemas, the extensions and the settings, told apart by the first column.
///
/// What a session's setting goes back to (`reset_val`) is what sessions of this login in this database begin with, whatever was set
/// since. The locale that a database was made with stands in `pg_database`, whose columns for it have another name in most
/// versions, and none in some.
pub(super) fn database(scope: Scope) -> String {
    let settings: Vec<_> = SETTINGS.iter().map(|name| format!("'{name}'")).collect();
    format!(
        r#"
SELECT 's'::"char", n.nspname, pg_get_userbyid(n.nspowner)::text, d.description,
       NOT coalesce(has_schema_privilege(n.oid, 'USAGE'), false)
FROM pg_namespace n
LEFT JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = n.oid AND d.objsubid = 0
WHERE left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema' AND {usable}
UNION ALL
SELECT 'e', e.extname, n.nspname, e.extversion, false
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
UNION ALL
SELECT 'v', s.name::name, s.reset_val, NULL, false
FROM pg_settings s
WHERE s.name IN ({settings}) AND s.reset_val IS NOT NULL
UNION ALL
SELECT 'v', locale.name::name, locale.value, NULL, false
FROM pg_database d, to_jsonb(d) its, LATERAL (VALUES
  ('lc_collate', its->>'datcollate'),
  ('lc_ctype', its->>'datctype'),
  ('locale_provider', CASE its->>'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END),
  ('locale', coalesce(its->>'datlocale', its->>'daticulocale')),
  ('icu_rules', its->>'daticurules')
) locale (name, value)
WHERE d.datname = current_database() AND locale.value IS NOT NULL
ORDER BY 1, 2"#,
        usable = scope.visible("has_schema_privilege(n.oid, 'USAGE')"),
        settings = settings.join(", "),
    )
}

pub(super) fn decode(rows: &[Row]) -> Result<Database, Error> {
    let mut database = Database::default();
    for row in rows {
        let name = row.try_get(1)?;
        match character(row, 0)? {
            's' => {
                let (owner, comment, hidden) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
                database.schemas.push(Schema { name, owner, comment, hidden });
            }
            'e' => {
                let (schema, version) = (row.try_get(2)?, row.try_get(3)?);
                database.extensions.push(Extension { name, schema, version });
            }
            _ => {
                database.settings.insert(name, row.try_get(2)?);
            }
        }
    }
    Ok(database)
}
