//! What errors tell callers: a code and a SQLSTATE. What PostgreSQL said, and what there is, is in the log.

use std::net::SocketAddr;
use std::path::Path;

use callslip::service::ServiceLimits;
use callslip::{Config, Host};
use callslip_tests::{Log, component, configured, database, http};
use tokio::sync::OnceCell;

use crate::client::serve;
use crate::command::callslip;
use crate::support::read;

/// What is in the table, and in no reply.
const SECRET: &str = "s3cret-of-the-table";

/// What comes after it there, on a line of its own: whoever writes into tables may want to write into the log.
const FORGED: &str = " INFO callslip::audit: forged";

fn config(settings: &str) -> String {
    let telling = component("tests/guests/telling");
    format!(
        "{settings}\n[plugins.telling]\ncomponent = {telling:?}\n[plugins.telling.grants]\n\
         relations = [\"telling.kept\"]\nfunctions = [\"telling.tell\"]\ntypes = [\"telling.checked\"]\n\
         [plugins.gone]\ncomponent = \"/no/such/file.wasm\"\n"
    )
}

async fn host(settings: &str) -> Host {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let sql = format!(
        "CREATE SCHEMA telling;
         CREATE TABLE telling.kept AS SELECT n, '{SECRET}' || chr(10) || '{FORGED}' || chr(27) || repeat('x', 20000)
         AS secret FROM generate_series(1, 5000) AS n;
         CREATE TABLE telling.hidden AS SELECT 1 AS n;
         CREATE TYPE telling.mood AS ENUM ('calm');
         CREATE FUNCTION telling.tell(text) RETURNS int LANGUAGE plpgsql STABLE AS
         $$BEGIN RAISE 'it is %', $1 USING DETAIL = 'D ' || $1, HINT = 'H ' || $1; END$$;
         CREATE FUNCTION telling.secretly(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
         CREATE FUNCTION telling.check(text) RETURNS bool LANGUAGE plpgsql STABLE AS
         $$BEGIN RAISE 'it is %', (SELECT secret FROM telling.kept LIMIT 1) USING ERRCODE = '23514'; END$$;
         CREATE DOMAIN telling.checked AS text CHECK (telling.check(VALUE));
         GRANT USAGE ON SCHEMA telling TO PUBLIC;
         GRANT SELECT ON ALL TABLES IN SCHEMA telling TO PUBLIC"
    );
    MADE.get_or_init(|| database().execute(&sql)).await;
    let config = Config::parse(&configured(&config(settings)), Path::new(""));
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    let host = Host::builder().connect(&database().connection()).start(&config).await;
    let host = host.unwrap_or_else(|error| panic!("{error}"));
    host.generation().plugin("telling").unwrap().unwrap_or_else(|refusal| panic!("{refusal}"));
    host
}

/// Requests that fail by what PostgreSQL says of a value, with their status, code and SQLSTATE.
const FAILING: [(&str, u16, &str, &str); 4] = [
    ("cast", 400, "CS1012", "22P02"),
    ("raised", 500, "CS1103", "P0001"),
    ("second", 500, "CS1103", "P0001"),
    ("checked?value=x", 400, "CS1005", "23514"),
];

#[tokio::test]
async fn what_postgresql_says_is_in_the_log_and_not_in_the_reply() {
    let (host, log) = (host("").await, Log::here());
    let mut client = database().writer().await;
    let address = serve(host.clone(), ServiceLimits::default()).await;
    for (query, status, code, sqlstate) in FAILING {
        log.take();
        let answer = http::get(address, &format!("/q/telling/{query}")).await;
        let problem = answer.assert_problem(status, code);
        assert!(problem["detail"].as_str().unwrap().contains(sqlstate), "{problem}");
        assert!(!format!("{}{problem}", answer.head).contains(SECRET), "{query}: {problem}");
        let lines = log.take();
        // What a value of the caller's own is not, the caller is told without PostgreSQL's words.
        assert_eq!(lines.iter().any(|line| line.contains(SECRET)), code != "CS1005", "{query}: {lines:#?}");
        assert!(
            !lines.iter().any(|line| line.starts_with(" INFO callslip::audit:") && line.contains(SECRET))
        );

        let (query, value) = query.split_once("?value=").unwrap_or((query, ""));
        let call = || match value {
            "" => host.call("telling", query),
            value => host.call("telling", query).param("value", value),
        };
        for error in [read(call()).await.unwrap_err(), read(call().on(&mut client)).await.unwrap_err()] {
            assert_eq!(error.code().as_str(), code);
            assert!(!error.to_string().contains(SECRET), "{error}");
            assert_eq!(error.log_message().contains(SECRET), code != "CS1005", "{}", error.log_message());
            if code == "CS1103" {
                let says = error.log_message();
                assert!(says.contains("DETAIL: D s3") && says.contains("HINT: H s3"), "{says}");
            }
        }
    }

    // Nothing more is said of a reply that breaks off than that it does.
    log.take();
    let answer = http::get(address, "/q/telling/late").await;
    assert_eq!((answer.status, answer.whole), (200, false));
    assert!(!String::from_utf8_lossy(&answer.body).contains(SECRET));
    assert!(log.take().iter().any(|line| line.contains(SECRET)));
    let old = http::send(address, "GET /q/telling/late HTTP/1.0\r\n\r\n").await;
    let problem = old.assert_problem(500, "CS1103");
    assert!(!problem.to_string().contains(SECRET), "{problem}");
}

/// Nor may it command a terminal, or fill the log.
#[tokio::test]
async fn what_postgresql_says_is_one_line_of_the_log() {
    let (host, log) = (host("").await, Log::here());
    for (query, ..) in &FAILING[..3] {
        log.take();
        let said = read(host.call("telling", query)).await.unwrap_err().log_message();
        assert!(said.contains(&format!("{SECRET}\\n{FORGED}\\u{{1b}}xxx")), "{said}");
        let lines = log.take();
        assert!(lines.iter().any(|line| line.contains(SECRET)), "{lines:#?}");
        for line in &lines {
            assert!(!line.starts_with(FORGED) && !line.contains('\u{1b}') && line.len() < 10_000, "{line}");
        }
    }
}

/// Nor do the names that a plugin gives, to who looks at it.
#[tokio::test]
async fn a_plugin_does_not_command_the_terminal_of_who_asks_about_it() {
    let _made = host("").await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("callslip.toml"), configured(&config(""))).unwrap();
    for arguments in [
        &["explain", "telling", "commanding"][..],
        &["check"],
        &["check", "--json"],
        &["check", "--suggest"],
        &["check", "--suggest", "--json"],
        &["inspect", "telling"],
        &["inspect", "telling", "--grants", "--json"],
        &["run", "telling", "commanding", "--format", "table"],
    ] {
        let mut command = callslip();
        command.args(arguments).args(["--database-url", &database().url()]).current_dir(folder.path());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(said.contains("telling") || output.status.success(), "{arguments:?}: {said}");
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{arguments:?}: {said:?}");
        assert!(!said.lines().any(|line| line.starts_with("forged")), "{arguments:?}: {said}");
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The answer to a probe, but for the time that it names, and for the id of its call.
async fn probed(address: SocketAddr, what: &str, name: &str) -> (u16, String, String) {
    let answer = http::get(address, &format!("/q/telling/probe?what={what}&name={name}")).await;
    let head = answer.head.lines().filter(|line| !line.starts_with("date:")).collect::<Vec<_>>().join("\n");
    let id = head.lines().find_map(|line| line.strip_prefix("callslip-id: ")).expect("an id").to_owned();
    let body = String::from_utf8(answer.body).unwrap();
    (answer.status, head.replace(&id, "ID"), body.replace(&id, "ID"))
}

/// A plugin and a caller who play together learn nothing of what was not granted.
#[tokio::test]
async fn what_is_there_and_was_not_granted_is_like_what_is_not_there() {
    let (host, log) = (host("").await, Log::here());
    let address = serve(host, ServiceLimits::default()).await;
    let never = probed(address, "never", "x").await;
    assert_eq!(never.0, 503);
    assert!(never.2.contains("CS1205"), "{}", never.2);
    for (what, name, code) in [
        ("relation", "telling.hidden", "CS0401"),
        ("relation", "telling.nothing", "CS0301"),
        ("relation", "pg_catalog.pg_authid", "CS0301"),
        ("relation", "nowhere.nothing", "CS0301"),
        ("column", "nothing", "CS0302"),
        ("column", "xmin", "CS0302"),
        ("function", "telling.secretly", "CS0402"),
        ("function", "telling.nothing", "CS0305"),
        ("function", "pg_catalog.pg_sleep", "CS0402"),
        ("type", "telling.mood", "CS0403"),
        ("type", "telling.nothing", "CS0307"),
    ] {
        log.take();
        assert_eq!(probed(address, what, name).await, never, "{what} {name}");
        let lines = log.take();
        let says = |line: &String| line.contains(code) && line.contains("code=\"CS1205\"");
        assert!(lines.iter().any(says), "{what} {name}: no {code} in {lines:#?}");
    }
    let found = probed(address, "relation", "telling.kept").await;
    assert_eq!((found.0, found.2.as_str()), (200, "[{\"n\":5000}]"));
}

/// Nor which other plugins and queries there are.
#[tokio::test]
async fn names_that_are_like_the_one_that_was_called_are_in_the_log() {
    let (host, log) = (host("").await, Log::here());
    let address = serve(host, ServiceLimits::default()).await;
    for (path, code, like) in
        [("/q/tellin/cast", "CS1001", "telling\""), ("/q/telling/rased", "CS1002", "raised\"")]
    {
        log.take();
        let answer = http::get(address, path).await;
        let problem = answer.assert_problem(404, code);
        assert!(!problem.to_string().contains(like.trim_end_matches('"')) || path.contains("/telling/"));
        assert!(!problem["detail"].as_str().unwrap().contains("did you mean"), "{problem}");
        let lines = log.take();
        assert!(lines.iter().any(|line| line.contains("did you mean") && line.contains(like)), "{lines:#?}");
    }
}

#[tokio::test]
async fn errors_are_exposed_to_who_develops() {
    let exposing = host("[service]\nexpose_errors = true").await;
    let plain = host("").await;
    assert!(exposing.exposes_errors() && !plain.exposes_errors());
    let address = serve(exposing, ServiceLimits::default()).await;
    for (query, status, code, _) in &FAILING[..3] {
        let problem = http::get(address, &format!("/q/telling/{query}")).await.assert_problem(*status, code);
        assert!(problem["detail"].as_str().unwrap().contains(SECRET), "{problem}");
    }
    let answer = http::get(address, "/q/telling/probe?what=relation&name=telling.hidden").await;
    let problem = answer.assert_problem(503, "CS1205");
    assert!(problem["detail"].as_str().unwrap().contains("CS0401"), "{problem}");
    let problem = http::get(address, "/q/tellin/cast").await.assert_problem(404, "CS1001");
    assert!(problem["detail"].as_str().unwrap().contains("did you mean \"telling\"?"), "{problem}");

    let config = Config::parse(&configured(""), Path::new("")).unwrap();
    let builder = Host::builder().connect(&database().connection()).expose_errors(true);
    let host = builder.start(&config).await.unwrap();
    assert!(host.exposes_errors());
    assert_eq!(read(host.call("a", "b")).await.unwrap_err().to_string(), "there is no plugin \"a\"");
}
