//! Plugins that attack their host. Each attack must be refused for what it is, and another plugin must be served all
//! the while. What a component does before it is asked for a plan is among the [bad input](crate::bad_input).

use callslip::{Code, Host, Refusal};
use callslip_tests::{component, database, is_left_out};
use serde_json::json;

use crate::support::{call, config};

/// A host with a good plugin and a bad one, and why the bad one was refused.
async fn beside_a_good_plugin(source: &str) -> (Host, Refusal) {
    let text = config("language", "tests/guests/language");
    let bad = component(source);
    let host = database().host(&format!("{text}\n[plugins.bad]\ncomponent = {bad:?}\n")).await;
    let generation = host.generation();
    let plugin = generation.plugin("bad").expect("it is configured");
    let refusal = plugin.expect_err("a hostile plugin is served").clone();
    (host, refusal)
}

async fn assert_serving(host: &Host) {
    let rows = call(host, "language", "slices", json!({"limit": 2})).await;
    assert_eq!(
        rows.unwrap_or_else(|error| panic!("{}", error.log_message())).as_array().map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn what_a_plan_does_is_contained() {
    let (host, refusal) = beside_a_good_plugin("tests/guests/hostile").await;
    println!("{refusal}");
    let expected = [
        ("endless_loop", Code::PluginTimeout),
        ("endless_recursion", Code::PluginTrapped),
        ("panic", Code::PluginTrapped),
        ("panic_forging_log_lines", Code::PluginTrapped),
        ("abort", Code::PluginTrapped),
        ("allocation_bomb", Code::PluginOutOfMemory),
        ("huge_shape", Code::PluginOutputTooLarge),
        ("many_statements", Code::PluginOutputTooLarge),
        ("many_files", Code::PluginOutputTooLarge),
        ("garbage_shape", Code::MalformedDescription),
        ("newer_shape", Code::MalformedDescription),
        ("lying_length", Code::MalformedDescription),
        ("garbage_bindings", Code::MalformedDescription),
        ("harmless", Code::InvalidStructure),
    ];
    for (query, code) in expected {
        let codes: Vec<Code> = refusal
            .findings
            .iter()
            .filter(|found| found.query.as_deref() == Some(query))
            .map(|found| found.finding.code)
            .collect();
        assert_eq!(codes, [code], "{query} in {refusal}");
    }
    let panic =
        refusal.findings.iter().find(|found| found.query.as_deref() == Some("panic")).expect("it is there");
    assert!(
        panic.finding.place.as_ref().is_some_and(|place| place.file.ends_with("runaway.rs")),
        "{panic:?}"
    );
    let forged =
        refusal.findings.iter().find(|found| found.query.as_deref() == Some("panic_forging_log_lines"));
    let forged = &forged.expect("it is there").finding.message;
    assert!(!forged.contains(['\n', '\r', '\u{1b}']), "{forged:?}");

    assert_serving(&host).await;
    let error = call(&host, "bad", "harmless", json!({})).await.expect_err("it is not served");
    assert_eq!(error.code(), Code::PluginDegraded);
}

#[tokio::test]
async fn a_plugin_that_panics_at_run_time_loses_only_that_call() {
    // What comes of so many is another test's.
    let text = "[limits]\nfailures = 1000\n".to_owned() + &config("language", "tests/guests/language");
    let host = database().host(&text).await;
    for _ in 0..20 {
        let error =
            call(&host, "language", "search", json!({"words": "panic"})).await.expect_err("it panics");
        assert_eq!(error.code(), Code::PluginTrapped);
        assert!(!error.to_string().contains("told to"), "a plugin's words are for the log: {error}");
        assert!(error.log_message().contains("told to"), "{}", error.log_message());
    }
    assert_serving(&host).await;
    assert_eq!(
        host.pool().unwrap().status().size,
        host.pool().unwrap().status().available,
        "every connection is back"
    );
}

#[tokio::test]
async fn a_host_can_read_and_nothing_else() {
    if is_left_out("its sessions are everybody's, and only the transactions of runs are read-only") {
        return;
    }
    // The same login beside the host: what the host's sessions refuse is refused by the session, not by its grants.
    let host = database().host(&config("language", "tests/guests/language")).await;
    let owner = database().owner().await;
    owner
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS public.written (n int); GRANT ALL ON public.written TO PUBLIC",
        )
        .await
        .unwrap();
    let loan = host.pool().unwrap().loan().await.unwrap();
    let error =
        loan.client().batch_execute("INSERT INTO public.written VALUES (1)").await.expect_err("it writes");
    assert_eq!(error.code().map(|code| code.code()), Some("25006"), "{error}");
    let rows = owner.query("SELECT 1 FROM public.written", &[]).await.unwrap();
    assert!(rows.is_empty());
}
