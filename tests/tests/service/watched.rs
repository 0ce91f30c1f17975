//! Files that are watched: nobody has to tell the server that they have changed.

use callslip_tests::http;
use serde_json::json;

use crate::deployed::{FRAGILE, QUIET, deploy, folder, make_table, version};
use crate::served::Served;

fn watching() -> String {
    QUIET.replace("watch = false", "watch = true")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_is_replaced_is_served_and_one_that_is_half_written_is_not() {
    let url = make_table("watched", "one").await;
    let served = Served::start_in(folder("fragile"), &url, &format!("{}{FRAGILE}", watching()), &[]);
    assert_eq!(served.ask("fragile/names").await.0, 200);
    let lines = served.lines().len();
    served.deploy("other-sql");
    served.wait_for_after(lines, "is served: SQL changes in 1 shape, reply columns in none");

    let whole = std::fs::read(version("fragile")).unwrap();
    let lines = served.lines().len();
    std::fs::write(served.folder().join("fragile.wasm"), &whole[..whole.len() / 2]).unwrap();
    served.wait_for_after(lines, "the new version waits");
    assert_eq!(served.ask("fragile/names").await.1, json!([{ "id": 1, "name": "one" }]));
    let lines = served.lines().len();
    std::fs::write(served.folder().join("fragile.wasm"), &whole).unwrap();
    served.wait_for_after(lines, "is served: SQL changes in 1 shape");

    // The configuration is a file like the others.
    let lines = served.lines().len();
    served.configure(&format!("{}[limits]\nrows = 1000\n{FRAGILE}", watching()));
    served.wait_for_after(lines, "the configuration is served as it is now");
    let lines = served.lines().len();
    served.configure(&format!("{QUIET}{FRAGILE}"));
    served.wait_for_after(lines, "the configuration is served as it is now");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_plugins_has_what_lies_in_it() {
    let url = make_table("plugin_folder", "one").await;
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    let config = format!("plugin_folder = \"plugins\"\n{}", watching());
    let served = Served::start_in(folder, &url, &config, &[]);
    assert_eq!(http::get(served.address(), "/q/fragile/names").await.status, 404);

    // Without a word about it, it is granted nothing.
    deploy(&version("fragile"), &plugins.join("fragile.wasm"));
    served.until_asked("fragile/names", 503).await;
    let plugin = served.plugin("fragile").await;
    assert_eq!(plugin["findings"][0]["code"], "CS0401", "{plugin}");
    std::fs::write(plugins.join("fragile.toml"), "[grants]\nrelations = [\"fragile\"]\n").unwrap();
    assert_eq!(served.until_asked("fragile/names", 200).await, json!([{ "id": 1, "name": "one" }]));

    // A second one, with its word first.
    std::fs::write(plugins.join("again.toml"), "[grants]\nrelations = [\"fragile\"]\n").unwrap();
    deploy(&version("fragile"), &plugins.join("again.wasm"));
    served.until_asked("again/names", 200).await;

    let lines = served.lines().len();
    std::fs::write(plugins.join("again.toml"), "[grants]\ntables = []\n").unwrap();
    served.wait_for_after(lines, "again.toml can't be used");
    assert_eq!(served.ask("again/names").await.0, 200);

    std::fs::remove_file(plugins.join("again.toml")).unwrap();
    std::fs::remove_file(plugins.join("again.wasm")).unwrap();
    served.until_asked("again/names", 404).await;
    assert_eq!(served.ask("fragile/names").await.0, 200);

    let listed = served.folder().join("plugins/fragile.wasm").display().to_string();
    served.configure(&format!("{config}[plugins.fragile]\ncomponent = {listed:?}\n"));
    let (status, told) = served.reload("").await;
    assert_eq!(status, 422, "{told}");
    assert!(told["refused"]["detail"].as_str().unwrap().contains("is in the plugin_folder, too"), "{told}");
    assert_eq!(served.ask("fragile/names").await.0, 200);
}
