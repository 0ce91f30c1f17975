use std::time::Duration;

use tokio_postgres::Client;

use super::block::{Block, OpenBlock};
use super::connection::Connection;
use super::error::LoanError;
use super::lender::Lent;
use super::pool::Loan;
use super::proving::Proving;
use super::session::Settings;
use super::terms::Terms;

/// A connection on which the database is looked at: its catalog is read, and statements are proven. Each time that is done in a
/// block that reads only and is rolled back, so that what is lent comes back as it was.
pub struct Inspection<'loan> {
    client: &'loan Client,
    /// The connection of a pool, if it is one.
    connection: Option<&'loan Connection>,
    block: Block,
    terms: Terms,
}

impl Loan {
    /// Looks at the database on this connection.
    pub fn inspect(&self) -> Inspection<'_> {
        let (client, connection) = (self.connection.client(), Some(&*self.connection));
        // The session has bounds of its own.
        let terms = Terms { statement_timeout: Duration::ZERO, lock_timeout: Duration::ZERO };
        Inspection { client, connection, block: Block::Transaction, terms }
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
        Ok(Inspection { client: self.client, connection: None, block, terms: *terms })
    }
}

impl<'loan> Inspection<'loan> {
    /// Opens a block to read the catalog in: on one snapshot, unless it is a transaction of somebody else's that has none.
    ///
    /// # Errors
    /// [`LoanError::NoTransaction`], [`LoanError::TransactionAborted`], and whatever else can go wrong.
    pub(crate) async fn begin(&self) -> Result<OpenBlock<'loan>, LoanError> {
        self.open(&self.block.opening(&self.terms, Settings::Compared)).await
    }

    /// Begins to prove statements.
    ///
    /// # Errors
    /// [`LoanError::NoTransaction`], [`LoanError::TransactionAborted`], and whatever else can go wrong.
    pub async fn prove(&self) -> Result<Proving<'loan>, LoanError> {
        let opening = Proving::opening(&self.block.opening_to_prove(&self.terms));
        Ok(Proving::new(self.open(&opening).await?))
    }

    async fn open(&self, sql: &str) -> Result<OpenBlock<'loan>, LoanError> {
        OpenBlock::begin_by(self.client, self.connection, self.block, sql).await
    }
}
