use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use callslip::cluster::Cluster;
use callslip::loan::{
    BoundStatement, ConnectionSettings, Described, Kept, Loan, LoanError, PlanMode, Pool, PoolSettings, Run,
};
use callslip_tests::{cluster, rows};
use tokio_postgres::Client;

pub struct Database {
    pub cluster: Cluster,
    /// A session beside the pool, that may write.
    pub owner: Client,
}

impl Database {
    pub async fn start() -> Self {
        let (cluster, owner) = cluster("").await;
        Self { cluster, owner }
    }

    pub fn pool(&self, size: usize) -> Pool {
        self.pool_with(PoolSettings { size, ..PoolSettings::default() })
    }

    pub fn pool_with(&self, settings: PoolSettings) -> Pool {
        let url = self.cluster.url("postgres");
        Pool::new(&ConnectionSettings::resolve(Some(&url), &|_| None).unwrap(), settings).unwrap()
    }

    /// The place of its socket, as a connection URL has it.
    pub fn socket(&self) -> String {
        self.cluster.folder().join(".s.PGSQL.5432").display().to_string()
    }

    pub async fn execute(&self, sql: &str) {
        self.owner.batch_execute(sql).await.unwrap();
    }

    /// How many sessions of pools there are in this state.
    pub async fn sessions(&self, condition: &str) -> i64 {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'callslip' AND {condition}"
        );
        self.owner.query_one(&sql, &[]).await.unwrap().get(0)
    }

    /// Waits until a session of a pool runs `pg_sleep`, and what it gave before has been read.
    pub async fn asleep(&self) {
        let start = Instant::now();
        while self.sessions("wait_event = 'PgSleep'").await == 0 {
            assert!(start.elapsed() < Duration::from_secs(30), "no session sleeps");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    /// Drops a future when the session that it uses is asleep.
    pub async fn drop_asleep<T>(&self, future: impl Future<Output = T>) {
        tokio::select! {
            _ = future => panic!("it has ended"),
            () = self.asleep() => {}
        }
    }

    /// Waits until no session of a pool is in this state; panics after `within`.
    pub async fn wait_for_none(&self, condition: &str, within: Duration) {
        let start = Instant::now();
        while self.sessions(condition).await > 0 {
            assert!(start.elapsed() < within, "still there after {within:?}: {condition}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub async fn described(loan: &Loan, sql: &str) -> Result<Described, LoanError> {
    let proving = loan.prove().await.unwrap();
    let described = proving.describe(sql).await;
    proving.end().await.unwrap();
    described
}

pub async fn bound(loan: &Loan, sql: &str, values: &[&str]) -> BoundStatement {
    BoundStatement {
        sql: sql.into(),
        values: values.iter().map(|value| Some((*value).to_owned())).collect(),
        columns: described(loan, sql).await.unwrap().columns,
        kept: Kept::Always,
        is_single: false,
        plan: PlanMode::Auto,
    }
}

pub async fn run(pool: &Pool, statements: &[(&str, &[&str])]) -> Result<Run<'static>, LoanError> {
    let loan = pool.loan().await.unwrap();
    let mut list = Vec::new();
    for (sql, values) in statements {
        list.push(bound(&loan, sql, values).await);
    }
    loan.run(list).await
}

/// How the statements fail, whether before the first row or after.
pub async fn failure(pool: &Pool, statements: &[(&str, &[&str])]) -> LoanError {
    match run(pool, statements).await {
        Ok(run) => rows(run).await.unwrap_err(),
        Err(error) => error,
    }
}

pub async fn one<T: for<'a> tokio_postgres::types::FromSql<'a>>(pool: &Pool, sql: &str) -> T {
    rows(run(pool, &[(sql, &[])]).await.unwrap()).await.unwrap()[0][0].get(0)
}

pub const BACKEND: &str = "SELECT pg_catalog.pg_backend_pid() AS pid";

/// The pool, which has one connection, lends it in the state of a new one.
pub async fn assert_clean(pool: &Pool) {
    let sql = "SELECT pg_catalog.current_setting('transaction_isolation') || ' ' || \
               pg_catalog.current_setting('transaction_read_only') AS state";
    assert_eq!(one::<String>(pool, sql).await, "read committed on");
    assert_eq!(one::<i32>(pool, "SELECT 42 AS n").await, 42);
    // Within a transaction, its time stands still.
    let now = "SELECT CAST(pg_catalog.now() AS text) AS t";
    assert_ne!(one::<String>(pool, now).await, one::<String>(pool, now).await);
}

/// Polls a future so many times, letting the rest of the world go on in between. None, if it was not ready.
pub async fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(output);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    None
}

/// Waits until nobody has a connection of the pool any more.
pub async fn settled(pool: &Pool) {
    let start = Instant::now();
    while pool.status().available != pool.status().size {
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", pool.status());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
