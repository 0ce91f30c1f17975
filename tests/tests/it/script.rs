//! A plugin in JavaScript: a component of 12 MB with an interpreter in it, which is held as tight as any.

use std::path::Path;
use std::time::{Duration, Instant};

use callslip::{Code, Host};
use callslip_tests::{database, is_left_out, script};
use serde_json::{Value, json};

use crate::support::{TABLES, call, config};

/// A host with the plugin, if it can be made, loaded as a script or not.
async fn host_with(component: &Path, profile: &str) -> Host {
    let text = format!(
        "[limits]\nfailures = 100
         [plugins.script]
         component = {component:?}
         {profile}
         [plugins.script.grants]
         relations = {TABLES}\n"
    );
    database().host(&(text + &config("language", "tests/guests/language"))).await
}

async fn deed(host: &Host, deed: &str) -> (Code, String) {
    let error = call(host, "script", "bide", json!({ "deed": deed })).await.expect_err("it refuses or fails");
    (error.code(), error.log_message())
}

#[tokio::test]
async fn a_plugin_in_javascript_is_proven_served_and_contained() {
    if is_left_out("it is another language, and not another way to the database") {
        return;
    }
    let Some(component) = script() else { return };
    let host = host_with(&component, "profile = \"script\"").await;
    let generation = host.generation();
    let plugin = generation.plugin("script").unwrap().unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!((plugin.profile().as_str(), plugin.proven()), ("script", 1));

    let rows = call(&host, "script", "positions", json!({ "company": 1 })).await.unwrap();
    let expected = "SELECT id, title FROM position WHERE company_id = 1 ORDER BY id";
    assert_eq!(rows, Value::from(database().rows(expected).await));
    assert!(!rows.as_array().unwrap().is_empty());

    // Each call has an instance of its own, and nothing of a system around it.
    for _ in 0..3 {
        let (code, said) = deed(&host, "nothing").await;
        assert_eq!(code, Code::NotFound);
        assert!(said.starts_with("1 calls; undefined, "), "{said}");
    }

    for (name, codes) in [
        ("loop", &[Code::PluginTimeout][..]),
        ("eval", &[Code::PluginTimeout]),
        ("expression", &[Code::PluginTimeout]),
        // The interpreter says that it is too much before the host does, or the other way round.
        ("recursion", &[Code::PluginTrapped]),
        ("memory", &[Code::PluginOutOfMemory, Code::PluginTrapped, Code::PluginTimeout]),
        ("text", &[Code::PluginOutOfMemory, Code::PluginTrapped, Code::PluginTimeout]),
        ("throw", &[Code::PluginTrapped]),
    ] {
        let begun = Instant::now();
        let (code, said) = deed(&host, name).await;
        assert!(codes.contains(&code), "{name}: {code}: {said}");
        assert!(!said.contains(['\n', '\u{202e}']), "{name}: {said:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{name}: {:?}", begun.elapsed());
        let others = call(&host, "language", "slices", json!({ "limit": 2 })).await;
        assert_eq!(others.unwrap().as_array().map(Vec::len), Some(2), "after {name}");
        assert_eq!(call(&host, "script", "positions", json!({ "company": 1 })).await.unwrap(), rows);
    }
}

#[tokio::test]
async fn a_plugin_in_javascript_is_too_large_for_the_compact_profile() {
    if is_left_out("it is another language, and not another way to the database") {
        return;
    }
    let Some(component) = script() else { return };
    let host = host_with(&component, "").await;
    let generation = host.generation();
    let refusal = generation.plugin("script").unwrap().unwrap_err();
    let [found] = refusal.findings.as_slice() else { panic!("{refusal}") };
    assert_eq!(found.finding.code, Code::ComponentTooLarge);
    assert!(found.finding.to_string().contains("profile = \"script\""), "{refusal}");
}
