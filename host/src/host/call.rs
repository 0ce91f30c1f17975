use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Inner;
use super::budget::Budget;
use super::choice::{Choice, Picked};
use super::error::CallError;
use super::fetch::{Fetch, ReplyLimits};
use super::generation::Generation;
use super::observation::{Observation, ObservedCall, Phase, RanOn, ShapeProven};
use super::plugin::{LoadedPlugin, LoadedQuery};
use super::prove::{ProveError, ProvenShape, ProvenStatement, Prover, ValueSource};
use super::reply::Reply;
use super::rows::Rows;
use super::running::Running;
use crate::loan::{BoundStatement, Lender, Lent, LoanError, Run, Stop};
use crate::plugin::{Arguments, Forms, Inputs, Shape};

/// A call of a query, which is given its parameters and then run: on a connection of the host's own, or on a client or
/// transaction that the caller lends with [`Call::on`].
#[must_use = "a call does nothing until it is run"]
pub struct Call<'loan> {
    request: Request,
    /// None for a connection of the host's own.
    lent: Option<Lent<'loan>>,
}

/// What is asked for.
pub(super) struct Request {
    host: Arc<Inner>,
    plugin: Arc<str>,
    query: Arc<str>,
    parameters: Inputs,
    claims: Inputs,
    /// How long all of it may take, if the host's own limit is not what is wanted.
    timeout: Option<Duration>,
}

/// A call whose first statement has started.
pub(super) struct Begun<'loan> {
    pub run: Run<'loan>,
    pub proven: Arc<ProvenShape>,
    /// The generation that it was run with, if it may be run again.
    pub again: Option<u64>,
}

/// How often a call is tried, each time with another generation: the database may change again meanwhile.
const ATTEMPTS: usize = 4;

impl Call<'_> {
    pub(super) fn new(host: Arc<Inner>, plugin: &str, query: &str) -> Self {
        let request = Request {
            host,
            plugin: plugin.into(),
            query: query.into(),
            parameters: Inputs::default(),
            claims: Inputs::default(),
            timeout: None,
        };
        Self { request, lent: None }
    }

    /// Gives a parameter as JSON: numbers, strings, bools, null where it is nullable, arrays. A date, a uuid and whatever
    /// else JSON has no form of is given as its text.
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.request.parameters.insert(name.into(), &value.into());
        self
    }

    /// Gives all parameters at once: a JSON object, or text as a query string and a command line have it.
    pub fn params(mut self, parameters: Inputs) -> Self {
        self.request.parameters = parameters;
        self
    }

    /// Gives a claim: what the service knows of its caller.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.request.claims.insert(name.into(), &value.into());
        self
    }

    /// Gives all claims at once. Those that the query does not read are ignored.
    pub fn claims(mut self, claims: Inputs) -> Self {
        self.request.claims = claims;
        self
    }

    /// How long the call may take: a shorter or a longer time than `limits.call_ms` of the configuration, which else holds.
    /// From the first poll of [`Call::run`] or [`Call::rows`] it counts all that the call waits for: a connection of the
    /// pool, a plan and its proof, a look at the database where that has changed, its statements, and each of its rows. Then
    /// it fails with [`CallError::TimedOut`]; a row that is there by then is given all the same.
    ///
    /// What a statement may take, `pool.statement_timeout_ms`, holds beside it, and is not made longer. On a connection of the
    /// host's own the statements are cancelled. On one that is lent nothing is cancelled: PostgreSQL ends them, which may
    /// take some milliseconds more, and the owner's next statement comes after that.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     host: callslip::Host,
    /// #     mut transaction: tokio_postgres::Transaction<'_>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// let call = host.call("hiring", "funnel").param("company", 7).timeout(Duration::from_millis(300));
    /// let reply = call.on(&mut transaction).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.request.timeout = Some(timeout);
        self
    }

    /// Lends a connection: an open transaction, or a client with one on it or without. [`Lender`] says which there are.
    ///
    /// On a transaction the query sees its uncommitted rows, with the rights of its role, and can't write.
    /// Within one round trip it gets a savepoint of its own, which is rolled back at the end, so that the transaction
    /// comes back as it was, whatever happened: usable after a query that fails, and its commit still to be made. On an idle
    /// client it gets a read-only transaction of its own, on one snapshot.
    /// [`Lent::run`](crate::loan::Lent::run) says what stays all the same. The reply borrows the connection until it is dropped; a
    /// reply that is not read to its end is never cancelled there: the owner's next statement waits until each of the
    /// query's has ended, or the time of the call is over.
    ///
    /// ```no_run
    /// # async fn example(
    /// #     host: callslip::Host,
    /// #     mut client: tokio_postgres::Client,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut transaction = client.transaction().await?;
    /// transaction.execute("UPDATE position SET closed_at = now() WHERE id = $1", &[&41]).await?;
    /// let mut reply = host.call("hiring", "funnel").param("company", 7).on(&mut transaction).run().await?;
    /// while let Some(chunk) = reply.next_chunk().await? {
    ///     print!("{}", String::from_utf8_lossy(&chunk));
    /// }
    /// drop(reply);
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on<'loan>(self, lender: &'loan mut (impl Lender + ?Sized)) -> Call<'loan> {
        Call { request: self.request, lent: Some(lender.lend()) }
    }

    /// What the plugin would see of this call.
    ///
    /// # Errors
    /// [`CallError`], if there is no such query or its parameters can't be used.
    pub fn shape(&self) -> Result<Shape, CallError> {
        let generation = self.request.host.generation();
        self.request.read(&generation).map(|called| called.arguments.shape)
    }
}

/// What a call is of.
struct Called<'g> {
    plugin: &'g LoadedPlugin,
    query: &'g LoadedQuery,
    choice: Choice,
    arguments: Arguments,
}

impl<'loan> Call<'loan> {
    /// Runs the call, and returns its reply as JSON when its first statement has started. A shape that was not proven at load
    /// is proven first, on a connection of the host's own; of a host that has none, on the connection that is lent.
    ///
    /// Where the database is not any more as the query was proven against, the host looks at it anew, and the call is run once
    /// more with what is proven then. On a transaction that is lent it is not run again, since that may see another
    /// database than the host does; the next call may find it mended.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn run(self) -> Running<'loan, Reply<'loan>> {
        self.running(Reply::new)
    }

    /// The same for a reply of typed rows.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn rows(self) -> Running<'loan, Rows<'loan>> {
        self.running(Rows::new)
    }

    fn running<T>(self, reply: fn(Fetch<'loan>) -> Result<T, CallError>) -> Running<'loan, T> {
        let stop = Arc::new(Stop::default());
        Running::new(stop.clone(), self.fetch(stop), reply)
    }

    async fn fetch(self, stop: Arc<Stop>) -> Result<Fetch<'loan>, CallError> {
        let Self { request, lent } = self;
        let ran_on = match &lent {
            None => RanOn::Pool,
            Some(lent) if lent.is_transaction() => RanOn::LentTransaction,
            Some(_) => RanOn::LentClient,
        };
        let mut observed =
            ObservedCall::begin(&request.host.observers, &request.plugin, &request.query, ran_on);
        let limit = request.timeout.unwrap_or(request.host.call_time);
        let budget = Budget::begin(limit, lent.is_some().then(|| stop.clone()));
        let begun = match lent {
            Some(lent) => request.run_on(lent.stopped_by(stop), &budget, &mut observed).await,
            None => request.run(Some(stop), &budget, &mut observed).await,
        };
        match begun {
            Ok(begun) => Ok(Fetch::new(request, begun, budget, observed)),
            Err(error) => Err(observed.fail(error)),
        }
    }
}

impl Request {
    /// The query, for people.
    pub fn query(&self) -> String {
        format!("{}.{}", self.plugin, self.query)
    }

    pub fn limits(&self) -> ReplyLimits {
        self.host.reply_limits
    }

    fn read<'g>(&self, generation: &'g Generation) -> Result<Called<'g>, CallError> {
        let choice = Choice::of(&generation.basis.schemas, &self.claims);
        let (plugin, query) = generation.find(&self.plugin, &self.query, &choice)?;
        let limits = plugin.version.component.engine().limits();
        let forms = match choice.pick(query.forms.iter().map(|(schemas, forms)| (schemas, forms))) {
            Picked::Found(forms) => forms,
            Picked::Refused(errors) => return Err(CallError::Arguments(errors)),
            // They were made for every choice.
            Picked::NotMade => &Forms::default(),
        };
        let arguments = Arguments::read(query.declaration(), forms, &self.parameters, &self.claims, limits)
            .map_err(CallError::Arguments)?;
        Ok(Called { plugin, query, choice, arguments })
    }

    /// The statements to run, with what was proven of them.
    async fn bound(
        &self,
        generation: &Generation,
        lent: Option<&Lent<'_>>,
        budget: &Budget,
        observed: &mut ObservedCall,
    ) -> Result<(Arc<ProvenShape>, Vec<BoundStatement>), CallError> {
        observed.enter(Phase::Planning);
        let found = budget.within(self.found(generation, lent, budget)).await;
        observed.enter(Phase::Running);
        if let Ok((proven, _)) = &found {
            observed.is_of_shape(proven.digest());
        }
        found
    }

    async fn found(
        &self,
        generation: &Generation,
        lent: Option<&Lent<'_>>,
        budget: &Budget,
    ) -> Result<(Arc<ProvenShape>, Vec<BoundStatement>), CallError> {
        let called = self.read(generation)?;
        let proven = self.host.shape(generation, &called, lent, budget).await?;
        let Called { query, arguments, .. } = called;
        let statements = proven.outcome.as_ref().map_err(|failure| CallError::Refused(failure.clone()))?;
        let bound = statements.iter().map(|statement| bind(statement, &arguments, query)).collect();
        Ok((proven, bound))
    }

    /// Runs on a connection of the host's own.
    async fn run<'loan>(
        &self,
        stop: Option<Arc<Stop>>,
        budget: &Budget,
        observed: &mut ObservedCall,
    ) -> Result<Begun<'loan>, CallError> {
        let mut attempt = 1;
        loop {
            let generation = self.host.generation();
            match self.attempt(&generation, stop.clone(), budget, observed).await {
                Ok(begun) => return Ok(begun),
                Err(error) if self.is_worth_another(&error, generation.number(), budget, attempt).await? => {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn attempt<'loan>(
        &self,
        generation: &Generation,
        stop: Option<Arc<Stop>>,
        budget: &Budget,
        observed: &mut ObservedCall,
    ) -> Result<Begun<'loan>, CallError> {
        let (proven, bound) = self.bound(generation, None, budget, observed).await?;
        let pool = self.host.pool.as_ref().ok_or(CallError::NothingLent)?;
        observed.enter(Phase::Waiting);
        let loan = budget.within(async { Ok(pool.loan().await?) }).await;
        observed.enter(Phase::Running);
        let loan = match stop {
            Some(stop) => loan?.stopped_by(stop),
            None => loan?,
        };
        let run = async { loan.run(bound).await.map_err(|error| self.failed(error, &proven)) };
        let run = budget.within(run).await?;
        Ok(Begun { run, proven, again: Some(generation.number()) })
    }

    /// Runs on a connection that is lent.
    async fn run_on<'loan>(
        &self,
        lent: Lent<'loan>,
        budget: &Budget,
        observed: &mut ObservedCall,
    ) -> Result<Begun<'loan>, CallError> {
        let lent = match &self.host.canceller {
            Some(canceller) => lent.cancelled_through(canceller.clone()),
            None => lent,
        };
        let mut attempt = 1;
        let (proven, bound, guard) = loop {
            let generation = self.host.generation();
            match self.bound(&generation, Some(&lent), budget, observed).await {
                Ok((proven, bound)) => break (proven, bound, generation.guard.clone()),
                Err(error) if self.is_worth_another(&error, generation.number(), budget, attempt).await? => {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        };
        budget.check()?;
        let run = async {
            let terms = budget.terms(&self.host.terms);
            let run = lent.guarded(guard).run(bound, &terms, &self.host.sessions).await;
            run.map_err(|error| self.failed(error, &proven))
        };
        match budget.within(run).await {
            Ok(run) => Ok(Begun { run, proven, again: None }),
            Err(error) => {
                if error.is_doubtful() {
                    self.host.doubt();
                }
                Err(error)
            }
        }
    }

    /// Runs the call again after a reply that failed before any of it was given, if the error may come of a change of the
    /// database; nothing, if the error stands.
    ///
    /// # Errors
    /// What came of the other run.
    pub async fn run_again<'loan>(
        &self,
        error: &CallError,
        generation: u64,
        budget: &Budget,
        observed: &mut ObservedCall,
    ) -> Result<Option<Begun<'loan>>, CallError> {
        match self.is_worth_another(error, generation, budget, 1).await? {
            true => self.run(None, budget, observed).await.map(Some),
            false => Ok(None),
        }
    }

    /// What went wrong when statements ran. If they are not what they were, that is told: the call may go on all the same.
    pub fn failed(&self, error: LoanError, proven: &ProvenShape) -> CallError {
        if let LoanError::Stale { change, .. } = &error {
            let (plugin, query) = (self.plugin.clone(), self.query.clone());
            let stale = Observation::StatementStale { plugin, query, change: change.clone() };
            self.host.observers.tell(&stale);
        }
        CallError::of_run(error, proven.statements())
    }

    /// Whether a call that failed is worth another attempt, since what is served is not any more what it was run with: after a
    /// look at the database, where the error may come of a change.
    ///
    /// # Errors
    /// [`CallError::TimedOut`].
    async fn is_worth_another(
        &self,
        error: &CallError,
        generation: u64,
        budget: &Budget,
        attempt: usize,
    ) -> Result<bool, CallError> {
        if let (CallError::Degraded { query: Some(_), .. }, Some(_)) = (error, &self.host.pool) {
            // It may have been mended. Nobody waits for that: there may be many such calls.
            self.host.doubt();
        }
        // What the catalog does not have after a look is not there.
        let is_settled = attempt == ATTEMPTS || (attempt > 1 && matches!(error, CallError::Unproven(_)));
        if is_settled || !error.is_doubtful() {
            return Ok(false);
        }
        budget.within(async { Ok(self.host.is_outdated(generation).await) }).await
    }
}

impl Inner {
    /// The proven shape of a call. All of a closed query's were proven at load; of others, the first use proves.
    async fn shape(
        &self,
        generation: &Generation,
        called: &Called<'_>,
        lent: Option<&Lent<'_>>,
        budget: &Budget,
    ) -> Result<Arc<ProvenShape>, CallError> {
        let Called { plugin, query, choice, arguments } = called;
        match query.recall(&arguments.shape, choice) {
            Picked::Found(proven) => return Ok(proven),
            Picked::Refused(errors) => return Err(CallError::Arguments(errors)),
            Picked::NotMade => {}
        }
        let began = Instant::now();
        let proven = self.prove_shape(generation, called, lent, budget).await;
        self.observers.tell(&Observation::ShapeProven(ShapeProven {
            plugin: plugin.name().into(),
            query: query.declaration().name.as_str().into(),
            shape: proven.as_ref().ok().and_then(|proven| proven.digest()).cloned(),
            took: began.elapsed(),
            refused: proven.as_ref().err().map(CallError::code),
        }));
        proven
    }

    async fn prove_shape(
        &self,
        generation: &Generation,
        Called { plugin, query, choice, arguments }: &Called<'_>,
        lent: Option<&Lent<'_>>,
        budget: &Budget,
    ) -> Result<Arc<ProvenShape>, CallError> {
        let failed = |error| match error {
            ProveError::Findings(findings) => CallError::Unproven(findings),
            ProveError::Plugin(error) => CallError::Plugin(error),
            ProveError::Loan(error) => CallError::Loan(error),
        };
        let prover = Prover { basis: &generation.basis, plugin, query: query.declaration() };
        // Only then: a plugin that takes its time must not keep a connection from others.
        let planned = prover.plan(arguments.shape.clone()).await.map_err(failed)?;
        let verified = prover.verify_for(&planned, choice);
        let verified = verified.map_err(|error| CallError::Arguments(vec![error]))?;
        let loan;
        let inspection = match (&self.pool, lent) {
            (Some(pool), _) => {
                loan = pool.loan().await?;
                loan.inspect()
            }
            (None, Some(lent)) => lent.inspect(&budget.terms(&self.terms)).await?,
            (None, None) => return Err(CallError::NothingLent),
        };
        let proving = inspection.prove().await?;
        // It may wait for a lock.
        let Some(proven) = proving.unless_stopped(prover.finish(verified, Some(&proving))).await else {
            return Err(proving.cancel().await.err().unwrap_or(LoanError::Cancelled).into());
        };
        proving.end().await?;
        let proven = proven.map_err(failed)?;
        let proven = Arc::new(proven);
        query.remember(proven.clone());
        Ok(proven)
    }
}

fn bind(statement: &ProvenStatement, arguments: &Arguments, query: &LoadedQuery) -> BoundStatement {
    let value = |source: &ValueSource| match source {
        // Each was proven to be there in this shape.
        ValueSource::Parameter(name) => arguments.parameters.get(name).cloned().flatten(),
        ValueSource::Claim(name) => arguments.claims.get(name).cloned().flatten(),
        ValueSource::Constant(text) => text.clone(),
    };
    BoundStatement {
        sql: statement.sql.clone(),
        values: statement.values.iter().map(value).collect(),
        columns: statement.columns.clone(),
        // A shape of an open query may never come again.
        cached: !query.is_open(),
        is_single: statement.rows == callslip_ir::Rows::One,
        plan: query.plan,
    }
}
