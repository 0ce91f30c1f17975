//! What a service is told when its database changes, or can't be looked at.

use std::path::Path;

use callslip::loan::Isolation;
use callslip::{CallOutcome, Change, Code, Config, Host, Observation, RanOn, WatchSettings};
use callslip_tests::{Seen, connect_to, database};
use serde_json::json;

use crate::support::{LISTEN, Live, amounts, call, config, fragile, read, until};

/// Changes of the type of a column, which no query minds.
const BIGINT: &str = "ALTER TABLE live.amount ALTER COLUMN amount TYPE bigint";
const INT: &str = "ALTER TABLE live.amount ALTER COLUMN amount TYPE int";

/// A database, a host on it with both plugins, and what that tells.
struct Observed {
    live: Live,
    host: Host,
    seen: Seen,
}

impl Observed {
    async fn new(name: &str) -> Self {
        Self::with(name, |text| text).await
    }

    /// The same with another configuration.
    async fn with(name: &str, change: impl FnOnce(String) -> String) -> Self {
        let live = Live::new(name).await;
        let seen = Seen::default();
        let builder = Host::builder().connect(&live.connection()).observe(seen.observer());
        let host = builder.start(&parsed(change(both()))).await.unwrap();
        Self { live, host, seen }
    }

    /// Waits until so much was told, and names it in the order of the alphabet: what a call tells and what the refresh tells that it
    /// asked for have no order.
    async fn told(&self, count: usize) -> Vec<String> {
        let mut told = Vec::new();
        until("it is told", async || {
            told.extend(self.seen.take().iter().map(named));
            told.len() >= count
        })
        .await;
        told.sort();
        told
    }
}

fn both() -> String {
    let ((fragile, of_fragile), (amounts, of_amounts)) = (fragile(), amounts());
    config(&[("fragile", &fragile, of_fragile), ("amounts", &amounts, of_amounts)])
}

fn parsed(text: String) -> Config {
    Config::parse(&text, Path::new("")).unwrap_or_else(|error| panic!("{error}"))
}

/// An observation in a few words.
fn named(observation: &Observation) -> String {
    match observation {
        Observation::CallEnded(call) => {
            let name = |name: &Option<_>| name.as_deref().unwrap_or("-").to_owned();
            let (ran_on, outcome) = (call.ran_on.as_str(), call.outcome.as_str());
            format!("{}.{} on {ran_on}: {outcome}", name(&call.plugin), name(&call.query))
        }
        Observation::StatementStale { plugin, query, .. } => format!("stale {plugin}.{query}"),
        Observation::Refreshed { refreshed, .. } => {
            format!("refreshed to {} changed={}", refreshed.generation, refreshed.changed)
        }
        Observation::RefreshFailed { error, is_repeated, .. } => {
            format!("refresh failed {} repeated={is_repeated}", error.code())
        }
        Observation::PluginChanged { change, standing } => {
            let became = match change.change {
                Change::Degraded(_) => "degraded",
                Change::Healthy => "healthy",
                _ => "another",
            };
            format!("changed {} {became}, {standing}", change.plugin)
        }
        Observation::NotificationsLost { .. } => "notifications lost".to_owned(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_that_is_run_again_ends_once() {
    let Observed { live, host, seen } = &Observed::new("seen_again").await;
    // It is prepared on every connection that there will be.
    let everywhere = async || {
        futures_util::future::join_all((0..16).map(|_| call(host, "amounts", "two"))).await;
        let told = seen.take();
        assert_eq!(told.len(), 16, "{told:#?}");
    };
    everywhere().await;
    live.execute(BIGINT).await;
    let reply = read(host.call("amounts", "two").run().await.unwrap()).await.unwrap();
    let mut told = seen.take();
    until("it is told", async || {
        told.extend(seen.take());
        told.len() >= 3
    })
    .await;
    let mut names: Vec<_> = told.iter().map(named).collect();
    names.sort();
    assert_eq!(names, ["amounts.two on pool: complete", "refreshed to 2 changed=true", "stale amounts.two"]);
    let ended = told.iter().find_map(|told| match told {
        Observation::CallEnded(call) => Some(call),
        _ => None,
    });
    let refreshed = told.iter().find_map(|told| match told {
        Observation::Refreshed { took, .. } => Some(*took),
        _ => None,
    });
    let (ended, refreshed) = (ended.unwrap(), refreshed.unwrap());
    // The rows that were read before it was stale were not given.
    assert_eq!((ended.rows, ended.bytes), (4, reply.to_string().len() as u64));
    assert!(ended.first_row.unwrap() > refreshed && ended.first_row.unwrap() <= ended.total, "{ended:?}");
    assert_eq!(ended.isolation, Some(Isolation::RepeatableRead));
    assert_eq!(ended.shape.as_ref().map(|digest| digest.len()), Some(8));

    // Where rows were given it is not run again, and fails once.
    everywhere().await;
    live.execute(INT).await;
    let mut rows = host.call("amounts", "two").rows().await.unwrap();
    rows.statement("ids").await.unwrap();
    rows.next().await.unwrap().unwrap();
    rows.next().await.unwrap().unwrap();
    assert_eq!(rows.next().await.unwrap_err().code(), Code::StaleStatement);
    assert_eq!(rows.next().await.unwrap_err().code(), Code::StatementFailed);
    drop(rows);
    let names: Vec<_> = seen.take().iter().map(named).collect();
    assert_eq!(names, ["stale amounts.two", "amounts.two on pool: CS1107"]);
}

#[tokio::test]
async fn what_becomes_of_plugins_is_told_with_their_standing() {
    let observed = Observed::new("seen_plugins").await;
    let Observed { live, host, .. } = &observed;
    live.execute("ALTER TABLE live.fragile RENAME COLUMN name TO title").await;
    assert_eq!(call(host, "fragile", "names").await.unwrap_err().code(), Code::PluginDegraded);
    assert_eq!(
        observed.told(4).await,
        [
            "changed fragile degraded, degraded",
            "fragile.names on pool: CS1205",
            "refreshed to 2 changed=true",
            "stale fragile.names",
        ]
    );
    // What is known to be degraded is asked for again, in vain and without an end.
    host.refresh().await.unwrap();
    assert_eq!(observed.told(1).await, ["refreshed to 2 changed=false"]);
    live.execute("ALTER TABLE live.fragile RENAME COLUMN title TO name").await;
    host.refresh().await.unwrap();
    let told: Vec<_> = observed.seen.take().iter().map(named).collect();
    assert_eq!(told, ["refreshed to 3 changed=true", "changed fragile healthy, served"]);
}

#[tokio::test]
async fn what_is_lent_is_not_run_on_again() {
    let observed = Observed::new("seen_lent").await;
    let Observed { live, host, .. } = &observed;
    let mut client = connect_to(&live.url).await;
    live.execute(BIGINT).await;
    let mut transaction = client.transaction().await.unwrap();
    let error = host.call("amounts", "amounts").on(&mut transaction).run().await.err().unwrap();
    assert_eq!(error.code(), Code::StaleStatement);
    drop(transaction);
    // The host looks by itself.
    let stale = "stale amounts.amounts";
    let refreshed = "refreshed to 2 changed=true";
    assert_eq!(observed.told(3).await, ["amounts.amounts on lent_transaction: CS1107", refreshed, stale]);
    read(host.call("amounts", "amounts").on(&mut client).run().await.unwrap()).await.unwrap();
    assert_eq!(observed.told(1).await, ["amounts.amounts on lent_client: complete"]);
}

#[tokio::test]
async fn a_host_that_can_t_look_by_itself_says_so_once() {
    let live = Live::new("seen_doubt").await;
    let mut client = connect_to(&live.url).await;
    let seen = Seen::default();
    let builder = Host::builder().reflect_on(&mut client).observe(seen.observer());
    let host = builder.start(&parsed(both())).await.unwrap();
    let told = || seen.take().iter().map(named).collect::<Vec<_>>();
    for (n, change) in [BIGINT, INT].into_iter().enumerate() {
        live.execute(change).await;
        for is_first in [true, false] {
            let error = host.call("amounts", "amounts").on(&mut client).run().await.err().unwrap();
            assert_eq!(error.code(), Code::StaleStatement);
            let mut expected =
                vec!["stale amounts.amounts", "Doubted", "amounts.amounts on lent_client: CS1107"];
            if !is_first {
                expected.remove(1);
            }
            assert_eq!(told(), expected);
        }
        host.refresh_on(&mut client).await.unwrap();
        assert_eq!(told(), [format!("refreshed to {} changed=true", n + 2)]);
    }
    // What is on the connection of a call is proven there.
    let reply = host.call("amounts", "ids_of").param("table", "amount").on(&mut client).run().await.unwrap();
    assert_eq!(read(reply).await.unwrap(), json!([{"id": 1}, {"id": 2}]));
    let (proven, ended) = seen.before_call();
    let [Observation::ShapeProven(proven)] = &proven[..] else { panic!("{proven:?}") };
    assert_eq!((&proven.shape, proven.refused), (&ended.shape, None));
    assert_eq!((ended.ran_on, ended.outcome), (RanOn::LentClient, CallOutcome::Complete));
}

#[tokio::test]
async fn a_refresh_that_fails_is_told_each_time_and_that_it_recovers_once() {
    let short = |text: String| text.replace("lock_timeout_ms = 60000", "lock_timeout_ms = 100");
    let Observed { live, host, seen } = &Observed::with("seen_failures", short).await;
    let told = || seen.take().iter().map(named).collect::<Vec<_>>();
    let name = "seen_failures";
    let admin = database().owner().await;
    let connections = async |most: i32| {
        admin.batch_execute(&format!("ALTER DATABASE {name} CONNECTION LIMIT {most}")).await.unwrap();
    };
    live.execute("CREATE TABLE live.other (id int); GRANT SELECT ON live.other TO callslip_reader").await;
    live.execute("BEGIN; LOCK TABLE live.fragile").await;
    let locked = |repeated| [format!("refresh failed CS1104 repeated={repeated}")];
    host.refresh().await.unwrap_err();
    assert_eq!(told(), locked(false));
    host.refresh().await.unwrap_err();
    assert_eq!(told(), locked(true));
    // Another reason is worth saying.
    connections(0).await;
    host.refresh().await.unwrap_err();
    assert_eq!(told(), ["refresh failed CS1101 repeated=false"]);
    connections(-1).await;
    host.refresh().await.unwrap_err();
    assert_eq!(told(), locked(false));
    live.execute("ROLLBACK").await;
    host.refresh().await.unwrap();
    assert_eq!(told(), ["RefreshRecovered", "refreshed to 2 changed=true"]);
    host.refresh().await.unwrap();
    assert_eq!(told(), ["refreshed to 2 changed=false"]);
}

#[tokio::test]
async fn that_nothing_is_heard_is_told_until_it_is_heard_again() {
    let observed = Observed::new("seen_deaf").await;
    let Observed { live, host, .. } = &observed;
    let _watch = host.watch(LISTEN).unwrap();
    // It looks when it begins to listen, and perhaps once more.
    let listens = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND state = 'idle' AND query LIKE 'LISTEN%'";
    until("it listens", async || live.owner.query_one(listens, &[]).await.unwrap().get::<_, i64>(0) == 1)
        .await;
    let notifications = async || -> Vec<String> {
        let told = observed.seen.take();
        told.iter().map(named).filter(|told| told.to_lowercase().contains("notif")).collect()
    };
    assert!(notifications().await.is_empty());
    let admin = database().owner().await;
    admin.batch_execute("ALTER DATABASE seen_deaf CONNECTION LIMIT 0").await.unwrap();
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    live.execute(kill).await;
    let mut told = Vec::new();
    until("it is told", async || {
        told.extend(notifications().await);
        !told.is_empty()
    })
    .await;
    // After 0.1 s, 0.2 s and 0.4 s it tries again, in vain.
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    told.extend(notifications().await);
    assert_eq!(told, ["notifications lost"]);
    admin.batch_execute("ALTER DATABASE seen_deaf CONNECTION LIMIT -1").await.unwrap();
    until("it is told", async || {
        told.extend(notifications().await);
        told.len() > 1
    })
    .await;
    assert_eq!(told, ["notifications lost", "NotificationsRecovered"]);
}

#[tokio::test]
async fn behind_a_pooler_it_is_told_that_nothing_will_be_heard() {
    let pooler = |text: String| text.replace("[pool]\n", "[pool]\npooler = \"transaction\"\n");
    let Observed { host, seen, .. } = &Observed::with("seen_pooler", pooler).await;
    let never = std::time::Duration::ZERO;
    let _silent = host.watch(WatchSettings { listen: false, poll: never }).unwrap();
    assert!(seen.take().is_empty(), "nobody wanted to hear it");
    let _watch = host.watch(LISTEN).unwrap();
    let told = seen.take();
    assert!(matches!(told[..], [Observation::NotificationsUnheard]), "{told:?}");
}
