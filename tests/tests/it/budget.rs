//! One time for all that a call waits for: the pool, its plan, and its statements.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use callslip::service::ServiceLimits;
use callslip::{Call, CallEnded, CallError, CallOutcome, Code, Config, Host, Observation};
use callslip_tests::{component, configured, database, http};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::Client;

use crate::client::{serve, wait_until_idle};
use crate::support;
use crate::support::read;
use crate::transaction::left_behind;

/// Longer than anything takes, on a machine that is busy, and much shorter than what is slow.
const SOON: Duration = Duration::from_secs(30);
const LONG: f64 = 600.0;
const SHORT: Duration = Duration::from_millis(500);

type Ended = Arc<Mutex<Vec<CallEnded>>>;

/// A host with one connection of its own, whose statements have all the time there is; and the calls that have ended.
async fn host(limits: &str) -> (Host, Ended) {
    let slow = component("tests/guests/slow");
    let text = format!(
        "[pool]\nsize = 1\nstatement_timeout_ms = 1800000\nwait_ms = 1800000\n[limits]\n{limits}\n\
         [plugins.slow]\ncomponent = {slow:?}\n\
         [plugins.slow.grants]\nrelations = [\"rating\"]\nfunctions = [\"pg_sleep\"]\n{}",
        support::config("language", "tests/guests/language")
    );
    let config = Config::parse(&configured(&text), Path::new("")).unwrap_or_else(|error| panic!("{error}"));
    let direct = database().owner_connection();
    let ended = Ended::default();
    let calls = ended.clone();
    let host = Host::builder()
        .connect(&database().connection())
        .cancel_through(&direct)
        .observe(move |told| {
            if let Observation::CallEnded(call) = told {
                calls.lock().unwrap().push(call.clone());
            }
        })
        .start(&config)
        .await;
    (host.unwrap_or_else(|error| panic!("{error}")), ended)
}

fn slow(host: &Host, query: &str, seconds: f64) -> Call<'static> {
    host.call("slow", query).param("seconds", seconds)
}

/// A session with a table of its own.
async fn session() -> Client {
    let client = database().writer().await;
    client.batch_execute("CREATE TEMP TABLE scratch (n int8)").await.unwrap();
    client
}

/// Reads a call to its end, which is that its time is over, and not before that.
async fn times_out(call: Call<'_>, limit: Duration) {
    let began = Instant::now();
    let error = tokio::time::timeout(SOON, read(call)).await.expect("it ends soon").unwrap_err();
    assert!(matches!(&error, CallError::TimedOut { limit: its } if *its == limit), "{}", error.log_message());
    assert_eq!(error.code(), Code::CallTimeout);
    let took = began.elapsed();
    assert!(took >= limit - limit / 100, "{took:?} of {limit:?}");
}

/// The one call that has ended since it was last asked.
#[track_caller]
fn only(ended: &Ended) -> CallEnded {
    let calls = std::mem::take(&mut *ended.lock().unwrap());
    let [call] = &calls[..] else { panic!("{calls:?}") };
    let CallOutcome::Failed { code: Code::CallTimeout, message } = &call.outcome else { panic!("{call:?}") };
    assert!(message.contains("limits.call_ms"), "{message}");
    call.clone()
}

#[tokio::test]
async fn an_exhausted_pool_is_waited_for_no_longer() {
    let (host, ended) = host("").await;
    let only_connection = host.pool().unwrap().loan().await.unwrap();
    times_out(slow(&host, "sleep", 0.0).timeout(SHORT), SHORT).await;
    let call = only(&ended);
    assert!(call.waited >= SHORT && call.total >= call.waited, "{call:?}");
    assert!(call.isolation.is_none(), "nothing was begun: {call:?}");

    // To prove a plan takes a connection, too.
    let search = || host.call("language", "search").param("words", "never searched before");
    times_out(search().timeout(SHORT), SHORT).await;
    assert!(only(&ended).planned >= SHORT);
    drop(only_connection);
    read(search().timeout(SOON)).await.unwrap();
}

#[tokio::test]
async fn a_statement_on_the_pool_is_cancelled() {
    let (host, ended) = host("").await;
    for query in ["sleep", "late", "several"] {
        times_out(slow(&host, query, LONG).timeout(SHORT), SHORT).await;
        // Rows of a statement before it were read, or its own.
        assert_eq!(only(&ended).rows > 0, query != "sleep", "{query}");
        wait_until_idle(&host).await;
    }
    // Together they take longer than any of them.
    times_out(slow(&host, "naps", 0.3).timeout(SHORT), SHORT).await;
    read(slow(&host, "naps", 0.0)).await.unwrap();
}

#[tokio::test]
async fn a_row_that_is_there_is_given_when_it_is_too_late_to_wait_for_one() {
    let (host, ended) = host("").await;
    let mut client = session().await;
    for lent in [false, true] {
        let mut transaction = client.transaction().await.unwrap();
        let call = slow(&host, "late", LONG).timeout(SHORT);
        let call = if lent { call.on(&mut transaction) } else { call };
        let mut rows = call.rows().await.unwrap();
        assert!(rows.next().await.unwrap().is_some());
        tokio::time::sleep(SHORT * 2).await;
        let mut given = 1;
        let error = loop {
            match tokio::time::timeout(SOON, rows.next()).await.expect("it ends soon") {
                Ok(row) => given += row.map(|_| 1).expect("the last one sleeps"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code(), Code::CallTimeout, "{}", error.log_message());
        assert!(given > 100, "{given} rows, lent: {lent}");
        assert_eq!(only(&ended).rows, given);
        // It is over although nobody has dropped it.
        if !lent {
            wait_until_idle(&host).await;
        }
        rows.cancel().await.unwrap();
        transaction.execute("INSERT INTO scratch VALUES (1)", &[]).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_lent_is_as_it_was_and_at_once() {
    let (host, ended) = host("").await;
    let mut client = session().await;
    let mut transaction = client.transaction().await.unwrap();
    transaction.batch_execute("INSERT INTO scratch VALUES (1)").await.unwrap();
    transaction.batch_execute("SET LOCAL statement_timeout = '50s'").await.unwrap();
    left_behind(&transaction).await;
    let before = left_behind(&transaction).await;
    for query in ["sleep", "late", "several"] {
        times_out(slow(&host, query, LONG).timeout(SHORT).on(&mut transaction), SHORT).await;
        let since = Instant::now();
        assert_eq!(left_behind(&transaction).await, before, "{query}");
        assert!(since.elapsed() < SOON, "the owner waits for what has ended");
        only(&ended);
    }
    // The owner's own timeout is that of each statement.
    transaction.batch_execute("SET LOCAL statement_timeout = '100ms'").await.unwrap();
    let error = read(slow(&host, "sleep", LONG).timeout(SOON).on(&mut transaction)).await.unwrap_err();
    assert_eq!(error.code(), Code::StatementTimeout, "{error}");
    transaction.batch_execute("INSERT INTO scratch VALUES (2)").await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(client.query("SELECT n FROM scratch", &[]).await.unwrap().len(), 2);
}

/// Each of three statements would have time enough.
#[tokio::test]
async fn several_statements_on_what_is_lent_have_one_time_together() {
    let (host, ended) = host("").await;
    let limit = Duration::from_secs(2);
    for in_transaction in [true, false] {
        let mut client = session().await;
        for dropped in [false, true] {
            if in_transaction {
                client.batch_execute("BEGIN").await.unwrap();
            }
            let began = Instant::now();
            let call = slow(&host, "naps", 1.5).timeout(limit).on(&mut client);
            if dropped {
                let mut rows = call.rows().await.unwrap();
                assert!(rows.statement("one").await.unwrap().next().await.unwrap().is_some());
            } else {
                times_out(call, limit).await;
                only(&ended);
            }
            client.batch_execute("INSERT INTO scratch VALUES (1)").await.unwrap();
            let took = began.elapsed();
            assert!(took < Duration::from_secs(4), "in a transaction: {in_transaction}: {took:?}");
            if in_transaction {
                client.batch_execute("COMMIT").await.unwrap();
            }
            ended.lock().unwrap().clear();
        }
    }
}

#[tokio::test]
async fn a_call_says_more_or_less_than_the_configuration() {
    let (host, _) = host("call_ms = 400").await;
    let configured = Duration::from_millis(400);
    let mut client = session().await;
    times_out(slow(&host, "sleep", LONG), configured).await;
    times_out(slow(&host, "sleep", LONG).on(&mut client), configured).await;
    times_out(slow(&host, "sleep", LONG).timeout(SHORT), SHORT).await;
    let shorter = Duration::from_millis(100);
    times_out(slow(&host, "sleep", LONG).timeout(shorter).on(&mut client), shorter).await;
    read(slow(&host, "sleep", 1.0).timeout(SOON)).await.unwrap();
    read(slow(&host, "sleep", 1.0).timeout(Duration::MAX).on(&mut client)).await.unwrap();
    // The clock begins with the first poll.
    let mut transaction = client.transaction().await.unwrap();
    let running = slow(&host, "sleep", 0.0).on(&mut transaction).rows();
    tokio::time::sleep(configured * 2).await;
    assert!(running.await.unwrap().next().await.unwrap().is_some());
    // Without any time nothing is sent.
    times_out(slow(&host, "sleep", LONG).timeout(Duration::ZERO).on(&mut transaction), Duration::ZERO).await;
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn over_http_it_is_a_timeout() {
    let (host, ended) = host("call_ms = 400").await;
    let address = serve(host.clone(), ServiceLimits::default()).await;
    let answer = http::get(address, "/q/slow/sleep?seconds=600").await;
    let problem = answer.assert_problem(504, "CS1113");
    let detail =
        "the call took longer than the 400ms that it may (limits.call_ms, if nothing else was said for it)";
    assert_eq!(problem["detail"], detail);
    only(&ended);
    wait_until_idle(&host).await;
    assert_eq!(http::get(address, "/q/slow/sleep?seconds=0").await.status, 200);
}

/// A cancel that is under way is waited for, though the time is over: otherwise it could hit the owner's next statement.
#[tokio::test]
async fn a_cancel_is_awaited_to_its_end() {
    let (host, _) = host("").await;
    let mut client = session().await;
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let backend = Pid::from_raw(pid);
    let mut transaction = client.transaction().await.unwrap();
    transaction.batch_execute("INSERT INTO scratch VALUES (1)").await.unwrap();
    let mut running = slow(&host, "sleep", LONG).timeout(SHORT).on(&mut transaction).rows();
    assert!(tokio::time::timeout(SHORT / 2, &mut running).await.is_err(), "it has ended");
    // PostgreSQL says nothing any more.
    kill(backend, Signal::SIGSTOP).unwrap();
    let mut cancel = Box::pin(running.cancel());
    let ended = tokio::time::timeout(SHORT * 4, &mut cancel).await;
    kill(backend, Signal::SIGCONT).unwrap();
    assert!(ended.is_err(), "{ended:?}");
    tokio::time::timeout(SOON, cancel).await.expect("it is cancelled soon").unwrap();
    for _ in 0..20 {
        transaction.batch_execute("SELECT pg_sleep(0.01)").await.unwrap();
    }
    transaction.commit().await.unwrap();
}
