use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::error::CallError;
use crate::loan::{LoanError, Stop, Terms};

/// How long PostgreSQL may take to say that it has ended a statement for the time of its call, on a connection that is lent:
/// nothing is cancelled there.
const GRACE: Duration = Duration::from_millis(250);

/// The time that a call has for all that it waits for, from when it is first polled: a look at the database, a plan and its proof, a
/// connection, and its statements with all their rows.
pub(super) struct Budget {
    limit: Duration,
    /// When it is over; none, if that is too far away to be counted.
    deadline: Option<Instant>,
    /// Until when the call waits.
    until: Option<Instant>,
    /// By which somebody asks to stop what runs on a connection that is lent.
    stop: Option<Arc<Stop>>,
}

impl Budget {
    /// Begins it, for a call on a connection of the host's own, or on one that is lent, where somebody may stop it.
    pub fn begin(limit: Duration, stop: Option<Arc<Stop>>) -> Self {
        let deadline = Instant::now().checked_add(limit);
        let grace = if stop.is_some() { GRACE } else { Duration::ZERO };
        Self { limit, deadline, until: deadline.and_then(|deadline| deadline.checked_add(grace)), stop }
    }

    /// The terms of statements on a connection that is lent: PostgreSQL itself ends there what takes longer.
    pub fn terms(&self, terms: &Terms) -> Terms {
        Terms { deadline: self.deadline, ..*terms }
    }

    /// Whether there is time left to begin something.
    ///
    /// # Errors
    /// [`CallError::TimedOut`].
    pub fn check(&self) -> Result<(), CallError> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(self.over()),
            _ => Ok(()),
        }
    }

    /// Waits for something no longer than there is time. What is there already is given, however late. Where somebody has asked to
    /// stop, that it has stopped is waited for: nothing may be on its way then.
    ///
    /// # Errors
    /// [`CallError::TimedOut`], or what the future gives.
    pub async fn within<T>(
        &self,
        future: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let mut future = pin!(future);
        let result = match self.wait(future.as_mut()).await {
            Some(result) => result,
            None if self.stop.as_ref().is_some_and(|stop| stop.is_asked()) => future.await,
            None => Err(self.over()),
        };
        result.map_err(|error| self.judge(error))
    }

    /// What a future gives, if it does so in time.
    async fn wait<T>(&self, mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        let Some(until) = self.until else { return Some(future.await) };
        // Most rows are there: they need no clock.
        match poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
            Poll::Ready(output) => Some(output),
            Poll::Pending => timeout_at(until.into(), future).await.ok(),
        }
    }

    fn over(&self) -> CallError {
        CallError::TimedOut { limit: self.limit }
    }

    /// The same error, or that the time is over, if that is why PostgreSQL has stopped a statement.
    fn judge(&self, error: CallError) -> CallError {
        let CallError::Loan(LoanError::Stopped(postgres)) = &error else { return error };
        // By its own clock, which may be a little fast.
        let early = self.limit / 1000;
        let is_over = self.deadline.is_some_and(|deadline| Instant::now() + early >= deadline);
        // query_canceled; a lock's own timeout is not that.
        if is_over && postgres.sqlstate() == "57014" { self.over() } else { error }
    }
}
