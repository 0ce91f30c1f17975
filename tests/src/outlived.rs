use std::time::{Duration, Instant};

use tokio_postgres::Client;

/// How long a statement took that PostgreSQL should have ended before.
#[derive(Debug)]
pub struct Outlived {
    /// Its `statement_timeout`.
    pub timeout: Duration,
    /// How long it took.
    pub took: Duration,
    /// The SQLSTATE of its error, if it failed.
    pub sqlstate: Option<String>,
}

/// The timeouts that are tried. To make what an operation is applied to takes its time too, another one on each machine, and can
/// be interrupted; the operation itself is over sooner on a fast one.
const TIMEOUTS_MS: [u64; 6] = [25, 50, 100, 200, 400, 800];

/// Runs SQL under a timeout, which it outlives by far: it takes twice as long, and some time more.
///
/// # Errors
/// What came of each timeout, if it outlives none.
pub async fn outlived(client: &Client, sql: &str) -> Result<Outlived, Vec<Outlived>> {
    let mut tried = Vec::new();
    for timeout in TIMEOUTS_MS.map(Duration::from_millis) {
        let set = format!("SET statement_timeout = {}", timeout.as_millis());
        client.batch_execute(&set).await.unwrap_or_else(|error| panic!("{set}: {error}"));
        let began = Instant::now();
        let failed = client.batch_execute(sql).await.err();
        let took = began.elapsed();
        let sqlstate = failed.and_then(|error| error.code().map(|code| code.code().to_owned()));
        let outlived = Outlived { timeout, took, sqlstate };
        if took >= timeout * 2 + Duration::from_millis(50) {
            return Ok(outlived);
        }
        tried.push(outlived);
    }
    Err(tried)
}
