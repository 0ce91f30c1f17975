//! The text of a catalog's snapshot. Whatever it is, it is refused in words or read, soon; and what is read
//!
//! - is the same when it is written and read again;
//! - is a catalog that grants can be resolved against, and that can be compared with another.

#![no_main]

use std::sync::LazyLock;

use callslip::catalog::{Catalog, SearchPath, Snapshot, diff};
use callslip::grants::{GrantSettings, Grants};
use libfuzzer_sys::fuzz_target;

/// Small, so that a change of it is of what matters.
static OTHER: LazyLock<Snapshot> = LazyLock::new(|| {
    let text = r#"{
        "format": "callslip catalog snapshot", "version": 2, "postgresql": 150018, "search": ["public"],
        "schemas": {
          "public": {"relations": {"position": {"kind": "table", "columns": [{"name": "id", "type": "int8"}]}}},
          "pg_catalog": {"types": {"int8": {"kind": "base", "category": "N"}}}
        }
      }"#;
    Snapshot::read(text).expect("a snapshot")
});

fuzz_target!(|text: &str| {
    let snapshot = match Snapshot::read(text) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let written = snapshot.to_json();
    let again = Snapshot::read(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
    assert_eq!(again.to_json(), written);
    for (old, new) in [(&snapshot, &*OTHER), (&*OTHER, &snapshot)] {
        diff::changes(&old.contents, &new.contents).iter().for_each(|change| {
            assert!(!change.to_string().is_empty());
        });
    }
    assert!(diff::changes(&snapshot.contents, &snapshot.contents).is_empty());
    let names = |schema: &str, name: &str| format!("{schema}.{name}");
    let contents = snapshot.contents.readable();
    let settings = GrantSettings {
        relations: contents.relations.iter().map(|its| names(&its.schema, &its.name)).collect(),
        functions: contents.functions.iter().map(|its| names(&its.schema, &its.name)).collect(),
        ..GrantSettings::default()
    };
    let path = SearchPath::of(snapshot.search.clone());
    _ = Grants::resolve(&settings, &Catalog::new(contents), &path);
});
