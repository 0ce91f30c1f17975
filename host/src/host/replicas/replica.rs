use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::error::CallError;
use super::super::observation::{Observation, Observers};
use super::super::refresh::Backoff;
use crate::loan::{ConnectionSettings, LoanError, Pool, PoolStatus};
use crate::printable::printable;

/// How long a replica rests that has failed a call, at first and at most.
const FIRST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// How much is told of why a replica rests.
const REASON_CHARACTERS: usize = 500;

/// How a replica does: see [`Host::replicas`](crate::Host::replicas).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// Where it is: `host:port`.
    pub name: Arc<str>,
    /// Whether calls are read from it now.
    pub serves: bool,
    /// How far it is behind the database at most; nothing, if nobody knows.
    pub lag: Option<Duration>,
    /// Why calls are not read from it.
    pub reason: Option<String>,
    /// How busy its connections are.
    pub pool: PoolStatus,
}

/// A server that has what the database has, a little later.
pub(in crate::host) struct Replica {
    /// Its number, from 0.
    number: usize,
    name: Arc<str>,
    pool: Pool,
    max_lag: Option<Duration>,
    observers: Observers,
    state: Mutex<State>,
}

struct State {
    /// It has all that was committed before then. Nothing, if nobody knows.
    as_of: Option<Instant>,
    /// Whether it was found to be a replica that answers.
    is_well: bool,
    /// Until when it rests since it has failed a call.
    rests_until: Option<Instant>,
    backoff: Backoff,
    /// Whether it serves, as it was last told.
    told: bool,
    /// Why it was not well when it was last looked at.
    trouble: String,
}

impl Replica {
    pub fn new(
        number: usize,
        connection: &ConnectionSettings,
        pool: Pool,
        max_lag: Option<Duration>,
        observers: Observers,
    ) -> Self {
        let state = State {
            as_of: None,
            is_well: false,
            rests_until: None,
            backoff: Backoff::new(FIRST_REST, LONGEST_REST),
            told: false,
            trouble: "it was not looked at yet".to_owned(),
        };
        Self { number, name: connection.places().into(), pool, max_lag, observers, state: Mutex::new(state) }
    }

    /// Its number, from 0.
    pub fn number(&self) -> usize {
        self.number
    }

    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// How many of its connections are in use or waited for.
    pub fn load(&self) -> usize {
        let PoolStatus { size, available, waiting, .. } = self.pool.status();
        size.saturating_sub(available) + waiting
    }

    /// Whether calls are read from it now.
    pub fn serves(&self) -> bool {
        self.state().reason_to_rest(self.max_lag).is_none()
    }

    pub fn status(&self) -> ReplicaStatus {
        let state = self.state();
        let reason = state.reason_to_rest(self.max_lag);
        ReplicaStatus {
            name: self.name.clone(),
            serves: reason.is_none(),
            lag: state.as_of.map(|as_of| as_of.elapsed()),
            reason,
            pool: self.pool.status(),
        }
    }

    /// It was found to have all that was committed before then, if that is known.
    pub fn is_as_of(&self, as_of: Option<Instant>) {
        let mut state = self.state();
        (state.is_well, state.as_of) = (true, as_of.max(state.as_of));
        self.tell(state);
    }

    /// It can't be looked at, or is no replica.
    pub fn is_not_well(&self, reason: &str) {
        let mut state = self.state();
        (state.is_well, state.as_of) = (false, None);
        state.trouble = printable(reason, REASON_CHARACTERS);
        self.tell(state);
    }

    /// It has begun a call.
    pub fn works(&self) {
        let mut state = self.state();
        if state.rests_until.is_some_and(|until| until <= Instant::now()) {
            state.rests_until = None;
            state.backoff.reset();
        }
    }

    /// Whether a call that has failed on it may fare better on the database itself. Where that is because it has gone away, it
    /// rests.
    pub fn is_to_blame_for(&self, error: &CallError) -> bool {
        let CallError::Loan(error) = error else { return false };
        match error {
            LoanError::Unavailable { .. } | LoanError::Lost { .. } => {
                let mut state = self.state();
                let now = Instant::now();
                // Those that were under way together have failed once.
                if state.rests_until.is_none_or(|until| until <= now) {
                    state.rests_until = Some(now + state.backoff.delay());
                }
                (state.is_well, state.as_of) = (false, None);
                state.trouble = printable(&error.to_string(), REASON_CHARACTERS);
                self.tell(state);
                true
            }
            // It has not yet what was changed, or not any more: tables, roles, privileges.
            LoanError::Stale { .. }
            | LoanError::NotPermitted(_)
            | LoanError::Privileged(_)
            | LoanError::CallerNotSet { .. } => true,
            LoanError::Failed(postgres) => is_of_replica(postgres.sqlstate()),
            _ => false,
        }
    }

    /// Tells whether it serves now, if that is another than before.
    fn tell(&self, mut state: MutexGuard<'_, State>) {
        let reason = state.reason_to_rest(self.max_lag);
        if std::mem::replace(&mut state.told, reason.is_none()) == reason.is_none() {
            return;
        }
        drop(state);
        let replica = self.name.clone();
        self.observers.tell(&match reason {
            None => Observation::ReplicaServes { replica },
            Some(reason) => Observation::ReplicaRests { replica, reason },
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn reason_to_rest(&self, max_lag: Option<Duration>) -> Option<String> {
        if !self.is_well || self.rests_until.is_some_and(|until| until > Instant::now()) {
            return Some(self.trouble.clone());
        }
        let max_lag = max_lag?;
        match self.as_of.map(|as_of| as_of.elapsed()) {
            Some(lag) if lag <= max_lag => None,
            Some(lag) => Some(format!(
                "it may be {} ms behind, and {} is what it may be (database.replicas.max_lag_ms)",
                lag.as_millis(),
                max_lag.as_millis()
            )),
            None => Some("nobody knows how far it is behind".to_owned()),
        }
    }
}

/// Whether an error may come of where a statement runs, and not of what it does: a conflict with what is replayed (40001, 40P01),
/// what can't be done there (25, 55, 0A), what is not there yet (42), its memory and disks (53, 58, XX, 72).
fn is_of_replica(sqlstate: &str) -> bool {
    ["0A", "25", "40", "42", "53", "55", "58", "72", "XX"].iter().any(|class| sqlstate.starts_with(class))
}
