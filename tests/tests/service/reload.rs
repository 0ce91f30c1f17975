//! What is served follows its files: once it is proven, and without a request that is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use callslip_tests::http;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::deployed::{FRAGILE, QUIET, folder, make_table, other};
use crate::served::Served;

async fn served(name: &str) -> Served {
    let url = make_table(name, "one").await;
    Served::start_in(folder("fragile"), &url, &format!("{QUIET}{FRAGILE}"), &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_under_load_loses_no_request() {
    let served = served("swap_under_load").await;
    let (address, stop, answered) =
        (served.address(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (stop, answered) = (stop.clone(), answered.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = http::get(address, "/q/fragile/names").await;
                    assert_eq!((answer.status, answer.whole), (200, true), "{}", answer.head);
                    assert_eq!(answer.json(), json!([{ "id": 1, "name": "one" }]));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for round in 0..6 {
        served.deploy(["other-sql", "fragile"][round % 2]);
        let before = answered.load(Ordering::Relaxed);
        let (status, told) = served.reload("").await;
        assert_eq!((status, told["outcome"].as_str()), (200, Some("changed")), "{told}");
        assert_eq!(told["plugins"][0]["swap"], "SQL changes in 1 shape, reply columns in none", "{told}");
        // Another configuration is another host, on the same connections.
        served.configure(&format!("{QUIET}[limits]\nrows = {}\n{FRAGILE}", 1_000 + round));
        let (status, told) = served.reload("").await;
        assert_eq!((status, &told["reconfigured"]), (200, &json!(true)), "{told}");
        while answered.load(Ordering::Relaxed) < before + 16 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    served.wait_for("is served: SQL changes in 1 shape, reply columns in none");
    let plugin = served.plugin("fragile").await;
    assert_eq!(plugin["last_swap"]["changes"], "SQL changes in 1 shape, reply columns in none", "{plugin}");
    assert_eq!(plugin["standing"], "served");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_callers_would_lose_is_refused_unless_it_is_forced() {
    let served = served("refused_loss").await;
    assert_eq!(served.ask("fragile/ids").await.0, 200);
    let old = served.plugin("fragile").await["version"]["digest"].clone();

    served.deploy("without-ids");
    let (status, told) = served.reload("").await;
    assert_eq!((status, told["outcome"].as_str()), (409, Some("refused")), "{told}");
    let finding = &told["waiting"]["fragile"]["findings"][0];
    assert_eq!(
        (finding["code"].as_str(), finding["query"].as_str()),
        (Some("CS2006"), Some("ids")),
        "{told}"
    );
    assert!(finding["help"].as_str().unwrap().contains("/admin/reload?force=fragile"), "{told}");
    served.wait_for("CS2006: it is served now, and would not be any more");
    let plugin = served.plugin("fragile").await;
    assert_eq!(
        (&plugin["version"]["digest"], &plugin["waiting"]["findings"][0]),
        (&old, finding),
        "{plugin}"
    );
    // A signal forces nothing, and neither does asking again, or asking to force another plugin.
    let lines = served.lines().len();
    served.signal(Signal::SIGHUP);
    served.wait_for_after(lines, "nothing has changed");
    assert_eq!(served.reload("").await.0, 409);
    let (status, told) = served.reload("?force=fragil").await;
    assert_eq!((status, told["code"].as_str()), (404, Some("CS1001")), "{told}");
    assert_eq!(served.ask("fragile/ids").await.0, 200);

    let (status, told) = served.reload("?force=fragile").await;
    assert_eq!((status, told["outcome"].as_str()), (200, Some("changed")), "{told}");
    assert_eq!(
        told["plugins"][0]["swap"], "SQL changes in no shape, reply columns in none; dropped: ids",
        "{told}"
    );
    let (status, problem) = served.ask("fragile/ids").await;
    assert_eq!((status, problem["code"].as_str()), (404, Some("CS1002")));

    served.deploy("other-columns");
    let (status, told) = served.reload("").await;
    assert_eq!(status, 409, "{told}");
    let message = told["waiting"]["fragile"]["findings"][0]["message"].as_str().unwrap();
    assert_eq!(message, "the reply has other columns (column id is gone) in 1 shape");
    assert_eq!(served.ask("fragile/names").await.1, json!([{ "id": 1, "name": "one" }]));
    let body = "{\"force\": [\"fragile\"]}";
    let answer = http::post(served.admin(), "/admin/reload", "application/json", body).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    assert_eq!(served.ask("fragile/names").await.1, json!([{ "name": "one" }]));

    // Columns that come after those that there were take nothing from anybody; but this one is not there.
    served.deploy("next");
    let (status, told) = served.reload("?force=fragile").await;
    assert_eq!(
        (status, told["waiting"]["fragile"]["findings"][0]["code"].as_str()),
        (422, Some("CS0302")),
        "{told}"
    );
    assert_eq!(served.ask("fragile/names").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_can_t_be_used_changes_nothing() {
    let served = served("bad_configuration").await;
    assert_eq!(served.ask("fragile/names").await.0, 200);
    for (config, line, what) in [
        ("[pool]\nsise = 1\n".to_owned(), "line 2", "sise"),
        ("[pool\n".to_owned(), "line 1", ""),
        (format!("{QUIET}[plugins.\"A b\"]\ncomponent = \"a.wasm\"\n"), "A b", ""),
        (
            format!("{QUIET}{FRAGILE}database = \"nowhere\"\n")
                .replace("[plugins.fragile.grants]\n    relations = [\"fragile\"]", ""),
            "plugins.fragile.database",
            "nowhere",
        ),
        (
            format!(
                "{QUIET}{FRAGILE}[databases.d]\nurl_env = \"UNSET_{line}\"\n[plugins.x]\ncomponent = \"x\"\ndatabase = \"d\"\n",
                line = line!()
            ),
            "UNSET_",
            "not set",
        ),
    ] {
        served.configure(&config);
        let lines = served.lines().len();
        let (status, told) = served.reload("").await;
        assert_eq!((status, told["outcome"].as_str()), (422, Some("refused")), "{config}: {told}");
        let detail = told["refused"]["detail"].as_str().unwrap();
        assert!(detail.contains(line) && detail.contains(what), "{detail}");
        served.wait_for_after(lines, "the configuration is refused, what was served is served on");
        assert_eq!(served.ask("fragile/names").await.0, 200);
    }
    std::fs::remove_file(served.config()).unwrap();
    assert_eq!(served.reload("").await.0, 422);
    served.configure(&format!("{QUIET}{FRAGILE}"));
    let (status, told) = served.reload("").await;
    assert_eq!((status, told["outcome"].as_str()), (200, Some("unchanged")), "{told}");
    assert_eq!(served.ask("fragile/names").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_reads_the_configuration_again() {
    let served = served("signal").await;
    let hiring = other().display().to_string();
    assert_eq!(served.ask("hiring/overview?company=1").await.0, 404);
    let more = format!(
        "{QUIET}{FRAGILE}[plugins.hiring]\ncomponent = {hiring:?}\n[plugins.hiring.grants]\nrelations = [\"public.*\"]\n"
    );
    served.configure(&more);
    served.signal(Signal::SIGHUP);
    served.until_asked("hiring/overview?company=1", 200).await;

    // What is not granted any more is a loss: it has to be meant.
    let revoked = more.replace("relations = [\"fragile\"]", "relations = []");
    assert_ne!(revoked, more);
    served.configure(&revoked);
    let (status, told) = served.reload("").await;
    assert_eq!((status, told["refused"]["code"].as_str()), (409, Some("CS2006")), "{told}");
    let findings = told["refused"]["plugins"]["fragile"]["findings"].as_array().unwrap();
    let codes: Vec<&str> = findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"CS2006") && codes.contains(&"CS0401"), "{codes:?}");
    assert_eq!(served.ask("fragile/names").await.0, 200);
    let (status, told) = served.reload("?force=fragile").await;
    assert_eq!((status, told["outcome"].as_str()), (422, Some("refused")), "it is served in part: {told}");
    let (status, problem) = served.ask("fragile/names").await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("CS1205")));
    assert_eq!(served.ask("hiring/overview?company=1").await.0, 200);

    // A plugin that is taken out is meant to be gone.
    served.configure(QUIET);
    let (status, told) = served.reload("").await;
    assert_eq!((status, told["outcome"].as_str()), (200, Some("changed")), "{told}");
    let (status, problem) = served.ask("hiring/overview?company=1").await;
    assert_eq!((status, problem["code"].as_str()), (404, Some("CS1001")));
    served.configure(&more.replace("127.0.0.1:0", "127.0.0.1:1"));
    let (status, told) = served.reload("").await;
    assert_eq!((status, &told["restart"]), (200, &json!(["admin.listen"])), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reloads_wait_for_each_other() {
    let served = served("queued").await;
    assert_eq!(served.ask("fragile/names").await.0, 200);
    served.deploy("other-sql");
    let asked = futures_util::future::join_all((0..6).map(|_| served.reload(""))).await;
    assert!(asked.iter().all(|(status, _)| *status == 200), "{asked:?}");
    let changed = asked.iter().filter(|(_, told)| told["outcome"] == "changed").count();
    assert_eq!(changed, 1, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_token_administrates_nothing() {
    let url = make_table("token", "one").await;
    let folder = folder("fragile");
    let token = folder.path().join("token");
    std::fs::write(&token, "0123456789abcdef\n").unwrap();
    let config = format!("{}{FRAGILE}", QUIET.replace("[admin]", "[admin]\ntoken_file = \"token\""));
    let mut served = Served::start_in(folder, &url, &config, &[]);
    let with = async |token: &str, method: &str, path: &str| {
        let header = format!("\r\nauthorization: Bearer {token}\r\n\r\n");
        http::send(served.admin(), http::request(method, path).replace("\r\n\r\n", &header)).await
    };
    for (method, path) in [("GET", "/admin/plugins"), ("POST", "/admin/reload")] {
        let refused = http::send(served.admin(), http::request(method, path)).await;
        assert_eq!(refused.status, 401, "{path}");
        assert!(refused.head.contains("www-authenticate: bearer"), "{}", refused.head);
        assert_eq!(with("0123456789abcdeg", method, path).await.status, 401, "{path}");
        assert_eq!(with("0123456789abcdef", method, path).await.status, 200, "{path}");
    }
    // Nobody finds these on the public address.
    assert_eq!(http::get(served.address(), "/admin/plugins").await.status, 404);
    std::fs::write(&token, "another-token-of-16\n").unwrap();
    served.signal(Signal::SIGHUP);
    let deadline = std::time::Instant::now() + crate::served::SOON;
    while with("another-token-of-16", "GET", "/admin/plugins").await.status != 200 {
        assert!(std::time::Instant::now() < deadline);
    }
    assert_eq!(with("0123456789abcdef", "GET", "/admin/plugins").await.status, 401);
    // A configuration that needs none, since it is for another address, opens the one that is listened on to nobody.
    for admin in ["[admin]\nlisten = \"127.0.0.1:1\"", ""] {
        let other = config.replace("[admin]\ntoken_file = \"token\"\n    listen = \"127.0.0.1:0\"", admin);
        assert_ne!(other, config);
        std::fs::write(served.config(), &other).unwrap();
        let told = with("another-token-of-16", "POST", "/admin/reload").await.json();
        assert_eq!(told["reconfigured"], true, "{admin}: {told}");
        let refused = http::send(served.admin(), http::request("GET", "/admin/plugins")).await;
        refused.assert_problem(401, "CS1017");
    }
    assert!(
        !served
            .lines()
            .iter()
            .any(|line| line.contains("0123456789abcdef") || line.contains("another-token"))
    );
    served.signal(Signal::SIGTERM);
    assert_eq!(served.ended(), Some(0));

    let open = format!("{}{FRAGILE}", QUIET.replace("127.0.0.1:0", "0.0.0.0:0"));
    let mut served = Served::start(&url, &open, &[]);
    assert_eq!(served.ended(), Some(1));
    served.wait_for("admin.token_file");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_needs_a_token_needs_one_until_a_restart() {
    let url = make_table("token_kept", "one").await;
    let folder = folder("fragile");
    std::fs::write(folder.path().join("token"), "0123456789abcdef\n").unwrap();
    let open = "[admin]\n    token_file = \"token\"\n    listen = \"0.0.0.0:0\"";
    let with_token = QUIET.replace("[admin]\n    listen = \"127.0.0.1:0\"", open);
    let served = Served::start_in(folder, &url, &format!("{with_token}{FRAGILE}"), &[]);
    let admin = served.admin();
    for _ in 0..2 {
        // Here none is needed, and nobody listens there yet.
        let lines = served.lines().len();
        served.configure(&format!("{QUIET}{FRAGILE}"));
        served.signal(Signal::SIGHUP);
        served.wait_for_after(lines, "admin.listen is another one now: it takes a restart");
        assert_eq!(http::get(admin, "/admin/plugins").await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_is_another_configuration() {
    let url = make_table("secrets", "one").await;
    let folder = folder("fragile");
    let (key, keys) = (folder.path().join("cursors"), folder.path().join("keys.toml"));
    std::fs::write(&key, "a".repeat(64)).unwrap();
    std::fs::write(&keys, "").unwrap();
    let secrets = "[service]\ncursor_key_file = \"cursors\"\n[identity]\nkeys_file = \"keys.toml\"\n";
    let served = Served::start_in(folder, &url, &format!("{QUIET}{secrets}{FRAGILE}"), &[]);
    for (path, text) in [(&key, "b".repeat(64)), (&keys, "# nobody\n".to_owned())] {
        assert_eq!(served.reload("").await.1["outcome"], "unchanged");
        std::fs::write(path, text).unwrap();
        let (status, told) = served.reload("").await;
        assert_eq!((status, told["outcome"].as_str()), (200, Some("changed")), "{told}");
    }
}
