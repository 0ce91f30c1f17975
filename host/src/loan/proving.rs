use std::future::Future;
use std::sync::Arc;

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

use super::answer::{answer, at_once, send, settle};
use super::bind::TextValue;
use super::block::OpenBlock;
use super::cancel::Canceller;
use super::describe::{Described, ResultColumn};
use super::error::LoanError;
use super::run::unless_asked;
use super::stop::{Sent, Stop};

/// A connection on which PostgreSQL is asked about statements that nobody runs.
///
/// All is asked in one read-only transaction, or in a savepoint of one that is lent; each question then in a savepoint of
/// its own, which is rolled back: a question that fails does not disturb the next, and no lock on a table outlives its
/// question. [`Proving::end`] gives the connection back. Dropped instead, a connection of a pool is closed; what is lent
/// is given back all the same, since the end is sent and nobody has to wait for it.
///
/// [`Proving::describe`] has the driver ask for types that it does not know, by prepared statements of its own, up to
/// three, which it keeps for as long as its client lives; and where that is dropped before its answer, its statement
/// stays prepared, too. A session that a pooler shares with others is left with neither, and [`Proving::columns`]
/// prepares nothing on what is lent.
pub struct Proving<'loan> {
    block: OpenBlock<'loan>,
    /// What stops it, on a connection that is lent.
    stop: Option<&'loan Stop>,
    canceller: Option<&'loan Canceller>,
}

/// Makes the savepoint that each question is rolled back to. As with that of a loan, one name serves for all: statistics of
/// statements would take another for another statement.
const SAVE: &str = "SAVEPOINT callslip_question_c6b1f03e";
const BACK: &str = "ROLLBACK TO SAVEPOINT callslip_question_c6b1f03e";

/// Has a session forget what is prepared there, whatever has failed before.
pub(super) const FORGET: &str = "ROLLBACK TO SAVEPOINT callslip_question_c6b1f03e; DEALLOCATE ALL";

/// The name of the statement that is explained.
const EXPLAINED: &str = "callslip_explained";

/// A list of the same thing so many times, with what it stands in; nothing for none.
fn in_parentheses(thing: &str, times: usize) -> String {
    match times {
        0 => String::new(),
        _ => format!(" ({})", vec![thing; times].join(", ")),
    }
}

impl<'loan> Proving<'loan> {
    /// Begins in a block that [`Proving::opening`] has opened.
    pub(super) fn new(block: OpenBlock<'loan>) -> Self {
        Self { block, stop: None, canceller: None }
    }

    /// Lets somebody stop it.
    pub(super) fn stopped_by(self, stop: Option<&'loan Stop>, canceller: Option<&'loan Canceller>) -> Self {
        Self { stop, canceller, ..self }
    }

    /// What opens the block, after what opens one.
    pub(super) fn opening(block: &str) -> String {
        format!("{block}; {SAVE}")
    }

    pub(super) fn client(&self) -> &'loan Client {
        self.block.client()
    }

    /// Has PostgreSQL parse one statement and say what its parameters and columns are. Nothing is planned or
    /// run: no function is called. The statement has only parameters and no values, so what
    /// [`LoanError::postgres`] then says is safe to show to its author.
    ///
    /// # Errors
    /// [`LoanError::Failed`] with SQLSTATE, message, hint and position; [`LoanError::Stopped`]; [`LoanError::Lost`].
    pub async fn describe(&self, sql: &str) -> Result<Described, LoanError> {
        let described = async { Ok(Described::new(&self.client().prepare(sql).await?)) };
        self.ask(described).await.map_err(LoanError::from)
    }

    /// The columns of a statement, of which the names are known already, and how many parameters it has. On a connection
    /// that is lent nothing is prepared for that.
    ///
    /// # Errors
    /// As of [`Proving::describe`].
    pub async fn columns(
        &self,
        sql: &str,
        names: &[&str],
        parameters: usize,
    ) -> Result<Arc<[ResultColumn]>, LoanError> {
        match self.block.is_lent() {
            true => self.describe_unnamed(sql, names, parameters).await,
            false => Ok(self.describe(sql).await?.columns),
        }
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
        // The driver need not know of what type it is.
        self.ask(self.client().execute_typed(sql, &[(&value, Type::UNKNOWN)])).await?;
        Ok(())
    }

    /// The plan that PostgreSQL uses for any values, as the lines of `EXPLAIN`. The statement is not run, but
    /// planning calls IMMUTABLE and STABLE functions of constant arguments.
    ///
    /// # Errors
    /// [`LoanError::Failed`], [`LoanError::Stopped`], [`LoanError::Lost`].
    pub async fn explain(&self, sql: &str, parameter_count: usize) -> Result<Vec<String>, LoanError> {
        let prepare = format!("PREPARE {EXPLAINED} AS {sql}");
        self.plan(&prepare, "EXPLAIN", parameter_count).await
    }

    /// The same plan as JSON. Each parameter of the statement has to be one of which a text can be cast to its type, as those of all
    /// printed statements are: a null of that type itself may not be a value of it.
    ///
    /// # Errors
    /// As of [`Proving::explain`].
    pub async fn explain_as_json(&self, sql: &str, parameter_count: usize) -> Result<String, LoanError> {
        let types = in_parentheses("text", parameter_count);
        let prepare = format!("PREPARE {EXPLAINED}{types} AS {sql}");
        let lines = self.plan(&prepare, "EXPLAIN (FORMAT JSON)", parameter_count).await?;
        Ok(lines.join("\n"))
    }

    /// What EXPLAIN says of a statement that is prepared for that alone.
    async fn plan(
        &self,
        prepare: &str,
        explain: &str,
        parameter_count: usize,
    ) -> Result<Vec<String>, LoanError> {
        let explain = format!("{explain} EXECUTE {EXPLAINED}{}", in_parentheses("NULL", parameter_count));
        let mut plan = answer(self.ask(async {
            // One way for all versions: the `GENERIC_PLAN` of PostgreSQL 16 would only save the PREPARE. That one is sent as
            // one statement, whatever `sql` holds.
            let mut generic =
                answer(self.client().batch_execute("SET LOCAL plan_cache_mode = force_generic_plan"));
            let mut prepared = answer(self.client().execute_typed(prepare, &[]));
            // As text, whatever its type.
            let mut explained = answer(self.client().simple_query(&explain));
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
        let mut forgotten = answer(self.ask(self.client().batch_execute(&deallocate)));
        at_once(|context| {
            send(&mut plan, context);
            send(&mut forgotten, context);
        })
        .await;
        let plan = settle(&mut plan).await;
        let forgotten = settle(&mut forgotten).await;
        let messages = plan?;
        forgotten?;
        let line = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        Ok(messages.iter().filter_map(line).collect())
    }

    /// Asks something in a savepoint that is rolled back. The question sends all that it has to say when it is polled first;
    /// then the end of the savepoint is on its way before anything is awaited.
    pub(super) async fn ask<T: Send>(
        &self,
        question: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let mut question = answer(question);
        let mut back = answer(self.client().batch_execute(BACK));
        at_once(|context| {
            send(&mut question, context);
            send(&mut back, context);
        })
        .await;
        let asked = settle(&mut question).await;
        let mut undone = settle(&mut back).await;
        if asked.is_err() && undone.is_ok() {
            // It may be a question of the driver's own that failed, which was sent after that.
            undone = self.client().batch_execute(BACK).await;
        }
        let answered = asked?;
        undone.map(|()| answered)
    }

    /// What a question comes to; none, if somebody asks to stop before, after which nothing but [`Proving::cancel`] is left to
    /// be done.
    pub async fn unless_stopped<T>(&self, question: impl Future<Output = T>) -> Option<T> {
        if let Some(stop) = self.stop {
            stop.sends(Sent::Lent);
        }
        unless_asked(question, self.stop).await
    }

    /// Cancels what was asked and has no answer yet, on a connection that is lent, and gives that back.
    ///
    /// # Errors
    /// [`LoanError::NotCancelled`]; [`LoanError::Lost`].
    pub async fn cancel(self) -> Result<(), LoanError> {
        self.block.cancel(self.canceller).await
    }

    /// Gives the connection back.
    ///
    /// # Errors
    /// [`LoanError::Lost`], if it is gone, or something else has ended the transaction.
    pub async fn end(self) -> Result<(), LoanError> {
        self.block.end().await
    }
}
