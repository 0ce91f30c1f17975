use callslip::loan::{LoanError, Run};
use tokio_postgres::Row;

/// All rows of all statements of a run.
///
/// # Errors
/// What the run failed with; what it gave before is dropped.
pub async fn rows(mut run: Run<'_>) -> Result<Vec<Vec<Row>>, LoanError> {
    let mut all = vec![Vec::new(); run.statement_count()];
    while !run.is_finished() {
        let current = run.current_statement();
        if let Some(row) = run.next_row().await? {
            all[current].push(row);
        }
    }
    Ok(all)
}
