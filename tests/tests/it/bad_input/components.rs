//! Components that are none, are of another world or version, or attack before they are asked for anything.

use std::path::Path;

use callslip::service::ServiceLimits;
use callslip_tests::{component, component_with, database};

use super::{assert_serving, assert_told};
use crate::client::{get, serve};
use crate::support::config;

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// What each file of a component holds, and what its plugin is refused for.
fn files() -> Vec<(&'static str, Vec<u8>, &'static str, &'static str)> {
    let good = std::fs::read(component("tests/guests/language")).unwrap();
    let exports = |name: &str| wat(&format!("(component (instance $i) (export \"{name}\" (instance $i)))"));
    let command = "(component (core module $m (func (export \"run\") (result i32) (i32.const 0)))
        (core instance $m (instantiate $m))
        (func $run (result (result)) (canon lift (core func $m \"run\")))
        (instance $run (export \"run\" (func $run)))
        (export \"wasi:cli/run@0.2.0\" (instance $run)))";
    let other_type = "(component
        (core module $m (func (export \"manifest\")))
        (core instance $m (instantiate $m))
        (func $manifest (canon lift (core func $m \"manifest\")))
        (instance $queries (export \"manifest\" (func $manifest)))
        (export \"callslip:plugin/queries@0.1.0\" (instance $queries)))";
    vec![
        ("empty", Vec::new(), "CS0101", "the file is empty; build the plugin with `callslip build`"),
        ("text", b"#!/bin/sh\necho hello\n".to_vec(), "CS0101", "it is not WebAssembly; build the plugin"),
        ("wat", b"(component)".to_vec(), "CS0101", "in its text form"),
        ("module", wat("(module)"), "CS0101", "`callslip build` makes a component of the module"),
        ("head", good[..6].to_vec(), "CS0101", "cut short; copy or build it again"),
        ("half", good[..good.len() / 2].to_vec(), "CS0101", "cut short"),
        ("long", [&good[..], b"more"].concat(), "CS0101", "copy or build it again"),
        ("flipped", flipped(&good), "CS0101", "copy or build it again"),
        (
            "nothing",
            wat("(component)"),
            "CS0103",
            "it exports nothing; a plugin exports `callslip:plugin/queries@0.1`",
        ),
        ("command", wat(command), "CS0103", "`wasi:cli/run@0.2.0`, not `callslip:plugin/queries@0.1`"),
        ("library", exports("acme:tools/api"), "CS0103", "end the plugin's crate with `export_plugin!(…)`"),
        (
            "newer",
            exports("callslip:plugin/queries@0.2.0"),
            "CS0103",
            "this host knows version 0.1 of `callslip:plugin`",
        ),
        ("older", exports("callslip:plugin/queries@0.0.9"), "CS0103", "with an SDK of this host's version"),
        ("unversioned", exports("callslip:plugin/queries"), "CS0103", "this host knows version 0.1"),
        (
            "otherwise",
            wat(other_type),
            "CS0103",
            "does not have export `plan`; build it again with the SDK of this host's version",
        ),
        ("threads", threads(), "CS0108", "threads; build it without these target features"),
        (
            "large",
            {
                let mut large = good.clone();
                large.resize(5 << 20, 0);
                large
            },
            "CS0104",
            "has more than 4194304 bytes; build it in release mode",
        ),
    ]
}

/// A component with one byte of its code changed.
fn flipped(good: &[u8]) -> Vec<u8> {
    let mut flipped = good.to_vec();
    let at = flipped.len() / 2;
    flipped[at..at + 64].fill(0xff);
    flipped
}

fn threads() -> Vec<u8> {
    wat("(component (core module (memory 1 1 shared)) (instance $i)
         (export \"callslip:plugin/queries@0.1.0\" (instance $i)))")
}

/// What each crate of a plugin does before any of its queries is asked for.
const GUESTS: [(&str, &str, Option<&str>, &str, &str); 6] = [
    ("spy", "tests/guests/forbidden-import", None, "CS0102", "`acme:spy/files"),
    ("stuck", "tests/guests/hostile", Some("endless-start"), "CS1202", "raise limits."),
    ("mute", "tests/guests/hostile", Some("endless-manifest"), "CS1202", "raise limits."),
    (
        "babble",
        "tests/guests/hostile",
        Some("garbage-manifest"),
        "CS0201",
        "build it again with the SDK of this host's version",
    ),
    ("flood", "tests/guests/hostile", Some("huge-manifest"), "CS1204", "bytes"),
    ("bad", "tests/guests/hostile", Some("bad-manifest"), "CS0105", "../../etc/passwd"),
];

/// Components that are not there to be read.
fn places(folder: &Path) -> [(&'static str, String, &'static str, &'static str); 2] {
    let gone = folder.join("gone.wasm").display().to_string();
    [
        (
            "gone",
            gone,
            "CS0107",
            "gone.wasm can't be read: No such file or directory (os error 2); correct component in [plugins.gone], or make it with `callslip build`",
        ),
        (
            "folder",
            folder.display().to_string(),
            "CS0107",
            "it is not a file; correct component in [plugins.folder], or make it with `callslip build`",
        ),
    ]
}

#[tokio::test]
async fn each_is_refused_for_what_it_is_and_the_others_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = config("language", "tests/guests/language");
    let mut rows = Vec::new();
    let mut add = |name: &'static str, component: String, code: &'static str, says: &'static str| {
        text += &format!("[plugins.{name}]\ncomponent = {component:?}\n");
        rows.push((name, code, says));
    };
    for (name, bytes, code, says) in files() {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        add(name, file.display().to_string(), code, says);
    }
    for (name, component, code, says) in places(folder.path()) {
        add(name, component, code, says);
    }
    for (name, source, feature, code, says) in GUESTS {
        add(name, component_with(source, feature).display().to_string(), code, says);
    }

    let host = database().host(&text).await;
    let address = serve(host.clone(), ServiceLimits::default()).await;
    for (name, code, says) in rows {
        let generation = host.generation();
        let plugin = generation.plugin(name).unwrap();
        let refusal = plugin.expect_err(name);
        println!("{refusal}");
        assert!(
            refusal.findings.iter().all(|found| found.finding.code.as_str() == code),
            "{name}: {refusal}"
        );
        assert!(refusal.to_string().contains(says), "{name}: no {says:?} in {refusal}");
        let told = get(address, &format!("/q/{name}/query")).await;
        assert_told(name, &told, 503, "CS1205", "the log says why");
        assert_serving(name, address).await;
    }
}
