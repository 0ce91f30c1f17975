use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Fuse, FusedFuture};

use super::error::CallError;
use super::fetch::Fetch;
use crate::loan::{LoanError, Sent, Stop};

/// A call that runs: the future of its [`Reply`](crate::Reply) or [`Rows`](crate::Rows). Nothing is sent before it is awaited,
/// which is when its time begins ([`Call::timeout`](crate::Call::timeout)).
///
/// Dropped, it is given up: on a connection of the host's own it is cancelled; on one that was lent nothing is ever
/// cancelled unasked, and what was sent runs on to its end or its timeout, before the owner's next statement.
/// [`Running::cancel`] ends it now on either. Awaited once more when it has given its reply, it waits for ever.
///
/// ```no_run
/// # async fn example(
/// #     host: callslip::Host,
/// #     mut client: tokio_postgres::Client,
/// #     hung_up: impl Future<Output = ()>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let mut transaction = client.transaction().await?;
/// {
///     let mut running = host.call("hiring", "funnel").param("company", 7).on(&mut transaction).run();
///     tokio::select! {
///         reply = &mut running => {
///             let reply = reply?;
///             // …
///         }
///         () = hung_up => running.cancel().await?,
///     }
/// }
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct Running<'loan, T> {
    fetch: Fuse<BoxFuture<'loan, Result<Fetch<'loan>, CallError>>>,
    /// What the rows become.
    reply: fn(Fetch<'loan>) -> Result<T, CallError>,
    stop: Arc<Stop>,
}

impl<'loan, T> Running<'loan, T> {
    pub(super) fn new(
        stop: Arc<Stop>,
        fetch: impl Future<Output = Result<Fetch<'loan>, CallError>> + Send + 'loan,
        reply: fn(Fetch<'loan>) -> Result<T, CallError>,
    ) -> Self {
        Self { fetch: fetch.boxed().fuse(), reply, stop }
    }

    /// Stops the call now. When this returns, PostgreSQL has stopped its statements, and nothing of the call and of the cancel is
    /// on its way any more: the connection that was lent can be used at once, its transaction is as it was, and no
    /// statement of its owner's is ever hit: what the owner has sent before and not awaited runs to its end first. A call that
    /// was not sent yet, or has ended, is given up as when it is dropped.
    ///
    /// **Await it to its end.** Dropped half-way on a connection that was lent, it may or may not have stopped the statements,
    /// and a cancel may still be on its way. The owner's next statement is then held back from it, for a second. It
    /// still comes in the wrong moment if that is the one in which the call ends by itself: then the owner's transaction
    /// fails (SQLSTATE 57014, or 25P02 from then on), so that it can only be rolled back.
    ///
    /// A cancel is sent over a connection of its own, which PostgreSQL asks for. An embedded host opens none unless it
    /// was told where to: see [`HostBuilder::cancel_through`](crate::HostBuilder::cancel_through).
    ///
    /// # Errors
    /// [`LoanError::NotCancelled`], if a connection that was lent can't be cancelled: the statements run on, as when
    /// this is dropped. [`LoanError::Lost`].
    pub async fn cancel(self) -> Result<(), CallError> {
        let Self { fetch, stop, .. } = self;
        if fetch.is_terminated() {
            return Ok(());
        }
        match stop.ask() {
            None => Ok(()),
            Some(Sent::Own(released)) => {
                drop(fetch);
                released.wait().await;
                Ok(())
            }
            // Only the run knows when a cancel does no harm.
            Some(Sent::Lent) => match fetch.await {
                Ok(fetch) => fetch.cancel().await,
                Err(CallError::Loan(error @ (LoanError::Lost { .. } | LoanError::NotCancelled { .. }))) => {
                    Err(error.into())
                }
                // Everything was answered.
                Err(_) => Ok(()),
            },
        }
    }
}

impl<T> Future for Running<'_, T> {
    type Output = Result<T, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let fetch = ready!(self.fetch.poll_unpin(context));
        Poll::Ready(fetch.and_then(self.reply))
    }
}
