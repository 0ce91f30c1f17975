use std::future::Future;

use futures_util::FutureExt;
use futures_util::future::join;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row};

use super::answer::{answer, at_once, send, settle};
use super::bind::TextValue;
use super::block::{Block, OpenBlock};
use super::connection::Connection;
use super::describe::Described;
use super::error::LoanError;
use super::lender::Lent;
use super::pool::Loan;
use super::pooler::Pooler;
use super::session::milliseconds;
use super::terms::Terms;

/// A connection on which PostgreSQL is asked about statements that nobody runs.
///
/// All is asked in one read-only transaction, or in a savepoint of one that is lent; each question then in a savepoint of its
/// own, which is rolled back: a question that fails does not disturb the next, and no lock on a table outlives its question.
/// [`Proving::end`] gives the connection back. Dropped instead, a connection of a pool is closed; what is lent is given back all
/// the same, since the end is sent and nobody has to wait for it.
///
/// The driver asks for types that it does not know by prepared statements of its own, up to three, which it keeps for as long as
/// its client lives: those stay on a connection that is lent. Where a question is dropped before its answer, its statement stays
/// prepared there, too.
///
/// A pool's session that is shared keeps nothing of it: what was prepared there is forgotten, and the connection is closed, whose
/// driver knows of it.
pub struct Proving<'loan> {
    client: &'loan Client,
    /// Until its end is sent.
    block: Option<OpenBlock<'loan>>,
    /// The connection of a pool, if it is one.
    connection: Option<&'loan Connection>,
    /// Whether the connection's session is shared with others.
    is_shared: bool,
}

/// Makes the savepoint that each question is rolled back to. As with that of a loan, one name serves for all: statistics of
/// statements would take another for another statement.
const SAVE: &str = "SAVEPOINT callslip_question_c6b1f03e";
const BACK: &str = "ROLLBACK TO SAVEPOINT callslip_question_c6b1f03e";

/// Has a shared session forget what is prepared there, whatever has failed before.
const FORGET: &str = "ROLLBACK TO SAVEPOINT callslip_question_c6b1f03e; DEALLOCATE ALL";

/// The name of the statement that is explained.
const EXPLAINED: &str = "callslip_explained";

impl Loan {
    /// Begins to prove statements on this connection.
    ///
    /// # Errors
    /// [`LoanError`], if the connection does not serve.
    pub async fn prove(&self) -> Result<Proving<'_>, LoanError> {
        self.connection.begin_work();
        let client = self.connection.client();
        let terms = Terms::of(&self.settings);
        let is_shared = terms.pooler != Pooler::None;
        let save = match is_shared {
            true => {
                // The session may have names of another connection's driver, which could be those of this one's.
                let timeout = milliseconds(self.settings.idle_in_transaction_timeout);
                format!("DEALLOCATE ALL; SET LOCAL idle_in_transaction_session_timeout = {timeout}; {SAVE}")
            }
            false => SAVE.to_owned(),
        };
        let block = Proving::begin(client, Block::Proving, &terms, &save).await?;
        Ok(Proving { client, block: Some(block), connection: Some(&self.connection), is_shared })
    }
}

impl<'loan> Lent<'loan> {
    /// Begins to prove statements on a connection that is lent. On an open transaction they may be about what it has made and
    /// not committed, and [`Lent::run`] says how its owner gets it back. Of these terms, the timeout is that of each question.
    ///
    /// # Errors
    /// [`LoanError::NoTransaction`], [`LoanError::TransactionAborted`], and whatever else can go wrong.
    pub async fn prove(self, terms: &Terms) -> Result<Proving<'loan>, LoanError> {
        let block = match self.in_transaction {
            true => Block::Savepoint,
            false => match Block::needed_by(self.client).await? {
                Block::Savepoint => Block::Savepoint,
                Block::Transaction | Block::Proving => Block::Proving,
            },
        };
        let block = Proving::begin(self.client, block, terms, SAVE).await?;
        Ok(Proving { client: self.client, block: Some(block), connection: None, is_shared: false })
    }
}

impl<'loan> Proving<'loan> {
    async fn begin(
        client: &'loan Client,
        block: Block,
        terms: &Terms,
        save: &str,
    ) -> Result<OpenBlock<'loan>, LoanError> {
        // Both are on their way before the first await.
        let (block, saved) = join(OpenBlock::begin(client, block, terms), client.batch_execute(save)).await;
        let block = block?;
        saved?;
        Ok(block)
    }

    /// Has PostgreSQL parse one statement and say what its parameters and columns are. Nothing is planned or
    /// run: no function is called. The statement has only parameters and no values, so what
    /// [`LoanError::postgres`] then says is safe to show to its author.
    ///
    /// # Errors
    /// [`LoanError::Failed`] with SQLSTATE, message, hint and position; [`LoanError::Stopped`]; [`LoanError::Lost`].
    pub async fn describe(&self, sql: &str) -> Result<Described, LoanError> {
        let described = async { Ok(Described::new(&self.client.prepare(sql).await?)) };
        self.ask(described).await.map_err(LoanError::from)
    }

    /// Runs a statement of the host's own that reads its one parameter as a value, to see whether it is one.
    ///
    /// # Errors
    /// [`LoanError::NulCharacter`]; [`LoanError::Failed`], if it is none; [`LoanError::Stopped`]; [`LoanError::Lost`].
    pub async fn evaluate(&self, sql: &str, text: &str) -> Result<(), LoanError> {
        if text.contains('\0') {
            return Err(LoanError::NulCharacter { parameter: 1 });
        }
        let value = TextValue::new(Some(text));
        self.ask(self.client.query_typed(sql, &[(&value, Type::UNKNOWN)])).await?;
        Ok(())
    }

    /// The plan that PostgreSQL uses for any values, as the lines of `EXPLAIN`. The statement is not run, but
    /// planning calls IMMUTABLE and STABLE functions of constant arguments.
    ///
    /// # Errors
    /// [`LoanError::Failed`], [`LoanError::Stopped`], [`LoanError::Lost`].
    pub async fn explain(&self, sql: &str, parameter_count: usize) -> Result<Vec<String>, LoanError> {
        let prepare = format!("PREPARE {EXPLAINED} AS {sql}");
        let nulls = vec!["NULL"; parameter_count].join(", ");
        let arguments = if nulls.is_empty() { nulls } else { format!(" ({nulls})") };
        let explain = format!("EXPLAIN EXECUTE {EXPLAINED}{arguments}");
        let mut plan = answer(self.ask(async {
            // One way for all versions: the `GENERIC_PLAN` of PostgreSQL 16 would only save the PREPARE. That one is sent as
            // one statement, whatever `sql` holds.
            let mut generic =
                answer(self.client.batch_execute("SET LOCAL plan_cache_mode = force_generic_plan"));
            let mut prepared = answer(self.client.execute_typed(&prepare, &[]));
            let mut explained = answer(self.client.query_typed(&explain, &[]));
            at_once(|context| {
                send(&mut generic, context);
                send(&mut prepared, context);
                send(&mut explained, context);
            })
            .await;
            settle(&mut generic).await?;
            settle(&mut prepared).await?;
            settle(&mut explained).await
        }));
        // A prepared statement outlives its savepoint, and its transaction.
        let deallocate = format!("DEALLOCATE {EXPLAINED}");
        let mut forgotten = answer(self.ask(self.client.batch_execute(&deallocate)));
        at_once(|context| {
            send(&mut plan, context);
            send(&mut forgotten, context);
        })
        .await;
        let plan = settle(&mut plan).await;
        let forgotten = settle(&mut forgotten).await;
        let rows = plan?;
        forgotten?;
        let line = |row: &Row| row.try_get::<_, String>(0).map_err(LoanError::from);
        rows.iter().map(line).collect()
    }

    /// Asks something in a savepoint that is rolled back. The question sends all that it has to say when it is polled first;
    /// then the end of the savepoint is on its way before anything is awaited.
    async fn ask<T: Send>(
        &self,
        question: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let mut question = answer(question);
        let mut back = answer(self.client.batch_execute(BACK));
        at_once(|context| {
            send(&mut question, context);
            send(&mut back, context);
        })
        .await;
        let asked = settle(&mut question).await;
        let mut undone = settle(&mut back).await;
        if asked.is_err() && undone.is_ok() {
            // It may be a question of the driver's own that failed, which was sent after that.
            undone = self.client.batch_execute(BACK).await;
        }
        let answered = asked?;
        undone.map(|()| answered)
    }

    /// Gives the connection back.
    ///
    /// # Errors
    /// [`LoanError::Lost`].
    pub async fn end(mut self) -> Result<(), LoanError> {
        if self.is_shared {
            self.client.batch_execute(FORGET).await?;
        }
        if let Some(block) = self.block.take() {
            block.end().await?;
        }
        if let (Some(connection), false) = (self.connection, self.is_shared) {
            connection.settle_work();
        }
        Ok(())
    }
}

impl Drop for Proving<'_> {
    fn drop(&mut self) {
        if self.block.is_some() && self.is_shared {
            // The first poll sends it; nobody needs the answer. The block's own end follows.
            let _ = self.client.batch_execute(FORGET).now_or_never();
        }
    }
}
