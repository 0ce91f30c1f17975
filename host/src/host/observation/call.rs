use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{CallEnded, CallId, CallOutcome, Observation, Observers, RanOn, TraceContext};
use crate::CallError;
use crate::Code;
use crate::host::generation::Found;
use crate::host::prove::ProvenShape;
use crate::loan::Isolation;
use crate::plugin::Inputs;
use crate::printable::printable;

/// How much is told of a name that nothing has.
const NAME_CHARACTERS: usize = 63;

/// A call that is under way. Its end is told once: by [`ObservedCall::end`], or when this is dropped. Until then nothing is made
/// but some looks at the clock: most calls are over soon.
pub(in crate::host) struct ObservedCall {
    observers: Observers,
    began: Instant,
    phase: Phase,
    /// Since when it is in this phase.
    since: Instant,
    /// Whether it was planned, or is.
    is_planned: bool,
    /// What is known by now; nothing when its end was told.
    call: Option<CallEnded>,
}

/// What a call does at a moment.
#[derive(Clone, Copy)]
pub(in crate::host) enum Phase {
    /// Its statements are looked for.
    Planning,
    /// It waits for a connection.
    Waiting,
    /// Its statements run, and what they give is waited for.
    Executing,
    /// Anything else.
    Running,
}

/// What is known of a call when it begins.
pub(in crate::host) struct Begins {
    pub id: CallId,
    /// The names by which the plugin and the query were called.
    pub called: (Arc<str>, Arc<str>),
    /// Who calls, if that is known.
    pub caller: Option<Arc<str>>,
    pub parameters: Arc<Inputs>,
    pub claims: Arc<Inputs>,
    /// The span that it is a part of.
    pub trace: Option<TraceContext>,
    pub ran_on: RanOn,
}

impl ObservedCall {
    /// A call that begins now.
    pub fn begin(observers: &Observers, begins: Begins) -> Self {
        let Begins { id, called, caller, parameters, claims, trace, ran_on } = begins;
        let (called_plugin, called_query) = called;
        let call = CallEnded {
            id,
            called_plugin,
            called_query,
            plugin: None,
            query: None,
            caller,
            digest: None,
            shape: None,
            proven: None,
            generation: None,
            parameters,
            claims,
            trace,
            ran_on,
            replica: None,
            isolation: None,
            absent_claims: Arc::default(),
            waited: Duration::ZERO,
            queued: Duration::ZERO,
            planned: Duration::ZERO,
            executed: Duration::ZERO,
            first_row: None,
            total: Duration::ZERO,
            rows: 0,
            bytes: 0,
            outcome: CallOutcome::Dropped,
        };
        let began = Instant::now();
        let (observers, phase, is_planned) = (observers.clone(), Phase::Running, false);
        Self { observers, began, phase, since: began, is_planned, call: Some(call) }
    }

    /// From now on it is in this phase.
    pub fn enter(&mut self, phase: Phase) {
        self.enter_at(phase, Instant::now());
    }

    fn enter_at(&mut self, phase: Phase, now: Instant) {
        let (before, took) = (self.phase, now - self.since);
        (self.phase, self.since) = (phase, now);
        let is_queued = !self.is_planned;
        self.is_planned |= matches!(phase, Phase::Planning);
        self.change(|call| match before {
            Phase::Planning => call.planned += took,
            Phase::Waiting => {
                call.waited += took;
                if is_queued {
                    call.queued += took;
                }
            }
            Phase::Executing => call.executed += took,
            Phase::Running => {}
        });
    }

    /// What there is of the names by which it was called.
    pub fn is_of(&mut self, found: &Found) {
        self.change(|call| {
            call.plugin = found.plugin.then(|| call.called_plugin.clone());
            call.query = found.query.then(|| call.called_query.clone());
            call.digest = found.digest;
        });
    }

    /// Of which shape it is, as a generation has it.
    pub fn is_of_shape(&mut self, proven: &Arc<ProvenShape>, generation: u64) {
        self.change(|call| {
            call.shape = proven.digest().cloned();
            (call.proven, call.generation) = (Some(proven.clone()), Some(generation));
        });
    }

    /// It is run on a connection of the host's own: to a replica, if to one.
    pub fn runs_on(&mut self, replica: Option<&Arc<str>>) {
        self.change(|call| {
            call.ran_on = if replica.is_some() { RanOn::Replica } else { RanOn::Pool };
            call.replica = replica.cloned();
        });
    }

    /// Row filters read these claims, and the caller does not have them.
    pub fn lacks_claims(&mut self, absent: &Arc<[String]>) {
        self.change(|call| call.absent_claims = absent.clone());
    }

    /// Its statements have started, again if it had to begin anew: then nothing was given of what was read.
    pub fn has_started(&mut self, isolation: Isolation) {
        self.change(|call| {
            call.isolation = Some(isolation);
            (call.rows, call.first_row) = (0, None);
        });
    }

    /// So many rows were read by now.
    pub fn has_read(&mut self, rows: u64) {
        let began = self.began;
        self.change(|call| {
            call.rows = rows;
            call.first_row.get_or_insert_with(|| began.elapsed());
        });
    }

    /// So many bytes were given by now.
    pub fn has_given(&mut self, bytes: u64) {
        self.change(|call| call.bytes = bytes);
    }

    fn change(&mut self, change: impl FnOnce(&mut CallEnded)) {
        if let Some(call) = &mut self.call {
            change(call);
        }
    }

    /// Ends it with an error, if it has not ended yet.
    pub fn fail(&mut self, error: CallError) -> CallError {
        if self.call.is_none() {
            return error;
        }
        self.end(match error.code() {
            Code::Cancelled => CallOutcome::Dropped,
            code => CallOutcome::Failed { code, message: error.log_message() },
        });
        error
    }

    /// Ends it, if it has not ended yet.
    pub fn end(&mut self, outcome: CallOutcome) {
        let now = Instant::now();
        self.enter_at(Phase::Running, now);
        if let Some(mut call) = self.call.take() {
            // What is not there has a name that the caller made up.
            if call.plugin.is_none() {
                call.called_plugin = printable(&call.called_plugin, NAME_CHARACTERS).into();
            }
            if call.query.is_none() {
                call.called_query = printable(&call.called_query, NAME_CHARACTERS).into();
            }
            let ended = CallEnded { total: now - self.began, outcome, ..call };
            self.observers.tell(&Observation::CallEnded(ended));
        }
    }
}

#[cfg(test)]
impl CallEnded {
    /// A call of a query that there is, which has ended at once.
    pub(crate) fn of_test(id: CallId, parameters: Inputs, claims: Inputs, caller: Option<&str>) -> Self {
        let begins = Begins {
            id,
            called: ("hiring".into(), "candidates".into()),
            caller: caller.map(Arc::from),
            parameters: Arc::new(parameters),
            claims: Arc::new(claims),
            trace: None,
            ran_on: RanOn::Pool,
        };
        let mut observed = ObservedCall::begin(&Observers::new(Vec::new()), begins);
        observed.is_of(&Found { plugin: true, query: true, digest: None });
        let call = observed.call.take();
        call.expect("it has not ended")
    }
}

impl Drop for ObservedCall {
    fn drop(&mut self) {
        if self.call.is_some() {
            self.end(CallOutcome::Dropped);
        }
    }
}
