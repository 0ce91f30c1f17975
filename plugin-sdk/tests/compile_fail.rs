//! Mistakes with typed tables: the compiler's message names the column, and says what to do.

mod mistakes;

use std::{fs, path::Path};

#[test]
fn mistakes_do_not_compile() {
    // A fixture is compiled as a crate of the target directory: it finds the snapshots from there.
    for snapshot in ["schema.json", "preludes.json"] {
        fs::copy(Path::new("tests").join(snapshot), mistakes::scratch(snapshot))
            .expect("the snapshot can be copied");
    }
    mistakes::do_not_compile("tests/compile-fail");
}
