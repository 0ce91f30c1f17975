use std::any::Any;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::admitted::Admitted;
use super::assumptions::Assumptions;
use super::statements::Statements;
use crate::lookups::{LookupCounts, Lookups};

/// The statements that lent sessions keep prepared, by session. A session that has ended is forgotten.
pub struct Sessions {
    /// How many statements a session keeps.
    statements: NonZeroUsize,
    known: Mutex<Known>,
    pub(super) assumptions: Assumptions,
    pub(super) admitted: Admitted,
    lookups: Arc<Lookups>,
}

#[derive(Default)]
struct Known {
    /// By the address of what identifies a session, which nothing else has as long as the Weak is there.
    sessions: HashMap<usize, (Weak<dyn Any + Send + Sync>, Arc<Statements>)>,
    /// With how many sessions to look next which of them have ended.
    sweep_at: usize,
}

impl Sessions {
    /// No session yet; of each, so many statements are kept.
    pub fn new(statements: NonZeroUsize) -> Self {
        Self {
            statements,
            known: Mutex::default(),
            assumptions: Assumptions::default(),
            admitted: Admitted::default(),
            lookups: Arc::default(),
        }
    }

    /// How often a run on a session that keeps statements had all of its own prepared.
    pub fn statement_lookups(&self) -> LookupCounts {
        self.lookups.counts()
    }

    fn no_statements(&self) -> Arc<Statements> {
        Arc::new(Statements::new(self.statements, self.lookups.clone()))
    }

    /// The statements of a session.
    pub(super) fn statements(&self, session: &Arc<dyn Any + Send + Sync>) -> Arc<Statements> {
        // Nothing panics while it holds the lock.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.sessions.len() >= known.sweep_at {
            known.sessions.retain(|_, (session, _)| session.strong_count() > 0);
            known.sweep_at = 2 * known.sessions.len() + 8;
        }
        let address = Arc::as_ptr(session).cast::<()>().addr();
        let new = || (Arc::downgrade(session), self.no_statements());
        known.sessions.entry(address).or_insert_with(new).1.clone()
    }

    /// Has every session prepare its statements anew: the database is another than the one that they were prepared
    /// against.
    pub fn forget_statements(&self) {
        self.assumptions.forget_columns();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, statements) in known.sessions.values_mut() {
            // They are closed as soon as nobody runs one of them. What finds the settings is of no database, and stays.
            let forgotten = std::mem::replace(statements, self.no_statements());
            statements.set_settings(forgotten.has_settings());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// To prepare that again would leave an error in the server's log.
    #[test]
    fn what_finds_the_settings_is_not_forgotten_with_the_statements() {
        let (sessions, session): (_, Arc<dyn Any + Send + Sync>) =
            (Sessions::new(NonZeroUsize::MIN), Arc::new(0));
        let statements = sessions.statements(&session);
        statements.set_settings(true);
        statements.set_planned_since(std::time::Instant::now());
        sessions.forget_statements();
        let anew = sessions.statements(&session);
        assert!(!Arc::ptr_eq(&statements, &anew) && anew.has_settings());
        assert!(anew.has_plans_of_before(std::time::Instant::now()));
    }
}
