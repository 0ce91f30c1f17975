use futures_util::FutureExt;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::answer::{Answer, settle};
use super::block::Block;
use super::cancel::{CANCEL_EVERY, Canceller};
use super::error::LoanError;

/// Cancels what runs in a block on a connection that is lent, until the block has ended. When this returns, no cancel is on
/// its way.
///
/// The block must be open, and its end the last that was sent: a cancel that came outside of it would abort the owner's
/// transaction, or hit its next statement.
///
/// # Errors
/// [`LoanError::NotCancelled`]; [`LoanError::Lost`].
pub(super) async fn interrupt(
    client: &Client,
    canceller: Option<&Canceller>,
    block: Block,
    mut end: Answer<'_, ()>,
) -> Result<(), LoanError> {
    let token = client.cancel_token();
    let ended = loop {
        // What has ended needs no cancel.
        if let Some(ended) = settle(&mut end).now_or_never() {
            break ended;
        }
        let canceller = canceller.ok_or_else(no_canceller)?;
        let sent = canceller.cancel(&token).await;
        sent.map_err(|error| LoanError::NotCancelled { reason: error.to_string() })?;
        if let Ok(ended) = timeout(CANCEL_EVERY, settle(&mut end)).await {
            break ended;
        }
    };
    match ended {
        Ok(()) => Ok(()),
        // It was hit itself, and has done nothing.
        Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => {
            client.batch_execute(block.end()).await.map_err(|error| LoanError::not_ended(&error))
        }
        Err(error) => Err(LoanError::not_ended(&error)),
    }
}

fn no_canceller() -> LoanError {
    let reason = "the host was not told where to send a cancel (`HostBuilder::cancel_through`)";
    LoanError::NotCancelled { reason: reason.to_owned() }
}
