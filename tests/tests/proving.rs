//! Asking about statements on connections that are lent.

use std::time::Duration;

use callslip::cluster::Cluster;
use callslip::loan::{Lender, LoanError, Terms};
use callslip_tests::{cluster, connect};
use futures_util::FutureExt;
use tokio_postgres::Client;

const ABOUT: &str = "SELECT d.m AS m FROM public.draft AS d WHERE d.m = CAST($1 AS public.mood)";

/// An owner, with a type and a table.
async fn owner() -> (Cluster, Client) {
    cluster("CREATE TYPE mood AS ENUM ('calm', 'cross'); CREATE TABLE draft (m mood); CREATE TABLE t (a int)")
        .await
}

/// What tells whether a transaction is as it was, and what its locks are on.
async fn state(client: &Client) -> (String, Vec<String>) {
    let settings =
        "SELECT pg_catalog.string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_catalog.pg_settings";
    let settings = client.query_typed(settings, &[]).await.unwrap()[0].get(0);
    let locks = "SELECT relation::regclass::text FROM pg_catalog.pg_locks \
                 WHERE pid = pg_backend_pid() AND relation >= 16384 ORDER BY 1";
    let locks = client.query_typed(locks, &[]).await.unwrap();
    (settings, locks.iter().map(|row| row.get(0)).collect())
}

#[tokio::test]
async fn a_transaction_is_asked_about_what_it_has_made_and_is_as_before() {
    let (_cluster, mut owner) = owner().await;
    let mut transaction = owner.transaction().await.unwrap();
    transaction
        .batch_execute("CREATE TABLE own (a int); SAVEPOINT theirs; INSERT INTO own VALUES (1)")
        .await
        .unwrap();
    let before = state(transaction.client()).await;
    let lent = transaction.lend();
    let inspection = lent.inspect(&Terms::default()).await.unwrap();
    let proving = inspection.prove().await.unwrap();
    assert_eq!(
        proving.describe("SELECT o.a AS a FROM public.own AS o").await.unwrap().columns[0].type_name,
        "int4"
    );
    // A type that the driver does not know, and what fails.
    assert_eq!(proving.describe(ABOUT).await.unwrap().columns[0].type_name, "mood");
    let wrong = proving.describe("SELECT o.b FROM public.own AS o").await.unwrap_err();
    assert_eq!(wrong.sqlstate(), Some("42703"));
    let constant = "SELECT CAST($1 AS public.mood)";
    proving.evaluate(constant, "calm").await.unwrap();
    assert_eq!(proving.evaluate(constant, "glad").await.unwrap_err().sqlstate(), Some("22P02"));
    assert!(proving.explain(ABOUT, 1).await.unwrap()[0].starts_with("Seq Scan on draft"));
    assert_eq!(proving.explain("VALUES (", 0).await.unwrap_err().sqlstate(), Some("42601"));
    assert_eq!(proving.describe("SELECT 1; SELECT 2").await.unwrap_err().sqlstate(), Some("42601"));
    proving.end().await.unwrap();
    assert_eq!(state(transaction.client()).await, before);
    transaction
        .batch_execute("INSERT INTO own VALUES (2); ROLLBACK TO theirs; INSERT INTO own VALUES (3)")
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let rows = owner.query("SELECT a FROM own", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn no_lock_outlives_its_question() {
    let (cluster, mut owner) = owner().await;
    let other = connect(&cluster.config()).await;
    other.batch_execute("SET lock_timeout = '5s'").await.unwrap();
    let lent = owner.lend();
    let inspection = lent.inspect(&Terms::default()).await.unwrap();
    let proving = inspection.prove().await.unwrap();
    for wanted in ["mood", "text"] {
        assert_eq!(
            proving.describe("SELECT d.m AS m FROM public.draft AS d").await.unwrap().columns[0].type_name,
            wanted
        );
        // A migration comes in between, and the next question finds it.
        other.batch_execute("ALTER TABLE draft ALTER m TYPE text").await.unwrap();
    }
    proving.end().await.unwrap();
    // The client has no transaction open, and can be asked again.
    owner.batch_execute("CREATE TABLE made (a int)").await.unwrap();
    let lent = owner.lend();
    let inspection = lent.inspect(&Terms::default()).await.unwrap();
    inspection.prove().await.unwrap().describe("SELECT m.a FROM public.made AS m").await.unwrap();
    owner.batch_execute("INSERT INTO made VALUES (1)").await.unwrap();
}

/// However often something was polled before it is dropped, what was lent is as it was.
#[tokio::test]
async fn dropped_after_any_poll_it_gives_the_transaction_back() {
    let (_cluster, mut owner) = owner().await;
    let mut polls = 0;
    loop {
        // A client of its own each time would be asked by the driver for its types again; the transaction is what is lent.
        let mut transaction = owner.transaction().await.unwrap();
        transaction.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
        let before = state(transaction.client()).await;
        let mut asked = Box::pin(async {
            let lent = transaction.lend();
            let proving = lent.inspect(&Terms::default()).await?.prove().await?;
            _ = proving.describe(ABOUT).await?;
            _ = proving.describe("SELECT").await;
            _ = proving.explain("SELECT 1 AS n", 0).await?;
            proving.end().await
        });
        let mut ended = None;
        for _ in 0..polls {
            ended = asked.as_mut().now_or_never();
            if ended.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(asked);
        assert_eq!(state(transaction.client()).await, before, "after {polls} polls");
        transaction.commit().await.unwrap();
        if let Some(ended) = ended {
            ended.unwrap();
            break;
        }
        polls += 1;
    }
    assert!(polls > 3, "{polls}");
    let rows = owner.query_typed("SELECT count(*) FROM t", &[]).await.unwrap();
    assert_eq!(rows[0].get::<_, i64>(0), polls + 1);
}

#[tokio::test]
async fn a_transaction_that_does_not_serve_is_refused() {
    let (_cluster, mut owner) = owner().await;
    let mut transaction = owner.transaction().await.unwrap();
    transaction.batch_execute("SELECT nothing").await.unwrap_err();
    let refused = transaction.lend().inspect(&Terms::default()).await.unwrap().prove().await.err().unwrap();
    assert!(matches!(refused, LoanError::TransactionAborted), "{refused}");
    transaction.batch_execute("ROLLBACK").await.unwrap();
    let refused = transaction.lend().inspect(&Terms::default()).await.unwrap().prove().await.err().unwrap();
    assert!(matches!(refused, LoanError::NoTransaction), "{refused}");
}
