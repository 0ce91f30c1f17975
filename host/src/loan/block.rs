use futures_util::FutureExt;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::answer::{answer, at_once, send, settle};
use super::cancel::Canceller;
use super::connection::Connection;
use super::error::LoanError;
use super::interrupt::interrupt;
use super::session::Settings;
use super::terms::Terms;

/// What statements run in so that they leave nothing behind: a part of a transaction, or a whole one, that reads only and
/// is rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A savepoint in a transaction of somebody else's. Its name is one for all loans: statistics of statements would
    /// take another for another statement. Nobody else may have it: where a loan could not set its own savepoint, its
    /// end would roll back to theirs.
    Savepoint,
    /// A transaction of the loan's own, on one snapshot.
    Transaction,
}

impl Block {
    /// What opens it.
    pub fn begin(self) -> &'static str {
        match self {
            Self::Savepoint => "SAVEPOINT callslip_loan_c6b1f03e",
            Self::Transaction => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// What makes it read-only, after its first SELECT: a snapshot that is first taken under READ ONLY would keep a
    /// SERIALIZABLE owner out of conflict detection for good.
    pub fn read_only(self) -> Option<&'static str> {
        match self {
            Self::Savepoint => Some("SET TRANSACTION READ ONLY"),
            Self::Transaction => None,
        }
    }

    /// What ends it, whatever happened in it.
    pub fn end(self) -> &'static str {
        match self {
            Self::Savepoint => {
                "ROLLBACK TO SAVEPOINT callslip_loan_c6b1f03e; RELEASE SAVEPOINT callslip_loan_c6b1f03e"
            }
            Self::Transaction => "ROLLBACK",
        }
    }

    /// Runs SQL in one of its own, which is sent at once with its begin and its end. Returns the answers to the SQL and to the
    /// end.
    pub async fn around(
        self,
        client: &Client,
        sql: &str,
    ) -> (Result<Vec<SimpleQueryMessage>, LoanError>, Result<(), LoanError>) {
        let sql = format!("{}; {sql}", self.begin());
        let mut answered = answer(client.simple_query(&sql));
        let mut end = answer(client.batch_execute(self.end()));
        at_once(|context| (send(&mut answered, context), send(&mut end, context))).await;
        let answered = settle(&mut answered).await.map_err(LoanError::of_transaction);
        (answered, settle(&mut end).await.map_err(|error| LoanError::not_ended(&error)))
    }

    /// Opens it on a connection that is lent, with all settings, in one message.
    pub fn opening(self, terms: &Terms, settings: Settings) -> String {
        self.opening_by(self.begin(), terms, settings)
    }

    /// The same for statements that are proven and not run: they need no snapshot, which a long transaction had better not
    /// keep.
    pub fn opening_to_prove(self, terms: &Terms) -> String {
        match self {
            Self::Savepoint => self.opening(terms, Settings::Compared),
            Self::Transaction => {
                let begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
                self.opening_by(begin, terms, Settings::Compared)
            }
        }
    }

    fn opening_by(self, begin: &str, terms: &Terms, settings: Settings) -> String {
        let parts = [Some(begin), Some(&settings.sql(terms)), self.read_only()];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// Which one a connection needs: whether a transaction is open on it.
    ///
    /// PostgreSQL tells the driver, which does not tell us. A BEGIN would do harm to an open transaction, and a SAVEPOINT
    /// where there is none leaves an error in the server's log. But all of a transaction has one `now()`: two that differ
    /// are of two transactions. Two that don't are of one, or of a clock that stood still: then the SAVEPOINT tells.
    ///
    /// # Errors
    /// [`LoanError::TransactionAborted`], and whatever else can go wrong.
    pub async fn needed_by(client: &Client) -> Result<Self, LoanError> {
        let now = || answer(client.simple_query("SELECT pg_catalog.now()"));
        let (mut first, mut second) = (now(), now());
        at_once(|context| (send(&mut first, context), send(&mut second, context))).await;
        let first = settle(&mut first).await.map_err(LoanError::of_transaction)?;
        let second = settle(&mut second).await.map_err(LoanError::of_transaction)?;
        if only_value(&first) != only_value(&second) {
            return Ok(Self::Transaction);
        }
        // All in one message, so that it leaves nothing behind wherever this is dropped.
        let savepoint = format!("{}; {}", Self::Savepoint.begin(), Self::Savepoint.end());
        match client.batch_execute(&savepoint).await.map_err(LoanError::of_transaction) {
            Ok(()) => Ok(Self::Savepoint),
            Err(LoanError::NoTransaction) => Ok(Self::Transaction),
            Err(error) => Err(error),
        }
    }
}

fn only_value(messages: &[SimpleQueryMessage]) -> Option<&str> {
    messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    })
}

/// A block that is open, for what is not sent all at once. Its end is sent when this is dropped, if not before; a connection
/// of a pool is then closed.
pub(crate) struct OpenBlock<'a> {
    client: &'a Client,
    /// The connection of a pool, if it is one.
    connection: Option<&'a Connection>,
    block: Block,
    /// What comes before its end on a session that is shared with others.
    forget: Option<&'static str>,
    open: bool,
}

impl<'a> OpenBlock<'a> {
    /// Opens a block on a connection that is lent, with all settings.
    ///
    /// # Errors
    /// [`LoanError::NoTransaction`], [`LoanError::TransactionAborted`], and whatever else can go wrong; nothing is open
    /// then.
    pub(super) async fn begin(client: &'a Client, block: Block, terms: &Terms) -> Result<Self, LoanError> {
        Self::begin_by(client, None, block, &block.opening(terms, Settings::Compared)).await
    }

    /// The same by SQL of another kind, which may do more.
    pub(super) async fn begin_by(
        client: &'a Client,
        connection: Option<&'a Connection>,
        block: Block,
        sql: &str,
    ) -> Result<Self, LoanError> {
        if let Some(connection) = connection {
            connection.begin_unknown_work();
        }
        // Also where this is dropped before the answer is there.
        let open = Self { client, connection, block, forget: None, open: true };
        match client.simple_query(sql).await {
            Ok(_) => Ok(open),
            Err(error) => Err(LoanError::of_transaction(error)),
        }
    }

    /// Has the session, which is shared with others, forget first what was made there, and closes the connection at the end,
    /// whose driver knows of it.
    pub(super) fn forgetting(mut self, forget: &'static str) -> Self {
        self.forget = Some(forget);
        self
    }

    /// Whether the connection is somebody else's.
    pub(super) fn is_lent(&self) -> bool {
        self.connection.is_none()
    }

    /// The connection. What is done with it must leave the block open.
    pub(crate) fn client(&self) -> &'a Client {
        self.client
    }

    /// Ends the block, and gives the connection back.
    ///
    /// # Errors
    /// [`LoanError::Lost`].
    pub(crate) async fn end(mut self) -> Result<(), LoanError> {
        let mut ended: Vec<_> = self.ends().map(|sql| answer(self.client.batch_execute(sql))).collect();
        at_once(|context| ended.iter_mut().for_each(|ended| _ = send(ended, context))).await;
        // All is sent.
        self.open = false;
        for ended in &mut ended {
            settle(ended).await.map_err(|error| LoanError::not_ended(&error))?;
        }
        if let (Some(connection), None) = (self.connection, self.forget) {
            connection.settle_unknown_work();
        }
        Ok(())
    }

    /// Stops what runs in it on a connection that is lent, and gives the connection back.
    ///
    /// # Errors
    /// [`LoanError::NotCancelled`]; [`LoanError::Lost`].
    pub(super) async fn cancel(mut self, canceller: Option<&Canceller>) -> Result<(), LoanError> {
        let mut end = answer(self.client.batch_execute(self.block.end()));
        at_once(|context| _ = send(&mut end, context)).await;
        self.open = false;
        interrupt(self.client, canceller, self.block, end).await
    }

    /// What ends it, message by message.
    fn ends(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.forget.into_iter().chain([self.block.end()])
    }
}

impl Drop for OpenBlock<'_> {
    fn drop(&mut self) {
        if self.open {
            for sql in self.ends() {
                // The first poll sends it; nobody needs the answer.
                let _ = self.client.batch_execute(sql).now_or_never();
            }
        }
    }
}
