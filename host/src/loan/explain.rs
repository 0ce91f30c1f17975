use tokio_postgres::Client;

use super::error::LoanError;
use super::pool::Loan;

const NAME: &str = "callslip_explained";

impl Loan {
    /// The plan that PostgreSQL uses for any values, as the lines of `EXPLAIN`. The statement is not run, but
    /// planning calls IMMUTABLE and STABLE functions of constant arguments.
    ///
    /// # Errors
    /// [`LoanError::Failed`], [`LoanError::Stopped`], [`LoanError::Lost`].
    pub async fn explain(&self, sql: &str, parameter_count: usize) -> Result<Vec<String>, LoanError> {
        self.connection.begin_unknown_work();
        let client = self.connection.client();
        let plan = explain(client, sql, parameter_count).await;
        // Whatever happened: a prepared statement outlives its transaction.
        client.batch_execute("ROLLBACK").await?;
        if let Err(error) = client.batch_execute(&format!("DEALLOCATE {NAME}")).await
            // invalid_sql_statement_name: the statement was refused, and never was there.
            && error.code().is_none_or(|code| code.code() != "26000")
        {
            return Err(error.into());
        }
        if plan.as_ref().err().is_none_or(LoanError::leaves_connection_idle) {
            self.connection.settle_unknown_work();
        }
        plan
    }
}

/// One way for all versions. The `GENERIC_PLAN` of PostgreSQL 16 would only save the PREPARE.
async fn explain(client: &Client, sql: &str, parameter_count: usize) -> Result<Vec<String>, LoanError> {
    let settings = "BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan";
    client.batch_execute(settings).await?;
    // `execute` takes one statement only, whatever `sql` holds.
    client.execute(&format!("PREPARE {NAME} AS {sql}"), &[]).await?;
    let nulls = vec!["NULL"; parameter_count].join(", ");
    let arguments = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let rows = client.query(&format!("EXPLAIN EXECUTE {NAME} {arguments}"), &[]).await?;
    let line = |row: &tokio_postgres::Row| row.try_get::<_, String>(0).map_err(LoanError::from);
    rows.iter().map(line).collect()
}
