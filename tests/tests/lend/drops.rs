//! A call that is dropped, wherever it waits.

use std::time::{Duration, Instant};

use callslip_tests::database;
use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio_postgres::Client;

use crate::ends::{BRIEF, End, Ends, On, first};
use crate::owners::{Kind, Owner, Service};
use crate::state::State;
use crate::support::{MOST_KEPT, drop_after, lend, number, rows, run, session};

/// More than a call ever waits.
const MOST_WAITS: usize = 400;

/// That the owner can go on, and its session is as it was.
async fn assert_as_before(owner: &dyn Owner, before: &State, what: &str) -> State {
    let after = State::of(owner.client()).await;
    let after = after.unwrap_or_else(|error| panic!("{what}: the owner's next statement failed: {error:?}"));
    let difference = after.difference(&before.lines);
    assert!(difference.is_empty(), "{what}: {difference:#?}");
    after
}

/// Drops a call after the first wait, then after the second, and so on, until it ends by itself.
async fn check(kind: Kind) {
    let mut service = Service::new().await;
    let admin = database().owner().await;
    let (table, mut ended) = (service.table.clone(), false);
    for n in 1..=MOST_WAITS {
        let what = format!("{kind:?}, dropped at the {n}th wait");
        // A text of its own each time, so that it is prepared each time.
        let statements = || {
            let large = "SELECT CAST(g.i AS int8) AS n FROM pg_catalog.generate_series(1, 30000) AS g (i)";
            let written = format!("SELECT pg_catalog.count(*) AS n FROM {table} AS w");
            [&written, large, &written]
                .map(|sql| number(&format!("/* {n} of {} */ {sql}", sql.len()), &[]))
                .to_vec()
        };
        let turns = async |owner: &mut dyn Owner| {
            let client = owner.client();
            client.batch_execute(&format!("INSERT INTO {table} VALUES ({n})")).await.unwrap();
            let count = first(client, &format!("SELECT count(*) FROM {table}")).await;
            State::of(client).await.unwrap();
            let before = State::of(client).await.unwrap();
            // When nothing is prepared yet, and when all of it is.
            ended = true;
            for _ in 0..2 {
                ended &= match drop_after(n, rows(owner, statements())).await {
                    Some(all) => {
                        let all = all.unwrap_or_else(|error| panic!("{what}: {error}"));
                        assert_eq!(all[2][0].get::<_, i64>(0).to_string(), count, "{what}");
                        true
                    }
                    None => false,
                };
                let after = assert_as_before(owner, &before, &what).await;
                if !kind.keeps_statements() {
                    assert_eq!(after.prepared, before.prepared, "{what}");
                }
                let all = rows(owner, statements())
                    .await
                    .unwrap_or_else(|error| panic!("{what}, and then: {error}"));
                assert_eq!(all[1].len(), 30_000, "{what}");
                if kind.keeps_statements() {
                    let prepared = State::of(owner.client()).await.unwrap().prepared;
                    for statement in statements() {
                        assert_eq!(prepared.get(&*statement.sql), Some(&1), "{what}: {}", statement.sql);
                    }
                    // With what finds the settings, and the service's own.
                    assert!(prepared.values().sum::<usize>() <= MOST_KEPT + 2, "{what}: {prepared:#?}");
                }
            }
            let write = owner.client().batch_execute(&format!("INSERT INTO {table} VALUES (-{n})")).await;
            write.unwrap_or_else(|error| panic!("{what}: the owner can't write: {error:?}"));
        };
        service
            .with(kind, turns)
            .await
            .unwrap_or_else(|error| panic!("{what}: the commit failed: {error:?}"));
        let written = format!("SELECT count(*) FROM {table} WHERE abs(token) = {n}");
        assert_eq!(first(&admin, &written).await, "2", "{what}: what the owner wrote and committed");
        if ended {
            // How often it waits is for the scheduler to say: what has come already is not waited for.
            assert!(n > 1, "it never waits");
            return;
        }
    }
    panic!("{kind:?}: it does not end within {MOST_WAITS} waits");
}

/// The same of a call that is first proven on what is lent. What it was about to ask PostgreSQL when it was dropped may stay
/// prepared, by a name that only the driver knew.
async fn check_first_use(kind: Kind) {
    let mut service = Service::new().await;
    let ends = Ends::new(&service.table).await;
    let (table, mut ended) = (service.table.clone(), false);
    for n in 1..=MOST_WAITS {
        let what = format!("{kind:?}, first use, dropped at the {n}th wait");
        let turn = async |owner: &mut dyn Owner| {
            State::of(owner.client()).await.unwrap();
            let before = State::of(owner.client()).await.unwrap();
            let mut lent = On::Lent(owner);
            let dropped = drop_after(n, Box::pin(ends.perform(End::FirstUse, &mut lent))).await;
            ended = dropped.is_some();
            assert_as_before(owner, &before, &what).await;
            let write = owner.client().batch_execute(&format!("INSERT INTO {table} VALUES ({n})")).await;
            write.unwrap_or_else(|error| panic!("{what}: the owner can't write: {error:?}"));
        };
        service.with(kind, turn).await.unwrap_or_else(|error| panic!("{what}: the commit failed: {error:?}"));
        if ended {
            assert!(n > 1, "it never waits");
            let written = format!("SELECT count(*) FROM {table}");
            assert_eq!(first(&database().owner().await, &written).await, n.to_string(), "{kind:?}");
            return;
        }
    }
    panic!("{kind:?}: it does not end within {MOST_WAITS} waits");
}

#[test]
fn a_call_that_is_first_proven_on_what_is_lent() {
    run(async {
        for kind in [Kind::ReadCommitted, Kind::Client, Kind::DeadpoolSerializable, Kind::Bb8InTransaction] {
            check_first_use(kind).await;
        }
    });
}

/// The same of a call of a host that is read to its end, as JSON and as typed rows.
async fn check_calls(kind: Kind) {
    let mut service = Service::new().await;
    let ends = Ends::new(&service.table).await;
    for end in [End::Reply, End::TypedRows] {
        let (table, mut ended) = (service.table.clone(), false);
        for n in 1..=MOST_WAITS {
            let what = format!("{kind:?}, {end:?}, dropped at the {n}th wait");
            let turn = async |owner: &mut dyn Owner| {
                let write = async |client: &Client, token: &str| {
                    let sql = format!("INSERT INTO {table} VALUES ({token}); DELETE FROM {table}");
                    client.batch_execute(&sql).await
                };
                write(owner.client(), "1").await.unwrap();
                State::of(owner.client()).await.unwrap();
                let before = State::of(owner.client()).await.unwrap();
                // Each kind of owner has room for it on the stack otherwise.
                let mut lent = On::Lent(owner);
                let performed = Box::pin(ends.perform(end, &mut lent));
                ended = drop_after(n, performed).await.is_some();
                assert_as_before(owner, &before, &what).await;
                let written = write(owner.client(), "2").await;
                written.unwrap_or_else(|error| panic!("{what}: the owner can't write: {error:?}"));
            };
            let committed = service.with(kind, turn).await;
            committed.unwrap_or_else(|error| panic!("{what}: the commit failed: {error:?}"));
            if ended {
                assert!(n > 1, "it never waits");
                break;
            }
        }
        assert!(ended, "{kind:?}, {end:?}: it does not end within {MOST_WAITS} waits");
    }
}

#[test]
fn a_call_of_a_host() {
    run(async {
        let kinds = [Kind::ReadCommitted, Kind::Client, Kind::DeadpoolObject, Kind::DeadpoolSerializable];
        for kind in kinds {
            check_calls(kind).await;
        }
    });
}

/// The same of a cancel. It comes too late for nothing of the owner's, since what it is for does not end by itself just then; if
/// it does not come at all, the statement has its timeout.
async fn check_cancel(kind: Kind) {
    let mut service = Service::new().await;
    let ends = Ends::new(&service.table).await;
    for query in ["sleep", "late"] {
        let (table, mut ended) = (service.table.clone(), false);
        for n in 1..=MOST_WAITS {
            let what = format!("{kind:?}, the cancel of {query} dropped at the {n}th wait");
            let turn = async |owner: &mut dyn Owner| {
                let write = async |client: &Client| {
                    let sql = format!("INSERT INTO {table} VALUES ({n}); DELETE FROM {table}");
                    client.batch_execute(&sql).await
                };
                write(owner.client()).await.unwrap();
                State::of(owner.client()).await.unwrap();
                let before = State::of(owner.client()).await.unwrap();
                ended = ends.drop_cancel(n, query, owner).await;
                let start = Instant::now();
                // One that is late would hit one of these.
                for _ in 0..10 {
                    let next = owner.client().batch_execute("SELECT pg_sleep(0.01)").await;
                    next.unwrap_or_else(|error| {
                        panic!("{what}: the owner's next statement failed: {error:?}")
                    });
                }
                assert!(
                    start.elapsed() < 2 * BRIEF + Duration::from_secs(10),
                    "{what}: {:?}",
                    start.elapsed()
                );
                assert_as_before(owner, &before, &what).await;
                let written = write(owner.client()).await;
                written.unwrap_or_else(|error| panic!("{what}: the owner can't write: {error:?}"));
            };
            let committed = service.with(kind, turn).await;
            committed.unwrap_or_else(|error| panic!("{what}: the commit failed: {error:?}"));
            if ended {
                assert!(n > 1, "it never waits");
                break;
            }
        }
        assert!(ended, "{kind:?}, {query}: it does not end within {MOST_WAITS} waits");
    }
}

#[test]
fn the_cancel_of_a_call() {
    run(async {
        let kinds =
            [Kind::ReadCommitted, Kind::Client, Kind::ClientInTransaction, Kind::DeadpoolSerializable];
        join_all(kinds.map(check_cancel)).await;
    });
}

/// The same of a call of a host, on a connection of its own.
async fn check_own() {
    let service = Service::new().await;
    let ends = Ends::new(&service.table).await;
    let pool = ends.pool(End::Rows);
    for n in 1..=MOST_WAITS {
        let dropped = drop_after(n, Box::pin(ends.perform(End::Rows, &mut On::Own))).await;
        // There is only one connection: it must come back, and do its work.
        tokio::time::timeout(Duration::from_secs(60), ends.perform(End::Error, &mut On::Own))
            .await
            .unwrap_or_else(|_| panic!("dropped at the {n}th wait, {:?}", pool.status()));
        if dropped.is_some() {
            assert!(n > 1, "it never waits");
            return;
        }
    }
    panic!("it does not end within {MOST_WAITS} waits");
}

macro_rules! checked {
    ($($name:ident: $kind:ident,)*) => {
        $(#[test]
        fn $name() {
            run(check(Kind::$kind));
        })*
    };
}

checked! {
    a_transaction: ReadCommitted,
    a_serializable_transaction: Serializable,
    a_savepoint: Savepoint,
    a_client: Client,
    a_client_with_a_transaction_opened_by_hand: ClientInTransaction,
    an_object_of_deadpool: DeadpoolObject,
    an_object_of_deadpool_with_a_transaction_opened_by_hand: DeadpoolInTransaction,
    a_transaction_of_deadpool: DeadpoolTransaction,
    a_savepoint_of_deadpool: DeadpoolSavepoint,
    an_object_of_bb8: Bb8Object,
}

#[test]
fn a_connection_of_the_host_s_own() {
    run(check_own());
}

/// What is wrong is not lost with the wait that it ends.
#[test]
fn an_error_is_told_to_who_asks_again() {
    run(async {
        let mut client = session().await;
        for _ in 0..300 {
            let mut transaction = client.transaction().await.unwrap();
            let sql = "SELECT CAST(1 / (2 - g) AS int8) AS n FROM pg_catalog.generate_series(1, 3) AS g";
            let mut run = lend(&mut transaction, vec![number(sql, &[])]).await.unwrap();
            let error = loop {
                match run.next_row().now_or_never() {
                    Some(Ok(row)) => assert!(row.is_some()),
                    Some(Err(error)) => break error,
                    None => std::hint::spin_loop(),
                }
            };
            assert_eq!(error.sqlstate(), Some("22012"), "{error}");
        }
    });
}
