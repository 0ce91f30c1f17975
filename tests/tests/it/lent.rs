//! Queries of plugins on a transaction that the caller lends.

use callslip::plugin::Inputs;
use callslip::{CallError, Code};
use callslip_tests::database;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio_postgres::{Client, Transaction};

use crate::support::{config, language, object, read};

/// A position of the company 1 that nobody else sees.
const OPEN: &str = "INSERT INTO public.position SELECT 900001, 1, 'Uncommitted', location, remote, salary_min, \
                    salary_max, skills, opened_at, NULL FROM public.position LIMIT 1";

fn titles(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap()).collect()
}

/// The owner still sees its own position, and can write.
async fn assert_usable(transaction: &Transaction<'_>) {
    let changed = transaction
        .execute("UPDATE public.position SET title = 'Uncommitted' WHERE id = 900001", &[])
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(changed, 1);
}

async fn begin(client: &mut Client) -> Transaction<'_> {
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute(OPEN).await.unwrap();
    transaction
}

fn message(error: &CallError) -> String {
    error.log_message()
}

#[tokio::test]
async fn a_query_sees_the_owner_s_uncommitted_rows_and_no_connection_of_the_host_is_used() {
    let host = database().host(&config("hiring", "example-plugins/hiring")).await;
    let mut client = database().writer().await;
    let mut transaction = begin(&mut client).await;
    // All of the host's own connections are lent elsewhere.
    let mut loans = Vec::new();
    for _ in 0..host.pool().unwrap().settings().size {
        loans.push(host.pool().unwrap().loan().await.unwrap());
    }
    let funnel = || host.call("hiring", "funnel").param("company", 1).param("limit", 500);
    let rows =
        read(funnel().on(&mut transaction)).await.unwrap_or_else(|error| panic!("{}", message(&error)));
    let titles = titles(&rows);
    assert!(titles.contains(&"Uncommitted") && titles.len() > 1, "{titles:?}");
    drop(loans);
    assert_usable(&transaction).await;

    let elsewhere = read(funnel()).await.unwrap_or_else(|error| panic!("{}", message(&error)));
    assert!(!self::titles(&elsewhere).contains(&"Uncommitted"));
    transaction.rollback().await.unwrap();
}

/// The same tables in a schema of their own, so that other tests don't see what is committed.
#[tokio::test]
async fn the_commit_is_the_owner_s_own() {
    let (owner, mut client) = (database().owner().await, database().writer().await);
    let tables =
        ["company", "reviewer", "position", "candidate", "interview", "answer", "rating", "question"];
    let copies: Vec<String> = tables
        .iter()
        .map(|table| format!("CREATE TABLE lent.{table} (LIKE public.{table} INCLUDING ALL);"))
        .collect();
    owner
        .batch_execute(&format!(
            "CREATE SCHEMA lent; {} GRANT USAGE ON SCHEMA lent TO PUBLIC; \
             GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA lent TO PUBLIC",
            copies.concat()
        ))
        .await
        .unwrap();
    let text = config("hiring", "example-plugins/hiring");
    let host = database().host(&format!("[database]\nschemas = [\"lent\", \"public\"]\n{text}")).await;
    let count = async || {
        let rows = read(host.call("hiring", "funnel").param("company", 1)).await.unwrap();
        rows.as_array().unwrap().len()
    };
    for (commit, expected) in [(false, 0), (true, 1)] {
        let mut transaction = client.transaction().await.unwrap();
        transaction.batch_execute(&OPEN.replacen("public.", "lent.", 1)).await.unwrap();
        let call = host.call("hiring", "funnel").param("company", 1);
        assert_eq!(titles(&read(call.on(&mut transaction)).await.unwrap()), ["Uncommitted"]);
        assert_eq!(count().await, 0, "it was committed by the call");
        if commit {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        assert_eq!(count().await, expected);
    }
    owner.batch_execute("DROP SCHEMA lent CASCADE").await.unwrap();
}

#[tokio::test]
async fn parameters_and_claims_are_bound_and_several_statements_come_by_name() {
    let hiring = config("hiring", "example-plugins/hiring");
    let host = database().host(&format!("{hiring}\n{}", config("language", "tests/guests/language"))).await;
    let mut client = database().writer().await;
    let mut transaction = begin(&mut client).await;

    let claims = || Inputs::from_object(&object(json!({"company": 1, "admin": false})));
    let mine = read(host.call("language", "mine").claims(claims()).on(&mut transaction)).await.unwrap();
    assert!(mine.as_array().unwrap().contains(&json!({"id": 900_001})), "{mine}");
    let error = read(host.call("language", "mine").on(&mut transaction)).await.expect_err("it reads claims");
    assert_eq!(error.code(), Code::MissingClaim);

    let overview =
        read(host.call("hiring", "overview").param("company", 1).on(&mut transaction)).await.unwrap();
    let here = overview["totals"]["positions"].as_i64().unwrap();
    let overview = read(host.call("hiring", "overview").param("company", 1)).await.unwrap();
    assert_eq!(overview["totals"]["positions"].as_i64().unwrap(), here - 1);

    // As on a connection of the host's own: enums, columns that leave as text, no row, a shape proven on first use.
    for (query, parameters) in [
        ("enums", json!({"status": "completed"})),
        ("odd_types", json!({})),
        ("lists", json!({"countries": ["IE", "JP"], "years": [1, 2]})),
        ("position", json!({"id": -1})),
        ("search", json!({"words": "engineer"})),
    ] {
        let call = || host.call("language", query).params(Inputs::from_object(&object(parameters.clone())));
        let lent = read(call().on(&mut transaction)).await;
        let lent = lent.unwrap_or_else(|error| panic!("{query}: {}", message(&error)));
        assert_eq!(lent, read(call()).await.unwrap(), "{query}");
    }
    assert_usable(&transaction).await;
}

#[tokio::test]
async fn a_query_that_fails_leaves_the_transaction_usable() {
    let host = language().await;
    let mut client = database().writer().await;
    let mut transaction = begin(&mut client).await;
    for _ in 0..3 {
        let error =
            read(host.call("language", "breaking").on(&mut transaction)).await.expect_err("it divides");
        assert_eq!(error.code(), Code::StatementFailed);
        assert_usable(&transaction).await;
    }
    let slice = |limit: i64| host.call("language", "slices").param("limit", limit);
    let error = read(slice(-1).on(&mut transaction)).await.expect_err("a LIMIT is not negative");
    assert_eq!(error.code(), Code::RejectedValue);
    assert_usable(&transaction).await;
    assert_eq!(read(slice(2).on(&mut transaction)).await.unwrap(), read(slice(2)).await.unwrap());

    transaction.batch_execute("SELECT 1 / 0").await.expect_err("it divides");
    let error = read(slice(2).on(&mut transaction)).await.expect_err("the transaction is aborted");
    assert_eq!(error.code(), Code::TransactionAborted);
    assert!(error.to_string().contains("roll it back"), "{error}");
    drop(transaction);
    assert!(read(slice(2)).await.is_ok());
}

/// The plugin was proven with another role: the database has not changed, and there is nothing to look at.
#[tokio::test]
async fn a_role_that_lacks_a_privilege_is_told_so() {
    let host = database().host(&config("hiring", "example-plugins/hiring")).await;
    let mut client = database().writer().await;
    let role = "CREATE ROLE lacks_privileges; GRANT lacks_privileges TO callslip_writer";
    database().owner().await.batch_execute(role).await.unwrap();
    for _ in 0..2 {
        let mut transaction = client.transaction().await.unwrap();
        transaction.batch_execute("SET LOCAL ROLE lacks_privileges").await.unwrap();
        let funnel = host.call("hiring", "funnel").param("company", 1);
        let error = read(funnel.on(&mut transaction)).await.unwrap_err();
        assert_eq!(error.code(), Code::NotPermitted, "{error}");
        assert!(message(&error).contains("permission denied for"), "{}", message(&error));
        assert!(!error.to_string().contains("permission denied"), "{error}");
        transaction.batch_execute("SELECT 1").await.unwrap();
        transaction.rollback().await.unwrap();
    }
    assert_eq!(host.catalog_status().doubted_at, None);
}

#[tokio::test]
async fn a_reply_that_is_not_read_to_its_end_or_is_too_large_leaves_the_transaction_usable() {
    let text = config("language", "tests/guests/language");
    let host = database().host(&format!("[limits]\nrows = 100\n{text}")).await;
    let mut client = database().writer().await;
    let mut transaction = begin(&mut client).await;
    let error =
        read(host.call("language", "ratings").on(&mut transaction)).await.expect_err("there are more");
    assert_eq!(error.code(), Code::TooManyRows);
    assert_usable(&transaction).await;

    let host = database().host(&text).await;
    let call = host.call("language", "everything_rated").on(&mut transaction);
    let mut reply = call.run().await.unwrap_or_else(|error| panic!("{}", message(&error)));
    assert!(reply.next_chunk().await.unwrap().is_some());
    drop(reply);
    assert_usable(&transaction).await;
    let run = host.call("language", "everything_rated").on(&mut transaction).run();
    assert!(run.now_or_never().is_none(), "it was sent, and not answered yet");
    assert_usable(&transaction).await;
    transaction.rollback().await.unwrap();
}

#[tokio::test]
async fn a_pool_s_transaction_and_a_savepoint_can_be_lent() {
    let host = language().await;
    let manager =
        deadpool_postgres::Manager::new(database().connection().config().clone(), tokio_postgres::NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().unwrap();
    let mut client = pool.get().await.unwrap();
    let mut transaction = client.transaction().await.unwrap();
    let position = || host.call("language", "position").param("id", 7);
    let expected = read(position()).await.unwrap();
    assert_eq!(read(position().on(&mut transaction)).await.unwrap(), expected);
    let mut savepoint = transaction.savepoint("own").await.unwrap();
    assert_eq!(read(position().on(&mut savepoint)).await.unwrap(), expected);
    savepoint.rollback().await.unwrap();
    assert_eq!(read(position().on(&mut transaction)).await.unwrap(), expected);
    transaction.commit().await.unwrap();
}
