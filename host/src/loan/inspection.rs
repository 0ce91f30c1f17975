use std::time::Duration;

use tokio_postgres::Client;

use super::block::{Block, OpenBlock};
use super::cancel::Canceller;
use super::connection::Connection;
use super::error::LoanError;
use super::lender::Lent;
use super::pool::{Loan, PoolSettings};
use super::pooler::Pooler;
use super::proving::{FORGET, Proving};
use super::session::milliseconds;
use super::stop::Stop;
use super::terms::Terms;

/// A connection on which the database is looked at: its catalog is read, and statements are proven. Each time that is done in a
/// block that reads only and is rolled back, so that what is lent comes back as it was.
pub struct Inspection<'loan> {
    client: &'loan Client,
    /// The connection of a pool, if it is one.
    connection: Option<&'loan Connection>,
    block: Block,
    terms: Terms,
    /// Of a pool whose sessions are shared with others, how long a transaction may wait for its next statement.
    shared: Option<Duration>,
    /// What stops a proving, on a connection that is lent.
    stop: Option<&'loan Stop>,
    canceller: Option<&'loan Canceller>,
}

impl Loan {
    /// Looks at the database on this connection.
    pub fn inspect(&self) -> Inspection<'_> {
        let (client, connection) = (self.connection.client(), Some(&*self.connection));
        let PoolSettings { pooler, idle_in_transaction_timeout, .. } = *self.settings;
        let (terms, shared) = match pooler {
            // The session has bounds of its own.
            Pooler::None => {
                let none = Duration::ZERO;
                (Terms { statement_timeout: none, lock_timeout: none, pooler, deadline: None }, None)
            }
            Pooler::Transaction => (Terms::of(&self.settings), Some(idle_in_transaction_timeout)),
        };
        let (stop, canceller) = (None, None);
        Inspection { client, connection, block: Block::Transaction, terms, shared, stop, canceller }
    }

    /// Begins to prove statements on this connection.
    ///
    /// # Errors
    /// [`LoanError`], if the connection does not serve.
    pub async fn prove(&self) -> Result<Proving<'_>, LoanError> {
        self.inspect().prove().await
    }
}

impl Lent<'_> {
    /// Looks at the database on this connection: on an open transaction, whose uncommitted tables are then there, within a
    /// savepoint as that of [`Lent::run`]; otherwise in transactions of its own.
    ///
    /// # Errors
    /// [`LoanError::TransactionAborted`], and whatever else can go wrong.
    pub async fn inspect(&self, terms: &Terms) -> Result<Inspection<'_>, LoanError> {
        let block = match self.in_transaction {
            true => Block::Savepoint,
            false => Block::needed_by(self.client).await?,
        };
        let (stop, canceller) = (self.stop.as_deref(), self.canceller.as_ref());
        Ok(Inspection {
            client: self.client,
            connection: None,
            block,
            terms: *terms,
            shared: None,
            stop,
            canceller,
        })
    }
}

impl<'loan> Inspection<'loan> {
    /// Opens a block to read the catalog in: on one snapshot, unless it is a transaction of somebody else's that has none.
    ///
    /// # Errors
    /// [`LoanError::NoTransaction`], [`LoanError::TransactionAborted`], and whatever else can go wrong.
    #[cfg(feature = "host")]
    pub(crate) async fn begin(&self) -> Result<OpenBlock<'loan>, LoanError> {
        self.open(&self.block.opening(&self.terms, super::session::Settings::Compared)).await
    }

    /// Begins to prove statements. On a pool's session that is shared with others that can be done once: then the connection is
    /// closed, since its driver may know statements of that session, which the next one does not have.
    ///
    /// # Errors
    /// [`LoanError::NoTransaction`], [`LoanError::TransactionAborted`], and whatever else can go wrong.
    pub async fn prove(&self) -> Result<Proving<'loan>, LoanError> {
        let opening = self.block.opening_to_prove(&self.terms);
        let Some(idle) = self.shared else {
            let block = self.open(&Proving::opening(&opening)).await?;
            return Ok(Proving::new(block).stopped_by(self.stop, self.canceller));
        };
        // There may be statements that another connection has left when it broke, by names that the driver uses here, too.
        let opening = format!(
            "{opening}; DEALLOCATE ALL; SET LOCAL idle_in_transaction_session_timeout = {}",
            milliseconds(idle)
        );
        Ok(Proving::new(self.open(&Proving::opening(&opening)).await?.forgetting(FORGET)))
    }

    async fn open(&self, sql: &str) -> Result<OpenBlock<'loan>, LoanError> {
        OpenBlock::begin_by(self.client, self.connection, self.block, sql).await
    }
}
