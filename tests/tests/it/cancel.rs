//! Calls that are cancelled: on what their caller lends, and on the host's own connections.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callslip::loan::{ConnectionSettings, LoanError};
use callslip::{CallError, Code, Config, Host, Reply, Running};
use callslip_tests::{Database, WRITER, component, configured, database};
use futures_util::FutureExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::{Notify, mpsc};
use tokio_postgres::config::Host as Server;
use tokio_postgres::{Client, IsolationLevel, Transaction};

use crate::client::wait_until_idle;
use crate::support::read;
use crate::transaction::left_behind;

/// Longer than anything takes, on a machine that is busy, and much shorter than what is cancelled.
const SOON: Duration = Duration::from_secs(60);
const LONG: f64 = 600.0;

fn config() -> String {
    let component = component("tests/guests/slow");
    format!(
        "[pool]\nstatement_timeout_ms = 1800000\nwait_ms = 60000\n\
         [limits]\ncall_ms = 1800000\n\
         [plugins.slow]\ncomponent = {component:?}\n\
         [plugins.slow.grants]\nrelations = [\"rating\"]\nfunctions = [\"pg_sleep\"]\n"
    )
}

async fn start(config: &str, cancel_through: Option<&ConnectionSettings>) -> Host {
    let config = Config::parse(&configured(config), Path::new("")).unwrap_or_else(|error| panic!("{error}"));
    let connection = database().connection();
    let builder = Host::builder().connect(&connection);
    let builder = match cancel_through {
        Some(connection) => builder.cancel_through(connection),
        None => builder,
    };
    builder.start(&config).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn host() -> Host {
    start(&config(), Some(&direct())).await
}

/// The server itself: only that knows the sessions of what is lent, wherever hosts connect.
fn direct() -> ConnectionSettings {
    database().owner_connection()
}

fn slow(host: &Host, query: &str, seconds: f64) -> callslip::Call<'static> {
    host.call("slow", query).param("seconds", seconds)
}

/// A session with a table of its own.
async fn session() -> Client {
    let client = database().writer().await;
    client.batch_execute("CREATE TEMP TABLE scratch (n int8)").await.unwrap();
    client
}

async fn begin(client: &mut Client) -> Transaction<'_> {
    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute("INSERT INTO scratch VALUES (1)").await.unwrap();
    transaction
}

async fn pid(client: &Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0)
}

/// Whether PostgreSQL runs a statement of the plugin's in that session.
async fn runs(owner: &Client, pid: i32) -> bool {
    let sql = "SELECT count(*) FROM pg_stat_activity \
               WHERE pid = $1 AND state = 'active' AND query LIKE '/* callslip slow.%'";
    owner.query_one(sql, &[&pid]).await.unwrap().get::<_, i64>(0) > 0
}

/// Waits until it does; the future of its call runs meanwhile.
async fn until_runs<T>(running: &mut Running<'_, T>, pid: i32) {
    let owner = database().owner().await;
    let runs = async {
        while !runs(&owner, pid).await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = running => panic!("it has ended"),
        found = tokio::time::timeout(SOON, runs) => found.expect("it runs"),
    }
}

/// Cancels what has begun, which must be over soon.
async fn soon(cancel: impl Future<Output = Result<(), CallError>>) {
    let result = tokio::time::timeout(SOON, cancel).await.expect("it is cancelled soon");
    result.unwrap_or_else(|error| panic!("{}", error.log_message()));
}

#[tokio::test]
async fn on_a_lent_transaction_it_is_over_at_once_and_the_transaction_is_as_it_was() {
    let host = host().await;
    let mut client = session().await;
    let pid = pid(&client).await;
    for isolation in [IsolationLevel::ReadCommitted, IsolationLevel::RepeatableRead] {
        let mut transaction = client.build_transaction().isolation_level(isolation).start().await.unwrap();
        transaction.batch_execute("INSERT INTO scratch VALUES (1)").await.unwrap();
        left_behind(&transaction).await;
        let before = left_behind(&transaction).await;
        for query in ["sleep", "late"] {
            let mut running = slow(&host, query, LONG).on(&mut transaction).rows();
            match query {
                "sleep" => {
                    until_runs(&mut running, pid).await;
                    soon(running.cancel()).await;
                }
                _ => {
                    let mut rows = running.await.unwrap();
                    assert!(rows.next().await.unwrap().is_some());
                    soon(rows.cancel()).await;
                }
            }
            assert_eq!(left_behind(&transaction).await, before, "{query}");
        }
        // Of several statements, whichever runs.
        for given in 0..2 {
            let mut rows = slow(&host, "several", LONG).on(&mut transaction).rows().await.unwrap();
            rows.statement("quick").await.unwrap();
            for _ in 0..given {
                assert!(rows.next().await.unwrap().is_some());
            }
            soon(rows.cancel()).await;
            assert_eq!(left_behind(&transaction).await, before, "after {given} rows");
        }
        let mut reply = slow(&host, "late", LONG).on(&mut transaction).run().await.unwrap();
        assert!(reply.next_chunk().await.unwrap().is_some());
        soon(reply.cancel()).await;
        assert_eq!(left_behind(&transaction).await, before);
        transaction.execute("INSERT INTO scratch VALUES (2)", &[]).await.unwrap();
        transaction.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn on_a_lent_client_it_leaves_what_was_there() {
    let host = host().await;
    let mut client = session().await;
    let pid = pid(&client).await;
    for open in [false, true] {
        if open {
            client.batch_execute("BEGIN; INSERT INTO scratch VALUES (7)").await.unwrap();
        }
        let mut running = slow(&host, "sleep", LONG).on(&mut client).run();
        until_runs(&mut running, pid).await;
        soon(running.cancel()).await;
        let rows = client.query("SELECT n FROM scratch", &[]).await.unwrap();
        assert_eq!(rows.len(), usize::from(open), "its own transaction is open: {open}");
        let sql = "SELECT current_setting('transaction_read_only'), current_setting('statement_timeout')";
        let row = client.query_one(sql, &[]).await.unwrap();
        assert_eq!((row.get(0), row.get(1)), ("off", "0"));
    }
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(client.query("SELECT n FROM scratch", &[]).await.unwrap().len(), 1);
}

/// How many of the host's own connections are lent.
fn lent(host: &Host) -> usize {
    let status = host.pool().unwrap().status();
    status.size - status.available
}

#[tokio::test]
async fn on_the_host_s_own_connections_they_are_free_again() {
    let host = start(&format!("{}\n", config().replacen("[pool]", "[pool]\nsize = 1", 1)), None).await;
    let runs = async || {
        let owner = database().owner().await;
        let sql = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '/* callslip slow.%' \
                   AND usename = 'callslip_reader' AND backend_start > now() - interval '1 hour'";
        loop {
            // Other tests have such statements too: this one's connection is lent.
            if lent(&host) == 1 && !owner.query(sql, &[]).await.unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    for _ in 0..3 {
        let mut running = slow(&host, "sleep", LONG).run();
        tokio::select! {
            _ = &mut running => panic!("it has ended"),
            () = runs() => {}
        }
        assert_eq!(lent(&host), 1);
        soon(running.cancel()).await;
        assert_eq!(lent(&host), 0);
        let mut rows = slow(&host, "late", LONG).rows().await.unwrap();
        assert!(rows.next().await.unwrap().is_some());
        soon(rows.cancel()).await;
        assert_eq!(lent(&host), 0);
    }
    assert_eq!(read(slow(&host, "several", 0.0)).await.unwrap()["last"], json!([{"n": 2}]));
}

#[tokio::test]
async fn what_was_not_sent_or_has_ended_needs_no_cancel() {
    // Nobody to send one to.
    let host = start(&config(), None).await;
    let mut client = session().await;
    let mut transaction = begin(&mut client).await;
    soon(slow(&host, "sleep", LONG).on(&mut transaction).run().cancel()).await;
    soon(slow(&host, "sleep", LONG).rows().cancel()).await;

    let mut running = slow(&host, "sleep", 0.0).on(&mut transaction).run();
    let mut reply = (&mut running).await.unwrap();
    while reply.next_chunk().await.unwrap().is_some() {}
    assert!(reply.is_ended());
    soon(reply.cancel()).await;
    soon(running.cancel()).await;

    let mut failed = slow(&host, "sleep", -1.0).on(&mut transaction).param("secnds", 1).run();
    assert_eq!((&mut failed).await.err().unwrap().code(), Code::UnknownParameter);
    soon(failed.cancel()).await;
    transaction.execute("INSERT INTO scratch VALUES (2)", &[]).await.unwrap();
}

#[tokio::test]
async fn without_a_way_to_cancel_that_is_said_and_the_timeout_holds() {
    let timeout = config().replacen("statement_timeout_ms = 1800000", "statement_timeout_ms = 1000", 1);
    let nowhere = ConnectionSettings::resolve(Some("postgresql://u@127.0.0.1:1/d"), &|_| None).unwrap();
    for (through, says) in [(None, "`HostBuilder::cancel_through`"), (Some(&nowhere), "refused")] {
        let host = start(&timeout, through).await;
        let mut client = session().await;
        let pid = pid(&client).await;
        let mut transaction = begin(&mut client).await;
        let mut running = slow(&host, "sleep", LONG).on(&mut transaction).run();
        until_runs(&mut running, pid).await;
        let began = Instant::now();
        let error = running.cancel().await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(1), "it waits for nothing: {error}");
        assert_eq!(error.code(), Code::NotCancelled);
        assert!(matches!(&error, CallError::Loan(LoanError::NotCancelled { .. })), "{error}");
        assert!(error.to_string().contains(says), "{error}");
        // As if it had been dropped.
        transaction.execute("INSERT INTO scratch VALUES (2)", &[]).await.unwrap();
        let rows = transaction.query("SELECT n FROM scratch", &[]).await.unwrap();
        assert_eq!(rows.len(), 2);
    }
}

/// What is proven first may wait for a lock before anything of it runs.
#[tokio::test]
async fn what_is_first_proven_on_what_is_lent_is_stopped() {
    let database = Database::new(&[]).await;
    let direct = ConnectionSettings::resolve(Some(&database.owner_url()), &|_| None).unwrap();
    let language = crate::support::config("language", "tests/guests/language");
    let patient = "[pool]\nstatement_timeout_ms = 1800000\nlock_timeout_ms = 1800000\n";
    let config = Config::parse(&format!("{patient}{language}"), Path::new("")).unwrap();
    let mut client = database.writer().await;
    let builder = Host::builder().reflect_on(&mut client).cancel_through(&direct);
    let host = builder.start(&config).await.unwrap();
    let (locker, watcher) = (database.owner().await, database.owner().await);
    for open in [false, true] {
        if open {
            client.batch_execute("BEGIN; CREATE TEMP TABLE own ()").await.unwrap();
        }
        locker.batch_execute("BEGIN; LOCK TABLE public.position").await.unwrap();
        let waits = async {
            while watcher.query("SELECT 1 FROM pg_locks WHERE NOT granted", &[]).await.unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let mut running =
            host.call("language", "search").param("words", open.to_string()).on(&mut client).run();
        tokio::select! {
            _ = &mut running => panic!("it has ended"),
            waited = tokio::time::timeout(SOON, waits) => waited.expect("it waits for the lock"),
        }
        soon(running.cancel()).await;
        let next = tokio::time::timeout(SOON, client.batch_execute("SELECT 1")).await;
        next.expect("nothing of it is left").unwrap();
        locker.batch_execute("ROLLBACK").await.unwrap();
        let found =
            read(host.call("language", "search").param("words", open.to_string()).on(&mut client)).await;
        assert_eq!(found.unwrap(), json!([]));
        if open {
            client.batch_execute("TABLE own; COMMIT").await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_backend_that_dies_meanwhile_is_lost() {
    let host = host().await;
    let mut client = session().await;
    let pid = pid(&client).await;
    let mut transaction = begin(&mut client).await;
    let mut running = slow(&host, "sleep", LONG).on(&mut transaction).run();
    until_runs(&mut running, pid).await;
    database().execute(&format!("SELECT pg_terminate_backend({pid}, 60000)")).await;
    let error = tokio::time::timeout(SOON, running.cancel()).await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::DatabaseUnavailable, "{}", error.log_message());
}

/// A source of numbers that looks random enough.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn delay(&mut self, most_micros: u64) -> Duration {
        Duration::from_micros(self.below(most_micros))
    }
}

/// Runs a call and cancels it after some time, wherever it is then.
async fn cancelled_somewhere(call: callslip::Call<'_>, numbers: &mut Numbers) {
    let mut running = call.rows();
    let deadline = tokio::time::sleep(numbers.delay(8_000));
    tokio::pin!(deadline);
    let mut rows = tokio::select! {
        biased;
        () = &mut deadline => return soon(running.cancel()).await,
        rows = &mut running => rows.unwrap_or_else(|error| panic!("{}", error.log_message())),
    };
    loop {
        if rows.columns().is_empty() {
            rows.statement("quick").await.unwrap();
        }
        tokio::select! {
            biased;
            () = &mut deadline => return soon(rows.cancel()).await,
            row = rows.next() => if row.unwrap().is_none() { return soon(rows.cancel()).await },
        }
    }
}

/// The cancel comes before a statement, while it runs, when it ends, or when the savepoint ends: whatever it hits, it is
/// nothing of the owner's.
#[tokio::test]
async fn no_statement_of_the_owner_s_is_ever_hit() {
    let host = host().await;
    let (mut client, mut numbers) = (session().await, Numbers(0x2545_f491_4f6c_dd1d));
    let mut config = direct().config().clone();
    let manager = deadpool_postgres::Manager::new(config.user(WRITER).clone(), tokio_postgres::NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().unwrap();
    let mut pooled = pool.get().await.unwrap();
    pooled.batch_execute("CREATE TEMP TABLE scratch (n int8)").await.unwrap();
    let queries = ["sleep", "late", "several"];
    let call = |numbers: &mut Numbers| {
        let query = queries[usize::try_from(numbers.below(3)).unwrap()];
        let seconds = [LONG, numbers.delay(4_000).as_secs_f64()][usize::try_from(numbers.below(2)).unwrap()];
        slow(&host, query, seconds)
    };
    let mut transaction = begin(&mut client).await;
    let mut of_pool = pooled.transaction().await.unwrap();
    let insert = "INSERT INTO scratch VALUES (2)";
    for n in 0..200 {
        let what = |error: tokio_postgres::Error| panic!("after {n} cancels: {error:?}");
        cancelled_somewhere(call(&mut numbers).on(&mut transaction), &mut numbers).await;
        transaction.batch_execute(insert).await.unwrap_or_else(what);
        cancelled_somewhere(call(&mut numbers).on(&mut of_pool), &mut numbers).await;
        of_pool.batch_execute(insert).await.unwrap_or_else(what);
        // One that comes late would hit this.
        let asleep = format!("SELECT pg_sleep({})", numbers.delay(3_000).as_secs_f64());
        transaction.batch_execute(&asleep).await.unwrap_or_else(what);
    }
    transaction.commit().await.unwrap();
    of_pool.commit().await.unwrap();
    let count = "SELECT count(*) FROM scratch WHERE n = 2";
    assert_eq!(client.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 200);
    assert_eq!(pooled.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 200);
    for n in 0..200 {
        cancelled_somewhere(call(&mut numbers).on(&mut client), &mut numbers).await;
        client.batch_execute(insert).await.unwrap_or_else(|error| panic!("after {n} cancels: {error:?}"));
        cancelled_somewhere(call(&mut numbers), &mut numbers).await;
    }
    wait_until_idle(&host).await;
}

/// A relay that keeps each cancel until the plugin's statement has ended that it was to hit.
struct LateRelay {
    address: ConnectionSettings,
    received: Arc<Notify>,
    /// Whether each was passed on in time; one that was not is kept for good.
    passed_on: mpsc::UnboundedReceiver<bool>,
}

impl LateRelay {
    async fn start() -> Self {
        let direct = direct();
        let Some(Server::Unix(folder)) = direct.config().get_hosts().first() else {
            panic!("the server has a socket")
        };
        let socket =
            folder.join(format!(".s.PGSQL.{}", direct.config().get_ports().first().unwrap_or(&5432)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("postgresql://u@{}/d?sslmode=disable", listener.local_addr().unwrap());
        let address = ConnectionSettings::resolve(Some(&url), &|_| None).unwrap();
        let (passed_on, receiver) = mpsc::unbounded_channel();
        let relay = Self { address, received: Arc::default(), passed_on: receiver };
        let received = relay.received.clone();
        let owner = Arc::new(database().owner().await);
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let (owner, socket) = (owner.clone(), socket.clone());
                let (received, passed_on) = (received.clone(), passed_on.clone());
                // One that is kept keeps no other.
                tokio::spawn(async move {
                    // Its length, its code, the session's process and its key.
                    let mut request = [0; 16];
                    client.read_exact(&mut request).await.unwrap();
                    received.notify_one();
                    let pid = i32::from_be_bytes(request[8..12].try_into().unwrap());
                    let in_time = is_in_time(&owner, pid).await;
                    if in_time {
                        let mut server = UnixStream::connect(&socket).await.unwrap();
                        server.write_all(&request).await.unwrap();
                        server.read_to_end(&mut Vec::new()).await.unwrap();
                    }
                    passed_on.send(in_time).unwrap();
                });
            }
        });
        relay
    }
}

/// What the owner sends after what was dropped.
const ASLEEP: &str = "SELECT pg_sleep(1)";

/// Waits until the plugin's statement has ended in that session, and what holds the owner's next one back from a late cancel has
/// just begun. On a busy machine that may be over before anybody looks: then it is not in time.
async fn is_in_time(owner: &Client, pid: i32) -> bool {
    let sql = "SELECT query, extract(epoch FROM clock_timestamp() - query_start)::float8 FROM pg_stat_activity WHERE pid = $1";
    loop {
        let row = owner.query_one(sql, &[&pid]).await.unwrap();
        let (query, seconds): (String, f64) = (row.get(0), row.get(1));
        if query.ends_with("pg_catalog.pg_sleep(1)") {
            return seconds < 0.5;
        }
        if query == ASLEEP {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The cancel is sent, and nobody waits for it any more; when it comes, the statement has ended by itself.
#[tokio::test]
async fn dropped_half_way_it_hits_nothing_of_the_owner_s() {
    let LateRelay { address, received, mut passed_on } = LateRelay::start().await;
    let host = start(&config(), Some(&address)).await;
    let mut client = session().await;
    let pid = pid(&client).await;
    let drop_half_way = async |mut running: Running<'_, Reply<'_>>| {
        until_runs(&mut running, pid).await;
        tokio::select! {
            // Before anybody saw that it runs, it had ended.
            cancelled = running.cancel() => cancelled.map(|()| false).unwrap(),
            () = received.notified() => true,
        }
    };
    let mut passed_on = async || tokio::time::timeout(SOON, passed_on.recv()).await.unwrap().unwrap();
    // The statement runs until the cancel is sent, and what the owner sends then until it comes.
    let seconds = 2.0;
    let (mut on_transaction, mut on_client) = (false, false);
    for _ in 0..20 {
        let mut transaction = begin(&mut client).await;
        left_behind(&transaction).await;
        let before = left_behind(&transaction).await;
        let is_dropped = drop_half_way(slow(&host, "sleep", seconds).on(&mut transaction).run()).await;
        transaction.batch_execute(ASLEEP).await.unwrap();
        on_transaction |= is_dropped && passed_on().await;
        assert_eq!(left_behind(&transaction).await, before);
        transaction.rollback().await.unwrap();

        let is_dropped = drop_half_way(slow(&host, "sleep", seconds).on(&mut client).run()).await;
        client.batch_execute(ASLEEP).await.unwrap();
        on_client |= is_dropped && passed_on().await;
        assert_eq!(client.query("SELECT n FROM scratch", &[]).await.unwrap().len(), 0);
        if on_transaction && on_client {
            return;
        }
    }
    panic!("no cancel came in time");
}

/// Wherever a cancel is dropped, at worst the owner's transaction fails, openly.
#[tokio::test]
async fn dropped_half_way_it_loses_no_connection_of_the_owner_s() {
    let host = host().await;
    let (mut client, mut numbers) = (session().await, Numbers(0x9e37_79b9_7f4a_7c15));
    let mut dropped = 0;
    for _ in 0..100 {
        let mut transaction = begin(&mut client).await;
        let seconds = numbers.delay(20_000).as_secs_f64();
        let mut running = slow(&host, "sleep", seconds).on(&mut transaction).run();
        if tokio::time::timeout(numbers.delay(20_000), &mut running).await.is_ok() {
            drop(running);
        } else {
            let cancel = tokio::time::timeout(numbers.delay(3_000), running.cancel()).await;
            dropped += usize::from(cancel.is_err());
        }
        if let Err(error) = transaction.batch_execute("INSERT INTO scratch VALUES (2)").await {
            let sqlstate = error.code().map(|code| code.code().to_owned());
            assert!(matches!(sqlstate.as_deref(), Some("57014" | "25P02")), "{error:?}");
        }
        transaction.rollback().await.unwrap();
        let row = client.query_one("SELECT count(*) FROM scratch", &[]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0), 0);
    }
    assert!(dropped > 0);
}

/// On a connection of the host's own it goes on by itself.
#[tokio::test]
async fn dropped_half_way_it_costs_the_host_no_connection() {
    let host = host().await;
    for polls in 0..20 {
        let mut rows = slow(&host, "late", LONG).rows().await.unwrap();
        assert!(rows.next().await.unwrap().is_some());
        let mut cancel = Box::pin(rows.cancel());
        for _ in 0..polls {
            if (&mut cancel).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    wait_until_idle(&host).await;
    assert_eq!(read(slow(&host, "sleep", 0.0)).await.unwrap().as_array().unwrap().len(), 1);
}
