//! Reading the catalog from PostgreSQL 14 or later.

mod casts;
mod collations;
mod database;
mod functions;
mod objects;
mod operators;
mod references;
mod relations;
mod scope;
mod types;

use futures_util::{FutureExt, future::try_join};
use tokio_postgres::{Client, Row, SimpleQueryMessage, types::Type};

use self::{database::Database, objects::Objects, scope::Scope};
use super::{Contents, Oid};
use crate::reason::reason;

/// The oldest `server_version_num` that can be reflected.
const OLDEST_SERVER: u32 = 140_000;

/// Why the catalog could not be reflected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReflectError {
    /// The server is older than PostgreSQL 14.
    #[error(
        "the catalog can't be reflected: PostgreSQL 14 or later is needed, and the server's version number is {found}"
    )]
    UnsupportedServer {
        /// What it gives as `server_version_num`.
        found: String,
    },
    /// The connection has a transaction open, which reflection would end.
    #[error("the catalog can't be reflected on a connection that has a transaction open")]
    TransactionOpen,
    /// PostgreSQL refused a statement, or the connection is gone.
    #[error("the catalog can't be reflected: reading {what} failed: {reason}", reason = reason(source))]
    Database {
        /// What was being read.
        what: &'static str,
        /// What PostgreSQL or the driver said.
        source: tokio_postgres::Error,
    },
}

/// Reads what the login may use of the catalog: the relations and columns that it may SELECT, the functions that it may EXECUTE, in
/// the schemas that it has USAGE on.
///
/// Everything is of one snapshot: it is read in a read-only transaction of its own, which is rolled back, also when this
/// future is dropped.
///
/// # Errors
/// [`ReflectError`], if the connection has a transaction open, if the server is too old, or if PostgreSQL refuses.
pub async fn reflect(client: &Client) -> Result<Contents, ReflectError> {
    reflect_as(client, Visibility::Readable).await
}

/// How much of a database is reflected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// What the login may use: the only thing that plugins can be proven against.
    #[default]
    Readable,
    /// Also what it may not, but for PostgreSQL's own relations and temporary ones: for people, and for snapshots of a whole
    /// database. [`ColumnPrivileges`](super::ColumnPrivileges) tell what the login may read of it; nothing must be proven
    /// against the rest.
    Everything,
}

/// The same as [`reflect`], of what the login may use or of everything.
///
/// # Errors
/// As [`reflect`].
pub async fn reflect_as(client: &Client, visibility: Visibility) -> Result<Contents, ReflectError> {
    let (is_idle, server_version) = server_version(client).await?;
    if !is_idle {
        return Err(ReflectError::TransactionOpen);
    }
    let transaction = Rollback::begin(client).await?;
    let contents = read(client, Scope { server_version, visibility }).await;
    let rolled_back = transaction.roll_back().await;
    // Where the connection broke, it is the first error that says what came between.
    let contents = contents?;
    rolled_back.map(|()| contents)
}

/// The same as [`reflect`] within a transaction that is open already: what it has not committed is read too. All is of one
/// snapshot if the transaction has one. The settings that this needs are left to whoever rolls it back.
///
/// # Errors
/// [`ReflectError`], if the server is too old, or if PostgreSQL refuses.
#[cfg(feature = "host")]
pub(crate) async fn reflect_within(client: &Client) -> Result<Contents, ReflectError> {
    let (_, server_version) = server_version(client).await?;
    client.batch_execute(SETTINGS).await.map_err(failed("a snapshot"))?;
    read(client, Scope { server_version, visibility: Visibility::Readable }).await
}

async fn read(client: &Client, scope: Scope) -> Result<Contents, ReflectError> {
    // Polled together, these are sent together, and PostgreSQL answers them one after the other.
    let (relations, objects) = try_join(relations::read(client, scope), objects::read(client, scope)).await?;
    let Objects { database, types, functions, operators, casts, collations } = objects.used_by(&relations)?;
    let Database { settings, schemas, extensions } = database;
    Ok(Contents {
        server_version: scope.server_version,
        settings,
        partial: false,
        schemas,
        extensions,
        relations,
        types,
        functions,
        operators,
        casts,
        collations,
    })
}

/// Whether the connection has no transaction open, and the server's version.
async fn server_version(client: &Client) -> Result<(bool, u32), ReflectError> {
    // Only a statement that is its own transaction starts when its transaction did. A SAVEPOINT would tell as well, with an
    // error in the server's log each time.
    const SQL: &str = "SELECT pg_catalog.now() OPERATOR(pg_catalog.=) pg_catalog.statement_timestamp(), \
                       pg_catalog.current_setting('server_version_num')";
    let answer = client.simple_query(SQL).await.map_err(failed("the server's version"))?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let column = |index| row.and_then(|row| row.get(index)).unwrap_or_default();
    match column(1).parse() {
        Ok(version) if version >= OLDEST_SERVER => Ok((column(0) == "t", version)),
        _ => Err(ReflectError::UnsupportedServer { found: column(1).to_owned() }),
    }
}

/// Temporary relations come before `pg_catalog` unless they are named after it. To compile these statements would take longer than
/// to run them. The other settings are those that the text of an expression or a definition depends on: it has to be the same
/// whoever reflects.
const SETTINGS: &str = "
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL jit = off;
SET LOCAL quote_all_identifiers = off;
SET LOCAL standard_conforming_strings = on;
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL lc_monetary = 'C'";

/// A transaction that is rolled back, whatever happens.
struct Rollback<'a> {
    client: &'a Client,
    open: bool,
}

impl<'a> Rollback<'a> {
    async fn begin(client: &'a Client) -> Result<Self, ReflectError> {
        let transaction = Self { client, open: true };
        let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;{SETTINGS}");
        client.batch_execute(&begin).await.map_err(failed("a snapshot"))?;
        Ok(transaction)
    }

    async fn roll_back(mut self) -> Result<(), ReflectError> {
        self.open = false;
        self.client.batch_execute("ROLLBACK").await.map_err(failed("a snapshot"))
    }
}

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        if self.open {
            // The first poll sends it; nobody needs the answer.
            let _ = self.client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

/// Runs a statement without naming it, which poolers that share sessions need.
async fn query(client: &Client, what: &'static str, sql: &str) -> Result<Vec<Row>, ReflectError> {
    client.query_typed(sql, &[]).await.map_err(failed(what))
}

/// The same of a statement about objects of these ids (`$1`); without any it is not sent.
async fn query_of(
    client: &Client,
    what: &'static str,
    sql: &str,
    oids: Vec<Oid>,
) -> Result<Vec<Row>, ReflectError> {
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    client.query_typed(sql, &[(&oids, Type::OID_ARRAY)]).await.map_err(failed(what))
}

fn failed(what: &'static str) -> impl Fn(tokio_postgres::Error) -> ReflectError {
    move |source| ReflectError::Database { what, source }
}

/// A `"char"` of PostgreSQL.
fn character(row: &Row, index: usize) -> Result<char, tokio_postgres::Error> {
    Ok(char::from(row.try_get::<_, i8>(index)?.cast_unsigned()))
}
