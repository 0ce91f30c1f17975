//! The id of a call, its slip, and `callslip replay`.

use std::fs;
use std::path::Path;
use std::process::Output;

use callslip::service::Slips;
use callslip::{CallId, Config, Host};
use callslip_tests::http::{self, Response};
use callslip_tests::{component, component_with, configured, database, language_and_slow};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::served::{Served, command};

/// A server of the hiring plugin and of those that a test needs beside it, which keeps slips.
fn hiring(settings: &str) -> String {
    let component = component("example-plugins/hiring");
    format!(
        "[slips]\nfolder = \"slips\"\n{settings}\n[plugins.hiring]\ncomponent = {component:?}\n\
         [plugins.hiring.grants]\nrelations = [\"candidate\", \"candidate_tag\", \"company\", \"interview\", \
         \"position\", \"question\", \"rating\", \"reviewer\", \"tag\"]\n"
    )
}

/// The id that an answer tells.
#[track_caller]
fn id(answer: &Response) -> CallId {
    let line = answer.head.lines().find_map(|line| line.strip_prefix("callslip-id: "));
    line.expect("an answer tells the id of its call").parse().unwrap()
}

fn replay(config: &Path, id: CallId, arguments: &[&str]) -> Output {
    let output = command()
        .args(["replay", &id.to_string(), "--database-url", &database().url(), "--config"])
        .arg(config)
        .args(arguments)
        .output();
    output.unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a replay has printed as JSON.
#[track_caller]
fn printed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", words(&output.stdout), words(&output.stderr)))
}

/// Stops a server, and waits until all of its slips are in its folder.
fn stop(served: &mut Served) {
    served.signal(Signal::SIGTERM);
    assert_eq!(served.ended(), Some(0));
}

/// All that is in a folder of slips.
fn kept(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| words(&fs::read(file.unwrap().path()).unwrap())).collect()
}

#[tokio::test]
async fn an_answer_and_the_log_tell_the_same_id() {
    let served = Served::start(&database().url(), &hiring(""), &["-vv"]);
    let address = served.address();
    let good = http::get(address, "/q/hiring/overview?company=1").await;
    assert_eq!(good.status, 200, "{}", words(&good.body));
    let bad = http::get(address, "/q/hiring/funnel?company=x").await;
    let missing = http::get(address, "/q/hiring/nothing").await;
    let elsewhere = http::get(address, "/elsewhere").await;
    let unread = http::post(address, "/q/hiring/funnel", "text/plain", "?").await;
    for (answer, status, code) in [
        (&bad, 400, "CS1005"),
        (&missing, 404, "CS1002"),
        (&elsewhere, 404, "CS1002"),
        (&unread, 415, "CS1008"),
    ] {
        let problem = answer.assert_problem(status, code);
        assert_eq!(problem["instance"], id(answer).urn());
        assert!(answer.whole);
    }
    for answer in [&good, &bad, &missing] {
        served.wait_for(&format!("a call has ended id={} ", id(answer)));
    }
    for answer in [&good, &bad, &missing, &elsewhere, &unread] {
        let line = served.wait_for(&format!("a request has ended id={} ", id(answer)));
        let read = format!("bytes={} ", answer.body.len());
        assert!(line.contains("is_whole=true") && line.contains(&read), "{line}");
    }
    assert_ne!(id(&good), id(&bad));
}

#[tokio::test]
async fn a_call_is_run_again_after_its_server_has_ended() {
    let config = format!("[slips]\nfolder = \"slips\"\n{}", language_and_slow(""));
    let mut served = Served::start(&database().url(), &config, &[]);
    let body = r#"{
        "bool": true, "int2": -1, "int4": 2, "int8": 9007199254740993, "float4": 1.5, "float8": 0.1,
        "numeric": 12345678901234567890.12345678901234567890, "text": "Zoë\n\u202e", "date": "2026-01-31",
        "time": "10:00", "timestamp": "2026-01-31T10:00:00", "timestamptz": "2026-01-31T10:00:00Z",
        "interval": "1 day", "uuid": "00000000-0000-0000-0000-000000000001",
        "json": {
            "a": [1,
                  2]
        },
        "bytes": "AAE=", "texts": ["a", "b"], "ints": [1, 2], "nullable": null
    }"#;
    let posted = http::post(served.address(), "/q/language/parameters", "application/json", body).await;
    assert_eq!(posted.status, 200, "{}", words(&posted.body));
    let asked = http::get(served.address(), "/q/language/slices?limit=3").await;
    assert_eq!(asked.status, 200, "{}", words(&asked.body));
    stop(&mut served);

    let again = replay(&served.config(), id(&posted), &["--json"]);
    assert!(again.status.success(), "{}", words(&again.stderr));
    let text = words(&again.stdout);
    assert!(
        text.contains("9007199254740993") && text.contains("12345678901234567890.12345678901234567890"),
        "{text}"
    );
    let again = printed(&again);
    let slip = &again["slip"];
    assert_eq!((&slip["id"], &slip["outcome"]), (&json!(id(&posted)), &json!("complete")), "{slip}");
    let call = &again["call"];
    assert_eq!((&call["is_same_version"], &call["is_same_sql"]), (&json!(true), &json!(true)), "{call}");
    let (columns, row) = (&call["first_rows"][0]["columns"], &call["first_rows"][0]["rows"][0]);
    let value = |name: &str| {
        let at = columns.as_array().unwrap().iter().position(|column| column == name).unwrap();
        row[at].as_str().unwrap()
    };
    assert_eq!(value("int8"), "9007199254740993");
    assert_eq!(value("numeric"), "12345678901234567890.12345678901234567890");
    assert_eq!(value("text"), "Zoë\\n\\u{202e}");
    assert!(call["statements"][0]["sql"].as_str().unwrap().contains("SELECT"), "{call}");
    let plan = call["plans"][0].as_array().unwrap();
    assert!(plan.iter().any(|line| line.as_str().unwrap().starts_with("Execution Time")), "{plan:?}");
    assert!(
        call["executed_us"].as_u64() > Some(0) && call["total_us"].as_u64() >= call["executed_us"].as_u64()
    );

    // What is for people.
    let again = replay(&served.config(), id(&asked), &["--rows", "2"]);
    assert!(again.status.success(), "{}", words(&again.stderr));
    let text = words(&again.stdout);
    for words in [
        "language.slices at 20",
        "parameters: limit=3",
        "as it was",
        "complete then, complete now",
        "waited for the database",
        "(3 rows, 1 not shown)",
        "LIMIT CAST($1 AS",
        "(actual",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    let without = replay(&served.config(), id(&asked), &["--no-plan"]);
    assert!(!words(&without.stdout).contains("(actual"));
}

#[tokio::test]
async fn a_call_is_run_again_on_another_version() {
    let owner = database().owner().await;
    owner
        .batch_execute(
            "CREATE SCHEMA slips;
             CREATE TABLE slips.amount (id int PRIMARY KEY, amount int NOT NULL);
             INSERT INTO slips.amount VALUES (1, 10), (2, 20);
             GRANT USAGE ON SCHEMA slips TO callslip_reader;
             GRANT SELECT ON ALL TABLES IN SCHEMA slips TO callslip_reader;",
        )
        .await
        .unwrap();
    let (one, other) =
        (component("tests/guests/live"), component_with("tests/guests/live", Some("reordered")));
    let config = format!(
        "[slips]\nfolder = \"slips\"\n[database]\nschemas = [\"slips\"]\n[plugins.amounts]\ncomponent = {one:?}\n\
         [plugins.amounts.grants]\nrelations = [\"amount\"]\n"
    );
    let mut served = Served::start(&database().url(), &config, &[]);
    let answer = http::get(served.address(), "/q/amounts/two").await;
    assert_eq!(answer.status, 200, "{}", words(&answer.body));
    stop(&mut served);
    let names = |printed: &Value| {
        let statements = printed["call"]["statements"].as_array().unwrap().clone();
        statements.into_iter().map(|its| its["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let same = printed(&replay(&served.config(), id(&answer), &["--json"]));
    assert_eq!(
        (&same["call"]["is_same_version"], names(&same)),
        (&json!(true), vec!["ids".into(), "amounts".into()])
    );
    let against = ["--against", other.to_str().unwrap()];
    let next = printed(&replay(&served.config(), id(&answer), &[&against[..], &["--json"]].concat()));
    assert_eq!(
        (&next["call"]["is_same_version"], names(&next)),
        (&json!(false), vec!["amounts".into(), "ids".into()])
    );
    assert_eq!(next["call"]["is_same_sql"], false);
    assert_eq!(next["call"]["plans"].as_array().unwrap().len(), 2);
    let text = words(&replay(&served.config(), id(&answer), &against).stdout);
    assert!(text.contains("another one than it was") && text.contains("SQL: other than it was"), "{text}");
}

#[tokio::test]
async fn what_is_redacted_is_not_in_the_folder_and_is_asked_for() {
    let redacted = "redact = [\"tags\", \"hiring.candidates.hours\"]";
    let mut served = Served::start(&database().url(), &hiring(redacted), &[]);
    let path = "/q/hiring/candidates?tags=very-secret&hours=77.125&page_size=3";
    let answer = http::get(served.address(), path).await;
    assert_eq!(answer.status, 200, "{}", words(&answer.body));
    let refused =
        http::get(served.address(), "/q/hiring/candidates?tags=very-secret&hours=very-secret").await;
    assert_eq!(refused.status, 400);
    stop(&mut served);
    let kept = kept(&served.folder().join("slips"));
    assert!(kept.contains(&id(&answer).to_string()) && kept.contains("page_size"), "{kept}");
    assert!(!kept.contains("secret") && !kept.contains("77.125"), "{kept}");
    assert!(served.lines().iter().all(|line| !line.contains("secret")));

    let without = replay(&served.config(), id(&answer), &["--param", "hours=77.125"]);
    let said = words(&without.stderr);
    assert_eq!(without.status.code(), Some(1), "{said}");
    assert!(
        said.contains("CS1004") && said.contains("--param tags=VALUE") && !said.contains("hours"),
        "{said}"
    );
    let with = replay(&served.config(), id(&answer), &["--param", "hours=77.125", "--param", "tags=wow"]);
    assert!(with.status.success(), "{}", words(&with.stderr));
    assert!(
        words(&with.stdout).contains("page_size=3 hours (redacted) tags (redacted)"),
        "{}",
        words(&with.stdout)
    );
}

#[tokio::test]
async fn a_call_that_fails_is_run_again() {
    let config = language_and_slow("[slips]\nfolder = \"slips\"\n[pool]\nstatement_timeout_ms = 300");
    let mut served = Served::start(&database().url(), &config, &[]);
    let late = http::get(served.address(), "/q/slow/sleep?seconds=1000").await;
    late.assert_problem(504, "CS1104");
    let wrong = http::get(served.address(), "/q/slow/sleep?seconds=x").await;
    wrong.assert_problem(400, "CS1005");
    stop(&mut served);
    let again = replay(&served.config(), id(&late), &[]);
    let text = words(&again.stdout);
    assert_eq!(again.status.code(), Some(1), "{}", words(&again.stderr));
    for words in ["CS1104 then, CS1104 now", "it fails: CS1104", "pg_sleep", "there is no plan: CS1104"] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    // With another value it does not.
    let again = replay(&served.config(), id(&late), &["--param", "seconds=0"]);
    assert!(again.status.success(), "{}", words(&again.stderr));
    let again = printed(&replay(&served.config(), id(&wrong), &["--json"]));
    assert_eq!(
        (&again["slip"]["outcome"], &again["call"]["error"]["code"]),
        (&json!("CS1005"), &json!("CS1005"))
    );
}

#[tokio::test]
async fn a_call_is_run_again_with_its_claims_under_a_row_filter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("callslip.toml");
    let filters = "[audit]\nclaim = \"user\"\n[filters]\nposition = \"company_id = claim('company')\"";
    let text = format!("{}{filters}", hiring("redact = [\"user\"]"));
    fs::write(&path, configured(&text)).unwrap();
    let config = Config::read(&path).unwrap();
    let slips = Slips::start(&config.slips).unwrap().unwrap();
    let builder = Host::builder().connect(&database().connection()).observe(slips.observer());
    let host = builder.start(&config).await.unwrap_or_else(|error| panic!("{error}"));
    let id = CallId::new();
    let call = host.call("hiring", "funnel").param("company", 1).param("open", false).id(id);
    let mut reply = call.claim("company", 1).claim("user", "grace@example.org").run().await.unwrap();
    while reply.next_chunk().await.unwrap().is_some() {}
    let rows = reply.rows();
    assert!(rows > 0);
    slips.flush().await;
    assert_eq!(slips.dropped(), 0);
    let kept = kept(&folder.path().join("slips"));
    assert!(kept.contains(&id.to_string()) && !kept.contains("grace"), "{kept}");

    let user = ["--claim", "user=somebody", "--json"];
    let again = printed(&replay(&path, id, &user));
    assert_eq!((&again["call"]["rows"], &again["slip"]["rows"]), (&json!(rows), &json!(rows)));
    assert!(again["call"]["plans"][0][0].as_str().unwrap().contains("actual"), "{again}");
    let other = printed(&replay(&path, id, &[&user[..], &["--claim", "company=2"]].concat()));
    assert_eq!(other["call"]["rows"], 0);
}

#[tokio::test]
async fn what_there_is_no_slip_of_is_told() {
    let mut served = Served::start(&database().url(), &hiring(""), &[]);
    let nothing = http::get(served.address(), "/q/hiring/nothing").await;
    nothing.assert_problem(404, "CS1002");
    stop(&mut served);
    for (id, why) in [
        (CallId::new(), "slips are kept for 24 hours and as long as there is room in 256 MiB"),
        (id(&nothing), "whose query there was"),
        ("01890d5e-6c1a-7b52-9f03-5d1c2f6a8e47".parse().unwrap(), "it came more than 24 hours ago"),
    ] {
        let output = replay(&served.config(), id, &[]);
        let said = words(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("CS2007") && said.contains(&id.to_string()) && said.contains(why), "{said}");
    }
    let text = fs::read_to_string(served.config()).unwrap().replace("folder = \"slips\"", "");
    fs::write(served.config(), text).unwrap();
    let said = words(&replay(&served.config(), CallId::new(), &[]).stderr);
    assert!(said.contains("CS2007") && said.contains("slips.folder"), "{said}");
}

#[tokio::test]
async fn a_folder_that_others_can_enter_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let slips = folder.path().join("slips");
    fs::create_dir(&slips).unwrap();
    fs::set_permissions(&slips, fs::Permissions::from_mode(0o750)).unwrap();
    let mut served = Served::start_in(folder, &database().url(), &hiring(""), &[]);
    assert_eq!(served.ended(), Some(1));
    let said = served.wait_for("CS2001");
    assert!(said.contains("can be used by others (its mode is 750)"), "{said}");
}

#[tokio::test]
async fn a_slow_query_is_logged_with_its_sql_and_plan() {
    let config = language_and_slow("[slow_queries]\nover_ms = 1500");
    let served = Served::start(&database().url(), &config, &[]);
    let quick = http::get(served.address(), "/q/slow/sleep?seconds=0").await;
    assert_eq!(quick.status, 200);
    let slow = http::get(served.address(), "/q/slow/sleep?seconds=1.9125").await;
    assert_eq!(slow.status, 200);
    let line = served.wait_for("a query was slow");
    let id = format!("id={}", id(&slow));
    for words in [
        &id,
        "plugin=\"slow\"",
        "query=\"sleep\"",
        "shape=",
        "pg_sleep\\\"(CAST($1",
        "plan=\"Subquery Scan",
        "outcome=\"complete\"",
    ] {
        assert!(line.contains(words), "no {words:?} in {line}");
    }
    // Neither what is quick is told of, nor a value.
    assert!(!line.contains("1.9125"), "{line}");
    assert_eq!(served.lines().iter().filter(|line| line.contains("a query was slow")).count(), 1);
    // Another one so soon is told of without a plan.
    let lines = served.lines().len();
    let late = http::get(served.address(), "/q/slow/several?seconds=1.75").await;
    assert_eq!(late.status, 200);
    let line = served.wait_for_after(lines, "a query was slow");
    assert!(line.contains("several") && !line.contains("plan="), "{line}");
}
