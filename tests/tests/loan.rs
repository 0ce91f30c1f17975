//! Connections that are lent come back clean or not at all, whatever happens while they are away.

#![allow(clippy::unwrap_used)] // in helpers of tests, which clippy does not know as tests

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use callslip::Code;
use callslip::cluster::Cluster;
use callslip::loan::{
    BoundStatement, ConnectionSettings, Described, Loan, LoanError, PlanMode, Pool, PoolSettings,
    ResultColumn, Run,
};
use callslip_tests::{cluster, rows};
use tokio_postgres::Client;

struct Database {
    cluster: Cluster,
    /// A session beside the pool, that may write.
    owner: Client,
}

impl Database {
    async fn start() -> Self {
        let (cluster, owner) = cluster("").await;
        Self { cluster, owner }
    }

    fn pool(&self, size: usize) -> Pool {
        self.pool_with(PoolSettings { size, ..PoolSettings::default() })
    }

    fn pool_with(&self, settings: PoolSettings) -> Pool {
        let url = self.cluster.url("postgres");
        Pool::new(&ConnectionSettings::resolve(Some(&url), &|_| None).unwrap(), settings).unwrap()
    }

    async fn execute(&self, sql: &str) {
        self.owner.batch_execute(sql).await.unwrap();
    }

    /// How many sessions of pools there are in this state.
    async fn sessions(&self, condition: &str) -> i64 {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'callslip' AND {condition}"
        );
        self.owner.query_one(&sql, &[]).await.unwrap().get(0)
    }

    /// Waits until no session of a pool is in this state; panics after `within`.
    async fn wait_for_none(&self, condition: &str, within: Duration) {
        let start = Instant::now();
        while self.sessions(condition).await > 0 {
            assert!(start.elapsed() < within, "still there after {within:?}: {condition}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn described(loan: &Loan, sql: &str) -> Result<Described, LoanError> {
    let proving = loan.prove().await.unwrap();
    let described = proving.describe(sql).await;
    proving.end().await.unwrap();
    described
}

async fn bound(loan: &Loan, sql: &str, values: &[&str]) -> BoundStatement {
    BoundStatement {
        sql: sql.into(),
        values: values.iter().map(|value| Some((*value).to_owned())).collect(),
        columns: described(loan, sql).await.unwrap().columns,
        cached: true,
        plan: PlanMode::Auto,
    }
}

async fn run(pool: &Pool, statements: &[(&str, &[&str])]) -> Result<Run<'static>, LoanError> {
    let loan = pool.loan().await.unwrap();
    let mut list = Vec::new();
    for (sql, values) in statements {
        list.push(bound(&loan, sql, values).await);
    }
    loan.run(list).await
}

/// How the statements fail, whether before the first row or after.
async fn failure(pool: &Pool, statements: &[(&str, &[&str])]) -> LoanError {
    match run(pool, statements).await {
        Ok(run) => rows(run).await.unwrap_err(),
        Err(error) => error,
    }
}

async fn one<T: for<'a> tokio_postgres::types::FromSql<'a>>(pool: &Pool, sql: &str) -> T {
    rows(run(pool, &[(sql, &[])]).await.unwrap()).await.unwrap()[0][0].get(0)
}

const BACKEND: &str = "SELECT pg_catalog.pg_backend_pid() AS pid";

/// The pool, which has one connection, lends it in the state of a new one.
async fn assert_clean(pool: &Pool) {
    let sql = "SELECT pg_catalog.current_setting('transaction_isolation') || ' ' || \
               pg_catalog.current_setting('transaction_read_only') AS state";
    assert_eq!(one::<String>(pool, sql).await, "read committed on");
    assert_eq!(one::<i32>(pool, "SELECT 42 AS n").await, 42);
    // Within a transaction, its time stands still.
    let now = "SELECT CAST(pg_catalog.now() AS text) AS t";
    assert_ne!(one::<String>(pool, now).await, one::<String>(pool, now).await);
}

#[tokio::test]
async fn a_session_is_read_only_and_pinned() {
    let database = Database::start().await;
    database.execute("CREATE TABLE t (a int)").await;
    database
        .execute("ALTER ROLE postgres SET DateStyle = 'German'; ALTER ROLE postgres SET search_path = public")
        .await;
    let pool = database
        .pool_with(PoolSettings { lock_timeout: Duration::from_millis(77), ..PoolSettings::default() });
    let expected = [
        ("default_transaction_read_only", "on"),
        ("search_path", "pg_catalog,pg_temp"),
        ("TimeZone", "UTC"),
        ("DateStyle", "ISO, YMD"),
        ("IntervalStyle", "iso_8601"),
        ("bytea_output", "hex"),
        ("extra_float_digits", "1"),
        ("client_encoding", "UTF8"),
        ("standard_conforming_strings", "on"),
        ("application_name", "callslip"),
        ("statement_timeout", "30s"),
        ("lock_timeout", "77ms"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("client_connection_check_interval", "1s"),
    ];
    for (name, value) in expected {
        let sql = format!("SELECT pg_catalog.current_setting('{name}') AS v");
        assert_eq!(one::<String>(&pool, &sql).await, value, "{name}");
    }
    // `describe` itself refuses no write: running it does.
    let loan = pool.loan().await.unwrap();
    let write = bound(&loan, "INSERT INTO public.t VALUES (1)", &[]).await;
    let error = rows(loan.run(vec![write]).await.unwrap()).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("25006"));
}

#[tokio::test]
async fn a_statement_is_described_and_not_run() {
    let database = Database::start().await;
    database
        .execute(
            "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE t (m mood, n numeric(5, 2), a int[])",
        )
        .await;
    let pool = database.pool(1);
    let loan = pool.loan().await.unwrap();
    let sql = "SELECT t.m AS m, t.n AS n, t.a AS a, pg_catalog.pg_sleep(CAST($2 AS float8)) AS s \
               FROM public.t AS t WHERE t.m = CAST($1 AS public.mood)";
    let proving = loan.prove().await.unwrap();
    let described = proving.describe(sql).await.unwrap();
    let mood: u32 = database.owner.query_one("SELECT 'mood'::regtype::oid", &[]).await.unwrap().get(0);
    assert_eq!(described.parameters, [mood, 701]);
    let columns: Vec<_> =
        described.columns.iter().map(|c| (c.name.as_str(), c.type_oid, c.type_name.as_str())).collect();
    assert_eq!(
        columns,
        [("m", mood, "mood"), ("n", 1700, "numeric"), ("a", 1007, "_int4"), ("s", 2278, "void")]
    );

    let error = proving.describe("SELECT 'é', t.nn FROM public.t AS t").await.unwrap_err();
    let said = error.postgres().unwrap();
    assert_eq!((said.sqlstate(), said.position()), ("42703", Some(13)));
    assert_eq!(said.hint(), Some("Perhaps you meant to reference the column \"t.n\"."));
    assert_eq!(error.to_string(), "PostgreSQL failed the statement: SQLSTATE 42703");
    assert_eq!(proving.describe("SELECT 1; SELECT 2").await.unwrap_err().sqlstate(), Some("42601"));
    proving.end().await.unwrap();
    let before = pool.status();
    drop(loan);
    assert_eq!((before.size, before.available, pool.status().available), (1, 0, 1));
}

#[tokio::test]
async fn values_are_bound_as_text_and_nulls_as_null() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let loan = pool.loan().await.unwrap();
    let sql = "SELECT CAST($1 AS int4) + 1 AS n, CAST($2 AS text) AS t, CAST($3 AS int4[]) AS a";
    let mut statement = bound(&loan, sql, &["41", "x", "{1,2}"]).await;
    statement.values[1] = None;
    let row = rows(loan.run(vec![statement.clone()]).await.unwrap()).await.unwrap().remove(0).remove(0);
    assert_eq!((row.get::<_, i32>(0), row.get::<_, Option<&str>>(1)), (42, None));
    assert_eq!(row.get::<_, Vec<i32>>(2), [1, 2]);

    let attempt = async |change: &dyn Fn(&mut BoundStatement)| {
        let mut statement = statement.clone();
        change(&mut statement);
        pool.loan().await.unwrap().run(vec![statement]).await.err().unwrap()
    };
    let nul = attempt(&|statement| statement.values[1] = Some("a\0b".into())).await;
    assert_eq!(
        (nul.to_string().as_str(), nul.code()),
        ("the value of parameter $2 has a NUL character", Code::InvalidParameter)
    );
    let count = attempt(&|statement| statement.values.truncate(2)).await;
    assert_eq!(count.to_string(), "2 values for a statement of 3 parameters");
    let bad = attempt(&|statement| statement.values[0] = Some("secret".into())).await;
    assert_eq!((bad.sqlstate(), bad.code()), (Some("22P02"), Code::StatementFailed));
    assert!(!bad.to_string().contains("secret") && bad.database_message().unwrap().contains("secret"));
    assert_clean(&pool).await;
}

#[tokio::test]
async fn a_statement_stays_prepared_and_the_cache_is_bounded() {
    let database = Database::start().await;
    let pool =
        database.pool_with(PoolSettings { size: 1, statements_per_connection: 3, ..PoolSettings::default() });
    let count = "SELECT pg_catalog.count(*) AS n FROM pg_catalog.pg_prepared_statements";
    for _ in 0..3 {
        assert_eq!(one::<i64>(&pool, count).await, 1);
    }
    for n in 0..20 {
        assert_eq!(one::<i32>(&pool, &format!("SELECT {n} AS n")).await, n);
        assert!(one::<i64>(&pool, count).await <= 4);
    }
    let loan = pool.loan().await.unwrap();
    let uncached = BoundStatement { cached: false, ..bound(&loan, "SELECT 7 AS seven", &[]).await };
    rows(loan.run(vec![uncached]).await.unwrap()).await.unwrap();
    let named = "SELECT pg_catalog.count(*) AS n FROM pg_catalog.pg_prepared_statements AS s WHERE s.statement = 'SELECT 7 AS seven'";
    assert_eq!(one::<i64>(&pool, named).await, 0);
}

#[tokio::test]
async fn several_statements_see_one_snapshot() {
    let database = Database::start().await;
    database.execute("CREATE TABLE t AS SELECT 1 AS a").await;
    let pool = database.pool(1);
    let count = "SELECT pg_catalog.count(*) AS n FROM public.t AS t";
    let large =
        "SELECT i AS i, pg_catalog.repeat('x', 1000) AS x FROM pg_catalog.generate_series(1, 50000) AS g (i)";
    let mut run = run(&pool, &[(count, &[]), (large, &[]), (count, &[])]).await.unwrap();
    assert_eq!(run.columns(1).iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["i", "x"]);
    assert!(run.columns(3).is_empty());
    assert_eq!(run.next_row().await.unwrap().unwrap().get::<_, i64>(0), 1);
    database.execute("INSERT INTO t VALUES (2)").await;
    assert!(run.next_row().await.unwrap().is_none());
    assert_eq!(run.current_statement(), 1);
    let rest = rows(run).await.unwrap();
    assert_eq!(rest[1].len(), 50_000);
    assert_eq!(rest[2][0].get::<_, i64>(0), 1);
    assert_eq!(one::<i64>(&pool, count).await, 2);
    assert_clean(&pool).await;
    let none = pool.loan().await.unwrap().run(Vec::new()).await.unwrap();
    assert!(none.is_finished() && none.statement_count() == 0);
}

#[tokio::test]
async fn an_error_ends_the_run_and_keeps_the_connection() {
    let database = Database::start().await;
    database.execute("CREATE TABLE t AS SELECT 'hunter2' AS secret").await;
    let pool = database.pool(1);
    let pid = one::<i32>(&pool, BACKEND).await;
    let leak: (&str, &[&str]) = ("SELECT CAST(t.secret AS int4) AS n FROM public.t AS t", &[]);
    let fine: (&str, &[&str]) = ("SELECT 1 AS n", &[]);
    let bad: (&str, &[&str]) = ("SELECT CAST($1 AS int4) AS n", &["x"]);
    for statements in [
        vec![leak],
        vec![fine, leak],
        vec![leak, fine],
        vec![fine, leak, fine],
        vec![bad],
        vec![bad, fine],
        vec![fine, bad],
    ] {
        let error = match run(&pool, &statements).await {
            Err(error) => error,
            Ok(mut run) => {
                let error = loop {
                    if let Err(error) = run.next_row().await {
                        break error;
                    }
                    assert!(!run.is_finished());
                };
                assert!(matches!(run.next_row().await, Err(LoanError::RunFailed)));
                assert!(!run.is_finished());
                error
            }
        };
        assert_eq!(error.sqlstate(), Some("22P02"));
        assert_eq!(error.to_string(), "PostgreSQL failed the statement: SQLSTATE 22P02");
        assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
        assert_clean(&pool).await;
    }
}

#[tokio::test]
async fn what_is_dropped_is_cancelled_and_its_connection_closed() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let pid = one::<i32>(&pool, BACKEND).await;
    // The first says nothing before it sleeps, so that the run itself is dropped; the second gives rows before.
    let silent: (&str, &[&str]) = ("SELECT CAST(pg_catalog.pg_sleep(60) AS text) AS s", &[]);
    let sql = "SELECT pg_catalog.repeat('x', 10000) AS x, CASE WHEN i = 9 THEN CAST(pg_catalog.pg_sleep(60) AS text) END AS s \
               FROM pg_catalog.generate_series(1, 9) AS g (i)";
    let speaking: (&str, &[&str]) = (sql, &[]);
    let fine: (&str, &[&str]) = ("SELECT 1 AS n", &[]);
    for (statements, expected) in [
        (vec![silent], 0),
        (vec![speaking], 8),
        (vec![silent, fine], 0),
        (vec![fine, silent, fine], 1),
        (vec![fine, speaking], 9),
        (vec![speaking, fine], 8),
    ] {
        let mut seen = 0;
        let reading = async {
            let mut running = run(&pool, &statements).await.unwrap();
            while !running.is_finished() {
                seen += usize::from(running.next_row().await.unwrap().is_some());
            }
        };
        let reading = tokio::time::timeout(Duration::from_millis(300), reading);
        let look = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            database.sessions("state = 'active' AND query LIKE '%pg_sleep%'").await
        };
        let (read, active) = tokio::join!(reading, look);
        assert!(read.is_err());
        // A row that the server has not flushed yet is not there.
        assert!(seen <= expected && (expected < 8 || seen > 0), "{seen} of {expected} rows");
        assert_eq!(active, 1);
        database.wait_for_none("query LIKE '%pg_sleep%'", Duration::from_secs(3)).await;
        assert_ne!(one::<i32>(&pool, BACKEND).await, pid);
        assert_clean(&pool).await;
        assert_eq!(database.sessions("true").await, 1);
    }
}

#[tokio::test]
async fn rows_that_nobody_reads_do_not_come_back() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let endless = "SELECT pg_catalog.generate_series(1, 1000000000) AS i, pg_catalog.repeat('x', 1000) AS x";
    let mut running = run(&pool, &[(endless, &[])]).await.unwrap();
    for _ in 0..10 {
        running.next_row().await.unwrap().unwrap();
    }
    let start = Instant::now();
    drop(running);
    assert_clean(&pool).await;
    assert!(start.elapsed() < Duration::from_secs(5), "the statement was not cancelled");
    assert_eq!(database.sessions("state = 'active'").await, 0);
}

#[test]
fn a_run_may_be_dropped_where_there_is_no_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (database, running) = runtime.block_on(async {
        let database = Database::start().await;
        let pool = database.pool(1);
        let endless = "SELECT pg_catalog.generate_series(1, 1000000000) AS i";
        let running = run(&pool, &[(endless, &[])]).await.unwrap();
        (database, running)
    });
    drop(running);
    runtime.block_on(database.wait_for_none("true", Duration::from_secs(5)));
}

/// Polls a future so many times, letting the rest of the world go on in between. None, if it was not ready.
async fn poll_times<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(output);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    None
}

#[tokio::test]
async fn dropped_after_any_poll_nothing_is_left_behind() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let many: (&str, &[&str]) = ("SELECT i AS i FROM pg_catalog.generate_series(1, 2000) AS g (i)", &[]);
    for statements in [vec![many], vec![many, many, many]] {
        let mut finished = false;
        for polls in 0..200 {
            let done =
                poll_times(async { rows(run(&pool, &statements).await.unwrap()).await.unwrap() }, polls)
                    .await;
            assert_clean(&pool).await;
            if let Some(all) = done {
                assert!(all.iter().all(|rows| rows.len() == 2000));
                finished = true;
                break;
            }
        }
        assert!(finished, "200 polls were not enough");
    }
    database.wait_for_none("state <> 'idle'", Duration::from_secs(3)).await;
    assert_eq!(database.sessions("true").await, 1);
}

#[tokio::test]
async fn a_cancelled_wait_for_a_row_can_be_repeated() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let slow: (&str, &[&str]) = ("SELECT CAST(pg_catalog.pg_sleep(0.05) AS text) AS s", &[]);
    let mut running = run(&pool, &[slow, slow, slow]).await.unwrap();
    let mut rows = 0;
    while !running.is_finished() {
        if let Ok(row) = tokio::time::timeout(Duration::from_millis(3), running.next_row()).await {
            rows += usize::from(row.unwrap().is_some());
        }
    }
    assert_eq!(rows, 3);
    assert_clean(&pool).await;
}

#[tokio::test]
async fn a_change_under_a_proven_statement_is_noticed() {
    let database = Database::start().await;
    database.execute("CREATE TABLE t AS SELECT 1 AS a, 2 AS b").await;
    let pool = database.pool(1);
    let (sql, also) = ("SELECT t.a AS a FROM public.t AS t", "SELECT 1 AS one");
    let loan = pool.loan().await.unwrap();
    let (proven, other) = (bound(&loan, sql, &[]).await, bound(&loan, also, &[]).await);
    drop(loan);
    let attempt =
        async |statements: Vec<BoundStatement>| rows(pool.loan().await.unwrap().run(statements).await?).await;
    attempt(vec![proven.clone()]).await.unwrap();

    // Another type: the cached plan is refused, prepared again, and gives other columns.
    database.execute("ALTER TABLE t ALTER a TYPE text").await;
    for statements in [vec![proven.clone()], vec![proven.clone(), other.clone()], vec![proven.clone()]] {
        let error = attempt(statements).await.unwrap_err();
        assert_eq!(error.code(), Code::StaleStatement);
        assert_eq!(
            error.to_string(),
            "the database changed under a proven statement: column \"a\" of type int4 is now \"a\" of type text"
        );
    }
    // Proven again, it runs on the connection that knew it as it was.
    let text = ResultColumn { name: "a".into(), type_oid: 25, type_name: "text".into() };
    let again = BoundStatement { columns: Arc::new([text]), ..proven.clone() };
    attempt(vec![again.clone()]).await.unwrap();

    // A column that comes and goes does not matter, as long as the statement's own stay.
    database.execute("ALTER TABLE t ADD c int; ALTER TABLE t DROP b").await;
    attempt(vec![again.clone(), other.clone()]).await.unwrap();

    database.execute("ALTER TABLE t RENAME a TO z").await;
    for statements in
        [vec![again.clone()], vec![again.clone(), other.clone()], vec![other.clone(), again.clone()]]
    {
        let error = attempt(statements).await.unwrap_err();
        assert_eq!((error.code(), error.sqlstate()), (Code::StaleStatement, Some("42703")));
    }
    database.execute("DROP TABLE t").await;
    assert_eq!(attempt(vec![again]).await.unwrap_err().sqlstate(), Some("42P01"));
    assert_clean(&pool).await;
}

#[tokio::test]
async fn a_statement_whose_preparation_was_lost_is_prepared_again() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let pid = one::<i32>(&pool, BACKEND).await;
    let fine: (&str, &[&str]) = ("SELECT 1 AS n", &[]);
    let other: (&str, &[&str]) = ("SELECT 2 AS n", &[]);
    for statements in [vec![fine], vec![fine, other]] {
        rows(run(&pool, &statements).await.unwrap()).await.unwrap();
        let forget = BoundStatement {
            sql: "DEALLOCATE ALL".into(),
            values: Vec::new(),
            columns: Arc::new([]),
            cached: false,
            plan: PlanMode::Auto,
        };
        rows(pool.loan().await.unwrap().run(vec![forget]).await.unwrap()).await.unwrap();
        let all = rows(run(&pool, &statements).await.unwrap()).await.unwrap();
        assert_eq!(all[0][0].get::<_, i32>(0), 1);
    }
    // A later statement can't start again on the snapshot of the first: that call fails, the next one works.
    let unknown: (&str, &[&str]) = ("SELECT 3 AS n", &[]);
    let loan = pool.loan().await.unwrap();
    let deallocate = BoundStatement { cached: true, ..bound(&loan, "DEALLOCATE ALL", &[]).await };
    let statements = vec![deallocate, bound(&loan, unknown.0, unknown.1).await];
    assert_eq!(rows(loan.run(statements).await.unwrap()).await.unwrap_err().code(), Code::StaleStatement);
    rows(run(&pool, &[fine, unknown]).await.unwrap()).await.unwrap();
    assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
}

#[tokio::test]
async fn a_killed_backend_costs_one_run() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let killed = failure(&pool, &[("SELECT CAST(pg_catalog.pg_sleep(60) AS text) AS s", &[])]);
    let kill = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        database
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callslip'",
            )
            .await;
    };
    let (error, ()) = tokio::join!(killed, kill);
    assert_eq!(error.code(), Code::DatabaseUnavailable);
    assert!(matches!(&error, LoanError::Lost { reason } if reason.contains("57P01")), "{error}");
    assert_clean(&pool).await;
}

#[tokio::test]
async fn timeouts_stop_a_statement() {
    let database = Database::start().await;
    database.execute("CREATE TABLE t (a int)").await;
    let pool = database.pool_with(PoolSettings {
        size: 1,
        statement_timeout: Duration::from_millis(100),
        lock_timeout: Duration::from_millis(50),
        ..PoolSettings::default()
    });
    let pid = one::<i32>(&pool, BACKEND).await;
    let sleep: (&str, &[&str]) = ("SELECT CAST(pg_catalog.pg_sleep(60) AS text) AS s", &[]);
    let error = failure(&pool, &[sleep]).await;
    assert_eq!((error.code(), error.sqlstate()), (Code::StatementTimeout, Some("57014")));

    let loan = pool.loan().await.unwrap();
    let read = bound(&loan, "SELECT t.a AS a FROM public.t AS t", &[]).await;
    database.execute("BEGIN; LOCK TABLE t").await;
    let error = loan.run(vec![read]).await.err().unwrap();
    assert_eq!((error.code(), error.sqlstate()), (Code::StatementTimeout, Some("55P03")));
    database.execute("ROLLBACK").await;
    assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
}

#[tokio::test]
async fn a_pool_says_whether_it_is_used_up_or_cut_off() {
    let database = Database::start().await;
    let pool = database.pool_with(PoolSettings {
        size: 1,
        wait: Duration::from_millis(50),
        ..PoolSettings::default()
    });
    let loan = pool.loan().await.unwrap();
    let error = pool.loan().await.err().unwrap();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (Code::PoolExhausted, "none of the 1 connections became free within 50ms")
    );
    drop(loan);
    pool.loan().await.unwrap();

    let elsewhere = |url: &str| {
        let settings = ConnectionSettings::resolve(Some(url), &|_| None).unwrap();
        Pool::new(&settings, PoolSettings::default()).unwrap()
    };
    let unreachable = |error: LoanError, expected: &str| {
        assert_eq!(error.code(), Code::DatabaseUnavailable);
        assert!(error.to_string().contains(expected) && !error.to_string().contains("hunter2"), "{error}");
    };
    unreachable(
        elsewhere("postgresql://u:hunter2@/d?host=/nonexistent").loan().await.err().unwrap(),
        "No such file",
    );
    let url = format!(
        "{}&user=nobody_here&password=hunter2",
        database.cluster.url("postgres").replace("postgres@", "")
    );
    unreachable(elsewhere(&url).loan().await.err().unwrap(), "role \"nobody_here\" does not exist");

    let pool = database.pool(1);
    one::<i32>(&pool, BACKEND).await;
    database.cluster.stop().await.unwrap();
    unreachable(pool.loan().await.err().unwrap(), "database can't be reached");
}

#[tokio::test]
async fn a_writable_server_can_be_asked_for() {
    let database = Database::start().await;
    let url = format!("{}&target_session_attrs=read-write", database.cluster.url("postgres"));
    let settings = ConnectionSettings::resolve(Some(&url), &|_| None).unwrap();
    let pool = Pool::new(&settings, PoolSettings::default()).unwrap();
    assert_clean(&pool).await;
}

#[tokio::test]
async fn a_plan_is_explained_for_any_values_and_leaves_nothing() {
    let database = Database::start().await;
    database.execute("CREATE TABLE t (a int PRIMARY KEY, b text)").await;
    let pool = database.pool(1);
    let pid = one::<i32>(&pool, BACKEND).await;
    let loan = pool.loan().await.unwrap();
    let proving = loan.prove().await.unwrap();
    let sql = "/* a comment */ SELECT t.b AS b FROM public.t AS t WHERE t.a = CAST($1 AS int4) AND t.b = CAST($2 AS text)";
    for _ in 0..2 {
        let plan = proving.explain(sql, 2).await.unwrap();
        assert!(plan[0].starts_with("Index Scan using t_pkey on t"), "{plan:?}");
        assert!(plan.iter().any(|line| line.contains("Index Cond: (a = $1)")), "{plan:?}");
    }
    assert!(proving.explain("SELECT 1 AS n", 0).await.unwrap()[0].starts_with("Result"));
    for bad in [
        "SELECT",
        "SELECT nothing FROM nowhere",
        "SELECT 1; DROP TABLE t",
        "DELETE FROM public.t",
        "VALUES (",
    ] {
        let _ = proving.explain(bad, 0).await;
    }
    assert_eq!(proving.explain("SELECT x", 0).await.unwrap_err().sqlstate(), Some("42703"));
    proving.end().await.unwrap();
    drop(loan);
    let left = "SELECT pg_catalog.count(*) AS n FROM pg_catalog.pg_prepared_statements AS s WHERE s.name LIKE 'callslip%'";
    assert_eq!(one::<i64>(&pool, left).await, 0);
    assert_eq!(
        one::<String>(&pool, "SELECT pg_catalog.current_setting('plan_cache_mode') AS v").await,
        "auto"
    );
    assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
    assert_clean(&pool).await;
}

#[tokio::test]
async fn a_connection_whose_client_was_used_is_not_lent_again() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let pid = one::<i32>(&pool, BACKEND).await;
    let loan = pool.loan().await.unwrap();
    loan.client().batch_execute("SET search_path = public; BEGIN").await.unwrap();
    drop(loan);
    assert_ne!(one::<i32>(&pool, BACKEND).await, pid);
    assert_clean(&pool).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_that_drop_at_random_leave_a_full_and_clean_pool() {
    let database = Database::start().await;
    let pool = database.pool_with(PoolSettings {
        size: 4,
        wait: Duration::from_secs(30),
        ..PoolSettings::default()
    });
    let callers: Vec<_> = (0..64_u64)
        .map(|caller| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for turn in 0..8 {
                    let n = caller * 8 + turn;
                    let sql = format!(
                        "SELECT CAST({n} AS int8) AS n, CAST(pg_catalog.pg_sleep(0.002) AS text) AS s"
                    );
                    let work = async {
                        let statements: &[(&str, &[&str])] = &[(&sql, &[]), (&sql, &[])];
                        let length = if n.is_multiple_of(2) { 2 } else { 1 };
                        rows(run(&pool, &statements[..length]).await.unwrap()).await.unwrap()
                    };
                    let limit = Duration::from_micros(
                        n * 7919 % 20_000 + u64::from(n.is_multiple_of(3)) * 60_000_000,
                    );
                    if let Ok(all) = tokio::time::timeout(limit, work).await {
                        assert!(all.iter().all(|rows| rows[0].get::<_, i64>(0) == i64::try_from(n).unwrap()));
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    database.wait_for_none("state <> 'idle'", Duration::from_secs(5)).await;
    assert!(database.sessions("true").await <= 4);
    let start = Instant::now();
    while pool.status().available != pool.status().size {
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", pool.status());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let loans = futures_util::future::join_all((0..4).map(|_| pool.loan())).await;
    assert!(loans.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_statement_whose_parameters_had_a_type_that_was_made_anew_is_prepared_anew() {
    let database = Database::start().await;
    database
        .execute(
            "CREATE TYPE mood AS ENUM ('low', 'high', 'odd'); CREATE TABLE m (id int, mood mood);
             INSERT INTO m VALUES (1, 'low'), (2, 'high')",
        )
        .await;
    let pool = database.pool(1);
    let sql = "SELECT m.id AS id FROM public.m AS m WHERE m.mood = CAST($1 AS public.mood)";
    let loan = pool.loan().await.unwrap();
    let statement = bound(&loan, sql, &["high"]).await;
    drop(loan);
    let ask = async || {
        let run = pool.loan().await.unwrap().run(vec![statement.clone()]).await;
        rows(run.unwrap()).await.unwrap()[0][0].get::<_, i32>(0)
    };
    // How a label is taken away. The old type stays for a while, or goes at once.
    for gone in ["", "DROP TYPE mood_old"] {
        assert_eq!(ask().await, 2);
        database
            .execute(&format!(
                "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('low', 'high');
                 ALTER TABLE m ALTER mood TYPE mood USING mood::text::mood; {gone}"
            ))
            .await;
        assert_eq!(ask().await, 2, "{gone}");
        database.execute("DROP TYPE IF EXISTS mood_old").await;
        assert_eq!(ask().await, 2, "{gone}");
    }
    // What is wrong with a value is the caller's fault all the same.
    let wrong = BoundStatement { values: vec![Some("odd".to_owned())], ..statement };
    let error = pool.loan().await.unwrap().run(vec![wrong]).await.err().unwrap();
    assert_eq!(error.sqlstate(), Some("22P02"));
}
