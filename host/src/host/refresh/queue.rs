use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::super::Inner;
use super::super::observation::Observation;
use super::change::Refreshed;
use super::record::Record;
use super::status::{CatalogStatus, RefreshError};
use crate::Config;
use crate::loan::{ConnectionSettings, Loan, Pool, PoolSettings};
use crate::plugin::Engine;

/// A refresh begins when nobody has asked for one for this long: a migration is many statements.
const QUIET: Duration = Duration::from_millis(50);

/// But never later than this after it was first asked for.
const LATEST: Duration = Duration::from_millis(250);

/// How often calls can make the host look at its database.
const DOUBTS_EVERY: Duration = Duration::from_secs(1);

/// How long a call waits for the refresh that it asked for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is wanted of a refresh; of several, the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::host) enum Wish {
    /// A call met something that is not as it was proven. Callers could ask without end, and are made to wait.
    Doubt,
    /// Something may have changed.
    Look,
    /// Reflect in any case, and read the components' files again.
    Everything,
}

/// Makes one refresh at a time out of whatever asks for one.
pub(in crate::host) struct Refresher {
    pub(super) config: Config,
    pub(in crate::host) engine: Engine,
    /// Nothing, if the host looks at its database only on what it is lent.
    pub(in crate::host) connection: Option<ConnectionSettings>,
    pool: PoolSettings,
    queue: Mutex<Queue>,
    /// Held for as long as a refresh takes.
    pub(super) one_at_a_time: tokio::sync::Mutex<()>,
    /// Something was asked for.
    asked: Notify,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Queue {
    /// Whether a task works the queue off.
    working: bool,
    next: Option<Round>,
    /// When calls last made the host look.
    doubted: Option<Instant>,
}

/// A refresh that has not begun.
struct Round {
    wish: Wish,
    forced: BTreeSet<String>,
    first_asked: Instant,
    last_asked: Instant,
    outcome: watch::Sender<Option<Outcome>>,
}

/// What came of a refresh, for each that asked for it.
pub(in crate::host) type Outcome = Result<Refreshed, Arc<RefreshError>>;

/// A refresh that was asked for. It takes place also when this is dropped.
pub(in crate::host) struct Asked(watch::Receiver<Option<Outcome>>);

impl Asked {
    pub async fn outcome(mut self) -> Outcome {
        match self.0.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or_else(|| Err(Arc::new(RefreshError::BrokenOff))),
            Err(_) => Err(Arc::new(RefreshError::BrokenOff)),
        }
    }
}

impl Round {
    fn new(now: Instant) -> Self {
        let (wish, forced) = (Wish::Doubt, BTreeSet::new());
        Self { wish, forced, first_asked: now, last_asked: now, outcome: watch::Sender::new(None) }
    }

    /// When it may begin.
    fn due(&self, doubted: Option<Instant>) -> Instant {
        let due = (self.last_asked + QUIET).min(self.first_asked + LATEST);
        match doubted {
            Some(doubted) if self.wish == Wish::Doubt => due.max(doubted + DOUBTS_EVERY),
            _ => due,
        }
    }
}

impl Refresher {
    pub fn new(
        config: Config,
        engine: Engine,
        connection: Option<ConnectionSettings>,
        reflected_at: SystemTime,
    ) -> Self {
        let pool = PoolSettings { size: 1, ..config.pool.settings() };
        let record = Mutex::new(Record::new(reflected_at));
        let (queue, one_at_a_time) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { config, engine, connection, pool, queue, one_at_a_time, asked: Notify::new(), record }
    }

    /// A connection of its own, which goes with it: requests never wait for a refresh.
    pub(in crate::host) async fn loan(&self) -> Result<Loan, RefreshError> {
        let connection = self.connection.as_ref().ok_or(RefreshError::NothingLent)?;
        Ok(Pool::new(connection, self.pool)?.loan().await?)
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it holds the lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Asks for a refresh: the next one to begin, of which there is never more than one.
    pub(in crate::host) fn ask(self: &Arc<Self>, wish: Wish) -> Asked {
        self.ask_forcing(wish, BTreeSet::new())
    }

    /// The same for one that serves new versions of these plugins though callers lose by it.
    pub(in crate::host) fn ask_forcing(self: &Arc<Self>, wish: Wish, forced: BTreeSet<String>) -> Asked {
        let mut queue = self.refresher.queue();
        let now = Instant::now();
        let round = queue.next.get_or_insert_with(|| Round::new(now));
        round.wish = round.wish.max(wish);
        round.forced.extend(forced);
        round.last_asked = now;
        let asked = Asked(round.outcome.subscribe());
        if queue.working {
            self.refresher.asked.notify_one();
        } else {
            queue.working = true;
            drop(queue);
            let worker = Worker { host: self.clone(), ended: false };
            tokio::spawn(async move { worker.work().await });
        }
        asked
    }

    /// Has the host look at its database soon, without waiting for it. A host without connections of its own keeps in
    /// mind that it should.
    pub(in crate::host) fn doubt(self: &Arc<Self>) {
        let looks_by_itself = self.refresher.connection.is_some();
        let is_first = self.refresher.record().doubt();
        if looks_by_itself {
            drop(self.ask(Wish::Doubt));
        } else if is_first {
            self.observers.tell(&Observation::Doubted);
        }
    }

    /// Whether another generation than this one is served, after a look at the database if need be.
    pub(in crate::host) async fn is_outdated(self: &Arc<Self>, generation: u64) -> bool {
        if self.generation().number() != generation {
            return true;
        }
        if self.refresher.connection.is_none() {
            self.doubt();
            return false;
        }
        let deadline = Instant::now() + PATIENCE;
        let mut current = self.current.subscribe();
        let another = current.wait_for(|current| current.number() != generation);
        tokio::select! {
            // A refresh that is under way may be the one that is wanted.
            _ = timeout_at(deadline, another) => {}
            _ = self.ask(Wish::Doubt).outcome() => {}
        }
        self.generation().number() != generation
    }

    /// How well the host knows its database.
    pub(in crate::host) fn catalog_status(&self) -> CatalogStatus {
        let generation = self.generation();
        let record = self.refresher.record();
        CatalogStatus {
            generation: generation.number(),
            reflected_at: generation.reflected_at(),
            checked_at: record.checked_at,
            doubted_at: record.doubted_at,
            failure: record.failure.clone(),
        }
    }
}

/// The task that works the queue off. If its runtime ends half-way, the next who asks starts another one.
struct Worker {
    host: Arc<Inner>,
    /// Whether the queue knows that it has ended.
    ended: bool,
}

impl Worker {
    async fn work(mut self) {
        while let Some(round) = self.next().await {
            let outcome = self.host.refresh(round.wish, &round.forced, None).await;
            if round.wish == Wish::Doubt {
                self.host.refresher.queue().doubted = Some(Instant::now());
            }
            round.outcome.send_replace(Some(outcome));
        }
    }

    /// The next refresh, when it is due.
    async fn next(&mut self) -> Option<Round> {
        let refresher = &self.host.refresher;
        loop {
            let due = {
                let mut queue = refresher.queue();
                let Some(round) = &queue.next else {
                    // Before the lock is gone: whoever asks next starts another task.
                    (queue.working, self.ended) = (false, true);
                    return None;
                };
                let due = round.due(queue.doubted);
                if due <= Instant::now() {
                    return queue.next.take();
                }
                due
            };
            tokio::select! {
                () = sleep_until(due) => {}
                () = refresher.asked.notified() => {}
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.ended {
            let mut queue = self.host.refresher.queue();
            // Whoever waits for it is told.
            (queue.working, queue.next) = (false, None);
        }
    }
}
