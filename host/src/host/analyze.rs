use std::sync::Arc;

use super::bind::Bound;
use super::budget::Budget;
use super::call::Call;
use super::error::CallError;
use crate::loan::{BoundStatement, Kept, LoanError, ResultColumn};

/// The type `text`.
const TEXT: u32 = 25;

impl Call<'_> {
    /// Runs the statements of the call on a connection of the host's own, as [`Call::run`] does, and gives what PostgreSQL has done
    /// for each of them in place of its rows: the lines of EXPLAIN (ANALYZE, BUFFERS). It is observed by nobody.
    ///
    /// # Errors
    /// [`CallError`].
    pub(crate) async fn analyze(self) -> Result<Vec<Vec<String>>, CallError> {
        let Self { request, .. } = self;
        let budget = Budget::begin(request.timeout.unwrap_or(request.allowance.call_time), None);
        let generation = request.host.generation();
        let caller = request.caller_to_set()?;
        let found = budget.within(request.found(&generation, None, &budget)).await;
        let Bound { proven, statements, .. } = found?;
        let pool = request.host.pool.as_ref().ok_or(CallError::NothingLent)?;
        let loan = budget.within(async { Ok(pool.loan().await?) }).await?.for_caller(caller);
        let failed = |error: LoanError| CallError::of_run(error, proven.statements());
        let explained = statements.into_iter().map(explained).collect();
        let mut run = budget.within(async { loan.run(explained).await.map_err(failed) }).await?;
        let mut plans = vec![Vec::new(); proven.statements().len()];
        while !run.is_finished() {
            let at = run.current_statement();
            let row = budget.within(async { run.next_row().await.map_err(failed) }).await?;
            if let (Some(row), Some(plan)) = (row, plans.get_mut(at)) {
                let line: &str = row.try_get(0).map_err(|error| failed(error.into()))?;
                plan.push(line.to_owned());
            }
        }
        Ok(plans)
    }
}

/// The same statement, to be run and explained.
fn explained(statement: BoundStatement) -> BoundStatement {
    let (name, type_name) = ("QUERY PLAN".into(), "text".into());
    let column = ResultColumn { name, type_oid: TEXT, type_name, type_modifier: -1 };
    let sql = format!("EXPLAIN (ANALYZE, BUFFERS) {}", statement.sql);
    BoundStatement {
        sql: sql.into(),
        columns: Arc::new([column]),
        kept: Kept::Never,
        is_single: false,
        ..statement
    }
}
