//! One database, grown: a primary with a streaming replica, a PgBouncer before it, and several hosts on them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use callslip::cluster::{Cluster, ClusterOptions};
use callslip::loan::{ConnectionSettings, Lack};
use callslip::{CallEnded, Config, Host, Observation, RanOn, WatchSettings};
use callslip_tests::{PgBouncer, REPLICATED, Replica, Seen, component, connect, connect_to, http};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::served::Served;

/// Longer than anything takes, on a machine that is busy.
const LONG: Duration = Duration::from_secs(120);

/// The tables of the guest, for the login of the hosts.
const TABLES: &str = "
    CREATE SCHEMA live;
    CREATE TYPE live.unit AS ENUM ('cent', 'euro', 'shilling');
    CREATE TABLE live.amount (id int PRIMARY KEY, amount int NOT NULL, unit live.unit NOT NULL DEFAULT 'cent');
    INSERT INTO live.amount VALUES (1, 10), (2, 20);
    CREATE ROLE reader LOGIN;
    GRANT USAGE ON SCHEMA live TO reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA live TO reader;";

/// A primary, and its replica.
struct Grown {
    replica: Replica,
    cluster: Cluster,
    owner: Client,
}

impl Grown {
    async fn start() -> Self {
        let options = ClusterOptions::default().setting("hot_standby", "on");
        let options =
            REPLICATED.iter().fold(options, |options, (name, value)| options.setting(*name, *value));
        // Nobody waits for who reads: what is replayed cancels it.
        let options = options.setting("max_standby_streaming_delay", "0");
        let cluster = Cluster::start(options).await.unwrap_or_else(|error| panic!("{error}"));
        let owner = connect(&cluster.config()).await;
        owner.batch_execute(TABLES).await.unwrap();
        let replica = Replica::start(&cluster, 5433).await;
        Self { replica, cluster, owner }
    }

    async fn execute(&self, sql: &str) {
        self.owner.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }

    /// The URL of the hosts' login on the primary.
    fn url(&self) -> String {
        self.cluster.url("postgres").replacen("://postgres@", "://reader@", 1)
    }

    /// A session of the superuser on the replica.
    async fn on_replica(&self) -> Client {
        connect_to(&self.replica.url(&self.cluster.url("postgres"))).await
    }

    fn config(&self, more: &str) -> String {
        let component = component("tests/guests/live");
        format!(
            "[database]\nschemas = [\"live\"]\n\
             [database.replicas]\nurls = [\"{}\"]\nmax_lag_ms = 2000\n\
             [plugins.amounts]\ncomponent = {component:?}\n[plugins.amounts.grants]\nrelations = [\"amount\"]\ntypes = [\"unit\"]\n{more}",
            self.replica.place()
        )
    }

    async fn host(&self, more: &str) -> (Host, Seen) {
        let config =
            Config::parse(&self.config(more), Path::new("")).unwrap_or_else(|error| panic!("{error}"));
        let (connection, seen) =
            (ConnectionSettings::resolve(Some(&self.url()), &|_| None).unwrap(), Seen::default());
        let host = Host::builder().connect(&connection).observe(seen.observer()).start(&config).await;
        (host.unwrap_or_else(|error| panic!("{error}")), seen)
    }
}

/// The reply of a query of the guest's, and what was told of its call.
async fn call(host: &Host, seen: &Seen, query: &str) -> (Value, CallEnded) {
    seen.take();
    let mut reply =
        host.call("amounts", query).run().await.unwrap_or_else(|error| panic!("{}", error.log_message()));
    let mut bytes = Vec::new();
    while let Some(chunk) = reply.next_chunk().await.unwrap_or_else(|error| panic!("{}", error.log_message()))
    {
        bytes.extend_from_slice(&chunk);
    }
    drop(reply);
    let ended = seen.take().into_iter().find_map(|told| match told {
        Observation::CallEnded(ended) => Some(ended),
        _ => None,
    });
    (serde_json::from_slice(&bytes).unwrap(), ended.unwrap())
}

async fn until(what: &str, condition: impl AsyncFnMut() -> bool) {
    until_shown(what, String::new, condition).await;
}

async fn until_shown(what: &str, shown: impl Fn() -> String, mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < LONG, "{what}: not within {LONG:?}: {}", shown());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn until_served(host: &Host, serves: bool) {
    until("the replica", async || host.replicas()[0].serves == serves).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_read_from_a_replica_that_is_hardly_behind() {
    let mut grown = Grown::start().await;
    let (host, seen) = grown.host("[plugins.amounts.queries.two]\nprimary = true\n").await;
    until_served(&host, true).await;

    let (reply, ended) = call(&host, &seen, "amounts").await;
    assert_eq!(reply, json!([{"id": 1, "amount": 10}, {"id": 2, "amount": 20}]));
    let status = &host.replicas()[0];
    assert_eq!((ended.ran_on, ended.replica.as_ref()), (RanOn::Replica, Some(&status.name)));
    assert!(status.name.ends_with(":5433") && status.lag.is_some() && status.reason.is_none(), "{status:?}");
    let (_, ended) = call(&host, &seen, "two").await;
    assert_eq!((ended.ran_on, ended.replica), (RanOn::Pool, None), "it is read where it is written");

    // What is written is read a little later.
    grown.execute("INSERT INTO live.amount VALUES (3, 30)").await;
    until("the row", async || {
        let (reply, ended) = call(&host, &seen, "amounts").await;
        ended.ran_on == RanOn::Replica && reply.as_array().unwrap().len() == 3
    })
    .await;

    // One that stands still is not read from.
    let replica = grown.on_replica().await;
    replica.batch_execute("SELECT pg_wal_replay_pause()").await.unwrap();
    grown.execute("INSERT INTO live.amount VALUES (4, 40)").await;
    until_served(&host, false).await;
    let reason = host.replicas()[0].reason.clone().unwrap();
    assert!(reason.contains("behind") && reason.contains("max_lag_ms"), "{reason}");
    let (reply, ended) = call(&host, &seen, "amounts").await;
    assert_eq!((reply.as_array().unwrap().len(), ended.ran_on), (4, RanOn::Pool));
    replica.batch_execute("SELECT pg_wal_replay_resume()").await.unwrap();
    until_served(&host, true).await;
    assert_eq!(call(&host, &seen, "amounts").await.1.ran_on, RanOn::Replica);
    drop(replica);

    // One that goes away costs nobody a reply, and is read from again when it is back.
    let is_over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (host, is_over) = (host.clone(), is_over.clone());
            tokio::spawn(async move {
                let mut calls = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let mut rows = host.call("amounts", "amounts").rows().await.unwrap();
                    let mut count = 0;
                    while rows.next().await.unwrap().is_some() {
                        count += 1;
                    }
                    assert_eq!(count, 4);
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    let grown = tokio::task::spawn_blocking(move || {
        grown.replica.stop();
        grown
    });
    let mut grown = grown.await.unwrap();
    until_served(&host, false).await;
    grown.replica.resume();
    until_served(&host, true).await;
    is_over.store(true, Ordering::Relaxed);
    for caller in callers {
        assert!(caller.await.unwrap() > 0);
    }
    until("calls of the replica", async || call(&host, &seen, "amounts").await.1.ran_on == RanOn::Replica)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_on_a_replica_for_its_own_reasons_is_run_on_the_primary() {
    let grown = Grown::start().await;
    // A policy that takes its time there, and only there.
    grown
        .execute(
            "CREATE FUNCTION live.slow() RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN
                 IF pg_catalog.pg_is_in_recovery() THEN PERFORM pg_catalog.pg_sleep(600); END IF; RETURN true; END $$;
             ALTER TABLE live.amount ENABLE ROW LEVEL SECURITY;
             CREATE POLICY slow ON live.amount USING (live.slow())",
        )
        .await;
    let (host, seen) = grown.host("").await;
    until_served(&host, true).await;
    let replica = grown.on_replica().await;
    let is_asleep = async || {
        let sql = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND usename = 'reader'";
        !replica.query(sql, &[]).await.unwrap().is_empty()
    };
    let conflict = async {
        until("the statement", is_asleep).await;
        // What was deleted is still seen there, until it is vacuumed away here.
        until("the conflict", async || {
            grown.execute("UPDATE live.amount SET amount = amount").await;
            grown.execute("VACUUM live.amount").await;
            !is_asleep().await
        })
        .await;
    };
    let ((reply, ended), ()) = tokio::join!(call(&host, &seen, "amounts"), conflict);
    assert_eq!((reply.as_array().unwrap().len(), ended.ran_on), (2, RanOn::Pool));
    assert!(host.replicas()[0].serves, "it has not failed: {:?}", host.replicas());

    // A table that it has not.
    grown
        .execute("DROP POLICY slow ON live.amount; ALTER TABLE live.amount DISABLE ROW LEVEL SECURITY")
        .await;
    until("the policy", async || {
        let sql = "SELECT 1 FROM pg_policy";
        replica.query(sql, &[]).await.unwrap().is_empty()
    })
    .await;
    assert_eq!(call(&host, &seen, "amounts").await.1.ran_on, RanOn::Replica);
    grown.execute("ALTER TABLE live.amount SET UNLOGGED").await;
    until("the table", async || {
        let (reply, ended) = call(&host, &seen, "amounts").await;
        assert_eq!(reply.as_array().unwrap().len(), 2);
        ended.ran_on == RanOn::Pool
    })
    .await;
    assert!(host.replicas()[0].serves, "{:?}", host.replicas());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_no_replica_of_the_database_is_not_read_from() {
    let grown = Grown::start().await;
    let other = Grown::start().await;
    let places = format!(
        "host={} port=5432\", \"{}\", \"host=/nonexistent",
        grown.cluster.folder().display(),
        other.replica.place()
    );
    let config = grown.config("").replace(&grown.replica.place(), &places);
    let config = Config::parse(&config, Path::new("")).unwrap();
    let connection = ConnectionSettings::resolve(Some(&grown.url()), &|_| None).unwrap();
    let host = Host::start(&config, &connection).await.unwrap();
    let told = |number: usize| host.replicas()[number].reason.clone().unwrap_or_default();
    let shown = || format!("{:?}", host.replicas());
    until_shown("what is wrong with each", shown, async || {
        told(0).contains("it is not in recovery")
            && told(1).contains("the replica of another database")
            && told(2).contains("can't be reached")
    })
    .await;
    assert!(host.call("amounts", "amounts").rows().await.unwrap().next().await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_of_the_primary_is_followed_whatever_the_replica_has_of_it() {
    let grown = Grown::start().await;
    let (host, seen) = grown.host("").await;
    let _watch = host.watch(WatchSettings { listen: false, poll: Duration::from_millis(100) }).unwrap();
    until_served(&host, true).await;
    call(&host, &seen, "amounts").await;
    let replica = grown.on_replica().await;
    replica.batch_execute("SELECT pg_wal_replay_pause()").await.unwrap();
    let generation = host.generation().number();
    grown.execute("ALTER TABLE live.amount ALTER amount TYPE bigint USING amount * 2").await;
    // What is proven by now is not what the replica has.
    until("the migration", async || {
        assert_eq!(call(&host, &seen, "amounts").await.0.as_array().unwrap().len(), 2);
        host.generation().number() > generation
    })
    .await;
    let (reply, ended) = call(&host, &seen, "amounts").await;
    assert_eq!(
        (reply, ended.ran_on),
        (json!([{"id": 1, "amount": 20}, {"id": 2, "amount": 40}]), RanOn::Pool)
    );
    replica.batch_execute("SELECT pg_wal_replay_resume()").await.unwrap();
    until("the replica", async || {
        let (reply, ended) = call(&host, &seen, "amounts").await;
        assert_eq!(reply[0]["amount"], 20);
        ended.ran_on == RanOn::Replica
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_side_by_side_behind_a_pooler_give_the_same_answers() {
    let mut grown = Grown::start().await;
    let pgbouncer = PgBouncer::start(grown.cluster.folder(), "");
    let config = grown.config("[pool]\npooler = \"transaction\"\n[catalog]\npoll_s = 1\n");
    let url = pgbouncer.url(&grown.url());
    let hosts: Vec<Served> = (0..2).map(|_| Served::start(&url, &config, &[])).collect();
    let addresses: Vec<_> = hosts.iter().map(Served::address).collect();
    let amounts = async || {
        let mut replies = Vec::new();
        for address in &addresses {
            let answer = http::get(*address, "/q/amounts/amounts").await;
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
            replies.push(answer.json());
        }
        replies
    };
    for host in &hosts {
        host.wait_for("calls are read from the replica");
    }
    let before: Vec<usize> = hosts.iter().map(|host| host.lines().len()).collect();
    let both = json!([{"id": 1, "amount": 10}, {"id": 2, "amount": 20}]);
    assert_eq!(amounts().await, [both.clone(), both]);
    for (host, before) in hosts.iter().zip(before) {
        host.wait_for_after(before, "ran_on=\"replica\"");
    }
    // A configuration that is read again has the replica go on.
    let before: Vec<usize> = hosts.iter().map(|host| host.lines().len()).collect();
    for host in &hosts {
        std::fs::write(host.config(), format!("{config}[plugins.amounts.limits]\nrows = 1000\n")).unwrap();
        host.signal(Signal::SIGHUP);
    }
    for (host, before) in hosts.iter().zip(&before) {
        host.wait_for_after(*before, "served as it is configured now");
    }
    amounts().await;
    for (host, before) in hosts.iter().zip(&before) {
        let lines = host.lines();
        let of_replica = |line: &&String| line.contains("read from the replica");
        assert_eq!(lines[*before..].iter().find(of_replica), None, "{lines:#?}");
    }
    // A migration through it all.
    grown.execute("ALTER TABLE live.amount ALTER amount TYPE bigint USING amount * 2").await;
    let doubled = json!([{"id": 1, "amount": 20}, {"id": 2, "amount": 40}]);
    until("the migration", async || amounts().await.iter().all(|reply| *reply == doubled)).await;

    let before: Vec<usize> = hosts.iter().map(|host| host.lines().len()).collect();
    let grown = tokio::task::spawn_blocking(move || {
        grown.replica.stop();
        grown
    });
    let mut grown = grown.await.unwrap();
    for (host, before) in hosts.iter().zip(&before) {
        assert_eq!(amounts().await, [doubled.clone(), doubled.clone()]);
        host.wait_for_after(*before, "calls are not read from the replica");
    }
    grown.replica.resume();
    for (host, before) in hosts.iter().zip(&before) {
        host.wait_for_after(*before, "calls are read from the replica");
    }
    assert_eq!(amounts().await, [doubled.clone(), doubled]);
}

/// Forwards to a socket from a port, in other words: in whatever is sent each name is written as another of its length, and back in
/// what is answered. To its clients the server has nothing of these names.
async fn renaming(socket: String, names: &'static [(&'static str, &'static str)]) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let server = UnixStream::connect(&socket).await.unwrap();
            let (client, server) = (client.into_split(), server.into_split());
            connections.spawn(pass(client.0, server.1, names.to_vec()));
            connections.spawn(pass(
                server.0,
                client.1,
                names.iter().map(|(name, other)| (*other, *name)).collect(),
            ));
        }
    });
    (port, tasks)
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    names: Vec<(&'static str, &'static str)>,
) {
    let mut buffer = vec![0; 1 << 20];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let bytes = &mut buffer[..length];
        for (name, other) in &names {
            for at in 0..bytes.len().saturating_sub(name.len() - 1) {
                if &bytes[at..at + name.len()] == name.as_bytes() {
                    bytes[at..at + name.len()].copy_from_slice(other.as_bytes());
                }
            }
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

/// A host on this database, which serves; with what is told of its server.
async fn lacks_of(grown: &Grown, url: &str) -> Vec<Lack> {
    let config = grown.config("");
    let (before, after) = config.split_once("[database.replicas]").unwrap();
    let config = format!("{before}{}", after.split_once("max_lag_ms = 2000\n").unwrap().1);
    let config = Config::parse(&config, Path::new("")).unwrap();
    let connection = ConnectionSettings::resolve(Some(url), &|_| None).unwrap();
    let host = Host::start(&config, &connection).await.unwrap_or_else(|error| panic!("{error}"));
    for (_, plugin) in host.generation().plugins() {
        plugin.unwrap_or_else(|refusal| panic!("{refusal}"));
    }
    assert!(host.call("amounts", "amounts").rows().await.unwrap().next().await.unwrap().is_some());
    host.server_lacks().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_does_without_what_its_server_lacks_and_says_so() {
    let grown = Grown::start().await;
    assert_eq!(lacks_of(&grown, &grown.url()).await, []);
    // A standby is a whole database, which notifies nobody.
    assert_eq!(lacks_of(&grown, &grown.replica.url(&grown.url())).await, [Lack::Notifications]);

    let socket = grown.cluster.folder().join(".s.PGSQL.5432").display().to_string();
    let names = &[
        ("idle_in_transaction_session_timeout", "idle_in_transaction_session_timeouX"),
        ("client_connection_check_interval", "client_connection_check_intervaX"),
        ("pg_catalog.pg_event_trigger'", "pg_catalog.pg_event_triggeX'"),
        ("pg_catalog.pg_notify(", "pg_catalog.pg_notifX("),
        ("EXPLAIN (FORMAT JSON)", "EXPLAIN (FORMAT JSOX)"),
    ];
    let (port, _relay) = renaming(socket, names).await;
    let url = format!("postgresql://reader@127.0.0.1:{port}/postgres?sslmode=disable");
    let all = [Lack::Notifications, Lack::EventTriggers, Lack::ClientCheck, Lack::IdleTimeout, Lack::Explain];
    assert_eq!(lacks_of(&grown, &url).await, all);
    // Those who run it are told, with what it costs.
    let config = grown.config("");
    let served = Served::start(&url, &config, &[]);
    served.address();
    for lack in all {
        served.wait_for(&lack.to_string());
    }
    let printed = crate::served::command()
        .args(["catalog", "--schema", "live", "--database-url", &url])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(
        printed.contains("does not end transactions that wait") && printed.contains("live.amount"),
        "{printed}"
    );
}
