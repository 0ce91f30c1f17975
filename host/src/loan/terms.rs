use std::time::Duration;

use super::pool::PoolSettings;
use super::pooler::Pooler;
use super::session::milliseconds;

/// What the statements of a run are held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long each may take; zero for as long as the session says. On a lent connection a shorter one of its owner's
    /// stays.
    pub statement_timeout: Duration,
    /// The same of each wait for a lock.
    pub lock_timeout: Duration,
    /// What stands before the database: nothing is named where sessions are shared.
    pub pooler: Pooler,
}

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
        Self { statement_timeout, lock_timeout, pooler }
    }

    /// PostgreSQL's settings of these names, in milliseconds.
    pub(super) fn timeouts(&self) -> [(&'static str, i32); 2] {
        [
            ("statement_timeout", milliseconds(self.statement_timeout)),
            ("lock_timeout", milliseconds(self.lock_timeout)),
        ]
    }
}
