use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use callslip::cli::build::{BuildOptions, build_plugin};

/// The components that were built in this run, by crate and feature.
type Built = Option<HashMap<(String, Option<String>), PathBuf>>;

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

/// The component of a plugin's crate, such as `example-plugins/hiring`, built from source once in a run of the tests.
///
/// # Panics
/// If it does not build.
pub fn component(source: &str) -> PathBuf {
    component_with(source, None)
}

/// The same with a feature of the crate.
///
/// # Panics
/// If it does not build.
pub fn component_with(source: &str, feature: Option<&str>) -> PathBuf {
    static BUILT: Mutex<Built> = Mutex::new(None);
    // Held while building: another test that wants the same component would only wait for cargo's own lock.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    let key = (source.to_owned(), feature.map(str::to_owned));
    if let Some(component) = built.get(&key) {
        return component.clone();
    }
    // One folder for all, so that the SDK is compiled once.
    let folder = target_folder().join("plugins");
    let name = source.rsplit('/').next().unwrap_or(source);
    let options = BuildOptions {
        quiet: true,
        out: feature.map(|feature| folder.join(format!("{name}-{feature}.wasm"))),
        cargo_args: feature
            .map(|feature| vec!["--features".to_owned(), feature.to_owned()])
            .unwrap_or_default(),
        target_dir: Some(folder),
        ..BuildOptions::new(root().join(source))
    };
    let component =
        build_plugin(&options).unwrap_or_else(|error| panic!("{source} does not build: {error:#}")).component;
    built.insert(key, component.clone());
    component
}

/// So many components in a folder that do the same and are not the same: each has a section with its number, which says nothing.
///
/// # Panics
/// If they can't be written.
pub fn copies(component: &Path, folder: &Path, count: u32) -> Vec<PathBuf> {
    let bytes = std::fs::read(component).expect("the component is there");
    let copy = |number: u32| {
        let name = b"copy";
        let content = [&[name.len() as u8][..], name, &number.to_le_bytes()].concat();
        let section = [&[0, content.len() as u8][..], &content].concat();
        let file = folder.join(format!("copy-{number}.wasm"));
        std::fs::write(&file, [&bytes[..], &section].concat()).expect("it can be written");
        file
    };
    (0..count).map(copy).collect()
}

/// Where cargo builds.
pub fn target_folder() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The configuration of a host with the queries of every construct, as `language`, and with slow ones, as `slow`, behind these
/// settings.
///
/// # Panics
/// If one does not build.
pub fn language_and_slow(settings: &str) -> String {
    let (component, slow) = (component("tests/guests/language"), component("tests/guests/slow"));
    format!(
        "{settings}
         [plugins.language]
         component = {component:?}
         [plugins.language.grants]
         relations = [\"answer\", \"candidate\", \"candidate_tag\", \"company\", \"interview\", \"position\", \
                      \"question\", \"reviewer\", \"tag\", \"rating\"]
         [plugins.slow]
         component = {slow:?}
         [plugins.slow.grants]
         relations = [\"rating\"]
         functions = [\"pg_sleep\"]"
    )
}
