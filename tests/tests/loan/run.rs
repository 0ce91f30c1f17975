use std::time::Duration;

use callslip::Code;
use callslip::loan::{LoanError, PoolSettings};
use callslip_tests::rows;

use crate::support::{BACKEND, Database, assert_clean, bound, failure, one, run};

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
