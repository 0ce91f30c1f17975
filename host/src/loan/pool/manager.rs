use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};

use super::PoolSettings;
use super::session::Session;
use crate::loan::error::LoanError;
use crate::loan::pooler::Pooler;
use crate::loan::settings::ConnectionSettings;
use crate::loan::statements::Statements;

/// Makes the sessions of a pool, and looks at each before it is lent again.
pub(in crate::loan) struct Manager {
    connection: ConnectionSettings,
    settings: PoolSettings,
    /// How many statements a session keeps.
    statements: NonZeroUsize,
    /// Grows with each change after which no statement may be kept.
    epoch: AtomicU64,
}

impl Manager {
    pub fn new(connection: ConnectionSettings, settings: PoolSettings, statements: NonZeroUsize) -> Self {
        Self { connection, settings, statements, epoch: AtomicU64::new(0) }
    }

    /// What a session keeps prepared, of which nothing is yet.
    fn statements(&self) -> Option<Statements> {
        (self.settings.pooler == Pooler::None).then(|| Statements::new(self.statements))
    }

    /// Has each session forget its statements before it is lent again.
    pub fn forget_statements(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
    }
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = LoanError;

    async fn create(&self) -> Result<Session, LoanError> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        Session::open(&self.connection, &self.settings, self.statements(), epoch).await
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<LoanError> {
        if session.client().is_closed() {
            return Err(RecycleError::message("the session has ended"));
        }
        let epoch = self.epoch.load(Ordering::Relaxed);
        if session.epoch != epoch {
            // Those from before are closed with their list.
            session.statements = self.statements();
            session.epoch = epoch;
        }
        Ok(())
    }
}
