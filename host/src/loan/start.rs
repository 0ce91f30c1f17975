use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use tokio_postgres::types::Type;
use tokio_postgres::{Error, Row, RowStream, Statement};

use super::admission::Admission;
use super::admitted::PLAN_ANEW;
use super::answer::{Answer, answer, at_once, send, settle};
use super::assumptions::Assumptions;
use super::bind::TextValue;
use super::block::Block;
use super::caller::Caller;
use super::error::{LoanError, PostgresError};
use super::isolation::Isolation;
use super::owner::Owner;
use super::pooler::Pooler;
use super::run::{
    BoundStatement, Run, check_columns, check_statement, has_custom_plans, must_prepare_again, unless_asked,
};
use super::session::{REMEMBER_BEGIN, Settings, bounded_by_rest, noticing};
use super::stop::{Sent, Stop};
use super::terms::Terms;
use super::wire::Wire;

/// How statements are sent, all in one round trip, what ends their block included, before the first answer is awaited.
pub(super) struct Start<'a, 'loan> {
    pub wire: Wire<'loan>,
    pub statements: Arc<[BoundStatement]>,
    /// What they run in, if not each by itself.
    pub block: Option<Block>,
    pub terms: Terms,
    /// How often PostgreSQL is to look whether the client is still there, if the session does not do so by itself.
    pub check_interval: Option<Duration>,
    /// What stops them before they have begun, on a connection that is lent.
    pub stop: Option<Arc<Stop>>,
    /// What the role has to pass with whose rights they run, if that is the owner's of a connection that is lent, or the
    /// caller's, and somebody guards it.
    pub admission: Option<Admission<'a>>,
    /// For whom they run, if anybody is to know.
    pub caller: Option<Arc<Caller>>,
    /// When the role of the host's own session was last asked about.
    pub asked_at: Option<Instant>,
}

/// How often statements are sent: once more for each thing that may turn out.
const ATTEMPTS: usize = 5;

/// What comes of sending statements.
enum Attempt<'loan> {
    Begun(Run<'loan>),
    /// The driver did not know the type of a column, which it does now.
    UnknownTypes,
    /// The owner's statements have timeouts, which was not assumed.
    OwnTimeouts,
    /// It is not known whether the owner's role may pass.
    UnknownRole,
}

/// What opens a block, and finds out about the owner of a connection that is lent.
pub(super) type Opening<'loan> = Answer<'loan, Option<Owner>>;

/// What sets the caller in a block.
type Calling<'loan> = Answer<'loan, Vec<Row>>;

type Queries<'loan> = VecDeque<Answer<'loan, RowStream>>;

impl<'loan> Start<'_, 'loan> {
    /// Sends the statements, again where something that was taken for granted turns out to be otherwise.
    ///
    /// # Errors
    /// Of what was sent, everything is answered, unless the connection is lost.
    pub async fn run(&self, assumptions: &Assumptions) -> Result<Run<'loan>, LoanError> {
        if self.admission.is_some() && self.asked_at().is_none() {
            // No role is known: the statements would run for nothing, to be run once more.
            Box::pin(self.admit()).await?;
        }
        let (mut is_prepared_again, mut attempts) = (false, 0);
        while attempts < ATTEMPTS {
            attempts += 1;
            let attempt = match (self.wire.statements(), self.block) {
                // Whoever lends has no need of what a pool's own connections are asked with, and the other way round.
                (None, Some(block)) => Box::pin(self.unnamed(block, assumptions)).await,
                _ => self.prepared().await,
            };
            match attempt {
                Ok(Attempt::Begun(run)) => return Ok(run),
                // By now the driver knows the types of all columns.
                Ok(Attempt::UnknownTypes) => {}
                Ok(Attempt::OwnTimeouts) => assumptions.set_own_timeouts(),
                Ok(Attempt::UnknownRole) => Box::pin(self.admit()).await?,
                Err(LoanError::Failed(error))
                    if self.wire.statements().is_some()
                        && must_prepare_again(&error)
                        && !self.is_of_caller_s_role(&error) =>
                {
                    if is_prepared_again {
                        // It has changed once more meanwhile, or is gone: what else is prepared stays so.
                        return Err(LoanError::refused(error));
                    }
                    self.forget_all();
                    is_prepared_again = true;
                }
                Err(error) => return Err(error),
            }
        }
        Err(LoanError::RunFailed)
    }

    /// Sends statements that are prepared. On a connection that is lent they are prepared within a block, in round trips
    /// of their own, if they are not yet.
    ///
    /// # Errors
    /// Of what was sent, everything is answered, unless the connection is lost.
    async fn prepared(&self) -> Result<Attempt<'loan>, LoanError> {
        let mut prepared = Vec::with_capacity(self.statements.len());
        for bound in self.statements.iter() {
            match self.known(&bound.sql) {
                Some(statement) if check_statement(&statement, bound).is_ok() => prepared.push(statement),
                _ => break,
            }
        }
        let are_prepared = prepared.len() == self.statements.len();
        if let Some(statements) = self.wire.statements() {
            statements.count_run(are_prepared);
        }
        if !are_prepared || !self.has_settings() {
            // Once a session and statement: not all others have room for it.
            prepared = Box::pin(self.prepare()).await?;
        }
        let planned_since = self.has_old_plans().then(Instant::now);
        let mut begin = match (self.block, planned_since) {
            (Some(block), since) => Some(self.opening(block, Settings::Prepared, since.is_some())),
            (None, Some(_)) => Some(self.planning_anew()),
            (None, None) => None,
        };
        let mut calling = self.calling();
        let mut queries: Queries<'loan> = prepared
            .into_iter()
            .enumerate()
            .map(|(position, statement)| self.query_prepared(statement, position))
            .collect();
        let mut end = self.block.map(|block| self.batch(block.end()));
        self.sends();
        at_once(|context| {
            send_all(&mut begin, context);
            send_all(&mut calling, context);
            send_all(&mut queries, context);
            send_all(&mut end, context);
        })
        .await;
        let owner = match self.opened(&mut begin).await {
            Ok(owner) => owner,
            Err(error) => {
                drop(queries);
                return Err(self.not_opened(error, end).await);
            }
        };
        let owner = match self.called(&mut calling, owner).await {
            Ok(owner) => owner,
            Err(error) => {
                drop(queries);
                if let Some(end) = end {
                    self.ended(end).await?;
                }
                return Err(error);
            }
        };
        if let (Some(since), Some(statements)) = (planned_since, self.wire.statements()) {
            statements.set_planned_since(since);
        }
        let isolation = self.isolation(owner.as_ref());
        match (owner.filter(|owner| !self.is_admitted(owner)), end) {
            (Some(_), Some(end)) => {
                drop(queries);
                self.ended(end).await?;
                Ok(Attempt::UnknownRole)
            }
            (_, end) => self.begin_run(queries, end, isolation).await.map(Attempt::Begun),
        }
    }

    /// Sends statements without names, which need no round trip to be prepared, and leave nothing prepared. They need a
    /// block.
    ///
    /// # Errors
    /// Of what was sent, everything is answered, unless the connection is lost.
    async fn unnamed(&self, block: Block, assumptions: &Assumptions) -> Result<Attempt<'loan>, LoanError> {
        let positions = 0..self.statements.len();
        let settings = assumptions.settings();
        // In a session that is shared the driver may not ask for types at all.
        let is_compared = self.terms.pooler == Pooler::None && assumptions.are_compared(&self.statements);
        let mut begin = Some(self.opening(block, settings, false));
        let mut probes: Vec<_> = match is_compared {
            true => Vec::new(),
            false => positions.clone().map(|position| self.probe(position)).collect(),
        };
        let mut probed = (!is_compared).then(|| self.batch(""));
        let mut calling = self.calling();
        let mut queries: Queries<'loan> = positions.map(|position| self.query_unnamed(position)).collect();
        let mut end = self.batch(block.end());
        self.sends();
        at_once(|context| {
            send_all(&mut begin, context);
            send_all(&mut calling, context);
            send_all(&mut probes, context);
            send_all(&mut probed, context);
            send_all(&mut queries, context);
            send(&mut end, context);
        })
        .await;
        let owner = match self.opened(&mut begin).await {
            Ok(owner) => owner,
            Err(error) => {
                drop((probes, queries));
                if settings.is_refuted_by(&error) {
                    settle(&mut end).await.map_err(|error| LoanError::not_ended(&error))?;
                    return Ok(Attempt::OwnTimeouts);
                }
                return Err(self.not_opened(error, Some(end)).await);
            }
        };
        let owner = match self.called(&mut calling, owner).await {
            Ok(owner) => owner,
            Err(error) => {
                drop((probes, queries));
                self.ended(end).await?;
                return Err(error);
            }
        };
        let isolation = self.isolation(owner.as_ref());
        if owner.as_ref().is_some_and(|owner| !self.is_admitted(owner)) {
            drop((probes, queries));
            self.ended(end).await?;
            return Ok(Attempt::UnknownRole);
        }
        let Some(mut probed) = probed else {
            let begun = self.begin_run(queries, Some(end), isolation).await;
            // It may be for another reason, but there is time to look.
            return begun.map(Attempt::Begun).inspect_err(|_| assumptions.forget_columns());
        };
        // PostgreSQL answers each probe before `probed`. One that is not there then waits for a question of the
        // driver's own, which is behind everything that was sent.
        let answered = poll_fn(|context| {
            send_all(&mut probes, context);
            if send(&mut probed, context) { Poll::Ready(()) } else { Poll::Pending }
        });
        // They may wait for a lock.
        if unless_asked(answered, self.stop.as_deref()).await.is_none() {
            drop((probes, queries));
            return Err(self.sent(VecDeque::new(), Some(end), isolation).stopped().await);
        }
        let known = at_once(|context| probes.iter_mut().all(|probe| send(probe, context))).await;
        if !known {
            // Rows that nobody reads would keep the driver from its answer.
            queries.clear();
        }
        let mut refusal = None;
        if !known && self.terms.pooler != Pooler::None {
            // The driver asks by statements that have names, and would ask another session the next time. What was proven
            // has no column of such a type.
            let change = "a column is now of a type that is not PostgreSQL's own".to_owned();
            refusal = Some(LoanError::Stale { change, refusal: None });
            probes.clear();
        }
        for (position, (probe, bound)) in probes.iter_mut().zip(self.statements.iter()).enumerate() {
            refusal = match settle(probe).await {
                Ok(nulls) => check_columns(nulls.first().map_or(&[], Row::columns), &bound.columns).err(),
                Err(error) => Some(LoanError::from(error).of_proven().of_statement(position)),
            };
            if refusal.is_some() {
                break;
            }
        }
        if known && refusal.is_none() {
            assumptions.set_compared(&self.statements);
            return self.begin_run(queries, Some(end), isolation).await.map(Attempt::Begun);
        }
        drop((probes, queries));
        self.ended(end).await?;
        match refusal {
            Some(error) => Err(error),
            None => Ok(Attempt::UnknownTypes),
        }
    }

    /// What isolation the statements have.
    fn isolation(&self, owner: Option<&Owner>) -> Isolation {
        match (self.block, owner) {
            (Some(Block::Savepoint), Some(owner)) => owner.isolation,
            (Some(Block::Transaction), _) => Isolation::RepeatableRead,
            // By itself, a statement has a snapshot of its own.
            (_, None) | (None, _) => Isolation::ReadCommitted,
        }
    }

    async fn begin_run(
        &self,
        queries: Queries<'loan>,
        end: Option<Answer<'loan, ()>>,
        isolation: Isolation,
    ) -> Result<Run<'loan>, LoanError> {
        self.sent(queries, end, isolation).begun(self.stop.as_deref()).await
    }

    fn sent(
        &self,
        queries: Queries<'loan>,
        end: Option<Answer<'loan, ()>>,
        isolation: Isolation,
    ) -> Run<'loan> {
        let end = self.block.zip(end);
        let is_of_other = matches!(self.wire, Wire::Lent { .. })
            || self.caller.as_ref().is_some_and(|caller| caller.role().is_some());
        Run::new(self.wire.clone(), self.statements.clone(), queries, end, isolation, is_of_other)
    }

    /// Waits for the end of a block whose rows nobody reads, unless it is to stop before.
    async fn ended(&self, end: Answer<'loan, ()>) -> Result<(), LoanError> {
        self.sent(VecDeque::new(), Some(end), Isolation::ReadCommitted).ended(self.stop.as_deref()).await
    }

    /// Says that statements are about to be sent.
    pub(super) fn sends(&self) {
        if let (Wire::Lent { .. }, Some(stop)) = (&self.wire, &self.stop) {
            stop.sends(Sent::Lent);
        }
    }

    /// The block, if it is one on a connection that is lent.
    pub(super) fn lent_block(&self) -> Option<Block> {
        self.block.filter(|_| matches!(self.wire, Wire::Lent { .. }))
    }

    /// Waits for the block to be open. Says whose connection it is, if it is lent.
    async fn opened(&self, opening: &mut Option<Opening<'loan>>) -> Result<Option<Owner>, LoanError> {
        let Some(opening) = opening else { return Ok(None) };
        match settle(opening).await.map_err(LoanError::of_transaction)? {
            // It would pass whom nobody has looked at.
            None if self.lent_block().is_some() => Err(LoanError::unknown_role()),
            owner => Ok(owner),
        }
    }

    /// Sets the caller in the block, if there is one to set.
    fn calling(&self) -> Option<Calling<'loan>> {
        let (wire, caller) = (self.wire.clone(), self.caller.clone()?);
        Some(answer(async move { caller.set(wire.client()).await }))
    }

    /// Waits for the caller to be set. Says with whose rights the statements run, if that is to be looked at: an owner's, or those of
    /// the caller's role.
    async fn called(
        &self,
        calling: &mut Option<Calling<'loan>>,
        owner: Option<Owner>,
    ) -> Result<Option<Owner>, LoanError> {
        let (Some(calling), Some(caller)) = (calling, &self.caller) else { return Ok(owner) };
        let rows = settle(calling).await.map_err(|error| caller.not_set(error.into()))?;
        let found = caller.found(&rows)?;
        Ok(if caller.role().is_some() { Some(found) } else { owner })
    }

    /// Whether the caller's role lacks a privilege that the login may well have: to prepare again would change nothing.
    fn is_of_caller_s_role(&self, error: &PostgresError) -> bool {
        // insufficient_privilege
        error.sqlstate() == "42501" && self.caller.as_ref().is_some_and(|caller| caller.role().is_some())
    }

    /// The error, when everything is answered. Without the block the rest has run outside of it: its answers are worth
    /// nothing.
    async fn not_opened(&self, error: LoanError, end: Option<Answer<'loan, ()>>) -> LoanError {
        if let Some(mut end) = end {
            // It fails too where there was no transaction or an aborted one.
            let _ = settle(&mut end).await;
        }
        match self.wire {
            // Nobody but the host has touched its own connection.
            Wire::Own(_) => LoanError::Lost { reason: format!("BEGIN failed: {error}") },
            Wire::Lent { .. } => error,
        }
    }

    /// What the opening of a block ends with where its statements have custom plans. PostgreSQL plans them when it gets their
    /// values, however long they have been prepared.
    fn plan_setting(&self) -> &'static str {
        if has_custom_plans(&self.statements) {
            "; SET LOCAL plan_cache_mode = force_custom_plan"
        } else {
            ""
        }
    }

    /// Opens a block, in one message.
    fn opening(&self, block: Block, settings: Settings, plans_anew: bool) -> Opening<'loan> {
        let mut sql = match self.wire {
            // Its session has the settings, unless it is shared with others.
            Wire::Own(_) if self.terms.pooler == Pooler::None => block.begin().to_owned(),
            _ => block.opening(&self.terms, settings),
        };
        if let Some(interval) = self.check_interval {
            sql.push_str("; ");
            sql.push_str(&noticing(interval));
        }
        sql.push_str(self.plan_setting());
        if plans_anew {
            sql.push_str("; ");
            sql.push_str(PLAN_ANEW);
        }
        if self.shared_time().is_some() {
            sql.push_str("; ");
            sql.push_str(REMEMBER_BEGIN);
        }
        let wire = self.wire.clone();
        answer(async move { Ok(Owner::of_messages(&wire.client().simple_query(&sql).await?)) })
    }

    pub(super) fn batch(&self, sql: impl Into<Cow<'static, str>>) -> Answer<'loan, ()> {
        let (wire, sql) = (self.wire.clone(), sql.into());
        answer(async move { wire.client().batch_execute(&sql).await })
    }

    /// The time that several statements have together, if they have to share it: PostgreSQL knows of one bound for each. What is
    /// dropped on a connection of the host's own is stopped at once, and needs none.
    fn shared_time(&self) -> Option<Duration> {
        self.lent_block().filter(|_| self.statements.len() > 1).and_then(|_| self.terms.left())
    }

    /// Runs a statement, after the first within what the others have left of the time that they share.
    fn in_time<T: Send + 'loan>(
        &self,
        position: usize,
        query: impl Future<Output = Result<T, Error>> + Send + 'loan,
    ) -> Answer<'loan, T> {
        let mut query = answer(query);
        let Some(time) = self.shared_time().filter(|_| position > 0) else { return query };
        let mut bounded = self.batch(bounded_by_rest(time));
        answer(async move {
            at_once(|context| (send(&mut bounded, context), send(&mut query, context))).await;
            settle(&mut bounded).await?;
            settle(&mut query).await
        })
    }

    fn query_prepared(&self, statement: Statement, position: usize) -> Answer<'loan, RowStream> {
        let (wire, statements) = (self.wire.clone(), self.statements.clone());
        self.in_time(position, async move {
            let values = statements[position].values.iter().map(|value| TextValue::new(value.as_deref()));
            wire.client().query_raw(&statement, values).await
        })
    }

    fn query_unnamed(&self, position: usize) -> Answer<'loan, RowStream> {
        let (wire, statements) = (self.wire.clone(), self.statements.clone());
        self.in_time(position, async move {
            let bound = &statements[position];
            wire.client().query_typed_raw(&bound.sql, untyped(bound)).await
        })
    }

    /// Asks for the columns of a statement without running it: the answer is one row of nulls that has them. The driver
    /// has a query of its own for a type that it does not know; for a statement with rows that would wait for ever, behind
    /// rows that wait for the driver.
    ///
    /// PostgreSQL plans nothing of the statement, so that no function is called, not even one that it would call when it
    /// plans: OFFSET keeps the statement a subquery of its own, and a subquery whose condition is false is left out before
    /// it is planned. The values are bound as for the run: a domain may refuse a null.
    fn probe(&self, position: usize) -> Answer<'loan, Vec<Row>> {
        let (wire, statements) = (self.wire.clone(), self.statements.clone());
        answer(async move {
            let bound = &statements[position];
            let sql = format!(
                "SELECT proven.* FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM \
                 (SELECT * FROM ({}) AS statement OFFSET 0) AS unplanned WHERE false) AS proven ON true",
                bound.sql
            );
            let rows = wire.client().query_typed_raw(&sql, untyped(bound)).await?;
            rows.try_collect().await
        })
    }
}

/// The values of the parameters. Of an unknown type, a parameter has the one that it was proven with.
fn untyped(bound: &BoundStatement) -> impl Iterator<Item = (TextValue<'_>, Type)> {
    bound.values.iter().map(|value| (TextValue::new(value.as_deref()), Type::UNKNOWN))
}

fn send_all<'a, 'loan: 'a, T: 'a>(
    answers: impl IntoIterator<Item = &'a mut Answer<'loan, T>>,
    context: &mut std::task::Context<'_>,
) {
    for answer in answers {
        send(answer, context);
    }
}
