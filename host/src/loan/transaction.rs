use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use futures_util::TryStreamExt;
use tokio_postgres::types::Type;
use tokio_postgres::{Error, Row, RowStream, Transaction};

use super::answer::{Answer, answer, at_once, send, settle};
use super::bind::TextValue;
use super::error::LoanError;
use super::pool::PoolSettings;
use super::run::{BoundStatement, Run, check_columns, check_values, lost};
use super::session::local_settings;

/// One name for all loans: statistics of statements would take another for another statement. Nobody else may have it:
/// where a loan could not set its own savepoint, this would roll back to theirs.
pub(super) const END: &str =
    "ROLLBACK TO SAVEPOINT callslip_loan_c6b1f03e; RELEASE SAVEPOINT callslip_loan_c6b1f03e";

/// Makes the savepoint, and what is in it read-only.
pub(super) fn begin(settings: &PoolSettings) -> String {
    // The SELECT comes before READ ONLY: a snapshot that is first taken under READ ONLY would keep a
    // SERIALIZABLE owner out of conflict detection for good.
    format!("SAVEPOINT callslip_loan_c6b1f03e; {}; SET TRANSACTION READ ONLY", local_settings(settings))
}

/// A transaction that its owner lends.
///
/// What runs on it sees the owner's own uncommitted rows, and has the owner's role, isolation and locks. It runs
/// within a savepoint that is read-only and rolled back at the end, whatever happened, so that the owner gets the
/// transaction back as it was: not aborted, not read-only, with its own settings. Only what no rollback undoes
/// stays: session-level advisory locks, and the snapshot, which a first statement fixes in REPEATABLE READ and
/// SERIALIZABLE. As after any query, an owner's `SET TRANSACTION ISOLATION LEVEL` then fails ("must be called before
/// any query"), in READ COMMITTED too. The savepoint's name, `callslip_loan_c6b1f03e`, is reserved: the owner must
/// not have a savepoint of that name.
///
/// Nothing is ever cancelled on it: a cancel that comes late would hit the owner's next statement. What nobody
/// reads runs before that next statement, each statement of it to its end or to its own timeout.
pub struct LentTransaction<'loan> {
    transaction: &'loan Transaction<'loan>,
    begin: String,
}

impl<'loan> LentTransaction<'loan> {
    /// Borrows a transaction. Of the settings, each statement's timeout and the lock timeout hold, where the owner
    /// has no shorter ones.
    pub fn new(transaction: &'loan mut Transaction<'_>, settings: &PoolSettings) -> Self {
        Self { transaction, begin: begin(settings) }
    }

    /// Runs the statements of one plan in one round trip, the savepoint and its end included. Returns when
    /// PostgreSQL has begun to answer. Dropped at any await, it leaves the transaction usable.
    ///
    /// The caller must not have ended the transaction by a COMMIT of its own: that is noticed, and no row is
    /// given, but the statements have run then, outside of the savepoint.
    ///
    /// # Errors
    /// [`LoanError::NoTransaction`], [`LoanError::TransactionAborted`], [`LoanError::Stale`], and whatever else
    /// can go wrong before the first row.
    pub async fn run(self, statements: Vec<BoundStatement>) -> Result<Run<'loan>, LoanError> {
        check_values(&statements)?;
        let statements: Arc<[BoundStatement]> = statements.into();
        if statements.is_empty() {
            return Ok(Run::finished());
        }
        match self.start(&statements).await? {
            Some(run) => Ok(run),
            // By now the driver knows the types of all columns.
            None => self.start(&statements).await?.ok_or(LoanError::RunFailed),
        }
    }

    /// One attempt. None, if the driver did not know the type of a column, which it does now.
    async fn start(&self, statements: &Arc<[BoundStatement]>) -> Result<Option<Run<'loan>>, LoanError> {
        let transaction = self.transaction;
        let batch = |sql: &str| {
            let sql = sql.to_owned();
            answer(async move { transaction.batch_execute(&sql).await })
        };
        let mut begin = batch(&self.begin);
        let mut probes: Vec<Answer<Vec<Row>>> =
            (0..statements.len()).map(|position| probe(transaction, statements, position)).collect();
        let mut probed = batch("");
        let mut answers: VecDeque<Answer<RowStream>> =
            (0..statements.len()).map(|position| query(transaction, statements, position)).collect();
        let mut end = batch(END);
        // All are on their way, the end included, before the first await.
        at_once(|context| {
            send(&mut begin, context);
            for probe in &mut probes {
                send(probe, context);
            }
            send(&mut probed, context);
            for answer in &mut answers {
                send(answer, context);
            }
            send(&mut end, context);
        })
        .await;

        if let Err(error) = settle(&mut begin).await {
            // Without the savepoint the rest has run outside of it: its answers are worth nothing.
            drop((probes, answers));
            // It fails too where there was no transaction or an aborted one.
            let _ = settle(&mut end).await;
            return Err(LoanError::of_savepoint(error));
        }
        // PostgreSQL answers each probe before `probed`. One that is not there then waits for a question of the
        // driver's own, which is behind everything that was sent.
        poll_fn(|context| {
            for probe in &mut probes {
                send(probe, context);
            }
            if send(&mut probed, context) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let known = at_once(|context| probes.iter_mut().all(|probe| send(probe, context))).await;
        if !known {
            // Rows that nobody reads would keep the driver from its answer.
            answers.clear();
        }
        let mut refusal = None;
        for (position, (probe, bound)) in probes.iter_mut().zip(statements.iter()).enumerate() {
            refusal = match settle(probe).await {
                Ok(nulls) => check_columns(nulls.first().map_or(&[], Row::columns), &bound.columns).err(),
                Err(error) => Some(LoanError::from(error).of_proven().of_statement(position)),
            };
            if refusal.is_some() {
                break;
            }
        }
        if known && refusal.is_none() {
            let run = Run::begin(statements.clone(), answers, Some(end), None).await;
            return run.map(Some).map_err(LoanError::of_proven);
        }
        drop((probes, answers));
        settle(&mut end).await.map_err(|error| lost(&error))?;
        match refusal {
            Some(error) => Err(error),
            None => Ok(None),
        }
    }
}

/// Asks for the columns of a statement without running it: the answer is one row of nulls that has them. The driver has
/// a query of its own for a type that it does not know; for a statement with rows that would wait for ever, behind rows
/// that wait for the driver.
///
/// PostgreSQL plans nothing of the statement, so that no function is called, not even one that it would call when it
/// plans: OFFSET keeps the statement a subquery of its own, and a subquery whose condition is false is left out before
/// it is planned. The values are bound as for the run: a domain may refuse a null.
fn probe<'loan>(
    transaction: &'loan Transaction<'loan>,
    statements: &Arc<[BoundStatement]>,
    position: usize,
) -> Answer<'loan, Vec<Row>> {
    let statements = statements.clone();
    answer(async move {
        let bound = &statements[position];
        let sql = format!(
            "SELECT proven.* FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM \
             (SELECT * FROM ({}) AS statement OFFSET 0) AS unplanned WHERE false) AS proven ON true",
            bound.sql
        );
        let rows = transaction.query_typed_raw(&sql, values(bound)).await?;
        rows.try_collect().await
    })
}

/// Runs a statement without a name, which needs no trip of its own to be prepared.
fn query<'loan>(
    transaction: &'loan Transaction<'loan>,
    statements: &Arc<[BoundStatement]>,
    position: usize,
) -> Answer<'loan, RowStream> {
    let statements = statements.clone();
    answer(async move {
        let bound = &statements[position];
        transaction.query_typed_raw(&bound.sql, values(bound)).await
    })
}

/// The values of the parameters. Of an unknown type, a parameter has the one that it was proven with.
fn values(bound: &BoundStatement) -> impl Iterator<Item = (TextValue<'_>, Type)> {
    bound.values.iter().map(|value| (TextValue::new(value.as_deref()), Type::UNKNOWN))
}

impl LoanError {
    /// Why there is no savepoint.
    pub(super) fn of_savepoint(error: Error) -> Self {
        match error.code().map(|code| code.code()) {
            // no_active_sql_transaction, in_failed_sql_transaction
            Some("25P01") => Self::NoTransaction,
            Some("25P02") => Self::TransactionAborted,
            _ => error.into(),
        }
    }
}
