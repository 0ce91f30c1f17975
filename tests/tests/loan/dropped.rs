use std::time::{Duration, Instant};

use callslip::loan::{BoundStatement, Kept, PlanMode, Pool};
use callslip_tests::rows;

use crate::proxy::{Cancels, Proxy};
use crate::support::{BACKEND, Database, assert_clean, bound, one, poll_times, run, settled};

#[tokio::test]
async fn what_is_dropped_is_cancelled_and_its_connection_goes_back() {
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
        database.drop_asleep(reading).await;
        // A row that the server has not flushed yet is not there.
        assert!(seen <= expected && (expected < 8 || seen > 0), "{seen} of {expected} rows");
        database.wait_for_none("wait_event = 'PgSleep'", Duration::from_secs(3)).await;
        assert_clean(&pool).await;
        assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
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

/// A pool of one connection, and statements that its session has prepared.
async fn prepared(pool: &Pool, statements: &[&str]) -> Vec<BoundStatement> {
    let mut list = Vec::new();
    for sql in statements {
        list.push(bound(&pool.loan().await.unwrap(), sql, &[]).await);
    }
    rows(pool.loan().await.unwrap().run(list.clone()).await.unwrap()).await.unwrap();
    list
}

#[tokio::test]
async fn what_is_dropped_after_any_poll_costs_no_connection_and_no_later_statement() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let many =
        "SELECT i AS i, pg_catalog.repeat('x', 100) AS x FROM pg_catalog.generate_series(1, 3000) AS g (i)";
    let one_statement = prepared(&pool, &[many]).await;
    let several = prepared(&pool, &[many, "SELECT 1 AS n", many]).await;
    let next = prepared(&pool, &[BACKEND]).await;
    let pid = async || {
        let run = pool.loan().await.unwrap().run(next.clone()).await.unwrap();
        rows(run).await.unwrap()[0][0].get::<_, i32>(0)
    };
    let same = pid().await;
    for statements in [&one_statement, &several] {
        let mut dropped = 0;
        for polls in 0..150 {
            let reading = async {
                let run = pool.loan().await.unwrap().run(statements.clone()).await;
                rows(run.unwrap()).await.unwrap()
            };
            dropped += usize::from(poll_times(reading, polls % 50).await.is_none());
            // It waits for the one connection, which comes back when no cancel can hit this any more.
            for _ in 0..3 {
                assert_eq!(pid().await, same, "after {polls} polls");
            }
        }
        assert!(dropped >= 30, "{dropped}");
    }
    assert_clean(&pool).await;
}

#[tokio::test]
async fn a_connection_comes_back_when_its_cancel_has_come() {
    let database = Database::start().await;
    let proxy = Proxy::start(&database.socket(), Cancels::Late(Duration::from_millis(450))).await;
    let pool = proxy.pool();
    let pid = one::<i32>(&pool, BACKEND).await;
    // The statement ends before its cancel comes, and the next one waits to be hit by it.
    let short = prepared(&pool, &["SELECT CAST(pg_catalog.pg_sleep(0.3) AS text) AS s"]).await;
    let next: (&str, &[&str]) = ("SELECT CAST(pg_catalog.pg_sleep(1) AS text) AS s", &[]);
    database.drop_asleep(async { rows(pool.loan().await.unwrap().run(short).await.unwrap()).await }).await;
    rows(run(&pool, &[next]).await.unwrap()).await.unwrap();
    assert_eq!(proxy.cancels(), 1);
    assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
}

#[tokio::test]
async fn a_connection_whose_cancel_may_still_come_is_closed() {
    let database = Database::start().await;
    let proxy = Proxy::start(&database.socket(), Cancels::Swallowed).await;
    let pool = proxy.pool();
    let pid = one::<i32>(&pool, BACKEND).await;
    let short = prepared(&pool, &["SELECT CAST(pg_catalog.pg_sleep(0.3) AS text) AS s"]).await;
    database.drop_asleep(async { rows(pool.loan().await.unwrap().run(short).await.unwrap()).await }).await;
    let start = Instant::now();
    assert_ne!(one::<i32>(&pool, BACKEND).await, pid);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(database.sessions("true").await, 1);
    assert_clean(&pool).await;
}

#[tokio::test]
async fn a_statement_that_no_cancel_reaches_costs_its_connection_and_not_its_place() {
    let database = Database::start().await;
    let proxy = Proxy::start(&database.socket(), Cancels::Refused).await;
    let pool = proxy.pool();
    let pid = one::<i32>(&pool, BACKEND).await;
    let long = "SELECT CAST(pg_catalog.pg_sleep(60) AS text) AS s";
    database.drop_asleep(async { rows(run(&pool, &[(long, &[])]).await.unwrap()).await }).await;
    let start = Instant::now();
    settled(&pool).await;
    assert!(start.elapsed() > Duration::from_secs(4) && proxy.cancels() > 5, "{}", proxy.cancels());
    assert_ne!(one::<i32>(&pool, BACKEND).await, pid);
    assert_clean(&pool).await;
}

#[tokio::test]
async fn a_transaction_that_was_left_open_is_rolled_back() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let pid = one::<i32>(&pool, BACKEND).await;
    let begin = BoundStatement {
        sql: "BEGIN ISOLATION LEVEL SERIALIZABLE".into(),
        values: Vec::new(),
        columns: [].into(),
        kept: Kept::Never,
        is_single: false,
        plan: PlanMode::Auto,
    };
    // Dropped before it has ended.
    drop(pool.loan().await.unwrap().run(vec![begin.clone()]).await.unwrap());
    assert_clean(&pool).await;
    // The same, and the transaction is aborted by the cancel.
    rows(pool.loan().await.unwrap().run(vec![begin]).await.unwrap()).await.unwrap();
    let sleep: (&str, &[&str]) = ("SELECT CAST(pg_catalog.pg_sleep(60) AS text) AS s", &[]);
    database.drop_asleep(async { rows(run(&pool, &[sleep]).await.unwrap()).await }).await;
    assert_clean(&pool).await;
    assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
}

#[tokio::test]
async fn what_is_dropped_while_it_is_prepared_leaves_no_statement() {
    let database = Database::start().await;
    database.execute("CREATE TABLE t (a int)").await;
    let pool = database.pool(1);
    let pid = one::<i32>(&pool, BACKEND).await;
    let statement = bound(&pool.loan().await.unwrap(), "SELECT t.a AS a FROM public.t AS t", &[]).await;
    for kept in [Kept::Always, Kept::Sparingly, Kept::Never] {
        database.execute("BEGIN; LOCK TABLE t").await;
        let statements = vec![BoundStatement { kept, ..statement.clone() }];
        let running = async { pool.loan().await.unwrap().run(statements).await.map(drop) };
        assert!(tokio::time::timeout(Duration::from_millis(100), running).await.is_err());
        database.execute("ROLLBACK").await;
        // It is closed before the next one is prepared, which this is each time.
        let left = format!(
            "SELECT pg_catalog.count(*) AS is_{kept:?} FROM pg_catalog.pg_prepared_statements AS s \
             WHERE s.statement LIKE 'SELECT t.a %'"
        );
        assert_eq!(one::<i64>(&pool, &left).await, 0);
    }
    assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
    assert_clean(&pool).await;
}
