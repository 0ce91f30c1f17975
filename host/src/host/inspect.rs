//! Reading the catalog on any connection, in a block that leaves nothing behind.

use crate::catalog::{self, Contents, Fingerprint, ReflectError};
use crate::loan::{Inspection, LoanError, OpenBlock};

/// Reads the catalog.
pub(super) async fn reflect<E: From<LoanError> + From<ReflectError>>(
    inspection: &Inspection<'_>,
) -> Result<Contents, E> {
    let block = inspection.begin().await?;
    let contents = catalog::reflect_within(block.client()).await;
    end(block, contents).await
}

/// Looks whether the catalog may have changed.
pub(super) async fn fingerprint<E: From<LoanError> + From<ReflectError>>(
    inspection: &Inspection<'_>,
) -> Result<Fingerprint, E> {
    let block = inspection.begin().await?;
    let fingerprint = catalog::fingerprint(block.client()).await;
    end(block, fingerprint).await
}

async fn end<T, E: From<LoanError> + From<ReflectError>>(
    block: OpenBlock<'_>,
    read: Result<T, ReflectError>,
) -> Result<T, E> {
    let ended = block.end().await;
    // Where the connection broke, it is the first error that says what came between.
    let read = read?;
    ended?;
    Ok(read)
}
