use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use tokio_postgres::{Client, Error, Statement};

/// The statements that one session keeps prepared. There is a most of them; one more, and the one that was not used for
/// the longest time goes.
pub(super) struct Statements {
    kept: Mutex<LruCache<Arc<str>, Statement>>,
    /// How many preparations have begun and not ended.
    begun: AtomicUsize,
    /// Whether it has prepared how it finds its [`Settings`](super::session::Settings).
    settings: AtomicBool,
}

impl Statements {
    pub fn new(most: NonZeroUsize) -> Self {
        let kept = Mutex::new(LruCache::new(most));
        Self { kept, begun: AtomicUsize::new(0), settings: AtomicBool::new(false) }
    }

    /// The statement of this text, if it is prepared.
    pub fn get(&self, sql: &str) -> Option<Statement> {
        self.kept().get(sql).cloned()
    }

    /// Has the session prepare a statement, and keeps it. The session must be the one that all of these are of.
    pub async fn prepare(&self, client: &Client, sql: &Arc<str>) -> Result<Statement, Error> {
        let statement = self.prepare_once(client, sql).await?;
        // What goes is closed when it is dropped: not while the others wait for the lock.
        let gone = self.kept().push(sql.clone(), statement.clone());
        drop(gone);
        Ok(statement)
    }

    /// Has the session prepare a statement that is closed when it is dropped.
    pub async fn prepare_once(&self, client: &Client, sql: &str) -> Result<Statement, Error> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let prepared = client.prepare(sql).await;
        self.begun.fetch_sub(1, Ordering::Relaxed);
        prepared
    }

    /// Whether the session may hold statements that nobody can close: of a preparation that was dropped before its answer
    /// came, nobody knows the name.
    pub fn has_unknown(&self) -> bool {
        self.begun.load(Ordering::Relaxed) > 0
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
