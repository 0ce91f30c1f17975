use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use callslip_ir::Rows as Cardinality;
use futures_util::FutureExt;
use futures_util::future::poll_immediate;
use tokio_postgres::Row;

use super::allowance::Allowance;
use super::budget::Budget;
use super::error::CallError;
use super::observation::{CallOutcome, ObservedCall, Phase};
use super::output::Output;
use super::page::Paging;
use super::prove::{ProvenShape, ProvenStatement};
use super::replicas::Replica;
use super::request::{Begun, Request};
use crate::loan::{Isolation, LoanError, ResultColumn, Run};
use crate::rows::RowError;

/// The rows of a call as they come from the database, counted: what every form of a reply is made of. Nothing is held of what
/// was given.
pub(super) struct Fetch<'loan> {
    request: Request,
    observed: ObservedCall,
    run: Run<'loan>,
    budget: Budget,
    proven: Arc<ProvenShape>,
    /// The generation that it was run with, if it may be run again, as long as nothing was given. A later statement may be
    /// found to be stale when the rows of an earlier one were read already.
    again: Option<u64>,
    /// The page that is read, if the call gives one.
    paging: Option<Paging>,
    /// The replica that it is read from, if it is.
    replica: Option<Arc<Replica>>,
    /// The claims that row filters read and that the caller does not have.
    absent: Arc<[String]>,
    /// How many rows were read, of all statements.
    rows: u64,
    /// The same of the current one.
    rows_of_statement: u64,
    has_failed: bool,
    /// What it has failed with, while that it is run again is waited for: that may be dropped.
    unsettled: Option<CallError>,
}

impl<'loan> Fetch<'loan> {
    pub fn new(request: Request, begun: Begun<'loan>, budget: Budget, mut observed: ObservedCall) -> Self {
        let Begun { run, proven, again, paging, replica, absent } = begun;
        observed.has_started(run.isolation());
        Self {
            request,
            observed,
            run,
            budget,
            proven,
            again,
            paging,
            replica,
            absent,
            rows: 0,
            rows_of_statement: 0,
            has_failed: false,
            unsettled: None,
        }
    }

    /// The query, for people: `hiring.funnel`.
    pub fn query(&self) -> String {
        self.request.query()
    }

    /// What the call may take.
    pub fn allowance(&self) -> &Allowance {
        &self.request.allowance
    }

    /// How the rows are to be written.
    pub fn output(&self) -> &Output {
        &self.request.output
    }

    /// The statements, in the order of their rows.
    pub fn statements(&self) -> &[ProvenStatement] {
        self.proven.statements()
    }

    /// The columns of a statement, counted from 0.
    pub fn columns(&self, statement: usize) -> &[ResultColumn] {
        let sent = self.run.columns(statement);
        let proven = self.statements().get(statement).map_or(sent.len(), |its| its.columns.len());
        sent.get(..proven).unwrap_or(sent)
    }

    /// Whether the call gives a page.
    pub fn is_paged(&self) -> bool {
        self.paging.is_some()
    }

    /// The same with the parameter that takes it.
    #[cfg(feature = "service")]
    pub fn next_page(&self) -> Option<(&str, &str)> {
        let paging = self.paging.as_ref()?;
        Some((paging.parameter.as_str(), paging.next()?))
    }

    /// Where the next page begins: known when the rows of this one were read, and nothing where none follows.
    pub fn next_cursor(&self) -> Option<&str> {
        self.paging.as_ref().and_then(Paging::next)
    }

    /// The claims that row filters read and that the caller does not have.
    pub fn absent_claims(&self) -> &[String] {
        &self.absent
    }

    pub fn isolation(&self) -> Isolation {
        self.run.isolation()
    }

    /// How many rows were read, of all statements.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The same of the statement that is read.
    pub fn rows_of_statement(&self) -> u64 {
        self.rows_of_statement
    }

    /// The statement whose rows come next, counted from 0. After the last, the number of statements.
    pub fn current_statement(&self) -> usize {
        self.run.current_statement()
    }

    /// Whether the last row of the last statement was read.
    pub fn is_finished(&self) -> bool {
        self.run.is_finished()
    }

    /// The next row of the current statement; None after its last. May be dropped at any await and called again.
    ///
    /// # Errors
    /// [`CallError`]; after one always [`LoanError::RunFailed`], or the same one where [`Fetch::again`] was dropped.
    pub async fn next_row(&mut self) -> Result<Option<Row>, CallError> {
        if self.has_failed {
            return Err(self.unsettled.take().unwrap_or_else(|| LoanError::RunFailed.into()));
        }
        loop {
            let Some(row) = self.row_or_end().await.inspect_err(|_| self.has_failed = true)? else {
                self.rows_of_statement = 0;
                self.observed.has_read(self.rows);
                return Ok(None);
            };
            if self.takes(&row)? {
                return Ok(Some(row));
            }
        }
    }

    /// The next row of the current statement, if it is there already: most are, and need nothing of what a wait for one takes. Where
    /// there is none, [`Fetch::next_row`] waits for it, or says why none comes.
    ///
    /// # Errors
    /// [`CallError`], as from [`Fetch::next_row`].
    pub fn ready_row(&mut self, context: &mut Context<'_>) -> Result<Option<Row>, CallError> {
        if self.has_failed {
            return Ok(None);
        }
        while let Poll::Ready(Some(row)) = self.run.poll_row(context) {
            if self.takes(&row)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    async fn row_or_end(&mut self) -> Result<Option<Row>, CallError> {
        let row =
            async { self.run.next_row().await.map_err(|error| self.request.failed(error, &self.proven)) };
        let row = {
            let mut row = pin!(self.budget.within(row));
            // Most rows are there when they are asked for, and take no look at the clock.
            match poll_immediate(row.as_mut()).await {
                Some(row) => row,
                None => {
                    self.observed.enter(Phase::Executing);
                    let row = row.await;
                    self.observed.enter(Phase::Running);
                    row
                }
            }
        };
        if let Err(CallError::TimedOut { .. }) = row {
            self.run.give_up();
        }
        row
    }

    /// Takes notice of a row, and says whether it is given: the one behind a page is not.
    fn takes(&mut self, row: &Row) -> Result<bool, CallError> {
        let is_given = match &mut self.paging {
            Some(paging) if paging.statement == self.run.current_statement() => paging.meets(row),
            _ => Ok(true),
        };
        let taken =
            is_given.and_then(|is_given| if is_given { self.count().map(|()| true) } else { Ok(false) });
        self.has_failed = taken.is_err();
        taken
    }

    fn count(&mut self) -> Result<(), CallError> {
        self.rows += 1;
        self.observed.has_read(self.rows);
        self.rows_of_statement += 1;
        let limit = self.allowance().rows;
        if self.rows > limit {
            return Err(CallError::TooManyRows { limit });
        }
        // Only a second row can be one too many.
        let statement = match self.rows_of_statement {
            1 => None,
            _ => self.statements().get(self.current_statement()),
        };
        match statement {
            Some(its) if its.rows == Cardinality::One => {
                Err(RowError::TooManyRows { statement: its.described() }.into())
            }
            _ => Ok(()),
        }
    }

    /// Ends it with an error of who reads it.
    pub fn fail(&mut self, error: CallError) -> CallError {
        self.has_failed = true;
        self.request.leave();
        self.observed.fail(error)
    }

    /// Stops the statements now.
    pub async fn cancel(self) -> Result<(), CallError> {
        let Self { run, mut observed, .. } = self;
        run.cancel().await.map_err(|error| observed.fail(error.into()))
    }

    /// To be called when something was given, so many bytes by now: from then on the call can't be run again.
    pub fn has_given(&mut self, bytes: u64) {
        self.again = None;
        self.observed.has_given(bytes);
    }

    /// To be called when all was given.
    pub fn end(&mut self) {
        self.request.leave();
        self.observed.end(match self.is_missing() {
            true => CallOutcome::Missing,
            false => CallOutcome::Complete,
        });
    }

    /// Whether the query gives at most one row, and there is none.
    pub fn is_missing(&self) -> bool {
        let is_single = |only: &ProvenStatement| only.name.is_empty() && only.rows == Cardinality::One;
        self.is_finished() && self.rows == 0 && matches!(self.statements(), [only] if is_single(only))
    }

    /// Runs the call again, if nothing was given, and the error may come of a change of the database. Dropped, the next row fails
    /// with that error again.
    ///
    /// # Errors
    /// The error, if it stands, or what came of the other run.
    pub async fn again(&mut self, error: CallError) -> Result<(), CallError> {
        self.has_failed = true;
        let Some(generation) = self.again else { return Err(self.fail(error)) };
        let error = self.unsettled.insert(error);
        // It is rare, and all that a call takes: each wait for a row would have room for it.
        let (replica, budget, observed) = (self.replica.take(), &self.budget, &mut self.observed);
        let begun = self.request.run_again(error, generation, replica, budget, observed).boxed().await;
        self.again = None;
        let stands = self.unsettled.take();
        match begun {
            Ok(Some(Begun { run, proven, paging, absent, .. })) => {
                self.observed.has_started(run.isolation());
                (self.run, self.proven, self.paging, self.absent) = (run, proven, paging, absent);
                (self.rows, self.rows_of_statement, self.has_failed) = (0, 0, false);
                Ok(())
            }
            Ok(None) => Err(self.fail(stands.unwrap_or_else(|| LoanError::RunFailed.into()))),
            Err(error) => Err(self.fail(error)),
        }
    }
}
