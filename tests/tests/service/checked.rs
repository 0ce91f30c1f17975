//! `callslip serve --check`: all but the listening.

use std::fs;
use std::path::Path;

use callslip_tests::{component, database};

use crate::served::command;

fn check(folder: &Path, config: &str) -> (Option<i32>, String) {
    fs::write(folder.join("callslip.toml"), config).unwrap();
    let mut serve = command();
    serve.args(["serve", "--check", "--database-url", &database().url()]).current_dir(folder);
    let output = serve.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), text)
}

#[test]
fn what_could_not_be_served_is_told_before_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let hiring = component("example-plugins/hiring");
    let plugin = |relations: &str| {
        format!(
            "[plugins.hiring]\ncomponent = {hiring:?}\n[plugins.hiring.grants]\nrelations = [{relations}]\n"
        )
    };
    let (code, said) = check(folder.path(), &plugin("\"public.*\""));
    assert!(code == Some(0) && said.contains("callslip.toml can be served: 1 plugin"), "{code:?} {said}");
    fs::write(folder.path().join("keys.toml"), "[a]\nsha256 = \"ab\"\n").unwrap();
    for (config, says) in [
        (plugin("\"position\""), "1 plugin of callslip.toml is refused: hiring"),
        (format!("{}[pool]\nsize = 0\n", plugin("")), "line 6: pool.size must be greater than zero"),
        (format!("{}[pool]\nsize = \"4\"\n", plugin("")), "line 6"),
        ("[identity]\nkeys_file = \"keys.toml\"\n".to_owned(), "keys.toml"),
        ("[identity]\nkeys_file = \"nowhere.toml\"\n".to_owned(), "nowhere.toml, which can't be read"),
        ("[telemetry]\nlog_filter = \"a=b=c\"\n".to_owned(), "log_filter"),
    ] {
        let (code, said) = check(folder.path(), &config);
        assert!(code == Some(1) && said.contains(says), "{config}: {code:?} {said}");
    }
}
