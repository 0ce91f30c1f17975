use futures_util::FutureExt;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::answer::{Answer, settle};
use super::block::Block;
use super::cancel::{CANCEL_EVERY, Canceller};
use super::error::LoanError;

/// How long the owner's next statement is held back from a cancel that nobody waits for any more, in seconds. It comes
/// within a few milliseconds, if at all.
const HELD_BACK: &str = "1";

/// The same when that may have been hit: PostgreSQL signals a session's process and then the group of that, which is the same
/// process, so that one cancel can hit twice (`signal_child` in `postmaster.c`).
const HELD_BACK_AGAIN: &str = "0.05";

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
    let mut late = Late { client, block, cancel: Cancel::None };
    let ended = loop {
        // What has ended needs no cancel.
        if let Some(ended) = settle(&mut end).now_or_never() {
            break ended;
        }
        let canceller = canceller.ok_or_else(no_canceller)?;
        late.cancel = Cancel::OnItsWay;
        let sent = canceller.cancel(&token).await;
        sent.map_err(|error| LoanError::NotCancelled { reason: error.to_string() })?;
        late.cancel = Cancel::Delivered;
        if let Ok(ended) = timeout(CANCEL_EVERY, settle(&mut end)).await {
            break ended;
        }
    };
    late.cancel = Cancel::None;
    match ended {
        Ok(()) => Ok(()),
        // It was hit itself, so that the block is still open.
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

/// Keeps a cancel from the owner's next statement, if it is dropped when that may still be hit.
struct Late<'a> {
    client: &'a Client,
    block: Block,
    cancel: Cancel,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cancel {
    None,
    OnItsWay,
    /// It may have hit the end of the block.
    Delivered,
}

impl Drop for Late<'_> {
    fn drop(&mut self) {
        let begin = self.block.begin();
        // What it is to hit.
        let sleep = |seconds| format!("{begin}; SELECT pg_catalog.pg_sleep({seconds})");
        let begins = match self.cancel {
            Cancel::None => return,
            Cancel::Delivered => vec![begin.to_owned()],
            Cancel::OnItsWay => vec![sleep(HELD_BACK), sleep(HELD_BACK_AGAIN)],
        };
        // Blocks of the same name: if one is still open, then because its end was hit, and it is aborted. No other can begin in
        // it, and the next end is its own. The first poll sends them; nobody needs the answers.
        for begin in begins {
            let _ = self.client.batch_execute(&begin).now_or_never();
            let _ = self.client.batch_execute(self.block.end()).now_or_never();
        }
    }
}
