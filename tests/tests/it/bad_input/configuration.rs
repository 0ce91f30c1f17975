//! Configurations that can't be used: where in the file, and what it should say.

use callslip_tests::configured;

use super::command::{folder, run};

const GOOD: &str = "[plugins.hiring]\ncomponent = \"hiring.wasm\"\n";

#[test]
fn each_is_refused_with_its_line() {
    let folder = folder();
    let path = folder.path();
    for (text, says) in [
        ("[pool]\nsize = 4\nsise = 5\n", &["line 3", "unknown field `sise`", "`size`"][..]),
        ("[pol]\nsize = 4\n", &["line 1", "unknown field `pol`", "`pool`"]),
        ("[plugins.hiring]\ncomponent = \"hiring.wasm\"\ngrant = {}\n", &["line 3", "`grant`", "`grants`"]),
        (
            "[plugins.hiring]\ncomponent = \"hiring.wasm\"\n[plugins.hiring.grants]\ntables = []\n",
            &["line 4", "`tables`", "`relations`"],
        ),
        ("[plugins.hiring]\ncomponnent = \"hiring.wasm\"\n", &["line 2", "`componnent`", "`component`"]),
        ("[plugins.hiring]\n", &["line 1", "plugins.hiring has no `component`"]),
        ("[pool]\nsize = \"4\"\n", &["line 2", "invalid type: string \"4\", expected"]),
        ("[pool]\nsize = -4\n", &["line 2", "`-4`"]),
        ("[pool]\nsize = 0\n", &["line 2: pool.size must be greater than zero"]),
        ("[pool]\nsize = 4\nsize = 5\n", &["line 3", "duplicate key"]),
        (
            "[plugins.hiring]\ncomponent = \"a\"\n[plugins.hiring]\ncomponent = \"b\"\n",
            &["line 3", "duplicate key"],
        ),
        ("[database]\nschemas = \"public\"\n", &["line 2", "expected a sequence"]),
        ("[database]\nschemas = []\n", &["line 2: database.schemas names no schema"]),
        ("[plugins.\"Hiring\"]\ncomponent = \"hiring.wasm\"\n", &["\"Hiring\" is not [a-z][a-z0-9_-]*"]),
        ("[limits]\nplan_ms = 0\n", &["line 2: limits.plan_ms must be greater than zero"]),
        ("[limits]\nmemory_mib = 99999999999\n", &["line 2: limits.memory_mib must be at most 4096"]),
        ("[limits]\nplan_ms = 1e3\n", &["line 2", "floating point `1000.0`, expected u64"]),
        ("plugins = 7\n", &["line 1", "expected a map"]),
        ("[plugins.hiring\n", &["line 1"]),
        ("<html>", &["line 1"]),
    ] {
        std::fs::write(path.join("bad.toml"), text).unwrap();
        let (exit, shown) = run(path, &["run", "hiring", "funnel", "company=1", "--config", "bad.toml"]);
        assert_eq!(exit, Some(1), "{text}: {shown}");
        for says in says.iter().chain(&["CS2001: bad.toml can't be used: "]) {
            assert!(shown.contains(says), "{text}: no {says:?} in {shown}");
        }
    }
}

#[test]
fn each_file_that_is_none_is_told() {
    let folder = folder();
    let path = folder.path();
    std::fs::write(path.join("bytes.toml"), b"\xff\xfe[pool]\n").unwrap();
    std::fs::create_dir(path.join("folder.toml")).unwrap();
    for (file, says) in [
        (
            "nowhere.toml",
            "CS2001: there is no configuration nowhere.toml: write one, or name it with --config FILE",
        ),
        ("folder.toml", "CS2001: folder.toml can't be read: Is a directory"),
        ("bytes.toml", "CS2001: bytes.toml can't be read: stream did not contain valid UTF-8"),
    ] {
        let (exit, shown) = run(path, &["run", "hiring", "funnel", "company=1", "--config", file]);
        assert_eq!(exit, Some(1), "{file}: {shown}");
        assert!(shown.contains(says), "{file}: no {says:?} in {shown}");
    }
}

#[test]
fn grants_that_the_database_does_not_have_are_all_told() {
    let folder = folder();
    let path = folder.path();
    let grants = "[plugins.hiring.grants]\nrelations = [\"compny\", \"pg_catalog.pg_class\"]\nfunctions = [\"no_such\"]\n";
    std::fs::write(path.join("bad.toml"), configured(&format!("{GOOD}{grants}"))).unwrap();
    let (exit, shown) = run(path, &["run", "hiring", "funnel", "company=1", "--config", "bad.toml"]);
    assert_eq!(exit, Some(1), "{shown}");
    for says in [
        "hiring: CS2001: grants.relations names \"compny\"",
        "did you mean \"company\"?",
        "PostgreSQL's own catalogs can't be granted",
        "grants.functions names \"no_such\"",
    ] {
        assert!(shown.contains(says), "no {says:?} in {shown}");
    }
}
