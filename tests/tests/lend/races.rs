//! What an owner may have done to its connection before it lends it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callslip::Code;
use callslip::loan::{Guard, Lender, LoanError, Sessions, Terms};
use futures_util::{FutureExt, TryStreamExt};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::cancels::soon;
use crate::ends::{Ends, first};
use crate::owners::{Kind, Owner, Service};
use crate::state::State;
use crate::support::{
    MOST_KEPT, drop_after, language, lend, number, rows, run, session, sessions, sqlstate, statement,
};

const ONE: &str = "SELECT CAST(1 AS int8) AS n";

async fn one(owner: &mut dyn Owner) -> Result<i64, LoanError> {
    Ok(rows(owner, vec![number(ONE, &[])]).await?[0][0].get(0))
}

/// Each kind in which a transaction is open.
fn in_transaction() -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(|kind| kind.is_in_transaction())
}

fn is_typed(kind: Kind) -> bool {
    !matches!(kind, Kind::ClientInTransaction | Kind::DeadpoolInTransaction | Kind::Bb8InTransaction)
}

/// Of a transaction that is lent as one, the driver does not know that it has ended.
#[test]
fn a_transaction_that_its_owner_ended_gives_no_row() {
    run(async {
        let mut service = Service::new().await;
        for kind in in_transaction() {
            let ended = service
                .with(kind, async |owner| {
                    for time in 0..3 {
                        owner.client().batch_execute("COMMIT").await.unwrap();
                        let before = State::of(owner.client()).await.unwrap();
                        match one(owner).await {
                            Err(LoanError::NoTransaction) if is_typed(kind) => {}
                            Ok(1) if !is_typed(kind) => {}
                            other => panic!("{kind:?}, time {time}: {other:?}"),
                        }
                        for n in 1..4 {
                            drop_after(n, one(owner)).await;
                        }
                        let after = State::of(owner.client()).await.unwrap();
                        // Where there is no transaction, it is not read-only for having been asked to be, but for the record.
                        let is_other = |line: &&String| !line.contains("setting transaction_read_only = off");
                        let difference = after.difference(&before.lines);
                        assert_eq!(difference.iter().find(is_other), None, "{kind:?}, time {time}");
                        owner
                            .client()
                            .batch_execute("BEGIN; SAVEPOINT theirs; SAVEPOINT sp_2")
                            .await
                            .unwrap();
                        assert_eq!(one(owner).await.unwrap(), 1, "{kind:?}, time {time}");
                    }
                })
                .await;
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    });
}

#[test]
fn an_aborted_transaction_is_refused_and_stays_aborted() {
    run(async {
        let mut service = Service::new().await;
        for kind in in_transaction() {
            let ended = service
                .with(kind, async |owner| {
                    // Once with nothing prepared, once with.
                    for _ in 0..2 {
                        let client = owner.client();
                        client.batch_execute("SAVEPOINT before").await.unwrap();
                        client.batch_execute("SELECT 1 / 0").await.unwrap_err();
                        for n in 1..8 {
                            drop_after(n, one(owner)).await;
                        }
                        let error = one(owner).await.unwrap_err();
                        assert_eq!(error.code(), Code::TransactionAborted, "{kind:?}");
                        let client = owner.client();
                        let error = client.batch_execute("SELECT 1").await.expect_err("it is still aborted");
                        assert_eq!(sqlstate(&error), Some("25P02"), "{kind:?}");
                        client
                            .batch_execute("ROLLBACK TO SAVEPOINT before; RELEASE SAVEPOINT before")
                            .await
                            .unwrap();
                        assert_eq!(one(owner).await.unwrap(), 1, "{kind:?}");
                    }
                })
                .await;
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    });
}

/// The name is reserved; on a connection whose state is found out first, even that does no harm.
#[test]
fn a_savepoint_of_the_reserved_name_stays_on_a_client() {
    run(async {
        let mut service = Service::new().await;
        let table = service.table.clone();
        for kind in [Kind::ClientInTransaction, Kind::DeadpoolInTransaction, Kind::Bb8InTransaction] {
            let ended = service
                .with(kind, async |owner| {
                    let client = owner.client();
                    let sql = format!("SAVEPOINT callslip_loan_c6b1f03e; INSERT INTO {table} VALUES (1)");
                    client.batch_execute(&sql).await.unwrap();
                    assert_eq!(one(owner).await.unwrap(), 1);
                    rows(owner, vec![number("SELECT CAST(1 / 0 AS int8) AS n", &[])]).await.unwrap_err();
                    for n in 1..20 {
                        drop_after(n, one(owner)).await;
                    }
                    let count = format!("SELECT count(*) FROM {table}");
                    assert_eq!(first(owner.client(), &count).await, "1", "{kind:?}");
                    owner.client().batch_execute("SELECT 1 / 0").await.unwrap_err();
                    for n in 1..20 {
                        drop_after(n, one(owner)).await;
                    }
                    let error = one(owner).await.unwrap_err();
                    assert_eq!(error.code(), Code::TransactionAborted, "{kind:?}");
                    let error =
                        owner.client().batch_execute("SELECT 1").await.expect_err("it is still aborted");
                    assert_eq!(sqlstate(&error), Some("25P02"), "{kind:?}");
                    let back = "ROLLBACK TO SAVEPOINT callslip_loan_c6b1f03e";
                    owner.client().batch_execute(back).await.unwrap();
                    assert_eq!(first(owner.client(), &count).await, "0", "{kind:?}");
                })
                .await;
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    });
}

#[test]
fn a_huge_result_before_others_is_read_row_by_row() {
    run(async {
        let mut service = Service::new().await;
        let huge = "SELECT CAST(g.i AS int8) AS n FROM pg_catalog.generate_series(1, 300000) AS g (i)";
        let broken = "SELECT CAST(1 / (g.i - 150000) AS int8) AS n FROM pg_catalog.generate_series(1, 300000) AS g (i)";
        for kind in Kind::ALL {
            let ended = service
                .with(kind, async |owner| {
                    for time in 0..2 {
                        let statements = [huge, ONE, huge, ONE].map(|sql| number(sql, &[])).to_vec();
                        let all =
                            tokio::time::timeout(Duration::from_secs(100), rows(owner, statements)).await;
                        let all = all.unwrap_or_else(|_| panic!("{kind:?}, time {time}: it hangs")).unwrap();
                        let counts: Vec<usize> = all.iter().map(Vec::len).collect();
                        assert_eq!(counts, [300_000, 1, 300_000, 1], "{kind:?}, time {time}");
                    }
                    let statements = [huge, broken, huge].map(|sql| number(sql, &[])).to_vec();
                    let error = rows(owner, statements).await.unwrap_err();
                    assert_eq!(error.sqlstate(), Some("22012"), "{kind:?}");
                    assert_eq!(one(owner).await.unwrap(), 1, "{kind:?}");
                })
                .await;
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    });
}

/// Sends a statement of the owner's, whose answer nobody waits for.
fn only_send(client: &Client, sql: &str) {
    // It may have come already, if this thread was kept waiting.
    let _ = client.batch_execute(sql).now_or_never();
}

/// What the owner has sent and not waited for comes first.
#[test]
fn what_its_owner_has_sent_before_comes_before() {
    run(async {
        let mut service = Service::new().await;
        let table = service.table.clone();
        let count = format!("SELECT pg_catalog.count(*) AS n FROM {table} AS w");
        let mut token = 0;
        for kind in Kind::ALL.into_iter().filter(|kind| kind.writes()) {
            let ended = service
                .with(kind, async |owner| {
                    for time in 0..2 {
                        token += 1;
                        let insert = format!("INSERT INTO {table} SELECT {token} FROM pg_sleep(0.1)");
                        only_send(owner.client(), &insert);
                        let found = rows(owner, vec![number(&count, &[])]).await.unwrap();
                        assert_eq!(found[0][0].get::<_, i64>(0), token, "{kind:?}, time {time}");
                    }
                    // Rows that nobody has read yet, of which there are more than the driver holds.
                    let sql = "SELECT g.i FROM generate_series(1, 200000) AS g (i)";
                    let unread = owner.client().query_raw::<_, i32, _>(sql, []).await.unwrap();
                    let reading = async { unread.try_collect::<Vec<_>>().await.unwrap().len() };
                    let (found, read) = tokio::join!(one(owner), reading);
                    assert_eq!((found.unwrap(), read), (1, 200_000), "{kind:?}");
                    if kind.is_in_transaction() {
                        owner.client().batch_execute("SAVEPOINT before").await.unwrap();
                        only_send(owner.client(), "SELECT 1 / 0");
                        let error = one(owner).await.unwrap_err();
                        assert_eq!(error.code(), Code::TransactionAborted, "{kind:?}");
                        owner.client().batch_execute("ROLLBACK TO SAVEPOINT before").await.unwrap();
                    } else {
                        only_send(owner.client(), "BEGIN");
                        assert_eq!(one(owner).await.unwrap(), 1, "{kind:?}");
                        owner.client().batch_execute("SAVEPOINT theirs").await.expect("it is still open");
                        only_send(owner.client(), "COMMIT");
                        assert_eq!(one(owner).await.unwrap(), 1, "{kind:?}");
                        owner.client().batch_execute("SAVEPOINT theirs").await.expect_err("it has ended");
                    }
                })
                .await;
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    });
}

/// Pools do so with a connection that comes back.
#[test]
fn a_session_whose_statements_were_thrown_away_prepares_them_again() {
    run(async {
        let mut service = Service::new().await;
        for kind in Kind::ALL {
            let ended = service
                .with(kind, async |owner| {
                    assert_eq!(one(owner).await.unwrap(), 1, "{kind:?}");
                    for time in 0..3 {
                        owner.client().batch_execute("DEALLOCATE ALL").await.unwrap();
                        let found = one(owner).await;
                        assert_eq!(found.unwrap_or_else(|error| panic!("{kind:?}, time {time}: {error}")), 1);
                    }
                })
                .await;
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    });
}

/// A timeout holds for what ends the loan, too, unless something is done about it.
#[test]
fn a_timeout_is_never_the_owner_s() {
    run(async {
        let mut service = Service::new().await;
        // No shorter one is set than that which what ends the loan can have.
        let brief = Terms { statement_timeout: Duration::from_millis(1), ..Terms::default() };
        let as_long = "SELECT CAST(1 AS int8) AS n FROM pg_catalog.pg_sleep(0.0495)";
        for kind in Kind::ALL {
            let ended = service
                .with(kind, async |owner| {
                    for time in 0..20 {
                        let statements = vec![number(if time % 2 == 0 { as_long } else { ONE }, &[])];
                        match owner.lend().run(statements, &brief, sessions()).await {
                            Ok(run) => drop(callslip_tests::rows(run).await),
                            Err(LoanError::Stopped(_)) => {}
                            Err(error) => panic!("{kind:?}, time {time}: {error}"),
                        }
                        let next = owner.client().batch_execute("SELECT 1").await;
                        next.unwrap_or_else(|error| {
                            panic!("{kind:?}, time {time}: the owner's next statement: {error:?}")
                        });
                    }
                })
                .await;
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    });
}

/// From the first loan on, of which nobody knows yet whether owners have timeouts of their own.
#[test]
fn an_owner_s_shorter_timeout_holds() {
    run(async {
        let mut service = Service::new().await;
        for kind in Kind::ALL {
            let ended = service
                .with(kind, async |owner| {
                    let (terms, kept) = (Terms::default(), NonZeroUsize::new(MOST_KEPT).unwrap());
                    let sessions = Sessions::new(kept);
                    for time in 0..3 {
                        owner.client().batch_execute("SET statement_timeout = '100ms'").await.unwrap();
                        let sleep = "SELECT CAST(pg_catalog.length(CAST(pg_catalog.pg_sleep(5) AS text)) AS int8) AS n";
                        let start = Instant::now();
                        let error = async {
                            let run = owner.lend().run(vec![number(sleep, &[])], &terms, &sessions).await?;
                            callslip_tests::rows(run).await
                        };
                        let error = error.await.expect_err("it is stopped");
                        assert_eq!(error.sqlstate(), Some("57014"), "{kind:?}, time {time}: {error}");
                        assert!(start.elapsed() < Duration::from_secs(4), "{kind:?}, time {time}: {:?}", start.elapsed());
                        assert_eq!(first(owner.client(), "SHOW statement_timeout").await, "100ms");
                        owner.client().batch_execute("SET statement_timeout = 0").await.unwrap();
                        let run = owner.lend().run(vec![number(ONE, &[])], &terms, &sessions).await;
                        assert_eq!(callslip_tests::rows(run.unwrap()).await.unwrap()[0].len(), 1);
                        assert_eq!(first(owner.client(), "SHOW statement_timeout").await, "0");
                    }
                })
                .await;
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    });
}

/// Also when it has to be asked again what the owner's role may.
#[test]
fn a_query_runs_once_for_each_call() {
    run(async {
        let (mut service, host) = (Service::new().await, language("").await);
        for kind in [Kind::ReadCommitted, Kind::DeadpoolTransaction] {
            let ended = service
                .with(kind, async |owner| {
                    for calls in 1..4 {
                        let call = host.call("language", "mine").claim("company", 1).claim("admin", true);
                        let mut reply = call.on(owner).run().await.unwrap();
                        while reply.next_chunk().await.unwrap().is_some() {}
                        drop(reply);
                        // What the transaction has read, rolled back or not.
                        let scans = "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_xact_user_tables \
                                     WHERE relname = 'position' AND schemaname = 'public'";
                        assert_eq!(first(owner.client(), scans).await, calls.to_string(), "{kind:?}");
                        tokio::time::sleep(Duration::from_millis(1100)).await;
                    }
                })
                .await;
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    });
}

#[test]
fn rows_that_are_left_behind_do_not_stop_the_owner() {
    run(async {
        let mut service = Service::new().await;
        let huge = "SELECT CAST(g.i AS int8) AS n FROM pg_catalog.generate_series(1, 300000) AS g (i)";
        for kind in Kind::ALL {
            let ended = service
                .with(kind, async |owner| {
                    for _ in 0..2 {
                        let mut run = lend(owner, [huge, ONE, huge].map(|sql| number(sql, &[])).to_vec())
                            .await
                            .unwrap();
                        assert!(run.next_row().await.unwrap().is_some());
                        drop(run);
                        // A late cancel would hit one of these.
                        for _ in 0..20 {
                            owner.client().batch_execute("SELECT pg_sleep(0.01)").await.unwrap();
                        }
                    }
                })
                .await;
            ended.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    });
}

/// A call that waits behind it is cancelled only when its own statements run.
#[test]
fn what_its_owner_has_sent_before_is_not_cancelled() {
    run(async {
        let mut service = Service::new().await;
        let (ends, table) = (Ends::new(&service.table).await, service.table.clone());
        let mut token = 0;
        for kind in Kind::ALL.into_iter().filter(|kind| kind.writes()) {
            for wait in [0, 10, 200] {
                token += 1;
                let ended = service
                    .with(kind, async |owner| {
                        let insert = format!("INSERT INTO {table} SELECT {token} FROM pg_sleep(0.4)");
                        only_send(owner.client(), &insert);
                        let mut running =
                            ends.brief().call("slow", "sleep").param("seconds", 600).on(owner).run();
                        let within = Duration::from_millis(wait);
                        let has_ended = tokio::time::timeout(within, &mut running).await.is_ok();
                        assert!(!has_ended, "{kind:?}: it has ended");
                        soon(running.cancel()).await.unwrap();
                        let count = format!("SELECT count(*) FROM {table} WHERE token = {token}");
                        assert_eq!(first(owner.client(), &count).await, "1", "{kind:?}, after {wait} ms");
                    })
                    .await;
                ended.unwrap_or_else(|error| panic!("{kind:?}, after {wait} ms: {error:?}"));
            }
        }
    });
}

#[test]
fn a_portal_of_its_owner_s_stays_where_it_is() {
    run(async {
        let mut client = session().await;
        let mut transaction = client.transaction().await.unwrap();
        let portal = transaction.bind("SELECT generate_series(1, 6)", &[]).await.unwrap();
        for expected in [[1, 2], [3, 4], [5, 6]] {
            let found = transaction.query_portal(&portal, 2).await.unwrap();
            assert_eq!(found.iter().map(|row| row.get(0)).collect::<Vec<i32>>(), expected);
            assert_eq!(one(&mut transaction).await.unwrap(), 1);
            let error = rows(&mut transaction, vec![number("SELECT CAST(1 / 0 AS int8) AS n", &[])]).await;
            assert_eq!(error.unwrap_err().sqlstate(), Some("22012"));
        }
        transaction.commit().await.unwrap();
    });
}

/// As when the host has looked at its database while calls were under way: they end as they began.
#[test]
fn guards_do_not_keep_each_other_s_loans_from_running() {
    run(async {
        let sessions = Arc::new(Sessions::new(NonZeroUsize::new(8).unwrap()));
        let terms = Terms::default();
        let loans = (0..8).map(async |_| {
            let (sessions, guard, mut client) =
                (sessions.clone(), Arc::new(Guard::default()), session().await);
            for _ in 0..50 {
                let lent = client.lend().guarded(guard.clone());
                let run = lent.run(vec![number("SELECT 1::int8 AS n", &[])], &terms, &sessions);
                callslip_tests::rows(run.await.unwrap()).await.unwrap();
            }
        });
        futures_util::future::join_all(loans).await;
    });
}

/// A column whose type changes while it is taken for what it was, to one that the driver has to ask for.
#[test]
fn a_type_that_becomes_unknown_does_not_have_a_loan_hang() {
    run(async {
        let (mut client, other) = (session().await, session().await);
        let sql = "CREATE TYPE lend.mood AS ENUM ('a');
                   CREATE TABLE lend.moods AS SELECT 1 AS s FROM pg_catalog.generate_series(1, 300000)";
        other.batch_execute(sql).await.unwrap();
        let all = || vec![statement("SELECT t.s AS s FROM lend.moods AS t", &[], &[("s", Type::INT4)])];
        rows(&mut client, all()).await.unwrap();
        let sql = "TRUNCATE lend.moods; ALTER TABLE lend.moods ALTER COLUMN s TYPE lend.mood USING 'a';
                   INSERT INTO lend.moods SELECT 'a' FROM pg_catalog.generate_series(1, 300000)";
        other.batch_execute("TRUNCATE lend.moods; INSERT INTO lend.moods VALUES (1)").await.unwrap();
        rows(&mut client, all()).await.unwrap();
        other.batch_execute(sql).await.unwrap();
        let found = tokio::time::timeout(Duration::from_secs(20), rows(&mut client, all())).await;
        let error = found.expect("it hangs").unwrap_err();
        assert_eq!(error.code(), Code::StaleStatement, "{error}");
        other.batch_execute("DROP TABLE lend.moods; DROP TYPE lend.mood").await.unwrap();
    });
}
