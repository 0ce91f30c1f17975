use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};

use super::PoolSettings;
use super::session::Session;
use crate::loan::error::LoanError;
use crate::loan::pooler::Pooler;
use crate::loan::settings::ConnectionSettings;
use crate::loan::statements::Statements;
use crate::lookups::Lookups;

/// Makes the sessions of a pool, and looks at each before it is lent again.
pub(in crate::loan) struct Manager {
    connection: ConnectionSettings,
    settings: PoolSettings,
    /// How many statements a session keeps, if it may keep any.
    statements: NonZeroUsize,
    /// Grows with each change after which no statement may be kept.
    epoch: AtomicU64,
    /// How often a run had its statements prepared, of all sessions.
    pub lookups: Arc<Lookups>,
}

impl Manager {
    pub fn new(connection: ConnectionSettings, settings: PoolSettings, statements: NonZeroUsize) -> Self {
        let (epoch, lookups) = (AtomicU64::new(0), Arc::default());
        Self { connection, settings, statements, epoch, lookups }
    }

    fn no_statements(&self) -> Option<Statements> {
        (self.settings.pooler == Pooler::None).then(|| Statements::new(self.statements, self.lookups.clone()))
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
        Session::open(&self.connection, &self.settings, self.no_statements(), epoch).await
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<LoanError> {
        if session.client().is_closed() {
            return Err(RecycleError::message("the session has ended"));
        }
        let epoch = self.epoch.load(Ordering::Relaxed);
        if session.epoch != epoch {
            // Those from before are closed with their list.
            session.statements = self.no_statements();
            session.epoch = epoch;
        }
        Ok(())
    }
}
