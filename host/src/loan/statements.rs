use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use lru::LruCache;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Statement};

use crate::lookups::Lookups;

/// The statements that one session keeps prepared. There is a most of them; one more, and the one that was not used for
/// the longest time goes.
pub(super) struct Statements {
    kept: Mutex<LruCache<Arc<str>, Prepared>>,
    /// The texts whose preparation was dropped before its answer came: the session may have them, by names that nobody
    /// knows.
    unknown: Mutex<Vec<Arc<str>>>,
    /// Whether it has prepared how it finds its [`Settings`](super::session::Settings).
    settings: AtomicBool,
    /// Since when it has planned what it runs, if that is known.
    planned_since: Mutex<Option<Instant>>,
    /// How often a run had all of its statements, of all sessions that are counted together.
    lookups: Arc<Lookups>,
}

impl Statements {
    pub fn new(most: NonZeroUsize, lookups: Arc<Lookups>) -> Self {
        let kept = Mutex::new(LruCache::new(most));
        let (unknown, planned_since) = (Mutex::default(), Mutex::default());
        Self { kept, unknown, settings: AtomicBool::new(false), planned_since, lookups }
    }

    /// The statement of this text, if it is prepared.
    pub fn get(&self, sql: &str) -> Option<Statement> {
        lock(&self.kept).get(sql).map(|prepared| prepared.statement.clone())
    }

    /// Counts a run: whether all of its statements were prepared.
    pub fn count_run(&self, prepared: bool) {
        self.lookups.count(prepared);
    }

    /// Has the session prepare a statement, and keeps it. The session must be the one that all of these are of.
    pub async fn prepare(
        &self,
        client: &Client,
        sql: &Arc<str>,
        is_sparing: bool,
    ) -> Result<Statement, Error> {
        let statement = self.prepare_once(client, sql).await?;
        let prepared = Prepared { statement: statement.clone(), is_sparing };
        // What goes is closed when it is dropped: not while the others wait for the lock.
        let gone = {
            let mut kept = lock(&self.kept);
            [make_room(&mut kept, is_sparing), kept.push(sql.clone(), prepared).map(|(_, gone)| gone)]
        };
        drop(gone);
        Ok(statement)
    }

    /// Has the session prepare a statement that is closed when it is dropped.
    pub async fn prepare_once(&self, client: &Client, sql: &Arc<str>) -> Result<Statement, Error> {
        self.close_unknown(client).await?;
        let mut preparing = Preparing { statements: self, sql: Some(sql) };
        let prepared = client.prepare(sql).await;
        preparing.sql = None;
        prepared
    }

    /// Closes what was dropped while it was prepared: there would be one more each time.
    async fn close_unknown(&self, client: &Client) -> Result<(), Error> {
        let texts = lock(&self.unknown).clone();
        if texts.is_empty() {
            return Ok(());
        }
        let sql = "SELECT pg_catalog.quote_ident(s.name) FROM pg_catalog.pg_prepared_statements AS s \
                   WHERE s.statement OPERATOR(pg_catalog.=) ANY ($1)";
        let parameter: Vec<&str> = texts.iter().map(|text| &**text).collect();
        let names = client.query_typed(sql, &[(&parameter, Type::TEXT_ARRAY)]).await?;
        let close: Result<Vec<String>, Error> =
            names.iter().map(|name| Ok(format!("DEALLOCATE {}", name.try_get::<_, &str>(0)?))).collect();
        client.batch_execute(&close?.join("; ")).await?;
        lock(&self.unknown).clear();
        Ok(())
    }

    /// Closes the statement of this text.
    pub fn forget(&self, sql: &str) {
        let gone = lock(&self.kept).pop(sql);
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

    /// Whether the session may run what it had planned before then.
    pub fn has_plans_of_before(&self, then: Instant) -> bool {
        lock(&self.planned_since).is_none_or(|since| since < then)
    }

    /// Says that the session has forgotten then, or later, what it had planned.
    pub fn set_planned_since(&self, then: Instant) {
        *lock(&self.planned_since) = Some(then);
    }
}

/// A statement that is kept, sparingly or not.
struct Prepared {
    statement: Statement,
    is_sparing: bool,
}

/// Takes out the one of those that are kept sparingly that was not used for the longest time, if one more would be too many.
fn make_room(kept: &mut LruCache<Arc<str>, Prepared>, is_sparing: bool) -> Option<Prepared> {
    let most = (kept.cap().get() / SPARING_SHARE).max(1);
    let sparing = || kept.iter().filter(|(_, prepared)| prepared.is_sparing);
    let is_full = is_sparing && sparing().count() >= most;
    let oldest = is_full.then(|| sparing().next_back().map(|(sql, _)| sql.clone())).flatten()?;
    kept.pop(&oldest)
}

/// What part of all that is kept those that are kept sparingly may be.
const SPARING_SHARE: usize = 4;

/// Nothing panics while it holds one of the locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A preparation that is under way.
struct Preparing<'a> {
    statements: &'a Statements,
    /// None, when its answer was there.
    sql: Option<&'a Arc<str>>,
}

impl Drop for Preparing<'_> {
    fn drop(&mut self) {
        if let Some(sql) = self.sql {
            lock(&self.statements.unknown).push(sql.clone());
        }
    }
}
