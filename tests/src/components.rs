use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use callslip::cli::build::{BuildOptions, build_plugin};

/// The root of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

/// The component of a plugin's crate, `example-plugins/hiring` or `tests/guests/hostile`, built from source once in a
/// run of the tests.
///
/// # Panics
/// If it does not build.
pub fn component(source: &str) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    // Held while building: another test that wants the same component would only wait for cargo's own lock.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    if let Some(component) = built.get(source) {
        return component.clone();
    }
    let options = BuildOptions {
        quiet: true,
        // One folder for all, so that the SDK is compiled once.
        target_dir: Some(target_folder().join("plugins")),
        ..BuildOptions::new(root().join(source))
    };
    let component = build_plugin(&options).unwrap_or_else(|error| panic!("{source} does not build: {error:#}")).component;
    built.insert(source.to_owned(), component.clone());
    component
}

fn target_folder() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}
