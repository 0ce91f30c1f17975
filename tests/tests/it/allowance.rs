//! What the calls of single plugins, queries and callers may take: how many run at once, and for how long they keep connections.

use std::path::Path;
use std::time::{Duration, Instant};

use callslip::service::ServiceLimits;
use callslip::{Call, CallError, Code, Config, Host, Observation, Rows};
use callslip_tests::{Seen, component, configured, database, http, is_left_out};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::client::{serve, wait_until_idle};
use crate::support::{self, read};

const LONG: f64 = 600.0;
const WAIT: Duration = Duration::from_millis(300);

/// A host with a slow plugin, and another one.
async fn host(limits: &str) -> Host {
    let language = support::config("language", "tests/guests/language");
    host_of(8, &format!("{language}\n{limits}"), &Seen::default()).await
}

/// A host with a slow plugin and a pool of this size.
async fn host_of(size: usize, others: &str, seen: &Seen) -> Host {
    let slow = component("tests/guests/slow");
    let text = format!(
        "[pool]\nsize = {size}\nwait_ms = {}\n[plugins.slow]\ncomponent = {slow:?}\n\
         [plugins.slow.grants]\nrelations = [\"rating\"]\nfunctions = [\"pg_sleep\"]\n{others}",
        WAIT.as_millis(),
    );
    let config = Config::parse(&configured(&text), Path::new("")).unwrap_or_else(|error| panic!("{error}"));
    let direct = database().owner_connection();
    let builder = Host::builder().connect(&database().connection()).cancel_through(&direct);
    let builder = builder.observe(seen.observer());
    builder.start(&config).await.unwrap_or_else(|error| panic!("{error}"))
}

/// So many calls of a query, each with a connection of the host's own.
async fn streaming(count: usize, call: impl Fn() -> Call<'static>) -> Vec<Rows<'static>> {
    let mut streaming = Vec::new();
    for n in 0..count {
        let mut rows = call().rows().await.unwrap_or_else(|error| panic!("{n}: {}", error.log_message()));
        rows.next().await.unwrap().unwrap();
        streaming.push(rows);
    }
    streaming
}

fn slow(host: &Host, query: &str, seconds: f64) -> Call<'static> {
    host.call("slow", query).param("seconds", seconds)
}

fn other(host: &Host) -> Call<'static> {
    host.call("language", "position").param("id", 7)
}

#[track_caller]
fn assert_too_many(error: &CallError, of: &str) {
    assert_eq!(error.code(), Code::TooManyCalls, "{}", error.log_message());
    assert!(error.log_message().contains(of), "{}", error.log_message());
    assert!(!error.to_string().contains(of), "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn a_further_call_waits_for_its_place_as_long_as_for_a_connection() {
    let host = host("[plugins.slow.limits]\ncalls = 1").await;
    let mut client = database().writer().await;
    let mut streaming = slow(&host, "late", LONG).rows().await.unwrap();
    streaming.next().await.unwrap().unwrap();
    for lent in [false, true] {
        let began = Instant::now();
        let call = slow(&host, "sleep", 0.0);
        let error = match lent {
            false => read(call).await.unwrap_err(),
            true => read(call.on(&mut client)).await.unwrap_err(),
        };
        assert_too_many(&error, "the plugin slow may have 1 at once");
        assert!(began.elapsed() >= WAIT, "{:?}", began.elapsed());
        // What can't be right in any place is told at once.
        let began = Instant::now();
        let error = read(host.call("slow", "sleep")).await.unwrap_err();
        assert_eq!(error.code(), Code::MissingParameter);
        assert_eq!(read(host.call("slow", "slep")).await.unwrap_err().code(), Code::UnknownQuery);
        assert!(began.elapsed() < WAIT, "{:?}", began.elapsed());
        read(other(&host)).await.unwrap();
    }
    let error = read(slow(&host, "sleep", 0.0).timeout(WAIT / 3)).await.unwrap_err();
    assert_eq!(error.code(), Code::CallTimeout, "its own time is over first");

    let address = serve(host.clone(), ServiceLimits::default()).await;
    let answer = http::get(address, "/q/slow/sleep?seconds=0").await;
    answer.assert_problem(503, "CS1116");
    assert!(answer.head.contains("retry-after: 1\r\n"), "{}", answer.head);

    // One that waits has it as soon as it is free: when what was dropped has ended.
    let waiting = tokio::spawn(read(slow(&host, "sleep", 0.0).timeout(Duration::from_secs(60))));
    tokio::time::sleep(WAIT / 3).await;
    drop(streaming);
    waiting.await.unwrap().unwrap();

    // On what is lent a call has its place likewise, and no longer than it needs it.
    let mut rows = slow(&host, "sleep", 0.0).on(&mut client).rows().await.unwrap();
    assert_too_many(&read(slow(&host, "sleep", 0.0)).await.unwrap_err(), "the plugin slow");
    rows.next().await.unwrap().unwrap();
    assert!(rows.next().await.unwrap().is_none());
    read(slow(&host, "sleep", 0.0)).await.unwrap();
    drop(rows);
    let mut reply = slow(&host, "sleep", 0.0).run().await.unwrap();
    while reply.next_chunk().await.unwrap().is_some() {}
    read(slow(&host, "sleep", 0.0)).await.unwrap();
    drop(reply);
    let mut failed = slow(&host, "late", LONG).timeout(WAIT).rows().await.unwrap();
    while failed.next().await.is_ok() {}
    read(slow(&host, "sleep", 0.0).timeout(Duration::from_secs(60))).await.unwrap();
    drop(failed);
}

#[tokio::test]
async fn one_of_several_plugins_leaves_connections_to_the_others() {
    if is_left_out("it holds more sessions at once than the pooler has") {
        return;
    }
    let language = support::config("language", "tests/guests/language");
    let host = host_of(4, &language, &Seen::default()).await;
    let mut client = database().writer().await;
    let late = || slow(&host, "late", LONG);
    let mut streaming = streaming(3, late).await;
    let began = Instant::now();
    let error = read(slow(&host, "sleep", 0.0)).await.unwrap_err();
    assert_too_many(&error, "the plugin slow may have 3 at once (of the pool's connections");
    assert!(error.log_message().contains("[plugins.slow.limits]"), "{}", error.log_message());
    assert!(began.elapsed() >= WAIT, "{:?}", began.elapsed());
    // Others have what is left at once, and so has what is lent.
    let began = Instant::now();
    read(other(&host)).await.unwrap();
    read(slow(&host, "sleep", 0.0).on(&mut client)).await.unwrap();
    assert!(began.elapsed() < WAIT, "{:?}", began.elapsed());
    // A call that is dropped or takes too long gives its place back when its connection is.
    let waiting = tokio::spawn(read(slow(&host, "sleep", 0.0).timeout(Duration::from_secs(60))));
    tokio::time::sleep(WAIT / 3).await;
    drop(streaming.pop());
    waiting.await.unwrap().unwrap();
    for _ in 0..4 {
        let error = read(slow(&host, "sleep", LONG).timeout(WAIT / 3)).await.unwrap_err();
        assert_eq!(error.code(), Code::CallTimeout);
        read(slow(&host, "sleep", 0.0).timeout(Duration::from_secs(60))).await.unwrap();
    }
    drop(streaming);
    wait_until_idle(&host).await;
    drop(self::streaming(3, late).await);
}

#[tokio::test]
async fn a_shape_that_is_proven_on_first_use_has_its_connection_of_the_plugin_s_share() {
    let (language, seen) = (support::config("language", "tests/guests/language"), Seen::default());
    let host = host_of(4, &language, &seen).await;
    let streaming = streaming(3, || host.call("language", "ratings")).await;
    let search = || host.call("language", "search").param("words", "never searched before");
    assert_too_many(&read(search()).await.unwrap_err(), "the plugin language");
    let (told, _) = seen.before_call();
    let [Observation::ShapeProven(proven)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(proven.refused, Some(Code::TooManyCalls));
    drop(streaming);
    read(search()).await.unwrap();
}

#[tokio::test]
async fn the_whole_pool_is_for_the_only_plugin_and_for_one_of_which_its_calls_are_said() {
    if is_left_out("it holds more sessions at once than the pooler has") {
        return;
    }
    let language = support::config("language", "tests/guests/language");
    for others in ["", &format!("[plugins.slow.limits]\ncalls = 4\n{language}")] {
        let host = host_of(4, others, &Seen::default()).await;
        let streaming = streaming(4, || slow(&host, "late", LONG)).await;
        assert_eq!(host.pool().unwrap().status().available, 0);
        drop(streaming);
        wait_until_idle(&host).await;
    }
}

#[tokio::test]
async fn a_query_has_places_of_its_own_among_those_of_its_plugin() {
    let host = host("[plugins.slow.limits]\ncalls = 2\n[plugins.slow.queries.sleep.limits]\ncalls = 1").await;
    let sleeping = tokio::spawn(read(slow(&host, "sleep", LONG)));
    while host.pool().unwrap().status().available == host.pool().unwrap().status().size {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Those that wait for the query take nothing of the plugin's.
    let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(read(slow(&host, "sleep", 0.0)))).collect();
    tokio::time::sleep(WAIT / 3).await;
    let mut rows = slow(&host, "late", LONG).rows().await.unwrap();
    rows.next().await.unwrap().unwrap();
    assert_too_many(&read(slow(&host, "naps", 0.0)).await.unwrap_err(), "the plugin slow may have 2");
    for waiting in waiting {
        assert_too_many(&waiting.await.unwrap().unwrap_err(), "the query slow.sleep may have 1");
    }
    sleeping.abort();
    drop(rows);
    wait_until_idle(&host).await;
    read(slow(&host, "naps", 0.0)).await.unwrap();
}

#[tokio::test]
async fn the_limits_of_a_query_go_before_its_plugin_s_and_that_s_before_all() {
    let host = host(
        "[limits]\nrows = 1000\n[plugins.slow.limits]\nrows = 3\ncall_ms = 400\n\
         [plugins.slow.queries.late.limits]\nrows = 50",
    )
    .await;
    let limit = |error: CallError| match error {
        CallError::TooManyRows { limit } => limit,
        other => panic!("{}", other.log_message()),
    };
    assert_eq!(limit(read(slow(&host, "late", 0.0)).await.unwrap_err()), 50);
    assert_eq!(limit(read(host.call("language", "ratings")).await.unwrap_err()), 1_000);
    read(slow(&host, "several", 0.0)).await.unwrap();
    let began = Instant::now();
    assert_eq!(read(slow(&host, "sleep", LONG)).await.unwrap_err().code(), Code::CallTimeout);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    // The service itself may give it more.
    read(slow(&host, "sleep", 0.8).timeout(Duration::from_secs(60))).await.unwrap();
    let generation = host.generation();
    let slow = generation.plugin("slow").unwrap().unwrap();
    assert_eq!(slow.query("late").unwrap().limits().rows, 50);
    assert_eq!(slow.query("sleep").unwrap().limits().rows, 3);
}

#[tokio::test]
async fn a_query_replies_with_no_more_statements_than_it_may() {
    let host = host("[plugins.slow.limits]\nstatements = 2").await;
    for query in ["several", "naps"] {
        assert_eq!(read(slow(&host, query, 0.0)).await.unwrap_err().code(), Code::PluginDegraded);
    }
    read(slow(&host, "sleep", 0.0)).await.unwrap();
    let generation = host.generation();
    let refusal = generation.plugin("slow").unwrap().unwrap_err().to_string();
    let help = "raise statements in [plugins.slow.queries.naps.limits]";
    assert!(
        refusal.contains("replies with 3 statements, and the limit is 2") && refusal.contains(help),
        "{refusal}"
    );
}

#[track_caller]
fn assert_used_up(error: &CallError, of: &str) {
    assert_eq!(error.code(), Code::OutOfDatabaseTime, "{}", error.log_message());
    assert!(error.log_message().contains(of), "{}", error.log_message());
    assert!(!error.to_string().contains(of), "{error}");
}

const SPENT: &str = "database_ms_per_minute = 300";

/// Ways to keep a connection for longer than that.
const WAYS: [&str; 5] = ["read", "lent", "dropped", "timed out", "still running"];

async fn spend(host: &Host, client: &mut Client, way: &str, call: Call<'static>) {
    let briefly = Duration::from_millis(450);
    match way {
        "read" => _ = read(call.param("seconds", 0.45)).await.unwrap(),
        "lent" => _ = read(call.param("seconds", 0.45).on(client)).await.unwrap(),
        "timed out" => _ = read(call.param("seconds", LONG).timeout(briefly)).await.unwrap_err(),
        "dropped" => {
            assert!(tokio::time::timeout(briefly, read(call.param("seconds", LONG))).await.is_err());
        }
        _ => {
            let host = host.clone();
            let call = call.param("seconds", 2.0);
            tokio::spawn(async move {
                read(call).await.unwrap();
                drop(host);
            });
            tokio::time::sleep(briefly).await;
        }
    }
}

#[tokio::test]
async fn the_database_s_time_is_charged_however_a_call_ends() {
    let mut client = database().writer().await;
    for way in WAYS {
        let host = host(&format!("[plugins.slow.limits]\n{SPENT}")).await;
        spend(&host, &mut client, way, host.call("slow", "sleep")).await;
        let error = read(slow(&host, "sleep", 0.0)).await.unwrap_err();
        assert_used_up(&error, "the plugin slow");
        // 150 ms too much, of which 5 come back each second.
        let again = error.retry_after().unwrap();
        assert!((20..=200).contains(&again.as_secs()) && again.subsec_nanos() == 0, "{way}: {again:?}");
        assert_used_up(
            &read(slow(&host, "sleep", 0.0).on(&mut client)).await.unwrap_err(),
            "the plugin slow",
        );
        read(other(&host)).await.unwrap();
        let address = serve(host.clone(), ServiceLimits::default()).await;
        let answer = http::get(address, "/q/slow/several?seconds=0").await;
        let problem = answer.assert_problem(429, "CS1013");
        let header = answer.head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap();
        let seconds: u64 = header.parse().unwrap();
        assert!((20..=200).contains(&seconds), "{way}: {header}");
        assert!(problem["detail"].as_str().unwrap().contains(&format!("in {seconds}s")), "{problem}");
    }
}

#[tokio::test]
async fn a_query_has_time_of_its_own_beside_its_plugin_s() {
    let mut client = database().writer().await;
    let host = host(&format!("[plugins.slow.queries.sleep.limits]\n{SPENT}")).await;
    spend(&host, &mut client, "read", host.call("slow", "sleep")).await;
    assert_used_up(&read(slow(&host, "sleep", 0.0)).await.unwrap_err(), "the query slow.sleep");
    read(slow(&host, "several", 0.0)).await.unwrap();
}

#[tokio::test]
async fn each_value_of_a_claim_has_time_of_its_own_whatever_the_plugin() {
    let mut client = database().writer().await;
    let host = host(&format!("[limits.per_claim.company]\n{SPENT}")).await;
    let of = |call: Call<'static>, company: &Value| match company {
        Value::Null => call,
        value => call.claim("company", value.clone()),
    };
    for (n, way) in WAYS.into_iter().enumerate() {
        let company = if n == 0 { Value::Null } else { json!(70_000 + n) };
        read(of(other(&host), &company)).await.unwrap();
        spend(&host, &mut client, way, of(host.call("slow", "sleep"), &company)).await;
        let error = read(of(other(&host), &company)).await.unwrap_err();
        assert_used_up(&error, "one value of the claim company");
        assert!(!error.log_message().contains(&company.to_string()) || company.is_null());
    }
    // The same value, written otherwise.
    let error = read(of(other(&host), &json!("70001"))).await.unwrap_err();
    assert_eq!(error.code(), Code::OutOfDatabaseTime);
    read(of(other(&host), &json!(99))).await.unwrap();
}

/// What proves a shape keeps a connection too.
#[tokio::test]
async fn a_shape_that_is_proven_on_first_use_takes_of_the_database_s_time() {
    let host = host("[plugins.language.limits]\ndatabase_ms_per_minute = 1").await;
    let mut proven = 0;
    let error = loop {
        let words = format!("never searched before {proven}");
        // Dropped while it is proven, it may have taken its time all the same.
        match read(host.call("language", "search").param("words", words)).await {
            Ok(_) => proven += 1,
            Err(error) => break error,
        }
    };
    assert_used_up(&error, "the plugin language");
    assert!(proven < 100, "{proven}");
}
