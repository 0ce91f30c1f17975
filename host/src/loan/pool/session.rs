use tokio::runtime::Handle;
use tokio_postgres::Client;

use super::{PoolSettings, finish_session, open_session};
use crate::loan::address::{self, Address};
use crate::loan::driver::Driver;
use crate::loan::error::LoanError;
use crate::loan::settings::{ConnectionSettings, TlsSettings};
use crate::loan::statements::Statements;
use crate::reason::reason;

/// A read-only session of a pool. Dropped, it is closed.
pub(in crate::loan) struct Session {
    client: Client,
    /// None, where the session is shared.
    pub(super) statements: Option<Statements>,
    /// The pool's at the time since which the statements are kept.
    pub(super) epoch: u64,
    /// Where its server is.
    address: Address,
    /// How connections to it are encrypted.
    tls: TlsSettings,
    /// Where it is driven.
    runtime: Handle,
    _driver: Driver,
}

impl Session {
    /// Connects, and finds the session to be what was asked for.
    ///
    /// # Errors
    /// [`LoanError::Unavailable`].
    pub(super) async fn open(
        connection: &ConnectionSettings,
        settings: &PoolSettings,
        statements: Option<Statements>,
        epoch: u64,
    ) -> Result<Self, LoanError> {
        let (client, driver, address) = address::first(connection, |address| async move {
            let (client, connection) = open_session(connection, settings, &address).await?;
            let driver = Driver::start(async move {
                if let Err(error) = connection.await {
                    tracing::warn!(reason = reason(&error), "a connection of the pool was lost");
                }
            });
            finish_session(&client, settings).await?;
            Ok((client, driver, address))
        })
        .await?;
        let runtime = Handle::current();
        Ok(Self {
            client,
            statements,
            epoch,
            address,
            tls: connection.tls().clone(),
            runtime,
            _driver: driver,
        })
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What it keeps prepared, if it may.
    pub fn statements(&self) -> Option<&Statements> {
        self.statements.as_ref()
    }

    /// Where a cancel of what it runs has to go.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How that is sent.
    pub fn tls(&self) -> &TlsSettings {
        &self.tls
    }

    /// Where it is driven: what is to be done with it needs that runtime.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }
}
