//! A loan that is cancelled, wherever it is then, and waited for until that is over.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use callslip::loan::{BoundStatement, LoanError, Sent, Stop, Terms};
use callslip::{CallError, Reply, Rows, Running};
use tokio::time::sleep;

use crate::work::Work;
use crate::{Chaos, Lent};

/// How a loan ended that was to be cancelled after some time.
#[derive(Clone, Copy, Debug)]
pub enum Cancelled {
    BeforeItBegan,
    HalfWay,
    TooLate,
}

/// What a call gives, piece by piece.
trait Pieces {
    /// Reads the next one. Says whether there was one.
    async fn read(&mut self) -> Result<bool, CallError>;

    async fn cancel(self) -> Result<(), CallError>;
}

impl Pieces for Reply<'_> {
    async fn read(&mut self) -> Result<bool, CallError> {
        Ok(self.next_chunk().await?.is_some())
    }

    async fn cancel(self) -> Result<(), CallError> {
        Reply::cancel(self).await
    }
}

impl Pieces for Rows<'_> {
    async fn read(&mut self) -> Result<bool, CallError> {
        Ok(self.next().await?.is_some())
    }

    async fn cancel(self) -> Result<(), CallError> {
        Rows::cancel(self).await
    }
}

async fn cancelled<T: Pieces>(mut running: Running<'_, T>, after: Duration) -> Result<Cancelled, CallError> {
    let mut is_time = pin!(sleep(after));
    let mut pieces = tokio::select! {
        biased;
        () = &mut is_time => return running.cancel().await.map(|()| Cancelled::BeforeItBegan),
        pieces = &mut running => pieces?,
    };
    loop {
        tokio::select! {
            biased;
            () = &mut is_time => return pieces.cancel().await.map(|()| Cancelled::HalfWay),
            is_there = pieces.read() => if !is_there? {
                return pieces.cancel().await.map(|()| Cancelled::TooLate);
            }
        }
    }
}

impl Chaos {
    pub async fn cancelled(
        &self,
        work: Work,
        lent: Option<Lent<'_>>,
        number: u64,
        after: Duration,
    ) -> Result<Cancelled, CallError> {
        match work.statements() {
            Some(statements) => Ok(self.cancelled_run(statements, lent, after).await?),
            None if number.is_multiple_of(2) => {
                cancelled(self.to_call(work, lent, number).run(), after).await
            }
            None => cancelled(self.to_call(work, lent, number).rows(), after).await,
        }
    }

    /// The same without a host, which does this.
    async fn cancelled_run(
        &self,
        statements: Vec<BoundStatement>,
        lent: Option<Lent<'_>>,
        after: Duration,
    ) -> Result<Cancelled, LoanError> {
        let stop = Arc::new(Stop::default());
        let mut running = Box::pin(async {
            match lent {
                Some(lender) => {
                    let lent =
                        lender.lend().cancelled_through(self.canceller.clone()).stopped_by(stop.clone());
                    lent.run(statements, &Terms::default(), &self.sessions).await
                }
                None => {
                    let loan = self.host.pool().unwrap().loan().await?;
                    loan.stopped_by(stop.clone()).run(statements).await
                }
            }
        });
        let mut is_time = pin!(sleep(after));
        let mut run = tokio::select! {
            biased;
            () = &mut is_time => {
                match stop.ask() {
                    None => {}
                    Some(Sent::Own(released)) => {
                        drop(running);
                        released.wait().await;
                    }
                    Some(Sent::Lent) => match running.await {
                        Ok(run) => run.cancel().await?,
                        Err(LoanError::Cancelled) => {}
                        Err(error) => return Err(error),
                    },
                }
                return Ok(Cancelled::BeforeItBegan);
            }
            run = &mut running => run?,
        };
        loop {
            tokio::select! {
                biased;
                () = &mut is_time => return run.cancel().await.map(|()| Cancelled::HalfWay),
                row = run.next_row() => {
                    row?;
                    if run.is_finished() {
                        return run.cancel().await.map(|()| Cancelled::TooLate);
                    }
                }
            }
        }
    }
}
