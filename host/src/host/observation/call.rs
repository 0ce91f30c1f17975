use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{CallEnded, CallOutcome, Observation, Observers, RanOn};
use crate::CallError;
use crate::Code;
use crate::loan::Isolation;

/// A call that is under way. Its end is told once: by [`ObservedCall::end`], or when this is dropped. Until then nothing is made
/// but some looks at the clock: most calls are over soon.
pub(in crate::host) struct ObservedCall {
    observers: Observers,
    began: Instant,
    phase: Phase,
    /// Since when it is in this phase.
    since: Instant,
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
    /// Anything else.
    Running,
}

impl ObservedCall {
    pub fn begin(observers: &Observers, plugin: &Arc<str>, query: &Arc<str>, ran_on: RanOn) -> Self {
        let call = CallEnded {
            plugin: Some(plugin.clone()),
            query: Some(query.clone()),
            shape: None,
            ran_on,
            isolation: None,
            waited: Duration::ZERO,
            planned: Duration::ZERO,
            first_row: None,
            total: Duration::ZERO,
            rows: 0,
            bytes: 0,
            outcome: CallOutcome::Dropped,
        };
        let began = Instant::now();
        Self { observers: observers.clone(), began, phase: Phase::Running, since: began, call: Some(call) }
    }

    /// From now on it is in this phase.
    pub fn enter(&mut self, phase: Phase) {
        self.enter_at(phase, Instant::now());
    }

    fn enter_at(&mut self, phase: Phase, now: Instant) {
        let (before, took) = (self.phase, now - self.since);
        (self.phase, self.since) = (phase, now);
        self.change(|call| match before {
            Phase::Planning => call.planned += took,
            Phase::Waiting => call.waited += took,
            Phase::Running => {}
        });
    }

    /// Of which shape it is.
    pub fn is_of_shape(&mut self, digest: Option<&Arc<str>>) {
        self.change(|call| call.shape = digest.cloned());
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
        let Some(call) = &mut self.call else { return error };
        if matches!(error, CallError::UnknownPlugin { .. }) {
            call.plugin = None;
        }
        // Of a plugin that can't be loaded nobody knows which queries it has.
        if let CallError::UnknownPlugin { .. }
        | CallError::UnknownQuery { .. }
        | CallError::Degraded { query: None, .. } = error
        {
            call.query = None;
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
        if let Some(call) = self.call.take() {
            let ended = CallEnded { total: now - self.began, outcome, ..call };
            self.observers.tell(&Observation::CallEnded(ended));
        }
    }
}

impl Drop for ObservedCall {
    fn drop(&mut self) {
        if self.call.is_some() {
            self.end(CallOutcome::Dropped);
        }
    }
}
