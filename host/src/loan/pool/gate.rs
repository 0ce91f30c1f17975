use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use crate::loan::guard::Guard;

/// What a pool's session has to pass before it is lent.
#[derive(Default)]
pub(super) struct Gate {
    guard: RwLock<Option<Arc<Guard>>>,
    /// How often sessions that had passed before were suspected.
    suspected: AtomicU64,
    /// How often they were when one has passed since.
    cleared: AtomicU64,
    /// When their role was last asked about: what they have planned before counts no more.
    asked_at: RwLock<Option<Instant>>,
}

/// A number of times that sessions were suspected.
#[derive(Clone, Copy)]
pub(super) struct Suspicion(u64);

impl Gate {
    pub fn guard(&self) -> Option<Arc<Guard>> {
        // Nothing panics while it holds one of the locks.
        self.guard.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has another guard; says whether it is another.
    pub fn set_guard(&self, guard: Arc<Guard>) -> bool {
        let mut current = self.guard.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = current.as_ref() != Some(&guard);
        if is_other {
            *current = Some(guard);
        }
        is_other
    }

    /// Has sessions pass again that have passed before.
    pub fn suspect(&self) {
        self.suspected.fetch_add(1, Ordering::SeqCst);
    }

    /// To be read before a session is asked, with whether any has to be.
    pub fn suspicion(&self) -> (Suspicion, bool) {
        let suspected = self.suspected.load(Ordering::SeqCst);
        (Suspicion(suspected), self.cleared.load(Ordering::SeqCst) < suspected)
    }

    /// A session has passed that was asked after this was read.
    pub fn clear(&self, suspicion: Suspicion) {
        self.cleared.fetch_max(suspicion.0, Ordering::SeqCst);
    }

    /// When the sessions' role was last asked about.
    pub fn asked_at(&self) -> Option<Instant> {
        *self.asked_at.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Their role is asked about now.
    pub fn set_asked(&self) {
        *self.asked_at.write().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_passes_clears_no_later_suspicion() {
        let gate = Gate::default();
        assert!(!gate.suspicion().1);
        gate.suspect();
        let (first, is_suspect) = gate.suspicion();
        assert!(is_suspect);
        gate.suspect();
        gate.clear(first);
        let (second, is_suspect) = gate.suspicion();
        assert!(is_suspect, "it came after the session was asked");
        gate.clear(second);
        gate.clear(first);
        assert!(!gate.suspicion().1);
    }
}
