use std::path::Path;

use callslip::catalog::Snapshot;
use callslip::grants::GrantSettings;

use crate::support::{library, schemas};

/// What is the user's of a snapshot: PostgreSQL's own objects, which are another version's elsewhere, come last.
fn own(snapshot: &str) -> (&str, &str) {
    let (head, rest) = snapshot.split_once("  \"search\": ").expect("where names are looked for");
    assert!(head.contains("\"postgresql\": "));
    rest.split_once("    \"pg_catalog\": {\n").expect("pg_catalog comes last")
}

/// The page of the language shows its SQL against this snapshot.
#[test]
fn the_snapshot_of_the_language_s_page_is_current() {
    let builtin = GrantSettings::default();
    let contents = library().contents().clone();
    let current = Snapshot::new(contents, schemas(), |function| builtin.may_call(function)).to_json();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-sdk/docs/language/library.json");
    if std::env::var_os("CALLSLIP_WRITE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(&path, &current).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    let again = "write it anew: CALLSLIP_WRITE_GOLDEN=1 make test ARGS=snapshot";
    assert_eq!(own(&kept).0, own(&current).0, "{again}");
}
