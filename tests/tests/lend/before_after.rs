//! The state of a session and of its transaction before a call and after it, however the call ends.

use std::time::Duration;

use callslip_tests::database;
use tokio_postgres::types::Type;

use crate::ends::{End, Ends, On, first};
use crate::owners::{Kind, Owner, Service};
use crate::state::{STATE, State};
use crate::support::{run, sqlstate, statement};

/// How often each end is tried on one session: at first nothing is prepared yet.
const TURNS: usize = 2;

/// What the owner has in its transaction, and must find again.
const SET_UP: &str = "SET LOCAL lend.own = 'transaction'; SET LOCAL statement_timeout = '50s'; \
    SELECT pg_advisory_xact_lock_shared(8); DECLARE own CURSOR FOR SELECT generate_series(1, 10); FETCH 1 FROM own; \
    SAVEPOINT own";

async fn check(kind: Kind) {
    let mut service = Service::new().await;
    let ends = Ends::new(&service.table).await;
    let table = service.table.clone();
    let mut token = 0;
    for end in End::ALL {
        for turn in 0..TURNS {
            let what = format!("{kind:?}, {end:?}, time {turn}");
            token += 2;
            let ended =
                service.with(kind, async |owner| around(owner, kind, &ends, end, &table, token, &what).await);
            let ended = ended.await;
            let written = format!("SELECT count(*) FROM {table} WHERE token IN ({token}, {token} + 1)");
            let written = first(&database().owner().await, &written).await;
            let expected = if end == End::Killed {
                assert_eq!(
                    ended.is_err(),
                    kind.is_in_transaction(),
                    "{what}: a commit after the backend's end"
                );
                service = Service::new().await;
                if kind.is_in_transaction() || !kind.writes() { "0" } else { "1" }
            } else {
                ended.unwrap_or_else(|error| panic!("{what}: the commit failed: {error:?}"));
                if kind.writes() { "2" } else { "0" }
            };
            assert_eq!(written, expected, "{what}: what the owner wrote and committed");
        }
    }
}

/// A call, and what is the same after it.
async fn around(
    owner: &mut dyn Owner,
    kind: Kind,
    ends: &Ends,
    end: End,
    table: &str,
    token: usize,
    what: &str,
) {
    let client = owner.client();
    let write = async |client: &tokio_postgres::Client, token: usize| {
        if kind.writes() {
            client.batch_execute(&format!("INSERT INTO {table} VALUES ({token})")).await
        } else {
            Ok(())
        }
    };
    write(client, token).await.unwrap();
    if kind.is_in_transaction() {
        client.batch_execute(SET_UP).await.unwrap();
    }
    let pid = first(client, "SELECT pg_backend_pid()").await;
    first(client, &format!("SELECT count(*) FROM {table}")).await;
    // The first look takes locks on what it looks at.
    State::of(client).await.unwrap();
    let before = State::of(client).await.unwrap();

    Box::pin(ends.perform(end, &mut On::Lent(owner))).await;

    let client = owner.client();
    if end == End::Killed {
        client.batch_execute("SELECT 1").await.expect_err("the backend was terminated");
        return;
    }
    let after = State::of(client).await;
    let after = after.unwrap_or_else(|error| panic!("{what}: the owner's next statement failed: {error:?}"));
    let difference = after.difference(&before.lines);
    assert!(difference.is_empty(), "{what}: {difference:#?}");
    if kind.keeps_statements() {
        assert_kept(&before, &after, what);
    } else {
        assert_eq!(after.prepared, before.prepared, "{what}");
    }
    assert_eq!(first(client, "SELECT pg_backend_pid()").await, pid, "{what}");

    if kind.is_in_transaction() {
        client.batch_execute("SAVEPOINT another").await.unwrap();
        let error = client.batch_execute("ROLLBACK TO SAVEPOINT callslip_loan_c6b1f03e").await.unwrap_err();
        assert_eq!(sqlstate(&error), Some("3B001"), "{what}: the loan's savepoint is still there");
        client.batch_execute("ROLLBACK TO SAVEPOINT another; ROLLBACK TO SAVEPOINT own").await.unwrap();
        assert_eq!(first(client, "FETCH 1 FROM own").await, "2", "{what}: the owner's cursor");
    } else {
        let error = client.batch_execute("SAVEPOINT none").await.unwrap_err();
        assert_eq!(sqlstate(&error), Some("25P01"), "{what}: a transaction is still open");
    }
    if !kind.writes() {
        assert_eq!(first(client, "SHOW transaction_read_only").await, "on", "{what}");
    }
    write(client, token + 1).await.unwrap_or_else(|error| panic!("{what}: the owner can't write: {error:?}"));
}

/// What is prepared now and was not before is what was run, and is there once for each host that ran it.
#[track_caller]
fn assert_kept(before: &State, after: &State, what: &str) {
    for (text, count) in &before.prepared {
        assert!(after.prepared.get(text) >= Some(count), "{what}: has lost {text}");
    }
    for (text, count) in &after.prepared {
        let most = match text {
            _ if before.prepared.get(text) == Some(count) => continue,
            _ if text.starts_with("/* callslip ") => 2,
            _ => 1,
        };
        assert!(*count <= most, "{what}: prepared {count} times: {text}");
    }
}

/// The same of the host's own connections.
async fn check_own() {
    let service = Service::new().await;
    let ends = Ends::new(&service.table).await;
    for end in End::ALL {
        for turn in 0..TURNS {
            let what = format!("the host's own pool, {end:?}, time {turn}");
            let pool = ends.pool(end);
            let look = async || {
                let state = statement(STATE, &[], &[("line", Type::TEXT)]);
                let prepared = "SELECT s.statement AS line, pg_catalog.count(*) AS n \
                                FROM pg_catalog.pg_prepared_statements AS s GROUP BY s.statement";
                let prepared = statement(prepared, &[], &[("line", Type::TEXT), ("n", Type::INT8)]);
                let run = pool.loan().await.unwrap().run(vec![state]).await.unwrap();
                let lines = callslip_tests::rows(run).await.unwrap().remove(0);
                let run = pool.loan().await.unwrap().run(vec![prepared]).await.unwrap();
                let prepared = callslip_tests::rows(run).await.unwrap().remove(0);
                let count = |row: &tokio_postgres::Row| {
                    (row.get::<_, String>(0), usize::try_from(row.get::<_, i64>(1)).unwrap())
                };
                State {
                    lines: lines.iter().map(|row| row.get(0)).collect(),
                    prepared: prepared.iter().map(count).collect(),
                }
            };
            look().await;
            let before = look().await;

            ends.perform(end, &mut On::Own).await;

            // It may be another session, which at its first look reads the catalog itself.
            look().await;
            let after = look().await;
            let difference = after.difference(&before.lines);
            assert!(difference.is_empty(), "{what}: {difference:#?}");
            for (text, count) in &after.prepared {
                assert!(*count == 1, "{what}: prepared {count} times: {text}");
            }
            let start = std::time::Instant::now();
            while pool.status().available != pool.status().size {
                assert!(start.elapsed() < Duration::from_secs(10), "{what}: {:?}", pool.status());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
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
    a_transaction_of_one_snapshot: RepeatableRead,
    a_serializable_transaction: Serializable,
    a_read_only_transaction: ReadOnly,
    a_deferrable_transaction: Deferrable,
    a_savepoint: Savepoint,
    a_client: Client,
    a_client_with_a_transaction_opened_by_hand: ClientInTransaction,
    an_object_of_deadpool: DeadpoolObject,
    an_object_of_deadpool_with_a_transaction_opened_by_hand: DeadpoolInTransaction,
    a_transaction_of_deadpool: DeadpoolTransaction,
    a_serializable_transaction_of_deadpool: DeadpoolSerializable,
    a_savepoint_of_deadpool: DeadpoolSavepoint,
    an_object_of_bb8: Bb8Object,
    an_object_of_bb8_with_a_transaction_opened_by_hand: Bb8InTransaction,
}

#[test]
fn a_connection_of_the_host_s_own() {
    run(check_own());
}
