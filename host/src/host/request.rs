use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use super::allowance::{Admission, Allowance};
use super::bind::Bound;
use super::budget::Budget;
use super::choice::{Choice, Picked};
use super::error::CallError;
use super::generation::Generation;
use super::observation::{Begins, CallId, Observation, ObservedCall, Phase, RanOn, TraceContext};
use super::output::Output;
use super::page::Paging;
use super::plugin::{LoadedPlugin, LoadedQuery};
use super::prove::ProvenShape;
use super::replicas::Replica;
use crate::loan::{Caller, Lent, LoanError, Run, Stop};
use crate::plugin::{Arguments, Forms, Inputs};
use crate::printable::printable;

/// What is asked for.
pub(super) struct Request {
    pub host: Arc<Inner>,
    plugin: Arc<str>,
    query: Arc<str>,
    /// By what it is known, if the service says.
    pub id: Option<CallId>,
    pub parameters: Arc<Inputs>,
    pub claims: Arc<Inputs>,
    /// Who calls, as the service says.
    pub caller: Option<String>,
    /// The span that it is a part of.
    pub trace: Option<TraceContext>,
    /// How long all of it may take, if the host's own limit is not what is wanted.
    pub timeout: Option<Duration>,
    /// What is wanted of its rows.
    pub output: Output,
    /// What it may take.
    pub allowance: Arc<Allowance>,
    /// What it was let in with.
    admission: Admission,
}

/// A call whose first statement has started.
pub(super) struct Begun<'loan> {
    pub run: Run<'loan>,
    pub proven: Arc<ProvenShape>,
    /// The generation that it was run with, if it may be run again.
    pub again: Option<u64>,
    /// The page that it gives, if it gives one.
    pub paging: Option<Paging>,
    /// The replica that it runs on, if it does.
    pub replica: Option<Arc<Replica>>,
    /// The claims that row filters read and that the caller does not have.
    pub absent: Arc<[String]>,
}

/// How often a call is tried, each time with another generation: the database may change again meanwhile.
const ATTEMPTS: usize = 4;
/// What a call is of.
pub(super) struct Called<'g> {
    pub plugin: &'g LoadedPlugin,
    pub query: &'g LoadedQuery,
    pub choice: Choice,
    pub arguments: Arguments,
}

/// How long the name of a caller is at most, in characters.
const CALLER_CHARACTERS: usize = 200;

/// How much is told of what is different in a statement.
const CHANGE_CHARACTERS: usize = 500;

impl Request {
    pub fn new(host: Arc<Inner>, plugin: &str, query: &str) -> Self {
        let allowance = host.allowances.of(plugin, query);
        Self {
            host,
            plugin: plugin.into(),
            query: query.into(),
            id: None,
            parameters: Arc::default(),
            claims: Arc::default(),
            caller: None,
            trace: None,
            timeout: None,
            output: Output::default(),
            allowance,
            admission: Admission::default(),
        }
    }

    /// What is known of the call before it has begun.
    pub fn begins(&self, ran_on: RanOn) -> Begins {
        Begins {
            id: self.id.unwrap_or_else(CallId::new),
            called: (self.plugin.clone(), self.query.clone()),
            caller: self.caller(),
            parameters: self.parameters.clone(),
            claims: self.claims.clone(),
            trace: self.trace.clone(),
            ran_on,
        }
    }

    /// Who calls, as far as that is known.
    fn caller(&self) -> Option<Arc<str>> {
        let claimed = self.host.audit_claim.as_ref().and_then(|claim| self.claims.word(claim));
        let caller = claimed.as_deref().or(self.caller.as_deref())?;
        Some(printable(caller, CALLER_CHARACTERS).into())
    }

    /// The query, for people.
    pub fn query(&self) -> String {
        format!("{}.{}", self.plugin, self.query)
    }

    /// Begins the call, when it is let in.
    pub async fn begin<'loan>(
        &mut self,
        lent: Option<Lent<'loan>>,
        stop: Arc<Stop>,
        budget: &Budget,
        observed: &mut ObservedCall,
    ) -> Result<Begun<'loan>, CallError> {
        if self.host.allowances.are_bounded(&self.allowance) {
            let generation = self.host.generation();
            observed.is_of(&generation.look_for(&self.plugin, &self.query));
            // What no query takes is told at once, and to whoever asks.
            if let Err(
                error @ (CallError::UnknownPlugin { .. }
                | CallError::UnknownQuery { .. }
                | CallError::Arguments(_)),
            ) = self.read(&generation)
            {
                return Err(error);
            }
            observed.enter(Phase::Waiting);
        }
        let admission = self.host.allowances.admit(&self.allowance, &self.claims);
        let admission = budget.within(admission).await;
        observed.enter(Phase::Running);
        self.admission = admission?;
        match lent {
            // A call on the host's own connections, which is moved about until it runs, has no room for this.
            Some(lent) => Box::pin(self.run_on(lent.stopped_by(stop), budget, observed)).await,
            None => {
                let replica = self.host.replicas.pick(&self.plugin, &self.query);
                self.run(replica, Some(stop), budget, observed).await
            }
        }
    }

    /// To be called when the call has ended, before it is dropped: another may have its places.
    pub fn leave(&mut self) {
        self.admission = Admission::default();
    }

    /// What of the caller row-level security is told.
    pub fn caller_to_set(&self) -> Result<Option<Arc<Caller>>, CallError> {
        self.host.callers.caller(&self.claims).map_err(CallError::Arguments)
    }

    pub fn read<'g>(&self, generation: &'g Generation) -> Result<Called<'g>, CallError> {
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
    ) -> Result<Bound, CallError> {
        observed.enter(Phase::Planning);
        observed.is_of(&generation.look_for(&self.plugin, &self.query));
        let found = budget.within(self.found(generation, lent, budget)).await;
        observed.enter(Phase::Running);
        if let Ok(found) = &found {
            observed.is_of_shape(&found.proven, generation.number());
            observed.lacks_claims(&found.absent);
        }
        found
    }

    /// The same, of which nobody is told.
    pub async fn found(
        &self,
        generation: &Generation,
        lent: Option<&Lent<'_>>,
        budget: &Budget,
    ) -> Result<Bound, CallError> {
        let called = self.read(generation)?;
        let proven = self.host.shape(generation, &called, lent, budget, &self.admission).await?;
        Bound::new(self.output.of(proven)?, &called, &self.claims, &self.host.cursor_key)
    }

    /// Runs on a connection of the host's own: to a replica, and where that fails for a reason of its own, to the database.
    async fn run<'loan>(
        &self,
        mut replica: Option<Arc<Replica>>,
        stop: Option<Arc<Stop>>,
        budget: &Budget,
        observed: &mut ObservedCall,
    ) -> Result<Begun<'loan>, CallError> {
        let mut attempt = 1;
        loop {
            let generation = self.host.generation();
            match self.attempt(&generation, replica.take(), stop.clone(), budget, observed).await {
                Ok(Some(begun)) => return Ok(begun),
                // Now on the database itself.
                Ok(None) => {}
                Err(error)
                    if Box::pin(self.is_worth_another(&error, generation.number(), budget, attempt))
                        .await? =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Tries it once; nothing, if the replica is to blame that it did not begin.
    async fn attempt<'loan>(
        &self,
        generation: &Generation,
        replica: Option<Arc<Replica>>,
        stop: Option<Arc<Stop>>,
        budget: &Budget,
        observed: &mut ObservedCall,
    ) -> Result<Option<Begun<'loan>>, CallError> {
        let caller = self.caller_to_set()?;
        let Bound { proven, statements, paging, absent } =
            self.bound(generation, None, budget, observed).await?;
        let pool = self.host.pool.as_ref().ok_or(CallError::NothingLent)?;
        // The database's own connections are those of number 0.
        let (number, pool) = match &replica {
            Some(replica) => (replica.number() + 1, replica.pool()),
            None => (0, pool),
        };
        observed.runs_on(replica.as_ref().map(|replica| replica.name()));
        let started = async {
            observed.enter(Phase::Waiting);
            let loan = budget.within(self.admission.borrow(pool, number)).await;
            observed.enter(Phase::Running);
            let mut loan = loan?.for_caller(caller);
            if let Some(stop) = stop {
                loan = loan.stopped_by(stop);
            }
            let run = async { loan.run(statements).await.map_err(|error| self.failed(error, &proven)) };
            observed.enter(Phase::Executing);
            let run = budget.within(run).await;
            observed.enter(Phase::Running);
            run
        };
        let run = match (started.await, &replica) {
            (Err(error), Some(replica)) if replica.is_to_blame_for(&error) => return Ok(None),
            (started, _) => started?,
        };
        if let Some(replica) = &replica {
            replica.works();
        }
        Ok(Some(Begun { run, proven, again: Some(generation.number()), paging, replica, absent }))
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
        let lent = lent.for_caller(self.caller_to_set()?);
        let mut attempt = 1;
        let (Bound { proven, statements, paging, absent }, guard) = loop {
            let generation = self.host.generation();
            match self.bound(&generation, Some(&lent), budget, observed).await {
                Ok(bound) => break (bound, generation.guard.clone()),
                Err(error)
                    if Box::pin(self.is_worth_another(&error, generation.number(), budget, attempt))
                        .await? =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        };
        budget.check()?;
        let lent = match self.admission.begin_loan()? {
            Some(companion) => lent.accompanied_by(companion),
            None => lent,
        };
        let run = async {
            let terms = budget.terms(&self.host.terms);
            let run = lent.guarded(guard).run(statements, &terms, &self.host.sessions).await;
            run.map_err(|error| self.failed(error, &proven))
        };
        observed.enter(Phase::Executing);
        let run = budget.within(run).await;
        observed.enter(Phase::Running);
        match run {
            Ok(run) => Ok(Begun { run, proven, again: None, paging, replica: None, absent }),
            Err(error) => {
                if error.is_doubtful() {
                    self.host.doubt();
                }
                Err(error)
            }
        }
    }

    /// Runs the call again on the database itself, after a reply that failed before any of it was given, if the error may come of a
    /// change of the database or of the replica that it ran on; nothing, if the error stands.
    ///
    /// # Errors
    /// What came of the other run.
    pub async fn run_again<'loan>(
        &self,
        error: &CallError,
        generation: u64,
        replica: Option<Arc<Replica>>,
        budget: &Budget,
        observed: &mut ObservedCall,
    ) -> Result<Option<Begun<'loan>>, CallError> {
        let is_of_replica = replica.is_some_and(|replica| replica.is_to_blame_for(error));
        match is_of_replica || self.is_worth_another(error, generation, budget, 1).await? {
            true => self.run(None, None, budget, observed).await.map(Some),
            false => Ok(None),
        }
    }

    /// What went wrong when statements ran. If they are not what they were, that is told: the call may go on all the same.
    pub fn failed(&self, error: LoanError, proven: &ProvenShape) -> CallError {
        if let LoanError::Stale { change, .. } = &error {
            let (plugin, query) = (self.plugin.clone(), self.query.clone());
            // The names of columns are the plugin's.
            let change = printable(change, CHANGE_CHARACTERS);
            let stale = Observation::StatementStale { plugin, query, change };
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
