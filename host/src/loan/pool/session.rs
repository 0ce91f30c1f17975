use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio::runtime::Handle;
use tokio_postgres::{Client, NoTls};

use super::{PoolSettings, finish_session, session_login};
use crate::loan::address::{self, Address};
use crate::loan::driver::Driver;
use crate::loan::error::LoanError;
use crate::loan::settings::ConnectionSettings;
use crate::loan::statements::Statements;
use crate::reason::reason;

/// A read-only session of a pool. Dropped, it is closed.
pub(in crate::loan) struct Session {
    client: Client,
    statements: Statements,
    /// Where its server is.
    address: Address,
    /// Where it is driven.
    runtime: Handle,
    /// The pool's at the time since which the statements are kept.
    epoch: u64,
    _driver: Driver,
}

impl Session {
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn statements(&self) -> &Statements {
        &self.statements
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

/// Makes the sessions of a pool, and has them forget their statements.
pub(in crate::loan) struct Manager {
    connection: ConnectionSettings,
    settings: PoolSettings,
    statements: NonZeroUsize,
    /// Grows with every change after which no statement may be kept.
    epoch: AtomicU64,
}

impl Manager {
    /// Of each session, so many statements are kept.
    pub fn new(connection: ConnectionSettings, settings: PoolSettings, statements: NonZeroUsize) -> Self {
        Self { connection, settings, statements, epoch: AtomicU64::new(0) }
    }

    pub fn forget_statements(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
    }
}

impl managed::Manager for Manager {
    type Type = Session;
    type Error = LoanError;

    async fn create(&self) -> Result<Session, LoanError> {
        let epoch = self.epoch.load(Ordering::Relaxed);
        let login = session_login(&self.connection, &self.settings);
        let check_interval = self.settings.client_check_interval;
        address::first(&self.connection, |address| {
            let config = address.config(&login);
            async move {
                let (client, connection) = config.connect(NoTls).await.map_err(|error| reason(&error))?;
                let driver = Driver::start(async move {
                    if let Err(error) = connection.await {
                        tracing::warn!(reason = reason(&error), "a connection of the pool was lost");
                    }
                });
                finish_session(&client, check_interval).await?;
                let statements = Statements::new(self.statements);
                let runtime = Handle::current();
                Ok(Session { client, statements, address, runtime, epoch, _driver: driver })
            }
        })
        .await
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<LoanError> {
        if session.client.is_closed() {
            return Err(RecycleError::message("the server has closed the session"));
        }
        let epoch = self.epoch.load(Ordering::Relaxed);
        if session.epoch != epoch {
            // Those from before are closed with their list.
            session.statements = Statements::new(self.statements);
            session.epoch = epoch;
        }
        Ok(())
    }
}
