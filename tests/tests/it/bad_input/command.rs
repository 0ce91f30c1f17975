//! What the command is told that it can't do: the exit code, the stable code, and what to do instead.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use callslip_tests::{component, configured, database};

use crate::command::callslip;
use crate::support::TABLES;

/// A folder with a configuration and the component that it names.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(component("example-plugins/hiring"), folder.path().join("hiring.wasm")).unwrap();
    std::fs::write(folder.path().join("text.wasm"), "no WebAssembly").unwrap();
    let text = format!(
        "[plugins.hiring]\ncomponent = \"hiring.wasm\"\n[plugins.hiring.grants]\nrelations = {TABLES}\n\
         [plugins.text]\ncomponent = \"text.wasm\"\n"
    );
    std::fs::write(folder.path().join("callslip.toml"), configured(&text)).unwrap();
    folder
}

/// Runs the command to its end, which must come without being asked for.
pub fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = callslip();
    let output = command.args(arguments).current_dir(folder).env("DATABASE_URL", database().url()).output();
    let Output { status, stdout, stderr } = output.unwrap();
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

#[test]
fn what_it_is_told() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let nowhere = "postgres://nobody@127.0.0.1:1/shop";
    for (line, code, says) in [
        // The command line.
        ("", 2, "Usage: callslip"),
        ("rnu hiring funnel", 2, "unrecognized subcommand 'rnu'"),
        ("run hiring", 2, "<QUERY>"),
        ("run hiring funnel company=1 --formt json", 2, "--format"),
        ("run hiring funnel company=1 --format yaml", 2, "[possible values: table, json]"),
        ("run hiring funnel company", 2, "write name=value"),
        ("run hiring funnel --json {", 2, "not a JSON object"),
        ("run hiring funnel company=1 --json {}", 2, "cannot be used with"),
        ("serve --listen nowhere", 2, "--listen"),
        // Names and parameters.
        (
            "run hirin funnel company=1",
            1,
            "CS1001: callslip.toml has no plugin \"hirin\"; did you mean \"hiring\"?",
        ),
        ("run x funnel company=1", 1, "CS1001: callslip.toml has no plugin \"x\"; it has hiring, text"),
        (
            "run hiring funel company=1",
            1,
            "CS1002: the plugin hiring has no query \"funel\"; did you mean \"funnel\"?",
        ),
        (
            "run hiring x",
            1,
            "CS1002: the plugin hiring has no query \"x\"; it has funnel, interviews, progress, workload",
        ),
        (
            "explain hiring funel",
            1,
            "CS1002: the plugin hiring has no query \"funel\"; did you mean \"funnel\"?",
        ),
        (
            "run hiring funnel company=1 limt=3",
            1,
            "CS1003: query `funnel` has no parameter `limt`; did you mean `limit`?",
        ),
        ("run hiring funnel", 1, "CS1004: parameter `company` is missing"),
        ("run hiring funnel company=x", 1, "CS1005: parameter `company` is not a whole number: `x`"),
        ("run hiring funnel company=1 limit=501", 1, "CS1005: parameter `limit` is not from 1 to 500: `501`"),
        // Components.
        ("run text funnel", 1, "text: CS0101: it is not WebAssembly; build the plugin with `callslip build`"),
        ("serve --strict --listen 127.0.0.1:0", 1, "CS1205: 1 plugin of callslip.toml is refused: text"),
        ("build nowhere", 1, "nowhere"),
        // The database.
        (
            &format!("run hiring funnel company=1 --database-url {nowhere}"),
            1,
            "CS1101: can't use the database postgresql://nobody@127.0.0.1:1/shop",
        ),
        (
            &format!("serve --strict --database-url {nowhere}"),
            1,
            "start it, or correct DATABASE_URL, --database-url or the PG* variables",
        ),
        (&format!("serve --strict --database-url {nowhere}"), 1, "Connection refused"),
        ("run hiring funnel --database-url mysql://localhost/shop", 1, "CS2002: "),
        (
            "run hiring funnel --database-url postgres://localhost/shop?sslmode=sometimes",
            1,
            "CS2002: the connection URL: sslmode is none that libpq knows",
        ),
        // The address.
        (&format!("serve --listen {taken}"), 1, "CS2005: can't listen on "),
        (&format!("serve --listen {taken}"), 1, "choose another address with --listen"),
    ] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let (exit, shown) = run(folder.path(), &arguments);
        assert_eq!(exit, Some(code), "{line}: {shown}");
        assert!(shown.contains(says), "{line}: no {says:?} in {shown}");
        assert!(!shown.contains("panicked"), "{line}: {shown}");
    }
    let (exit, shown) = run(folder.path(), &["run", "hiring", "funnel", "company=1", "limit=1"]);
    assert_eq!(exit, Some(0), "after all of them: {shown}");
    assert!(shown.ends_with("]\n"), "JSON in a pipe ends its line: {shown:?}");
}

#[test]
fn nobody_reads_what_it_prints() {
    let folder = folder();
    let mut command = callslip();
    command.args(["run", "hiring", "finalists", "--json", "{\"company\": 1}"]);
    command.current_dir(folder.path()).env("DATABASE_URL", database().url());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut gone = writer.try_clone().unwrap();
    assert!(gone.write_all(b"x").is_err(), "the pipe has no reader");
    let output = command.stdout(writer).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
}
