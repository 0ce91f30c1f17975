use std::time::{Duration, Instant};

use super::pool::PoolSettings;
use super::pooler::Pooler;
use super::session::milliseconds;

/// What the statements of a run are held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long each may take; zero for as long as the session says. On a lent connection it is at least 50 ms, and a shorter one
    /// of its owner's stays.
    pub statement_timeout: Duration,
    /// The same of each wait for a lock.
    pub lock_timeout: Duration,
    /// What stands before the database: nothing is named where sessions are shared.
    pub pooler: Pooler,
    /// Until when all of them together may take, if there is such a time. PostgreSQL ends on a lent connection what takes longer,
    /// some milliseconds later.
    pub deadline: Option<Instant>,
}

/// The shortest time that PostgreSQL is given for a statement. What ends a block on a lent connection runs under the timeout of
/// the statement before it; a shorter one could hit that, and with it the owner's transaction. A timeout that would be
/// shortened by less is left as it is.
pub(super) const LEAST_TIMEOUT: Duration = Duration::from_millis(50);

impl Default for Terms {
    /// Those of a pool.
    fn default() -> Self {
        Self::of(&PoolSettings::default())
    }
}

impl Terms {
    /// Those of a pool with these settings.
    pub fn of(settings: &PoolSettings) -> Self {
        let PoolSettings { statement_timeout, lock_timeout, pooler, .. } = *settings;
        Self { statement_timeout, lock_timeout, pooler, deadline: None }
    }

    /// PostgreSQL's settings of these names, in milliseconds.
    pub(super) fn timeouts(&self) -> [(&'static str, i32); 2] {
        let least = if self.statement_timeout.is_zero() { Duration::ZERO } else { LEAST_TIMEOUT };
        let [statement, lock] = [self.statement_timeout.max(least), self.lock_timeout].map(milliseconds);
        [("statement_timeout", self.shortened().unwrap_or(statement)), ("lock_timeout", lock)]
    }

    /// The first of them where the deadline comes before it, which is another one each time.
    pub(super) fn shortened(&self) -> Option<i32> {
        let left = self.left()?;
        let is_shorter = self.statement_timeout.is_zero() || left + LEAST_TIMEOUT < self.statement_timeout;
        is_shorter.then(|| milliseconds(left))
    }

    /// How much time is left until the deadline, if there is one: more than nothing.
    pub(super) fn left(&self) -> Option<Duration> {
        Some(self.deadline?.saturating_duration_since(Instant::now()).max(LEAST_TIMEOUT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_shortens_the_timeout_of_statements_but_not_to_nothing() {
        let timeout = |statement_timeout: u64, left: u64| {
            let statement_timeout = Duration::from_millis(statement_timeout);
            // So that little time goes by until it is asked.
            let deadline = Some(Instant::now() + Duration::from_millis(left) + Duration::from_micros(900));
            let terms = Terms { statement_timeout, deadline, ..Terms::default() };
            (terms.shortened().is_some(), terms.timeouts()[0].1)
        };
        let (shortened, timeout_of_little) = timeout(30_000, 500);
        assert!(shortened && (450..=501).contains(&timeout_of_little), "{timeout_of_little}");
        assert_eq!(timeout(30_000, 0), (true, 50));
        assert_eq!(timeout(20, 0), (false, 50));
        assert_eq!(timeout(30_000, 29_990), (false, 30_000));
        assert_eq!(timeout(30_000, 60_000), (false, 30_000));
        let (shortened, timeout_of_none) = timeout(0, 60_000);
        assert!(shortened && (59_000..=60_001).contains(&timeout_of_none), "{timeout_of_none}");
        assert_eq!(Terms { statement_timeout: Duration::ZERO, ..Terms::default() }.shortened(), None);
    }
}
