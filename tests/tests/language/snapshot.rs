use std::path::Path;

use callslip::catalog::Snapshot;
use callslip::grants::GrantSettings;
use callslip_tests::{golden, own_of_snapshot};

use crate::support::{library, schemas};

/// The page of the language shows its SQL against this snapshot.
#[test]
fn the_snapshot_of_the_language_s_page_is_current() {
    let builtin = GrantSettings::default();
    let contents = library().contents().clone();
    let current = Snapshot::new(contents, schemas(), |function| builtin.may_call(function)).to_json();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin-sdk/docs/language/library.json");
    let kept = golden(&path, &current);
    let again = "write it anew: CALLSLIP_WRITE_GOLDEN=1 make test ARGS=snapshot";
    assert_eq!(own_of_snapshot(&kept), own_of_snapshot(&current), "{again}");
}
