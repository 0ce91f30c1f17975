use tokio_postgres::{Error, Row};

use super::{character, scope::join_extension};
use crate::catalog::{Cast, CastContext};

pub(super) fn casts() -> String {
    format!(
        "
SELECT c.castsource, c.casttarget, nullif(c.castfunc, 0), c.castcontext, c.castmethod, extension.extname
FROM pg_cast c
{extension}
ORDER BY c.oid",
        extension = join_extension("pg_cast", "c.oid"),
    )
}

pub(super) fn decode(rows: &[Row]) -> Result<Vec<Cast>, Error> {
    rows.iter().map(cast).collect()
}

fn cast(row: &Row) -> Result<Cast, Error> {
    Ok(Cast {
        source: row.try_get(0)?,
        target: row.try_get(1)?,
        function: row.try_get(2)?,
        context: match character(row, 3)? {
            'i' => CastContext::Implicit,
            'a' => CastContext::Assignment,
            _ => CastContext::Explicit,
        },
        binary: character(row, 4)? == 'b',
        extension: row.try_get(5)?,
    })
}
