use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use futures_util::future::{Either, select};
use futures_util::{FutureExt, Stream};
use tokio_postgres::{Column, Row, RowStream, Statement};

use super::PlanMode;
use super::admission::Admission;
use super::answer::{Answer, settle};
use super::block::Block;
use super::describe::ResultColumn;
use super::error::{LoanError, PostgresError};
use super::interrupt::interrupt;
use super::isolation::Isolation;
use super::pool::Loan;
use super::pooler::Pooler;
use super::start::Start;
use super::stop::{Sent, Stop};
use super::terms::Terms;
use super::wire::Wire;

/// A statement that was proven, with the values of one call.
#[derive(Clone)]
pub struct BoundStatement {
    /// Its text.
    pub sql: Arc<str>,
    /// The values of `$1`, `$2` and so on, as text.
    pub values: Vec<Option<String>>,
    /// The columns that it was proven to have. It is not run if it now has others.
    pub columns: Arc<[ResultColumn]>,
    /// Whether the connection keeps it prepared.
    pub kept: Kept,
    /// Whether it gives one row at the most, if it is what it was made to be.
    pub is_single: bool,
    /// How PostgreSQL plans it. Of statements that are run together all have custom plans where one has.
    pub plan: PlanMode,
}

/// Whether a connection keeps a statement prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is closed after its run.
    Never,
    /// Until others are wanted more: all of these together are at most a quarter of what a connection keeps.
    Sparingly,
    /// Until it is the one that was not used for the longest time.
    Always,
}

/// The rows of one or several statements, statement by statement, as they come in.
///
/// A run of a [`Loan`] owns its connection. After the last row it goes back to the pool; dropped before, the statement is
/// cancelled, and the connection goes back when that is over. A run on what is [lent](super::Lent) borrows it for as long as
/// the run lives; dropped before the last row, the rest is thrown away. [`Run::next_row`] may be dropped at any await
/// and called again.
pub struct Run<'loan> {
    statements: Arc<[BoundStatement]>,
    /// The statement whose rows come next.
    current: usize,
    state: State,
    /// The answers to the statements after it.
    answers: VecDeque<Answer<'loan, RowStream>>,
    /// The answer to the ROLLBACK, where there is one.
    end: Option<Answer<'loan, ()>>,
    /// What the ROLLBACK ends.
    block: Option<Block>,
    /// The connection, until the run has ended.
    wire: Option<Wire<'loan>>,
    isolation: Isolation,
    /// Whether the statements run with the rights of another role than that with which they were proven.
    is_of_other: bool,
}

enum State {
    /// Rows may still come, with columns that were compared with the proven ones, or are to be.
    Rows {
        rows: Pin<Box<RowStream>>,
        compared: bool,
    },
    /// The current statement has given its last row; what follows is not known yet.
    Between,
    Finished,
    /// With an error that is told when the rest is answered, also if who has waited for that is gone meanwhile.
    Failing(LoanError),
    Failed,
}

impl State {
    fn of(rows: RowStream, wire: Option<&Wire<'_>>) -> Self {
        // What is prepared runs as it was compared. What has no name is parsed once more, and may by then call another
        // function of the same name.
        let compared = wire.is_some_and(|wire| wire.statements().is_some());
        Self::Rows { rows: Box::pin(rows), compared }
    }
}

impl Loan {
    /// Runs the statements of one plan: a single one by itself, unless it has custom plans or runs for a [`Caller`](super::Caller); several in one
    /// round trip and on one snapshot.
    /// Returns when PostgreSQL has begun to answer: with the first rows, which it sends some kilobytes at a time,
    /// or with the end of the first statement. Dropped before, it is as if the [`Run`] was dropped.
    ///
    /// # Errors
    /// [`LoanError::Stale`] if a statement is not any more what was proven, and whatever else can go wrong
    /// before the first row.
    pub async fn run<'loan>(self, statements: Vec<BoundStatement>) -> Result<Run<'loan>, LoanError> {
        check_values(&statements)?;
        if statements.is_empty() {
            return Ok(Run::finished());
        }
        let is_shared = self.settings.pooler != Pooler::None;
        let has_role = self.caller.as_ref().is_some_and(|caller| caller.role().is_some());
        let guard = self.guard.clone().filter(|_| has_role);
        let start = Start {
            wire: Wire::Own(self.connection.clone()),
            block: (is_shared
                || statements.len() > 1
                || has_custom_plans(&statements)
                || self.caller.is_some())
            .then_some(Block::Transaction),
            statements: statements.into(),
            terms: Terms::of(&self.settings),
            check_interval: is_shared.then_some(self.settings.client_check_interval),
            // The login was looked at when the session was made.
            admission: guard.map(|guard| Admission {
                guard,
                admitted: &self.admitted,
                since: Instant::now(),
                passed: OnceLock::new(),
            }),
            caller: self.caller.clone(),
            asked_at: self.asked_at,
            stop: None,
        };
        if let Some(stop) = &self.stop {
            stop.sends(Sent::Own(self.connection.released()));
        }
        self.connection.begin_work();
        let result = start.run(&self.assumptions).await;
        result.map_err(|error| {
            if error.leaves_connection_idle() {
                self.connection.settle_work();
            }
            if has_role { error.of_other_role() } else { error.of_proven() }
        })
    }
}

/// Whether PostgreSQL is to plan them for their values, each time.
pub(super) fn has_custom_plans(statements: &[BoundStatement]) -> bool {
    statements.iter().any(|statement| statement.plan == PlanMode::Custom)
}

/// Whether each value can be sent.
pub(super) fn check_values(statements: &[BoundStatement]) -> Result<(), LoanError> {
    let has_nul = |value: &Option<String>| value.as_ref().is_some_and(|value| value.contains('\0'));
    match statements.iter().find_map(|statement| statement.values.iter().position(has_nul)) {
        Some(position) => Err(LoanError::NulCharacter { parameter: position + 1 }),
        None => Ok(()),
    }
}

/// Whether a statement is still what was proven.
pub(super) fn check_statement(statement: &Statement, bound: &BoundStatement) -> Result<(), LoanError> {
    let (expected, given) = (statement.params().len(), bound.values.len());
    if expected != given {
        return Err(LoanError::WrongParameterCount { expected, given });
    }
    check_columns(statement.columns(), &bound.columns)
}

/// Whether the columns of a statement are still what was proven.
pub(super) fn check_columns(columns: &[Column], proven: &[ResultColumn]) -> Result<(), LoanError> {
    let change = if proven.len() != columns.len() {
        format!("it has {} columns instead of {}", columns.len(), proven.len())
    } else if let Some((was, is)) = proven.iter().zip(columns).find(|(was, is)| !was.describes(is)) {
        let (is_name, is_type) = (is.name(), is.type_().name());
        format!("column \"{}\" of type {} is now \"{is_name}\" of type {is_type}", was.name, was.type_name)
    } else {
        return Ok(());
    };
    Err(LoanError::Stale { change, refusal: None })
}

/// `invalid_sql_statement_name`: the prepared statement has gone. What is not resolved any more may be so only for the types
/// that the parameters had when it was prepared, and a parameter of a type that has gone is an internal error: the type may
/// have been made anew.
pub(super) fn must_prepare_again(error: &PostgresError) -> bool {
    let sqlstate = error.sqlstate();
    sqlstate == "26000"
        || UNRESOLVED.contains(&sqlstate)
        || is_of_changed_result(error)
        || is_of_lost_type(error)
}

/// Whether "cached plan must not change result type": what else is `feature_not_supported` is the statement's own error, and
/// may be about a value.
fn is_of_changed_result(error: &PostgresError) -> bool {
    error.sqlstate() == "0A000" && error.routine().is_none_or(|routine| routine == "RevalidateCachedQuery")
}

/// Whether a parameter has a type that is not there any more.
fn is_of_lost_type(error: &PostgresError) -> bool {
    error.sqlstate() == "XX000" && error.parameter().is_some()
}

/// Undefined columns, tables, functions, objects and schemas; mismatching types, and those that are not cast to another any
/// more; ambiguous names; what the login may not use any more.
const UNRESOLVED: [&str; 10] =
    ["42703", "42P01", "42883", "42704", "3F000", "42804", "42846", "42702", "42725", "42501"];

/// Undefined columns, tables and schemas, and what the login may not use.
const GONE: [&str; 4] = ["42703", "42P01", "3F000", "42501"];

impl LoanError {
    /// The same, before a proven statement has started: its names and types were resolved once, so if they are
    /// not any more, the database changed.
    pub(super) fn of_proven(self) -> Self {
        match self {
            Self::Failed(error) if UNRESOLVED.contains(&error.sqlstate()) || is_of_lost_type(&error) => {
                Self::refused(error)
            }
            error => error,
        }
    }

    /// The same, of statements that run with the rights of another role than that with which they were proven, or may do so: on a
    /// connection that is lent, or for a caller that has a role.
    pub(super) fn of_other_role(self) -> Self {
        match self.of_proven() {
            // insufficient_privilege
            Self::Stale { refusal: Some(error), .. } if error.sqlstate() == "42501" => {
                Self::NotPermitted(error)
            }
            error => error,
        }
    }

    /// The same, when a statement is described whose names were found in the catalog: those of relations and columns are
    /// all there, unless the database changed since.
    #[must_use]
    pub fn of_verified(self) -> Self {
        match self {
            Self::Failed(error) if GONE.contains(&error.sqlstate()) => Self::refused(error),
            error => error,
        }
    }

    pub(super) fn refused(error: Box<PostgresError>) -> Self {
        Self::Stale { change: format!("PostgreSQL refuses it: {error}"), refusal: Some(error) }
    }
}

impl<'loan> Run<'loan> {
    /// A run of no statements.
    pub(super) fn finished() -> Self {
        Self {
            statements: Arc::new([]),
            current: 0,
            state: State::Finished,
            answers: VecDeque::new(),
            end: None,
            block: None,
            wire: None,
            isolation: Isolation::ReadCommitted,
            is_of_other: false,
        }
    }

    /// A run of statements that were sent.
    pub(super) fn new(
        wire: Wire<'loan>,
        statements: Arc<[BoundStatement]>,
        answers: VecDeque<Answer<'loan, RowStream>>,
        end: Option<(Block, Answer<'loan, ()>)>,
        isolation: Isolation,
        is_of_other: bool,
    ) -> Self {
        let (block, end) = end.unzip();
        Self {
            statements,
            current: 0,
            state: State::Between,
            answers,
            end,
            block,
            wire: Some(wire),
            isolation,
            is_of_other,
        }
    }

    /// Waits for the answer to the first statement, unless it is to stop before. If that is an error, then also for the end.
    pub(super) async fn begun(mut self, stop: Option<&Stop>) -> Result<Self, LoanError> {
        match unless_asked(self.first(), stop).await {
            Some(begun) => begun.map(|()| self),
            None => Err(self.stopped().await),
        }
    }

    /// Waits for the end, unless it is to stop before.
    pub(super) async fn ended(mut self, stop: Option<&Stop>) -> Result<(), LoanError> {
        let Some(end) = &mut self.end else { return Ok(()) };
        match unless_asked(settle(end), stop).await {
            Some(ended) => ended.map_err(|error| LoanError::not_ended(&error)),
            None => Err(self.stopped().await),
        }
    }

    /// Stops since somebody has asked for it.
    pub(super) async fn stopped(self) -> LoanError {
        self.cancel().await.err().unwrap_or(LoanError::Cancelled)
    }

    async fn first(&mut self) -> Result<(), LoanError> {
        let Some(first) = self.answers.front_mut() else { return Err(LoanError::RunFailed) };
        let first = settle(first).await;
        self.answers.pop_front();
        match first {
            Ok(rows) => {
                self.state = State::of(rows, self.wire.as_ref());
                Ok(())
            }
            Err(error) => {
                self.answers.clear();
                if let Some(end) = &mut self.end {
                    settle(end).await.map_err(|error| LoanError::not_ended(&error))?;
                }
                Err(error.into())
            }
        }
    }

    /// Stops the statements now, and gives the connection back. When this returns, PostgreSQL has answered everything, and no
    /// cancel is on its way any more: what is sent next on the connection is safe from it. What was lent is as it was.
    ///
    /// Dropped half-way, a run of a [`Loan`] is cancelled all the same. On what is [lent](super::Lent), the owner's next statement is
    /// then held back for a second from a cancel that may be on its way; should that hit the end of the run, the
    /// owner's transaction is aborted.
    ///
    /// # Errors
    /// [`LoanError::NotCancelled`], on what is lent; [`LoanError::Lost`].
    pub async fn cancel(mut self) -> Result<(), LoanError> {
        // The driver throws away what is not read.
        self.state = State::Failed;
        self.answers.clear();
        match (self.wire.take(), self.end.take(), self.block) {
            (Some(Wire::Own(connection)), end, _) => {
                let released = connection.released();
                drop((end, connection));
                released.wait().await;
                Ok(())
            }
            (Some(Wire::Lent { client, canceller, .. }), Some(end), Some(block)) => {
                interrupt(client, canceller.as_ref(), block, end).await
            }
            _ => Ok(()),
        }
    }
}

/// What a future gives, unless somebody asks to stop before.
pub(super) async fn unless_asked<T>(future: impl Future<Output = T>, stop: Option<&Stop>) -> Option<T> {
    let asked = async {
        match stop {
            Some(stop) => stop.asked().await,
            None => pending().await,
        }
    };
    match select(pin!(future), pin!(asked)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(_) => None,
    }
}

impl Run<'_> {
    /// How many statements there are.
    pub fn statement_count(&self) -> usize {
        self.statements.len()
    }

    /// The statement whose rows [`Run::next_row`] gives next, counted from 0. After the last, the number of
    /// statements.
    pub fn current_statement(&self) -> usize {
        self.current
    }

    /// The columns of a statement, also if it has no rows; none if there is no such statement.
    pub fn columns(&self, statement: usize) -> &[ResultColumn] {
        self.statements.get(statement).map_or(&[], |statement| &statement.columns)
    }

    /// The isolation level that the statements have. All of REPEATABLE READ and SERIALIZABLE see one snapshot; on a
    /// transaction that is lent it is its owner's.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Whether the last row of the last statement was given, and its connection can be used again.
    pub fn is_finished(&self) -> bool {
        matches!(self.state, State::Finished)
    }

    /// The next row of the current statement. None after its last; then the next statement is the current one,
    /// or the run is finished.
    ///
    /// # Errors
    /// What PostgreSQL said, [`LoanError::Lost`], and after an error always [`LoanError::RunFailed`]: what was
    /// given before an error is not the whole of it.
    pub async fn next_row(&mut self) -> Result<Option<Row>, LoanError> {
        if let Some(row) = poll_fn(|context| self.poll_row(context)).await {
            return Ok(Some(row));
        }
        match self.state {
            State::Between => self.advance().await.map(|()| None),
            State::Failing(_) => Err(self.failed().await),
            State::Failed => Err(LoanError::RunFailed),
            State::Rows { .. } | State::Finished => Ok(None),
        }
    }

    /// A row of the current statement. Nothing where none follows: then [`Run::next_row`] says why.
    pub(crate) fn poll_row(&mut self, context: &mut Context<'_>) -> Poll<Option<Row>> {
        let State::Rows { rows, compared } = &mut self.state else { return Poll::Ready(None) };
        let error = match ready!(rows.as_mut().poll_next(context)) {
            Some(Ok(row)) if *compared => return Poll::Ready(Some(row)),
            Some(Ok(row)) => match check_columns(row.columns(), &self.statements[self.current].columns) {
                Ok(()) => {
                    *compared = true;
                    return Poll::Ready(Some(row));
                }
                Err(error) => error,
            },
            Some(Err(error)) => LoanError::from(error).of_statement(self.current),
            None => {
                self.state = State::Between;
                return Poll::Ready(None);
            }
        };
        self.break_off(error);
        Poll::Ready(None)
    }

    async fn advance(&mut self) -> Result<(), LoanError> {
        if let Some(answer) = self.answers.front_mut() {
            let answer = settle(answer).await;
            self.answers.pop_front();
            match answer {
                Ok(rows) => self.state = State::of(rows, self.wire.as_ref()),
                Err(error) => {
                    let kept = self.wire.as_ref().and_then(Wire::statements);
                    let error = match (LoanError::from(error), kept) {
                        // Too late to start again on the same snapshot: the next call prepares it.
                        (LoanError::Failed(error), Some(kept)) if must_prepare_again(&error) => {
                            self.statements.iter().for_each(|statement| kept.forget(&statement.sql));
                            LoanError::refused(error)
                        }
                        (error, _) => error.of_proven(),
                    };
                    let error = if self.is_of_other { error.of_other_role() } else { error };
                    return Err(self.fail(error.of_statement(self.current + 1)).await);
                }
            }
        } else {
            if let Some(mut end) = self.end.take() {
                let ended = match &self.wire {
                    // Whatever its owner sends comes after it. To wait would cost the call as much as a row.
                    Some(Wire::Lent { .. }) => settle(&mut end).now_or_never().unwrap_or(Ok(())),
                    _ => settle(&mut end).await,
                };
                if let Err(error) = ended {
                    self.state = State::Failed;
                    self.wire = None;
                    return Err(LoanError::not_ended(&error));
                }
            }
            self.state = State::Finished;
            self.release();
        }
        self.current += 1;
        Ok(())
    }

    /// Ends the run. The connection goes back to the pool if the server has answered everything.
    async fn fail(&mut self, error: LoanError) -> LoanError {
        self.break_off(error);
        self.failed().await
    }

    fn break_off(&mut self, error: LoanError) {
        self.state = State::Failing(error);
        self.answers.clear();
    }

    /// The error that ends the run, when the rest is answered.
    async fn failed(&mut self) -> LoanError {
        let ended = match &mut self.end {
            Some(end) => settle(end).await.is_ok(),
            None => true,
        };
        self.end = None;
        let State::Failing(error) = mem::replace(&mut self.state, State::Failed) else {
            return LoanError::RunFailed;
        };
        if ended && error.leaves_connection_idle() {
            self.release();
        }
        // Otherwise this finds out whether it can go back.
        self.wire = None;
        error
    }

    /// Gives up what is left, as when this is dropped. On what is [lent](super::Lent), [`Run::cancel`] can still stop it.
    pub fn give_up(&mut self) {
        self.state = State::Failed;
        self.answers.clear();
        if let Some(Wire::Own(_)) = self.wire {
            (self.end, self.wire) = (None, None);
        }
    }

    fn release(&mut self) {
        if let Some(Wire::Own(connection)) = self.wire.take() {
            connection.settle_work();
        }
    }
}
