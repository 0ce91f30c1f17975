use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use tokio_postgres::{Client, Error, Statement};

/// The statements that one session keeps prepared. There is a most of them; one more, and the one that was not used for
/// the longest time goes.
pub(super) struct Statements {
    kept: Mutex<LruCache<Arc<str>, Statement>>,
    /// Whether it has prepared how it finds its [`Settings`](super::session::Settings).
    settings: AtomicBool,
}

impl Statements {
    pub fn new(most: NonZeroUsize) -> Self {
        Self { kept: Mutex::new(LruCache::new(most)), settings: AtomicBool::new(false) }
    }

    /// The statement of this text, if it is prepared.
    pub fn get(&self, sql: &str) -> Option<Statement> {
        self.kept().get(sql).cloned()
    }

    /// Has the session prepare a statement, and keeps it. The session must be the one that all of these are of.
    pub async fn prepare(&self, client: &Client, sql: &Arc<str>) -> Result<Statement, Error> {
        let statement = client.prepare(sql).await?;
        // What goes is closed when it is dropped: not while the others wait for the lock.
        let gone = self.kept().push(sql.clone(), statement.clone());
        drop(gone);
        Ok(statement)
    }

    /// Closes the statement of this text.
    pub fn forget(&self, sql: &str) {
        let gone = self.kept().pop(sql);
        drop(gone);
    }

    /// Whether the session has prepared what [`Settings::Prepared`](super::session::Settings::Prepared) runs.
    pub fn has_settings(&self) -> bool {
        self.settings.load(Ordering::Relaxed)
    }

    /// Says whether it has.
    pub fn set_settings(&self, prepared: bool) {
        self.settings.store(prepared, Ordering::Relaxed);
    }

    fn kept(&self) -> MutexGuard<'_, LruCache<Arc<str>, Statement>> {
        // Nothing panics while it holds the lock.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
