use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::components::{root, target_folder};

/// The folder that has componentize-js.
const FOLDER: &str = "CALLSLIP_COMPONENTIZE_JS";
/// Whether a test may be left out where that is not there.
const EVERY: &str = "CALLSLIP_EVERY_LANGUAGE";

/// The component of the plugin in JavaScript, `tests/guests/script`. Nothing, with a word on stdout, where there is no
/// componentize-js, which `host/setup/componentize-js.sh` brings.
///
/// # Panics
/// If it does not build; or if there is no componentize-js and `CALLSLIP_EVERY_LANGUAGE=1` asks for it.
pub fn script() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(|| match std::env::var_os(FOLDER).filter(|folder| !folder.is_empty()) {
        Some(folder) => Some(build(Path::new(&folder))),
        None if std::env::var_os(EVERY).is_some_and(|every| every == "1") => {
            panic!("{FOLDER} is not set, and {EVERY}=1 asks for every language")
        }
        None => None,
    });
    if built.is_none() {
        println!("left out: there is no componentize-js ({FOLDER})");
    }
    built.clone()
}

fn build(folder: &Path) -> PathBuf {
    let (source, out) = (root().join("tests/guests/script"), target_folder().join("plugins"));
    std::fs::create_dir_all(&out).expect("the folder of the components");
    // Another run of the tests may make it at the same time.
    let (component, unfinished) =
        (out.join("script.wasm"), out.join(format!("script-{}", std::process::id())));
    let made = Command::new("node")
        .arg(source.join("build.mjs"))
        .args([folder, &source.join("guest.js"), &root().join("plugin-sdk/wit"), &unfinished])
        .output()
        .unwrap_or_else(|error| panic!("node can't be run: {error}"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::rename(&unfinished, &component).expect("it was made");
    component
}
