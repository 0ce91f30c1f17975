//! The text of a configuration. Whatever it is,
//!
//! - it is refused in words, or is a configuration, soon (libFuzzer's `-timeout`), and each time the same;
//! - of one that is taken, every limit is one that an engine can be made with, or is told so, and a plugin still answers within
//!   it; names are what addresses and comments may hold; components are below the configuration's folder or where an absolute
//!   path says; and grants name what there is, or are told in words that are printable.

#![no_main]

#[path = "declared.rs"]
mod declared;
#[path = "told.rs"]
mod told;

use std::iter;
use std::path::Path;
use std::sync::LazyLock;

use callslip::catalog::{Catalog, SearchPath, Snapshot};
use callslip::grants::{GrantError, Grants};
use callslip::plugin::{Component, Engine, LoadOptions};
use callslip::select::Finding;
use callslip::{Code, Config, LimitConfig};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

use told::assert_told;

const FOLDER: &str = "/etc/callslip";

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let text = include_str!("../../../example-plugins/hiring/schema.json");
    Catalog::new(Snapshot::read(text).expect("a snapshot").contents.readable())
});

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// Loads a plugin under these limits, if there are any that are not as always.
fn try_limits(limits: &LimitConfig) {
    if *limits == LimitConfig::default() {
        return;
    }
    // What a machine has no address space for is no engine.
    let Ok(engine) = Engine::new(&limits.plugin()) else { return };
    RUNTIME.block_on(async {
        let component =
            Component::load(&engine, declared::plugin(), LoadOptions::default()).await.expect("a plugin");
        // A time of some milliseconds may be over on a busy machine.
        _ = component.manifest().await;
    });
}

fuzz_target!(|text: &str| {
    let config = match Config::parse(text, Path::new(FOLDER)) {
        Ok(config) => config,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(Config::parse(text, Path::new(FOLDER)).expect("it is taken twice"), config);
    _ = config.catalog.settings();
    for (name, plugin) in &config.plugins {
        assert!(!name.is_empty() && name.len() <= 63);
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b)));
        assert!(plugin.component.starts_with(FOLDER) || plugin.component.is_absolute());
        let path = SearchPath::of(config.database.schemas.clone());
        for grants in iter::once(&plugin.grants).chain(plugin.queries.values().map(|query| &query.grants)) {
            if let Err(errors) = Grants::resolve(grants, &CATALOG, &path) {
                assert!(!errors.is_empty());
                // As a host tells them.
                let told = |error: &GrantError| Finding::new(Code::BadConfiguration, error.to_string());
                errors.iter().for_each(|error| assert_told(&told(error).to_string()));
            }
        }
    }
    try_limits(&config.limits);
});
