//! The line of the log that tells of a call: one for each, whatever came of it. `Observed::ends` looks at it in every test.

use callslip::service::ServiceLimits;
use callslip::{CallEnded, Config, Host, Observation};
use callslip_tests::{Log, Seen, component, configured, database, http};

use super::config;
use crate::client::serve;
use crate::support::{TABLES, text};

/// That each of these calls has its line, and nothing else has one.
#[track_caller]
pub fn assert_audited(lines: &[String], told: &[Observation]) {
    let ended = |told: &Observation| match told {
        Observation::CallEnded(call) => Some(call.clone()),
        _ => None,
    };
    let calls: Vec<CallEnded> = told.iter().filter_map(ended).collect();
    assert_eq!(lines.len(), calls.len(), "{lines:#?}, {calls:#?}");
    for (line, call) in lines.iter().zip(&calls) {
        let says = |what: &str| assert!(line.contains(what), "no {what} in {line}");
        says(" INFO ");
        says(&format!("plugin={:?}", &*call.called_plugin));
        says(&format!("query={:?}", &*call.called_query));
        says(&format!("rows={} bytes={} total={:?} ", call.rows, call.bytes, call.total));
        says(&format!("outcome={:?}", call.outcome.as_str()));
        for (name, value) in [("caller", &call.caller), ("shape", &call.shape)] {
            match value {
                Some(value) => says(&format!("{name}={:?}", &**value)),
                None => assert!(!line.contains(&format!("{name}=")), "{line}"),
            }
        }
        match call.digest {
            Some(digest) => says(&format!("digest={digest} ")),
            None => assert!(!line.contains("digest="), "{line}"),
        }
    }
}

async fn host(settings: &str) -> (Host, Seen, Log) {
    let (seen, log) = (Seen::default(), Log::here());
    let builder = Host::builder().connect(&database().connection()).observe(seen.observer());
    let host = builder.start(&config(settings)).await.unwrap();
    log.take();
    (host, seen, log)
}

#[tokio::test]
async fn who_calls_is_told_as_the_service_or_a_claim_says_and_forges_nothing() {
    let (plain, seen, log) = host("").await;
    let position = |host: &Host| host.call("guest", "position").param("id", 7);
    text(position(&plain)).await.unwrap();
    assert_eq!(seen.call().caller, None);
    text(position(&plain).caller("Zoë\n INFO forged=1").claim("sub", "s")).await.unwrap();
    assert_eq!(seen.call().caller.as_deref(), Some("Zoë\\n INFO forged=1"));
    text(position(&plain).caller("x".repeat(10_000))).await.unwrap();
    assert_eq!(seen.call().caller.unwrap().chars().count(), 201, "and that there was more");
    assert_eq!(log.take_audit().len(), 3);

    let (claimed, seen, _) = host("[audit]\nclaim = \"sub\"").await;
    for (claim, caller) in
        [("a\nb".into(), "a\\nb"), (serde_json::Value::from(7), "7"), (serde_json::Value::Null, "service")]
    {
        text(position(&claimed).caller("service").claim("sub", claim)).await.unwrap();
        assert_eq!(seen.call().caller.as_deref(), Some(caller));
    }
    text(position(&claimed).claim("company", 7)).await.unwrap();
    assert_eq!(seen.call().caller, None);
}

#[tokio::test]
async fn the_code_is_told_and_names_that_callers_make_up_forge_nothing() {
    let (host, seen, log) = host("").await;
    let digest = host.generation().plugin("guest").unwrap().unwrap().digest();
    let made_up = format!("a\n INFO callslip::audit: {}", "x".repeat(100));
    for (plugin, query, known, has_digest) in [
        ("guest", "position", (true, true), true),
        ("guest", made_up.as_str(), (true, false), true),
        ("gone", "position", (true, false), false),
        (made_up.as_str(), "position", (false, false), false),
    ] {
        text(host.call(plugin, query)).await.unwrap_err();
        let lines = log.take_audit();
        let told = seen.take();
        assert_audited(&lines, &told);
        let [Observation::CallEnded(call)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((call.plugin.is_some(), call.query.is_some()), known);
        assert_eq!(call.digest, has_digest.then_some(digest));
        assert!(call.called_plugin.len() < 80 && call.called_query.len() < 80);
        assert!(!lines[0].contains("\\\\\\\\n"), "escaped once: {lines:?}");
    }
}

#[tokio::test]
async fn over_http_the_caller_is_an_address_and_what_is_no_call_is_not_told() {
    let (host, seen, log) = host("").await;
    let address = serve(host, ServiceLimits::default()).await;
    for path in ["/q/guest/position?id=7", "/q/guest/position?id=x", "/q/guest/none", "/q/none/none"] {
        http::get(address, path).await;
        let told = seen.take();
        assert_audited(&log.take_audit(), &told);
        let [Observation::CallEnded(call)] = &told[..] else { panic!("{path}: {told:?}") };
        assert!(call.caller.as_ref().unwrap().starts_with("127.0.0.1:"), "{call:?}");
    }
    for path in ["/q/guest", "/healthz", "/q/guest/position?id=%ff"] {
        http::get(address, path).await;
    }
    http::post(address, "/q/guest/position", "application/json", "{").await;
    assert!(seen.take().is_empty());
    assert!(log.take_audit().is_empty());
}

#[tokio::test]
async fn a_call_that_is_not_let_in_is_told_too() {
    let slow = component("tests/guests/slow");
    let text_of = format!(
        "[pool]\nwait_ms = 100\n[plugins.slow]\ncomponent = {slow:?}\n[plugins.slow.grants]\nrelations = {TABLES}\n\
         functions = [\"pg_sleep\"]\n[plugins.slow.limits]\ncalls = 1\n"
    );
    let config = Config::parse(&configured(&text_of), "".as_ref()).unwrap();
    let (seen, log) = (Seen::default(), Log::here());
    let builder = Host::builder().connect(&database().connection()).observe(seen.observer());
    let host = builder.start(&config).await.unwrap();
    let mut rows = host.call("slow", "late").param("seconds", 600).rows().await.unwrap();
    rows.next().await.unwrap().unwrap();
    log.take();
    text(host.call("slow", "sleep").param("seconds", 0)).await.unwrap_err();
    let waiting = host.call("slow", "sleep").param("seconds", 0).run();
    assert!(tokio::time::timeout(std::time::Duration::from_millis(20), waiting).await.is_err());
    drop(rows);
    let told = seen.take();
    assert_audited(&log.take_audit(), &told);
    let outcomes: Vec<_> = told
        .iter()
        .map(|told| match told {
            Observation::CallEnded(call) => (call.outcome.as_str(), call.rows, call.query.as_deref()),
            other => panic!("{other:?}"),
        })
        .collect();
    let sleep = Some("sleep");
    assert_eq!(outcomes, [("CS1116", 0, sleep), ("dropped", 0, sleep), ("dropped", 1, Some("late"))]);
}
