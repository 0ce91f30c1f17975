use std::sync::Arc;

use callslip::Code;
use callslip::loan::{BoundStatement, Kept, PlanMode, PoolSettings, ResultColumn};
use callslip_tests::rows;

use crate::support::{BACKEND, Database, assert_clean, bound, one, run};

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
        assert_eq!(one::<i64>(&pool, count).await, i64::from(3.min(n + 2)));
    }
    let loan = pool.loan().await.unwrap();
    let uncached = BoundStatement { kept: Kept::Never, ..bound(&loan, "SELECT 7 AS seven", &[]).await };
    rows(loan.run(vec![uncached]).await.unwrap()).await.unwrap();
    let named = "SELECT pg_catalog.count(*) AS n FROM pg_catalog.pg_prepared_statements AS s WHERE s.statement = 'SELECT 7 AS seven'";
    assert_eq!(one::<i64>(&pool, named).await, 0);
}

#[tokio::test]
async fn the_statement_that_was_not_used_for_the_longest_time_goes_first() {
    let database = Database::start().await;
    let pool =
        database.pool_with(PoolSettings { size: 1, statements_per_connection: 3, ..PoolSettings::default() });
    let pid = one::<i32>(&pool, BACKEND).await;
    // Not kept itself, and sees those that are.
    let loan = pool.loan().await.unwrap();
    let sql = "SELECT pg_catalog.string_agg(s.statement, ',' ORDER BY s.statement) AS kept \
               FROM pg_catalog.pg_prepared_statements AS s WHERE s.statement LIKE 'SELECT _ AS n'";
    let look = BoundStatement { kept: Kept::Never, ..bound(&loan, sql, &[]).await };
    drop(loan);
    for (used, kept) in [
        ("1", "1"),
        ("2", "12"),
        ("3", "123"),
        ("1", "123"),
        ("4", "134"),
        ("3", "134"),
        ("5", "345"),
        // A plan of more statements than are kept.
        ("6789", "789"),
        ("7", "789"),
        ("1", "179"),
    ] {
        let sqls: Vec<String> = used.chars().map(|digit| format!("SELECT {digit} AS n")).collect();
        let statements: Vec<(&str, &[&str])> =
            sqls.iter().map(|sql| (sql.as_str(), &[] as &[&str])).collect();
        // A row keeps its statement.
        let given = rows(run(&pool, &statements).await.unwrap()).await.unwrap().into_iter();
        let given: String = given.map(|rows| rows[0].get::<_, i32>(0).to_string()).collect();
        assert_eq!(given, used);
        let look = pool.loan().await.unwrap().run(vec![look.clone()]).await.unwrap();
        let found: String = rows(look).await.unwrap()[0][0].get(0);
        let expected: Vec<String> = kept.chars().map(|digit| format!("SELECT {digit} AS n")).collect();
        assert_eq!(found, expected.join(","), "after {used}");
    }
    assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
}

#[tokio::test]
async fn those_that_are_kept_sparingly_are_a_quarter_at_most() {
    let database = Database::start().await;
    let pool =
        database.pool_with(PoolSettings { size: 1, statements_per_connection: 8, ..PoolSettings::default() });
    for (digit, kept, expected) in [
        ("1", Kept::Always, "1"),
        ("2", Kept::Sparingly, "12"),
        ("3", Kept::Sparingly, "123"),
        ("4", Kept::Always, "1234"),
        ("5", Kept::Sparingly, "1345"),
        ("3", Kept::Sparingly, "1345"),
        ("6", Kept::Sparingly, "1346"),
        ("7", Kept::Always, "13467"),
    ] {
        let loan = pool.loan().await.unwrap();
        let statement = BoundStatement { kept, ..bound(&loan, &format!("SELECT {digit} AS n"), &[]).await };
        rows(loan.run(vec![statement]).await.unwrap()).await.unwrap();
        let sql = "SELECT pg_catalog.string_agg(pg_catalog.substr(s.statement, 8, 1), '' ORDER BY s.statement) AS kept \
                   FROM pg_catalog.pg_prepared_statements AS s WHERE s.statement LIKE 'SELECT _ AS n'";
        let loan = pool.loan().await.unwrap();
        let look = BoundStatement { kept: Kept::Never, ..bound(&loan, sql, &[]).await };
        let found: String = rows(loan.run(vec![look]).await.unwrap()).await.unwrap()[0][0].get(0);
        assert_eq!(found, expected, "after {digit}");
    }
}

#[tokio::test]
async fn forgotten_statements_are_closed_and_prepared_anew() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let pid = one::<i32>(&pool, BACKEND).await;
    let count = "SELECT pg_catalog.count(*) AS n FROM pg_catalog.pg_prepared_statements";
    for n in 1..=5 {
        one::<i32>(&pool, &format!("SELECT {n} AS n")).await;
    }
    assert_eq!(one::<i64>(&pool, count).await, 7);
    pool.forget_statements();
    assert_eq!(one::<i64>(&pool, count).await, 1);
    assert_eq!(one::<i64>(&pool, count).await, 1);
    assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
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
    let text = ResultColumn { name: "a".into(), type_oid: 25, type_name: "text".into(), type_modifier: -1 };
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
            kept: Kept::Never,
            is_single: false,
            plan: PlanMode::Auto,
        };
        rows(pool.loan().await.unwrap().run(vec![forget]).await.unwrap()).await.unwrap();
        let all = rows(run(&pool, &statements).await.unwrap()).await.unwrap();
        assert_eq!(all[0][0].get::<_, i32>(0), 1);
    }
    // A later statement can't start again on the snapshot of the first: that call fails, the next one works.
    let unknown: (&str, &[&str]) = ("SELECT 3 AS n", &[]);
    let loan = pool.loan().await.unwrap();
    let deallocate = BoundStatement { kept: Kept::Always, ..bound(&loan, "DEALLOCATE ALL", &[]).await };
    let statements = vec![deallocate, bound(&loan, unknown.0, unknown.1).await];
    assert_eq!(rows(loan.run(statements).await.unwrap()).await.unwrap_err().code(), Code::StaleStatement);
    rows(run(&pool, &[fine, unknown]).await.unwrap()).await.unwrap();
    assert_eq!(one::<i32>(&pool, BACKEND).await, pid);
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

/// SQLSTATE 0A000 is also that of a statement whose result is of another type by now.
#[tokio::test]
async fn what_a_statement_can_not_do_is_its_own_error() {
    let database = Database::start().await;
    let pool = database.pool(1);
    let loan = pool.loan().await.unwrap();
    let sql = "SELECT pg_catalog.date_part($1, CAST('2026-01-01' AS timestamp)) AS part";
    let part = bound(&loan, sql, &["timezone"]).await;
    let hour = BoundStatement { values: vec![Some("hour".to_owned())], ..part.clone() };
    drop(loan);
    let kept = "SELECT pg_catalog.count(*) AS n FROM pg_catalog.pg_prepared_statements AS s WHERE s.statement LIKE 'SELECT pg_catalog.date_part%'";
    for _ in 0..2 {
        rows(pool.loan().await.unwrap().run(vec![hour.clone()]).await.unwrap()).await.unwrap();
        for statements in [vec![part.clone()], vec![hour.clone(), part.clone()]] {
            let run = pool.loan().await.unwrap().run(statements).await;
            let error = match run {
                Ok(run) => rows(run).await.expect_err("it fails"),
                Err(error) => error,
            };
            assert_eq!((error.code(), error.sqlstate()), (Code::StatementFailed, Some("0A000")), "{error}");
            assert_eq!(one::<i64>(&pool, kept).await, 1);
        }
    }
}
