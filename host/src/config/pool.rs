use std::time::Duration;

use serde::Deserialize;

use crate::loan::{PoolSettings, Pooler};

/// The host's own connections.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolConfig {
    /// How many there are at most; no more than the 262,143 that PostgreSQL can have. Default: 8.
    pub size: usize,
    /// How long a request waits for one, in milliseconds; 0 for as long as its call may take. Default: 5,000.
    pub wait_ms: u64,
    /// How long a statement may take, in milliseconds; 0 for as long as its call may. Default: 30,000.
    pub statement_timeout_ms: u64,
    /// How long a statement may wait for a lock, in milliseconds; 0 for as long as it may take. Default: 2,000.
    pub lock_timeout_ms: u64,
    /// What stands before the database: `none`, or `transaction` for PgBouncer in transaction mode and what works like it.
    /// Default: `none`.
    pub pooler: Pooler,
}

impl Default for PoolConfig {
    fn default() -> Self {
        let settings = PoolSettings::default();
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            size: settings.size,
            wait_ms: milliseconds(settings.wait),
            statement_timeout_ms: milliseconds(settings.statement_timeout),
            lock_timeout_ms: milliseconds(settings.lock_timeout),
            pooler: settings.pooler,
        }
    }
}

impl PoolConfig {
    pub(crate) fn settings(&self) -> PoolSettings {
        PoolSettings {
            size: self.size,
            wait: Duration::from_millis(self.wait_ms),
            statement_timeout: Duration::from_millis(self.statement_timeout_ms),
            lock_timeout: Duration::from_millis(self.lock_timeout_ms),
            pooler: self.pooler,
            ..PoolSettings::default()
        }
    }
}
