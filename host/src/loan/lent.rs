use std::sync::OnceLock;
use std::time::Instant;

use super::admission::Admission;
use super::block::Block;
use super::error::LoanError;
use super::guard::Guard;
use super::lender::Lent;
use super::pooler::Pooler;
use super::run::{BoundStatement, Kept, Run, check_values};
use super::sessions::Sessions;
use super::start::Start;
use super::terms::Terms;
use super::wire::Wire;

impl<'loan> Lent<'loan> {
    /// Asks whether the connection's role may pass a guard.
    ///
    /// # Errors
    /// [`LoanError::Privileged`], and whatever else can go wrong.
    pub async fn check(&self, guard: &Guard) -> Result<(), LoanError> {
        let block = match self.in_transaction {
            true => Block::Savepoint,
            false => Block::needed_by(self.client).await?,
        };
        let (answered, ended) = block.around(self.client, &guard.question()).await;
        let judged = guard.judge(&answered?);
        ended?;
        judged
    }

    /// Runs the statements of one plan, all in one round trip. Returns when PostgreSQL has begun to answer. Dropped at any
    /// await, it leaves the connection usable.
    ///
    /// On an open transaction they run within a savepoint that is read-only and rolled back at the end, whatever
    /// happened, so that its owner gets it back as it was: not aborted, not read-only, with its own settings. Only what
    /// no rollback undoes stays: session-level advisory locks, and the snapshot, which a first statement fixes in
    /// REPEATABLE READ and SERIALIZABLE. As after any query, an owner's `SET TRANSACTION ISOLATION LEVEL` then fails
    /// ("must be called before any query"), in READ COMMITTED too. The savepoint's name, `callslip_loan_c6b1f03e`, is
    /// reserved: the owner must not have a savepoint of that name, nor a cursor of the name `callslip_began_c6b1f03e`. On a
    /// connection without a transaction, they run in a read-only one of their own, on one snapshot, which is rolled back.
    /// [`Terms::deadline`] bounds all of them together.
    ///
    /// Nothing is ever cancelled because this or the [`Run`] is dropped: a cancel that comes late would hit the owner's
    /// next statement. What nobody reads runs before that next statement, each statement of it to its end or to its
    /// timeout. [`Run::cancel`] stops it. What the owner has asked for before is answered before: a `RowStream` of its own, of
    /// which more is to come than the driver holds, has to be read on or dropped meanwhile.
    ///
    /// The owner of a transaction must not have ended it by a COMMIT of its own: that is noticed, and no row is given,
    /// but the statements have run then, outside of the savepoint.
    ///
    /// # Errors
    /// [`LoanError::NoTransaction`], [`LoanError::TransactionAborted`], [`LoanError::Privileged`], [`LoanError::Stale`], and
    /// whatever else can go wrong before the first row.
    pub async fn run(
        self,
        statements: Vec<BoundStatement>,
        terms: &Terms,
        sessions: &Sessions,
    ) -> Result<Run<'loan>, LoanError> {
        check_values(&statements)?;
        if statements.is_empty() {
            return Ok(Run::finished());
        }
        // What is not kept would have to be prepared each time.
        let may_keep =
            terms.pooler == Pooler::None && statements.iter().all(|statement| statement.kept != Kept::Never);
        let session = self.session.filter(|_| may_keep);
        let kept = session.map(|session| sessions.statements(&session));
        let block = match self.in_transaction {
            true => Block::Savepoint,
            false => Block::needed_by(self.client).await?,
        };
        let start = Start {
            wire: Wire::Lent {
                client: self.client,
                statements: kept,
                canceller: self.canceller,
                _companion: self.companion,
            },
            statements: statements.into(),
            block: Some(block),
            terms: *terms,
            check_interval: None,
            stop: self.stop,
            admission: self.guard.map(|guard| Admission {
                guard,
                admitted: &sessions.admitted,
                since: Instant::now(),
                passed: OnceLock::new(),
            }),
            caller: self.caller,
            asked_at: None,
        };
        start.run(&sessions.assumptions).await.map_err(LoanError::of_other_role)
    }
}
