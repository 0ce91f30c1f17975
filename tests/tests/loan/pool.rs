use std::time::Duration;

use callslip::Code;
use callslip::loan::{ConnectionSettings, LoanError, Pool, PoolSettings};
use callslip_tests::rows;

use crate::support::{BACKEND, Database, one, run, settled};

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
    settled(&pool).await;
    let loans = futures_util::future::join_all((0..4).map(|_| pool.loan())).await;
    assert!(loans.iter().all(Result::is_ok));
}
