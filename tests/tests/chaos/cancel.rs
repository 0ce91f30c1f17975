//! A loan that is cancelled, wherever it is then, and waited for until that is over.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use callslip::CallError;
use callslip::loan::{BoundStatement, LoanError, Sent, Stop, Terms};
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
            None if number.is_multiple_of(2) => self.cancelled_reply(work, lent, number, after).await,
            None => self.cancelled_rows(work, lent, number, after).await,
        }
    }

    async fn cancelled_reply(
        &self,
        work: Work,
        lent: Option<Lent<'_>>,
        number: u64,
        after: Duration,
    ) -> Result<Cancelled, CallError> {
        let mut running = self.to_call(work, lent, number).run();
        let mut is_time = pin!(sleep(after));
        let mut reply = tokio::select! {
            biased;
            () = &mut is_time => return running.cancel().await.map(|()| Cancelled::BeforeItBegan),
            reply = &mut running => reply?,
        };
        loop {
            tokio::select! {
                biased;
                () = &mut is_time => return reply.cancel().await.map(|()| Cancelled::HalfWay),
                chunk = reply.next_chunk() => if chunk?.is_none() {
                    return reply.cancel().await.map(|()| Cancelled::TooLate);
                }
            }
        }
    }

    async fn cancelled_rows(
        &self,
        work: Work,
        lent: Option<Lent<'_>>,
        number: u64,
        after: Duration,
    ) -> Result<Cancelled, CallError> {
        let mut running = self.to_call(work, lent, number).rows();
        let mut is_time = pin!(sleep(after));
        let mut rows = tokio::select! {
            biased;
            () = &mut is_time => return running.cancel().await.map(|()| Cancelled::BeforeItBegan),
            rows = &mut running => rows?,
        };
        loop {
            tokio::select! {
                biased;
                () = &mut is_time => return rows.cancel().await.map(|()| Cancelled::HalfWay),
                row = rows.next() => if row?.is_none() {
                    return rows.cancel().await.map(|()| Cancelled::TooLate);
                }
            }
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
