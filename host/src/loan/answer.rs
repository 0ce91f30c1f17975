use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, FutureExt, MaybeDone, maybe_done};
use tokio_postgres::Error;

/// A request to PostgreSQL, and its answer once it was awaited. The first poll sends the request, so that several
/// can be on their way before the first is awaited; dropping it takes nothing back.
pub(super) type Answer<'loan, T> = MaybeDone<BoxFuture<'loan, Result<T, Error>>>;

pub(super) fn answer<'loan, T>(
    request: impl Future<Output = Result<T, Error>> + Send + 'loan,
) -> Answer<'loan, T> {
    maybe_done(request.boxed())
}

/// Sends the request, if it is not sent yet. Says whether the answer is there.
pub(super) fn send<T>(answer: &mut Answer<'_, T>, context: &mut Context<'_>) -> bool {
    Pin::new(answer).poll(context).is_ready()
}

/// Runs `step` once, with what it needs to send.
pub(super) async fn at_once<T>(mut step: impl FnMut(&mut Context<'_>) -> T) -> T {
    poll_fn(|context| Poll::Ready(step(context))).await
}

/// The answer, awaited where it is: until it is there, dropping the wait loses nothing.
pub(super) async fn settle<T>(answer: &mut Answer<'_, T>) -> Result<T, Error> {
    let mut answer = Pin::new(answer);
    answer.as_mut().await;
    answer.take_output().expect("an answer is taken once, when it is there")
}
