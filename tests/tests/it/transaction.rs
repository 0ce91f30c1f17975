//! A transaction that is lent comes back as it was, whatever happens while it is away.

use std::num::NonZeroUsize;
use std::time::Duration;

use callslip::Code;
use callslip::loan::{BoundStatement, Kept, Lender, LoanError, PlanMode, ResultColumn, Run, Sessions, Terms};
use callslip_tests::database;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, IsolationLevel, Row, SimpleQueryMessage, Transaction};

fn columns(columns: &[(&str, Type)]) -> Vec<ResultColumn> {
    let column = |(name, ty): &(&str, Type)| ResultColumn {
        name: (*name).to_owned(),
        type_oid: ty.oid(),
        type_name: ty.name().to_owned(),
        type_modifier: -1,
    };
    columns.iter().map(column).collect()
}

fn statement(sql: &str, values: &[&str], result: &[(&str, Type)]) -> BoundStatement {
    BoundStatement {
        sql: sql.into(),
        values: values.iter().map(|value| Some((*value).to_owned())).collect(),
        columns: columns(result).into(),
        kept: Kept::Always,
        is_single: false,
        plan: PlanMode::Auto,
    }
}

/// A statement whose one column is an int8.
fn number(sql: &str, values: &[&str]) -> BoundStatement {
    statement(sql, values, &[("n", Type::INT8)])
}

async fn lend<'loan>(
    transaction: &'loan mut Transaction<'_>,
    statements: Vec<BoundStatement>,
) -> Result<Run<'loan>, LoanError> {
    let sessions = Sessions::new(NonZeroUsize::new(8).unwrap());
    transaction.lend().run(statements, &Terms::default(), &sessions).await
}

/// The rows of all statements.
async fn rows(
    transaction: &mut Transaction<'_>,
    statements: Vec<BoundStatement>,
) -> Result<Vec<Vec<Row>>, LoanError> {
    callslip_tests::rows(lend(transaction, statements).await?).await
}

async fn text(transaction: &mut Transaction<'_>, sql: &str) -> String {
    rows(transaction, vec![statement(sql, &[], &[("t", Type::TEXT)])]).await.unwrap()[0][0].get(0)
}

/// Everything that a loan could leave behind, and a query can see.
pub async fn left_behind(transaction: &Transaction<'_>) -> Vec<String> {
    let sql = "SELECT 'setting ' || name || ' ' || setting FROM pg_settings \
         UNION ALL SELECT 'lock ' || locktype || ' ' || coalesce(relation::regclass::text, '') || ' ' || mode \
                   FROM pg_locks WHERE pid = pg_backend_pid() \
         UNION ALL SELECT 'statement ' || statement FROM pg_prepared_statements \
         UNION ALL SELECT 'cursor ' || name FROM pg_cursors \
         UNION ALL SELECT 'transaction ' || coalesce(pg_current_xact_id_if_assigned()::text, 'reads only') \
         ORDER BY 1";
    let messages = transaction.simple_query(sql).await.unwrap();
    let row = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

/// The owner can read its own row, and write another; and no savepoint but its own is there.
async fn assert_usable(transaction: &Transaction<'_>) {
    transaction.batch_execute("SAVEPOINT own").await.unwrap();
    let error = transaction.batch_execute("ROLLBACK TO SAVEPOINT callslip_loan_c6b1f03e").await.unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("3B001"), "{error}");
    transaction.batch_execute("ROLLBACK TO SAVEPOINT own; RELEASE SAVEPOINT own").await.unwrap();
    transaction.execute("INSERT INTO scratch VALUES (2)", &[]).await.unwrap();
    let rows = transaction.query("SELECT n FROM scratch WHERE n = 1", &[]).await.unwrap();
    assert_eq!(rows.len(), 1, "the owner's own row");
}

/// A session with a table of its own, of one row that its transaction will not have committed.
async fn session() -> Client {
    let client = database().owner().await;
    client.batch_execute("CREATE TEMP TABLE scratch (n int8)").await.unwrap();
    client
}

async fn begin(client: &mut Client) -> Transaction<'_> {
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("INSERT INTO scratch VALUES (1)").await.unwrap();
    transaction
}

const OWN: &str = "SELECT s.n AS n FROM pg_temp.scratch AS s";
const DIVISION: &str = "SELECT CAST($1 AS int8) / CAST($2 AS int8) AS n";
const LATE_DIVISION: &str =
    "SELECT CAST(10 / (9999 - g.i) AS int8) AS n FROM pg_catalog.generate_series(1, 10000) AS g (i)";

#[tokio::test]
async fn it_gives_the_owner_s_own_rows_and_leaves_nothing() {
    let mut client = session().await;
    for isolation in
        [IsolationLevel::ReadCommitted, IsolationLevel::RepeatableRead, IsolationLevel::Serializable]
    {
        let builder = client.build_transaction().isolation_level(isolation);
        let mut transaction = builder.start().await.unwrap();
        transaction.batch_execute("INSERT INTO scratch VALUES (1)").await.unwrap();
        left_behind(&transaction).await;
        let before = left_behind(&transaction).await;

        let all =
            rows(&mut transaction, vec![number(OWN, &[]), number(DIVISION, &["12", "4"])]).await.unwrap();
        assert_eq!(all[0][0].get::<_, i64>(0), 1);
        assert_eq!(all[1][0].get::<_, i64>(0), 3);
        assert!(rows(&mut transaction, Vec::new()).await.unwrap().is_empty());

        assert_eq!(left_behind(&transaction).await, before);
        assert_usable(&transaction).await;
        transaction.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn names_and_values_mean_what_they_were_proven_to_mean() {
    let mut client = session().await;
    client
        .batch_execute("SET search_path = pg_temp; SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'")
        .await
        .unwrap();
    let mut transaction = begin(&mut client).await;
    let sql = "SELECT CAST(CAST('24/02/03 04:05' AS timestamptz) AS text) AS t";
    assert_eq!(text(&mut transaction, sql).await, "2024-02-03 04:05:00+00");
    let path = "SELECT pg_catalog.current_setting('search_path') AS t";
    assert_eq!(text(&mut transaction, path).await, "pg_catalog, pg_temp");
    let row = transaction.query_one("SELECT current_setting('search_path'), now()::text", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "pg_temp");
    assert!(row.get::<_, &str>(1).ends_with("JST"), "{row:?}");
    assert_usable(&transaction).await;
}

#[tokio::test]
async fn the_shorter_timeout_holds() {
    let mut client = session().await;
    let mut transaction = begin(&mut client).await;
    let inside = "SELECT pg_catalog.current_setting('statement_timeout') || ' ' || \
                  pg_catalog.current_setting('lock_timeout') AS t";
    for (own, expected) in [("0", "30s 2s"), ("1min", "30s 2s"), ("1500", "1500ms 1500ms")] {
        let sql = format!("SET LOCAL statement_timeout = '{own}'; SET LOCAL lock_timeout = '{own}'");
        transaction.batch_execute(&sql).await.unwrap();
        assert_eq!(text(&mut transaction, inside).await, expected);
    }
    transaction.batch_execute("SET LOCAL statement_timeout = '100ms'").await.unwrap();
    let sleep = statement("SELECT CAST(pg_catalog.pg_sleep(60) AS text) AS t", &[], &[("t", Type::TEXT)]);
    let error = rows(&mut transaction, vec![sleep]).await.unwrap_err();
    assert_eq!(error.code(), Code::StatementTimeout);
    assert_usable(&transaction).await;
}

#[tokio::test]
async fn an_error_leaves_it_usable() {
    let mut client = session().await;
    let mut transaction = begin(&mut client).await;
    let before = left_behind(&transaction).await;
    let fine = || number(OWN, &[]);
    let zero = || number(DIVISION, &["1", "0"]);
    let late = || number(LATE_DIVISION, &[]);
    for statements in
        [vec![zero()], vec![late()], vec![fine(), zero()], vec![zero(), fine()], vec![fine(), late(), fine()]]
    {
        let error = rows(&mut transaction, statements).await.unwrap_err();
        assert_eq!((error.sqlstate(), error.code()), (Some("22012"), Code::StatementFailed));
        assert_eq!(error.to_string(), "PostgreSQL failed the statement: SQLSTATE 22012");
        assert_eq!(left_behind(&transaction).await, before);
    }
    let unreadable = rows(&mut transaction, vec![number(DIVISION, &["secret", "1"])]).await.unwrap_err();
    assert_eq!(unreadable.sqlstate(), Some("22P02"));
    let nul = rows(&mut transaction, vec![number(DIVISION, &["1", "a\0b"])]).await.unwrap_err();
    assert_eq!(nul.to_string(), "the value of parameter $2 has a NUL character");
    let count = rows(&mut transaction, vec![number(DIVISION, &["1"])]).await.unwrap_err();
    assert_eq!(count.sqlstate(), Some("08P01"));
    assert_eq!(left_behind(&transaction).await, before);
    assert_usable(&transaction).await;
}

#[tokio::test]
async fn what_runs_on_it_can_t_write_and_its_owner_still_can() {
    let mut client = session().await;
    client
        .batch_execute(
            "CREATE FUNCTION pg_temp.write() RETURNS int8 LANGUAGE sql AS 'INSERT INTO public.company \
             SELECT 9999, name, plan, settings, created_at FROM public.company LIMIT 1 RETURNING 1::int8';
             CREATE FUNCTION pg_temp.unlock() RETURNS int8 LANGUAGE plpgsql AS \
             'BEGIN SET TRANSACTION READ WRITE; RETURN 1; END'",
        )
        .await
        .unwrap();
    let mut transaction = begin(&mut client).await;
    for (sql, sqlstate) in [
        ("SELECT pg_temp.write() AS n", "25006"),
        ("SELECT pg_temp.unlock() AS n", "25001"),
        ("SELECT pg_catalog.nextval('public.never') AS n", "42P01"),
    ] {
        let error = rows(&mut transaction, vec![number(sql, &[])]).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some(sqlstate), "{sql}");
    }
    let inside = "SELECT pg_catalog.current_setting('transaction_read_only') AS t";
    assert_eq!(text(&mut transaction, inside).await, "on");
    let row = transaction.query_one("SHOW transaction_read_only", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "off");
    assert_usable(&transaction).await;
}

#[tokio::test]
async fn an_aborted_or_ended_transaction_is_refused() {
    let mut client = session().await;
    let mut transaction = begin(&mut client).await;
    transaction.batch_execute("SAVEPOINT own").await.unwrap();
    transaction.batch_execute("SELECT 1 / 0").await.unwrap_err();
    for _ in 0..2 {
        let error = rows(&mut transaction, vec![number(OWN, &[])]).await.unwrap_err();
        assert_eq!(error.code(), Code::TransactionAborted);
    }
    transaction.batch_execute("ROLLBACK TO SAVEPOINT own").await.unwrap();
    assert_eq!(rows(&mut transaction, vec![number(OWN, &[])]).await.unwrap()[0].len(), 1);
    assert_usable(&transaction).await;

    transaction.batch_execute("ROLLBACK").await.unwrap();
    let error = rows(&mut transaction, vec![number(OWN, &[])]).await.unwrap_err();
    assert_eq!(error.code(), Code::NoTransaction);
    drop(transaction);
    assert_eq!(rows(&mut begin(&mut client).await, vec![number(OWN, &[])]).await.unwrap()[0].len(), 1);
}

#[tokio::test]
async fn a_savepoint_of_the_owner_s_stays_whatever_its_name() {
    let mut client = session().await;
    let mut transaction = begin(&mut client).await;
    transaction.batch_execute("SAVEPOINT callslip_loan; INSERT INTO scratch VALUES (3)").await.unwrap();
    transaction.batch_execute("SAVEPOINT later; SELECT 1 / 0").await.unwrap_err();
    let error = rows(&mut transaction, vec![number(OWN, &[])]).await.unwrap_err();
    assert_eq!(error.code(), Code::TransactionAborted);
    let error = transaction.batch_execute("SELECT 1").await.expect_err("it is still aborted");
    assert_eq!(error.code().map(|code| code.code()), Some("25P02"), "{error}");
    transaction.batch_execute("ROLLBACK TO SAVEPOINT later").await.unwrap();
    assert_eq!(rows(&mut transaction, vec![number(OWN, &[])]).await.unwrap()[0].len(), 2);
    transaction.batch_execute("ROLLBACK TO SAVEPOINT callslip_loan").await.unwrap();
    assert_usable(&transaction).await;
}

/// The driver looks up a type that it does not know with a query of its own, which waits behind rows that wait for
/// the driver.
#[tokio::test]
async fn a_column_that_got_a_type_the_driver_does_not_know_is_stale_and_does_not_hang() {
    let mut client = session().await;
    let mut transaction = begin(&mut client).await;
    let sql = "SELECT t.v AS v FROM pg_temp.much AS t";
    transaction
        .batch_execute(
            "CREATE TEMP TABLE much AS SELECT 'calm' AS v, repeat('x', 100) FROM generate_series(1, 200000)",
        )
        .await
        .unwrap();
    let proven = || statement(sql, &[], &[("v", Type::TEXT)]);
    assert_eq!(rows(&mut transaction, vec![proven()]).await.unwrap()[0].len(), 200_000);
    transaction
        .batch_execute("ALTER TABLE much ALTER v TYPE attacks.mood USING v::attacks.mood")
        .await
        .unwrap();
    for statements in [vec![proven()], vec![number(OWN, &[]), proven(), proven()]] {
        let call = rows(&mut transaction, statements);
        let error = tokio::time::timeout(Duration::from_secs(60), call).await.unwrap().unwrap_err();
        assert_eq!(error.code(), Code::StaleStatement);
        assert!(
            error.to_string().ends_with("column \"v\" of type text is now \"v\" of type mood"),
            "{error}"
        );
        assert_usable(&transaction).await;
    }
    // Nor does one that was proven so, if it takes another trip.
    let mut other = session().await;
    let mut transaction = begin(&mut other).await;
    let oid: u32 =
        database().owner().await.query_one("SELECT 'attacks.mood'::regtype::oid", &[]).await.unwrap().get(0);
    let mut mood = statement(
        "SELECT CAST('calm' AS attacks.mood) AS v FROM pg_catalog.generate_series(1, 200000) AS g (i)",
        &[],
        &[("v", Type::TEXT)],
    );
    mood.columns =
        [ResultColumn { name: "v".into(), type_oid: oid, type_name: "mood".into(), type_modifier: -1 }]
            .into();
    assert_eq!(rows(&mut transaction, vec![mood]).await.unwrap()[0].len(), 200_000);
    assert_usable(&transaction).await;

    transaction.batch_execute("ALTER TABLE scratch RENAME n TO m").await.unwrap();
    let gone = rows(&mut transaction, vec![number(OWN, &[])]).await.unwrap_err();
    assert_eq!((gone.code(), gone.sqlstate()), (Code::StaleStatement, Some("42703")));
}

#[tokio::test]
async fn a_stale_statement_is_refused_before_any_row_even_if_it_has_none() {
    let mut client = session().await;
    let mut transaction = begin(&mut client).await;
    transaction.batch_execute("CREATE TEMP TABLE notes AS SELECT 'calm' AS n, 1::int8 AS m").await.unwrap();
    for (select, change) in [
        ("t.n AS n", "column \"n\" of type int8 is now \"n\" of type text"),
        ("t.m AS m", "column \"n\" of type int8 is now \"m\" of type int8"),
        ("t.m AS n, t.m AS n", "it has 2 columns instead of 1"),
    ] {
        for condition in ["false", "true"] {
            let stale = || number(&format!("SELECT {select} FROM pg_temp.notes AS t WHERE {condition}"), &[]);
            for statements in [vec![stale()], vec![number(OWN, &[]), stale(), number(OWN, &[])]] {
                let error = lend(&mut transaction, statements).await.err().expect("it is stale");
                assert_eq!(error.code(), Code::StaleStatement);
                assert!(error.to_string().ends_with(change), "{error}");
            }
        }
    }
    assert_usable(&transaction).await;
}

/// The first statement changes what the second one's name means, which both were asked for before.
#[tokio::test]
async fn a_statement_that_changes_while_another_runs_is_stale() {
    let mut client = session().await;
    let mut transaction = begin(&mut client).await;
    transaction
        .batch_execute(
            "CREATE TEMP TABLE notes AS SELECT 1::int8 AS n;
             CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.notes AS SELECT 'calm' AS n",
        )
        .await
        .unwrap();
    let path = "pg_catalog.set_config('search_path', 'elsewhere, pg_temp', true)";
    let statements = vec![
        number(&format!("SELECT CAST(pg_catalog.length({path}) AS int8) AS n"), &[]),
        number("SELECT t.n AS n FROM notes AS t", &[]),
    ];
    let mut run = lend(&mut transaction, statements).await.unwrap();
    assert!(run.next_row().await.unwrap().is_some());
    assert!(run.next_row().await.unwrap().is_none());
    assert_eq!(run.next_row().await.unwrap_err().code(), Code::StaleStatement);
    drop(run);
    assert_usable(&transaction).await;
}

/// PostgreSQL calls immutable functions when it plans a statement: of the probe, nothing may be planned.
#[tokio::test]
async fn what_a_statement_calls_is_called_for_its_run_alone() {
    let mut client = session().await;
    client
        .batch_execute(
            "CREATE FUNCTION pg_temp.calls() RETURNS int8 IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN \
                 RETURN set_config('test.calls', \
                     (coalesce(nullif(current_setting('test.calls', true), ''), '0')::int8 + 1)::text, false); \
             END $$",
        )
        .await
        .unwrap();
    let mut transaction = begin(&mut client).await;
    for sql in [
        "SELECT pg_temp.calls() AS n",
        "SELECT s.n AS n FROM pg_temp.scratch AS s WHERE s.n OPERATOR(pg_catalog.=) pg_temp.calls()",
        "/* a comment */ -- and another\nSELECT pg_temp.calls() AS n",
        "WITH c AS (SELECT pg_temp.calls() AS n) SELECT c.n AS n FROM c",
        "WITH c AS MATERIALIZED (SELECT pg_temp.calls() AS n) SELECT c.n AS n FROM c",
        "SELECT pg_temp.calls() AS n FROM pg_temp.scratch AS s ORDER BY s.n LIMIT 1",
        "SELECT s.n AS n FROM pg_temp.scratch AS s ORDER BY s.n LIMIT pg_temp.calls()",
        "SELECT (SELECT pg_temp.calls()) AS n FROM pg_temp.scratch AS s",
        "SELECT j.n AS n FROM pg_temp.scratch AS s CROSS JOIN LATERAL (SELECT pg_temp.calls() AS n) AS j",
        "SELECT pg_catalog.max(s.n) AS n FROM pg_temp.scratch AS s HAVING pg_temp.calls() OPERATOR(pg_catalog.=) 1",
        "SELECT pg_temp.calls() AS n UNION ALL SELECT CAST(2 AS int8) AS n",
    ] {
        let all = rows(&mut transaction, vec![number(sql, &[])]).await.unwrap();
        assert_eq!(all[0].first().map(|row| row.get::<_, i64>(0)), Some(1), "{sql}");
    }
    let same_name = "SELECT pg_temp.calls() AS n, CAST(7 AS int8) AS n";
    let statements = vec![statement(same_name, &[], &[("n", Type::INT8), ("n", Type::INT8)])];
    let row = &rows(&mut transaction, statements).await.unwrap()[0][0];
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1, 7));
    assert_usable(&transaction).await;
}

#[tokio::test]
async fn a_parameter_has_the_type_that_it_was_proven_with() {
    let mut client = session().await;
    client
        .batch_execute(
            "CREATE TYPE pg_temp.state AS ENUM ('open', 'closed');
             CREATE TEMP TABLE door AS SELECT 1::int8 AS n, 'open'::pg_temp.state AS state;
             CREATE FUNCTION pg_temp.to_state(text) RETURNS pg_temp.state IMMUTABLE LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'the cast of text was called'; END $$;
             CREATE CAST (text AS pg_temp.state) WITH FUNCTION pg_temp.to_state(text)",
        )
        .await
        .unwrap();
    let mut transaction = begin(&mut client).await;
    let open = "SELECT d.n AS n FROM pg_temp.door AS d \
                WHERE d.state OPERATOR(pg_catalog.=) CAST($1 AS pg_temp.state)";
    assert_eq!(rows(&mut transaction, vec![number(open, &["open"])]).await.unwrap()[0].len(), 1);

    // A value of a domain is checked when it is bound.
    transaction.batch_execute("CREATE DOMAIN pg_temp.known AS int8 NOT NULL").await.unwrap();
    let known = number("SELECT CAST(CAST($1 AS pg_temp.known) AS int8) AS n", &["7"]);
    assert_eq!(rows(&mut transaction, vec![known]).await.unwrap()[0].len(), 1);

    // The flags of a range may not be null.
    let within = "SELECT CAST(i.id AS int8) AS n FROM public.interview AS i WHERE pg_catalog.tstzrange(\
                  CAST($1 AS timestamptz), CAST($2 AS timestamptz), CAST($3 AS text)) \
                  OPERATOR(pg_catalog.@>) i.completed_at";
    let values = ["2000-01-01", "2100-01-01", "[)"];
    assert!(!rows(&mut transaction, vec![number(within, &values)]).await.unwrap()[0].is_empty());
    assert_usable(&transaction).await;
}
