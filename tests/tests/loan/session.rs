use std::time::Duration;

use callslip::Code;
use callslip::loan::{ConnectionSettings, Listener, LoanError, Pool, PoolSettings};
use callslip_tests::rows;

use crate::support::{BACKEND, Database, assert_clean, bound, failure, one};

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
        ("row_security", "on"),
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
async fn a_writable_server_can_be_asked_for() {
    let database = Database::start().await;
    let url = format!("{}&target_session_attrs=read-write", database.cluster.url("postgres"));
    let settings = ConnectionSettings::resolve(Some(&url), &|_| None).unwrap();
    let pool = Pool::new(&settings, PoolSettings::default()).unwrap();
    assert_clean(&pool).await;
    let listener = Listener::connect(&settings, "changes").await.unwrap();
    let shown = listener.client().query_one("SHOW transaction_read_only", &[]).await.unwrap();
    assert_eq!(shown.get::<_, &str>(0), "on");
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

#[tokio::test]
async fn a_killed_backend_costs_one_run() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let killed = failure(&pool, &[("SELECT CAST(pg_catalog.pg_sleep(60) AS text) AS s", &[])]);
    let kill = async {
        database.asleep().await;
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
