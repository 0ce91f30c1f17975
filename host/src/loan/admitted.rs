use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::guard::Guard;
use super::owner::Owner;

/// How long a role that was let pass is not asked again what it may. Its attributes and memberships can change, of which
/// nobody is told.
const FOR: Duration = Duration::from_secs(1);

/// What has a session forget how its statements are planned. They stay prepared.
///
/// PostgreSQL decides whether row-level security holds when it rewrites a statement: when that is prepared, or run for
/// another role than the last time, or after its tables were altered or analyzed. It keeps the outcome when the role gains
/// or loses the right to see everything. So whenever a guard asks again what a role may, nothing may be run that was
/// rewritten before: what a role could see for a while, by a right that nobody noticed or by one for which it was refused,
/// outlives that right by no more than [`FOR`].
pub(super) const PLAN_ANEW: &str = "DISCARD PLANS";

/// The roles of lent connections that a guard has let pass lately. All are forgotten together, so that sessions plan anew once
/// a time, however many roles there are.
#[derive(Default)]
pub(super) struct Admitted(Mutex<Option<Roles>>);

struct Roles {
    guard: Arc<Guard>,
    /// Since when they are known: none was asked before.
    since: Instant,
    /// Whether each was a superuser.
    known: HashMap<String, bool>,
}

impl Roles {
    fn are_known(&self, guard: &Arc<Guard>, then: Instant) -> bool {
        Arc::ptr_eq(&self.guard, guard) && then.saturating_duration_since(self.since) < FOR
    }
}

impl Admitted {
    /// Since when the roles are known that the guard had let pass shortly before then, if there are any: what was planned
    /// before counts no more.
    pub fn since(&self, guard: &Arc<Guard>, then: Instant) -> Option<Instant> {
        self.lock().as_ref().filter(|roles| roles.are_known(guard, then)).map(|roles| roles.since)
    }

    /// Whether the owner's role is one of them.
    pub fn contains(&self, owner: &Owner, guard: &Arc<Guard>, then: Instant) -> bool {
        let roles = self.lock();
        let roles = roles.as_ref().filter(|roles| roles.are_known(guard, then));
        roles.is_some_and(|roles| roles.known.get(&owner.role) == Some(&owner.is_superuser))
    }

    /// The guard has let the owner's role pass, which was asked not before then.
    pub fn insert(&self, guard: &Arc<Guard>, owner: Owner, asked_at: Instant) {
        let mut current = self.lock();
        let roles = match &mut *current {
            Some(roles) if roles.are_known(guard, asked_at) => roles,
            none => none.insert(Roles { guard: guard.clone(), since: asked_at, known: HashMap::new() }),
        };
        roles.since = roles.since.min(asked_at);
        roles.known.insert(owner.role, owner.is_superuser);
    }

    /// The guard has refused a role.
    pub fn remove(&self, role: &str) {
        if let Some(roles) = &mut *self.lock() {
            roles.known.remove(role);
        }
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Option<Roles>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::isolation::Isolation;
    use super::*;

    #[test]
    fn roles_are_known_for_a_second_of_the_first() {
        let owner = |role: &str, is_superuser| Owner {
            isolation: Isolation::ReadCommitted,
            role: role.into(),
            is_superuser,
        };
        let (admitted, guard, start) = (Admitted::default(), Arc::new(Guard::default()), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let knows = |role, then| admitted.contains(&owner(role, false), &guard, then);
        assert_eq!(admitted.since(&guard, start), None);
        admitted.insert(&guard, owner("a", false), at(500));
        // The answer of one that was asked before.
        admitted.insert(&guard, owner("b", false), start);
        assert_eq!(admitted.since(&guard, at(999)), Some(start));
        assert!(knows("a", at(999)) && knows("b", at(999)) && !knows("a", at(1000)) && !knows("c", start));
        assert!(!admitted.contains(&owner("a", true), &guard, start), "it is another since");
        assert!(!admitted.contains(&owner("a", false), &Arc::new(Guard::default()), start));
        admitted.remove("a");
        assert!(!knows("a", start) && knows("b", start));
        admitted.insert(&guard, owner("a", false), at(1000));
        assert_eq!(admitted.since(&guard, at(1500)), Some(at(1000)));
        assert!(knows("a", at(1500)) && !knows("b", at(1500)));
    }
}
