use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::guard::Guard;
use super::owner::Owner;

/// How long a role that was let pass is not asked again what it may. Its attributes and memberships can change, of which
/// nobody is told.
const FOR: Duration = Duration::from_secs(1);

/// The roles of lent connections that a guard has let pass lately.
#[derive(Default)]
pub(super) struct Admitted(Mutex<Roles>);

#[derive(Default)]
struct Roles {
    guard: Option<Arc<Guard>>,
    /// Whether each was a superuser, and since when it is known.
    known: HashMap<String, (bool, Instant)>,
}

impl Admitted {
    /// Whether the guard has let the owner's role pass lately.
    pub fn contains(&self, guard: &Arc<Guard>, owner: &Owner) -> bool {
        // Nothing panics while it holds the lock.
        let roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_its = roles.guard.as_ref().is_some_and(|its| Arc::ptr_eq(its, guard));
        is_its
            && roles.known.get(&owner.role).is_some_and(|(is_superuser, since)| {
                *is_superuser == owner.is_superuser && since.elapsed() < FOR
            })
    }

    /// The guard has let the owner's role pass.
    pub fn insert(&self, guard: &Arc<Guard>, owner: Owner) {
        let mut roles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !roles.guard.as_ref().is_some_and(|its| Arc::ptr_eq(its, guard)) {
            *roles = Roles { guard: Some(guard.clone()), known: HashMap::new() };
        }
        roles.known.retain(|_, (_, since)| since.elapsed() < FOR);
        roles.known.insert(owner.role, (owner.is_superuser, Instant::now()));
    }
}
