use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use tokio_postgres::types::Type;

use super::describe::ResultColumn;
use super::run::{BoundStatement, Kept};
use super::session::Settings;

/// How long the columns of a statement are taken to be as they were found. A change that comes within it is noticed with the first
/// row, and not before: where there is none, a result without rows is not said to be stale.
const FOR: Duration = Duration::from_secs(1);

/// Of how many statements that is remembered.
const STATEMENTS: NonZeroUsize = NonZeroUsize::new(1_024).expect("it is not zero");

/// What is taken for granted of sessions that keep nothing prepared, so that it needs no message of its own.
pub(super) struct Assumptions {
    /// Whether some were found to have timeouts of their own, so that it is assumed no more that they have none.
    own_timeouts: AtomicBool,
    /// The statements whose columns were found to be the proven ones, and when.
    compared: Mutex<LruCache<Arc<str>, Instant>>,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self { own_timeouts: AtomicBool::default(), compared: Mutex::new(LruCache::new(STATEMENTS)) }
    }
}

impl Assumptions {
    /// How to find the settings of a block.
    pub fn settings(&self) -> Settings {
        match self.own_timeouts.load(Ordering::Relaxed) {
            true => Settings::Compared,
            false => Settings::Assumed,
        }
    }

    /// A session has timeouts of its own.
    pub fn set_own_timeouts(&self) {
        self.own_timeouts.store(true, Ordering::Relaxed);
    }

    /// Whether the columns of all statements were found to be the proven ones just now.
    pub fn are_compared(&self, statements: &[BoundStatement]) -> bool {
        let compared = self.compared();
        let is_compared = |since: &Instant| since.elapsed() < FOR;
        statements.iter().all(|statement| compared.peek(&statement.sql).is_some_and(is_compared))
    }

    /// The columns of these statements are the proven ones.
    pub fn set_compared(&self, statements: &[BoundStatement]) {
        let now = Instant::now();
        let mut compared = self.compared();
        for statement in statements.iter().filter(|statement| may_be_assumed(statement)) {
            compared.put(statement.sql.clone(), now);
        }
    }

    /// A statement was not what it was, or may not be: nothing is known of the columns of any.
    pub fn forget_columns(&self) {
        self.compared().clear();
    }

    fn compared(&self) -> MutexGuard<'_, LruCache<Arc<str>, Instant>> {
        // Nothing panics while it holds the lock.
        self.compared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it may run without a look at its columns. The driver asks for the types that it does not know, once a session, and
/// would wait for the answer behind rows that nobody reads: of one row it does not, should a column come to have such a type.
fn may_be_assumed(statement: &BoundStatement) -> bool {
    let is_known = |column: &ResultColumn| Type::from_oid(column.type_oid).is_some();
    statement.is_single && statement.kept != Kept::Never && statement.columns.iter().all(is_known)
}
