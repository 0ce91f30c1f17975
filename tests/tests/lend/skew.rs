//! A SERIALIZABLE owner stays in conflict detection: of two transactions that each read what the other writes, PostgreSQL
//! must refuse one.

use callslip_tests::{cluster, connect, database};
use tokio_postgres::Error;

use crate::ends::first;
use crate::owners::{Kind, Owner, Service};
use crate::support::{language, number, rows, run, session, sqlstate};

/// Two transactions of the kind read a table each in its own way, and then each deletes another row of it. Gives the
/// first error.
async fn skew(
    services: &mut [Service; 2],
    kind: Kind,
    read: impl AsyncFn(&mut dyn Owner, &str),
) -> Result<(), Error> {
    let [one, other] = services;
    let table = one.table.clone();
    let sql = format!("INSERT INTO {table} VALUES (1), (2) ON CONFLICT DO NOTHING");
    database().owner().await.batch_execute(&sql).await.unwrap();
    let mut results = Vec::new();
    let committed = one
        .with(kind, async |first| {
            let committed = other
                .with(kind, async |second| {
                    read(first, &table).await;
                    read(second, &table).await;
                    for (client, token) in [(first.client(), 1), (second.client(), 2)] {
                        let sql = format!("DELETE FROM {table} WHERE token = {token}");
                        results.push(client.batch_execute(&sql).await);
                    }
                })
                .await;
            results.push(committed);
        })
        .await;
    results.push(committed);
    results.into_iter().collect()
}

/// Services whose tables both may change.
async fn services() -> [Service; 2] {
    [Service::new().await, Service::new().await]
}

const KINDS: [Kind; 5] = [
    Kind::Serializable,
    Kind::DeadpoolSerializable,
    Kind::ClientInTransaction,
    Kind::DeadpoolInTransaction,
    Kind::Bb8InTransaction,
];

fn count(table: &str) -> String {
    format!("SELECT pg_catalog.count(*) AS n FROM {table} AS w")
}

async fn read_itself(owner: &mut dyn Owner, table: &str) {
    assert_eq!(first(owner.client(), &count(table)).await, "2");
}

async fn read_on_loan(owner: &mut dyn Owner, table: &str) {
    let found = rows(owner, vec![number(&count(table), &[])]).await.unwrap();
    assert_eq!(found[0][0].get::<_, i64>(0), 2);
}

fn assert_refused(result: Result<(), Error>, what: &str) {
    let error = result.expect_err(what);
    assert_eq!(sqlstate(&error), Some("40001"), "{what}: {error:?}");
}

#[test]
fn one_of_two_that_read_on_loan_is_refused() {
    run(async {
        let mut services = services().await;
        for kind in KINDS {
            assert_refused(skew(&mut services, kind, read_itself).await, "without a loan");
            // The first time nothing is prepared yet.
            for time in 0..3 {
                assert_refused(
                    skew(&mut services, kind, read_on_loan).await,
                    &format!("{kind:?}, time {time}"),
                );
            }
        }
    });
}

/// What a loan reads itself does not matter to what its owner reads later.
#[test]
fn one_of_two_whose_first_statement_was_a_loan_is_refused() {
    run(async {
        let mut services = services().await;
        let read = async |owner: &mut dyn Owner, table: &str| {
            rows(owner, vec![number("SELECT CAST(1 AS int8) AS n", &[])]).await.unwrap();
            read_itself(owner, table).await;
        };
        let failed = async |owner: &mut dyn Owner, table: &str| {
            rows(owner, vec![number("SELECT CAST(1 / 0 AS int8) AS n", &[])]).await.unwrap_err();
            read_on_loan(owner, table).await;
        };
        for kind in KINDS {
            for time in 0..2 {
                let what = format!("{kind:?}, time {time}");
                assert_refused(skew(&mut services, kind, read).await, &what);
                assert_refused(skew(&mut services, kind, failed).await, &what);
            }
        }
    });
}

#[test]
fn one_of_two_that_call_a_plugin_is_refused() {
    run(async {
        let host = language("").await;
        let mut services = services().await;
        let call = async |owner: &mut dyn Owner| {
            let call = host.call("language", "position").param("id", 7);
            let mut reply = call.on(owner).run().await.unwrap();
            while reply.next_chunk().await.unwrap().is_some() {}
        };
        let read = async |owner: &mut dyn Owner, table: &str| {
            call(owner).await;
            read_itself(owner, table).await;
        };
        for kind in KINDS {
            // What the role may is asked on this one, so that the call is the first statement of the others.
            call(&mut session().await).await;
            assert_refused(skew(&mut services, kind, read).await, &format!("{kind:?}"));
        }
    });
}

/// Why a loan looks before it makes its savepoint read-only: this is what happens otherwise. But only as long as no other
/// transaction of the whole server is SERIALIZABLE and may write: it has a server of its own.
#[test]
fn a_snapshot_that_is_first_taken_under_read_only_loses_the_conflict() {
    run(async {
        let (server, one) = cluster("CREATE TABLE t (token int PRIMARY KEY)").await;
        let other = connect(&server.config()).await;
        for (looks_before, expected) in [("", None), ("SELECT 1;", Some("40001"))] {
            one.batch_execute("INSERT INTO t VALUES (1), (2) ON CONFLICT DO NOTHING").await.unwrap();
            for client in [&one, &other] {
                let read = format!(
                    "BEGIN ISOLATION LEVEL SERIALIZABLE; SAVEPOINT a; {looks_before} SET TRANSACTION READ ONLY;
                     SELECT count(*) FROM t; ROLLBACK TO SAVEPOINT a; RELEASE SAVEPOINT a"
                );
                client.batch_execute(&read).await.unwrap();
            }
            let mut results = Vec::new();
            for (client, token) in [(&one, 1), (&other, 2)] {
                results.push(client.batch_execute(&format!("DELETE FROM t WHERE token = {token}")).await);
            }
            for client in [&one, &other] {
                results.push(client.batch_execute("COMMIT").await);
            }
            let result: Result<(), Error> = results.into_iter().collect();
            let found = result.as_ref().err().and_then(sqlstate);
            assert_eq!(found, expected, "{looks_before:?}: {result:?}");
        }
    });
}
