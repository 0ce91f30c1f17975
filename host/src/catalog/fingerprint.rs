use tokio_postgres::Client;

use super::ReflectError;

/// What a catalog looked like at a moment, in short. Two that differ were of catalogs that may differ; two that are the same
/// were of the same catalog, but for a chance of one in 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(i64);

/// Looks whether the catalog may have changed, with one statement and much cheaper than reflecting it: at every row of the
/// system catalogs that reflection reads, at who is a member of which role, and at what the login's own role is. What is temporary does not count.
///
/// # Errors
/// [`ReflectError::Database`].
pub async fn fingerprint(client: &Client) -> Result<Fingerprint, ReflectError> {
    let failed = |source| ReflectError::Database { what: "the catalog's fingerprint", source };
    let rows = client.query_typed(include_str!("fingerprint.sql"), &[]).await.map_err(failed)?;
    match rows.first() {
        Some(row) => row.try_get(0).map(Fingerprint).map_err(failed),
        // An aggregate without groups always has a row.
        None => Ok(Fingerprint(0)),
    }
}
