use tokio_postgres::{Error, Row};

use super::{Reflected, visible};
use crate::catalog::{
    Policy, PolicyCommand,
    reflect::{character, scope::Scope},
};

// A policy may name other relations too, so it is PostgreSQL that says what it depends on. Of a whole row it only says the relation.
pub(super) fn sql(scope: Scope) -> String {
    format!(
        "{visible}
SELECT p.polrelid, p.polname, p.polcmd, p.polpermissive,
       ARRAY(SELECT CASE role WHEN 0 THEN 'public' ELSE pg_get_userbyid(role)::text END FROM unnest(p.polroles) AS role ORDER BY 1),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM visible v
JOIN pg_policy p ON p.polrelid = v.oid
WHERE {shown}
ORDER BY p.polrelid, p.polname",
        visible = visible(scope),
        shown = scope.visible(
            "NOT EXISTS (
    SELECT FROM pg_depend d
    JOIN pg_class c ON c.oid = d.refobjid
    WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass
      AND NOT coalesce(has_schema_privilege(c.relnamespace, 'USAGE') AND
        CASE WHEN d.refobjsubid <> 0 THEN has_column_privilege(d.refobjid, d.refobjsubid::int2, 'SELECT')
             WHEN concat(p.polqual::text, p.polwithcheck::text) LIKE '%:varattno 0 %' THEN has_table_privilege(d.refobjid, 'SELECT')
             ELSE has_any_column_privilege(d.refobjid, 'SELECT') END, false))"
        ),
    )
}

/// Adds the policies that name nothing that is left out.
pub(super) fn add(reflected: &mut Reflected, rows: &[Row]) -> Result<(), Error> {
    for row in rows {
        let Some(&position) = reflected.positions.get(&row.try_get(0)?) else { continue };
        reflected.relations[position].row_security.policies.push(Policy {
            name: row.try_get(1)?,
            command: match character(row, 2)? {
                'r' => PolicyCommand::Select,
                'a' => PolicyCommand::Insert,
                'w' => PolicyCommand::Update,
                'd' => PolicyCommand::Delete,
                _ => PolicyCommand::All,
            },
            permissive: row.try_get(3)?,
            roles: row.try_get(4)?,
            using: row.try_get(5)?,
            check: row.try_get(6)?,
        });
    }
    Ok(())
}
