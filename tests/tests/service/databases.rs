//! A database that is away, and several of them.

use callslip_tests::{Database, component, http};
use serde_json::json;

use crate::deployed::{FRAGILE, QUIET, folder, make_table, version};
use crate::served::Served;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_may_be_down_at_the_start_and_restart_later() {
    let database = Database::new(&[]).await;
    let url = database.url();
    database.stop();
    let hiring = component("example-plugins/hiring").display().to_string();
    let config = format!(
        "{}[plugins.hiring]\ncomponent = {hiring:?}\n[plugins.hiring.grants]\nrelations = [\"public.*\"]\n",
        QUIET.replace("\"live\", ", "")
    );
    let mut strict = Served::start(&url, &config, &["--strict"]);
    assert_eq!(strict.ended(), Some(1), "{:#?}", strict.lines());
    strict.wait_for("start it, or correct DATABASE_URL, --database-url or the PG* variables");

    let served = Served::start(&url, &config, &[]);
    let query = "/q/hiring/overview?company=1";
    let answer = http::get(served.address(), query).await;
    answer.assert_problem(503, "CS1115");
    assert!(answer.head.contains("retry-after: "), "{}", answer.head);
    assert_eq!(served.plugin("hiring").await["standing"], "not ready");
    served.wait_for("CS1101");
    let health = http::get(served.admin(), "/admin/health").await.json();
    assert_eq!((&health["status"], &health["databases"]), (&json!("starting"), &json!({ "default": null })));
    // A reload finds it away still, and breaks nothing.
    let (status, told) = served.reload("").await;
    assert_eq!(status, 200, "{told}");
    database.restart();
    served.until_asked("hiring/overview?company=1", 200).await;
    assert_eq!(served.plugin("hiring").await["standing"], "served");
    let health = http::get(served.admin(), "/admin/health").await.json();
    assert_eq!((&health["status"], &health["databases"]["default"]["generation"]), (&json!("ok"), &json!(1)));

    database.stop();
    let problem = served.until_asked("hiring/overview?company=1", 503).await;
    assert_eq!(problem["code"], "CS1101", "{problem}");
    let (status, told) = served.reload("").await;
    assert_eq!((status, told["outcome"].as_str()), (503, Some("failed")), "{told}");
    // Another configuration can't be proven now, and is not forgotten.
    served.configure(&config.replace("[pool]", "[limits]\nrows = 7\n[pool]"));
    assert_eq!(served.reload("").await.0, 503);
    let lines = served.lines().len();
    database.restart();
    served.until_asked("hiring/overview?company=1", 200).await;
    served.wait_for_after(lines, "the configuration is served as it is now");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_plugin_reads_the_database_that_it_names() {
    let (one, two) = (make_table("of_two_one", "one").await, make_table("of_two_two", "two").await);
    let folder = folder("fragile");
    std::fs::write(folder.path().join("two.url"), &two).unwrap();
    let other = version("fragile").display().to_string();
    let second = format!(
        "[plugins.second]\ncomponent = {other:?}\ndatabase = \"two\"\n[plugins.second.grants]\nrelations = [\"fragile\"]\n\
         [databases.two]\nurl_file = \"two.url\"\nschemas = [\"live\"]\npool.size = 2\n"
    );
    let config = format!("{QUIET}{FRAGILE}{second}");
    let served = Served::start_in(folder, &one, &config, &[]);
    assert_eq!(served.ask("fragile/names").await.1, json!([{ "id": 1, "name": "one" }]));
    assert_eq!(served.ask("second/names").await.1, json!([{ "id": 1, "name": "two" }]));
    let (first, second_plugin) = (served.plugin("fragile").await, served.plugin("second").await);
    assert_eq!(
        (first["database"].as_str(), second_plugin["database"].as_str()),
        (Some("default"), Some("two"))
    );
    assert_eq!(served.ask("third/names").await.0, 404);

    // The second is another one now: its plugin goes over to it.
    std::fs::write(served.folder().join("two.url"), &one).unwrap();
    let (status, told) = served.reload("").await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(served.ask("second/names").await.1, json!([{ "id": 1, "name": "one" }]));

    // One that can't be reached takes nothing from the other.
    let third = "[plugins.third]\ncomponent = \"fragile.wasm\"\ndatabase = \"away\"\n\
                 [databases.away]\nurl = \"postgres://nobody@127.0.0.1:1/nowhere\"\n";
    served.configure(&format!("{config}{third}"));
    let (status, told) = served.reload("").await;
    assert_eq!(status, 200, "{told}");
    let (status, problem) = served.ask("third/names").await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("CS1115")));
    let answer = http::get(served.admin(), "/admin/plugins").await.json();
    assert_eq!(answer["missing_databases"], json!(["away"]));
    assert_eq!(served.ask("fragile/names").await.0, 200);
    assert_eq!(served.ask("second/names").await.0, 200);

    // A plugin that goes over to another database takes with it what callers have, or stays.
    let moved = |database: &str, version: &std::path::Path| {
        let text = second.replace("database = \"two\"", database);
        format!("{QUIET}{FRAGILE}{}", text.replace(&other, &version.display().to_string()))
            + "[databases.away]\nurl = \"postgres://nobody@127.0.0.1:1/nowhere\"\n"
    };
    served.configure(&moved("database = \"away\"", &version("fragile")));
    let (status, told) = served.reload("").await;
    assert_eq!((status, told["outcome"].as_str()), (503, Some("failed")), "{told}");
    assert_eq!(served.ask("second/ids").await.0, 200);
    served.configure(&moved("", &version("without-ids")));
    let (status, told) = served.reload("").await;
    assert_eq!((status, &told["refused"]["code"]), (409, &json!("CS2006")), "{told}");
    assert_eq!(served.ask("second/ids").await.0, 200);
    assert_eq!(served.reload("?force=second").await.0, 200);
    assert_eq!(served.ask("second/ids").await.0, 404);
}
