use std::sync::Arc;

use futures_util::TryStreamExt;
use tokio_postgres::types::Type;
use tokio_postgres::{Error, Row};

use super::bind::TextValue;
use super::describe::ResultColumn;
use super::error::LoanError;
use super::proving::Proving;

/// What stands before the statement that is asked about. Nothing of it is planned or run: OFFSET keeps it a subquery of
/// its own, and a subquery whose condition is false is left out before it is planned.
const BEFORE: &str = "WITH RECURSIVE described (type, position) AS (SELECT its.type, its.position \
                      FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM (SELECT * FROM (";

/// What stands after it and the names of its columns: of a domain, PostgreSQL itself tells what it is over.
const AFTER: &str = "base (type, position) AS (SELECT type, position FROM described \
                     UNION ALL SELECT its.typbasetype, base.position FROM base \
                     JOIN pg_catalog.pg_type AS its ON its.oid = base.type WHERE its.typtype = 'd') \
                     SELECT its.oid, its.typname FROM base \
                     JOIN pg_catalog.pg_type AS its ON its.oid = base.type WHERE its.typtype <> 'd' \
                     ORDER BY base.position";

impl Proving<'_> {
    /// The same as [`Proving::describe`] of a statement whose columns have these names, without anything of it, or of the
    /// driver's own questions about types, being prepared by a name.
    ///
    /// # Errors
    /// As of [`Proving::describe`].
    pub(super) async fn describe_unnamed(
        &self,
        sql: &str,
        names: &[&str],
        parameters: usize,
    ) -> Result<Arc<[ResultColumn]>, LoanError> {
        let listed =
            |column: &dyn Fn(usize) -> String| (1..=names.len()).map(column).collect::<Vec<_>>().join(", ");
        let columns = match names {
            [] => String::new(),
            _ => format!(" ({})", listed(&|number| format!("c{number}"))),
        };
        let types = listed(&|number| format!("pg_catalog.pg_typeof(proven.c{number})"));
        let question = format!(
            "{BEFORE}{sql}) AS statement OFFSET 0) AS unplanned WHERE false) AS proven{columns} ON true \
             CROSS JOIN LATERAL pg_catalog.unnest(CAST(ARRAY[{types}] AS pg_catalog.oid[])) \
             WITH ORDINALITY AS its (type, position)), {AFTER}"
        );
        let ask = async |ty: Type| -> Result<Vec<Row>, Error> {
            let nulls = std::iter::repeat_n((TextValue::new(None), ty), parameters);
            self.ask(async { self.client().query_typed_raw(&question, nulls).await?.try_collect().await })
                .await
        };
        let told = match ask(Type::UNKNOWN).await.map_err(LoanError::from) {
            // A domain may refuse a null, which then is no error of the statement: as a text it is not read.
            Err(error) if error.postgres().is_some_and(|error| error.parameter().is_some()) => {
                ask(Type::TEXT).await.map_err(LoanError::from)
            }
            told => told,
        };
        let told = told.map_err(|error| error.behind(BEFORE.len()))?;
        if told.len() != names.len() {
            // A type has gone meanwhile.
            let change = format!("{} of its {} columns have a type", told.len(), names.len());
            return Err(LoanError::Stale { change, refusal: None });
        }
        let column = |(name, row): (&&str, &Row)| {
            let name = (*name).to_owned();
            Ok(ResultColumn {
                name,
                type_oid: row.try_get(0)?,
                type_name: row.try_get(1)?,
                type_modifier: -1,
            })
        };
        Ok(names.iter().zip(&told).map(column).collect::<Result<Vec<_>, Error>>()?.into())
    }
}
