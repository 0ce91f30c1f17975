use std::path::Path;

use callslip::catalog::PG_CATALOG;
use callslip_tests::golden;

/// How much is shown of a difference.
const LINES: usize = 12;

/// Says where a snapshot is not the one that is kept, if it is not. `CALLSLIP_WRITE_GOLDEN=1` keeps it first.
pub(crate) fn difference(file: &str, snapshot: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/everything/snapshots").join(file);
    let current = own(snapshot);
    let kept = golden(&path, &current);
    if kept == current {
        return None;
    }
    let same = kept.lines().zip(current.lines()).take_while(|(kept, current)| kept == current).count();
    let lines = |text: &str| text.lines().skip(same).take(LINES).collect::<Vec<_>>().join("\n");
    Some(format!(
        "{file}:{}: kept is\n{}\nbut reflected was\n{}\nIf that is right: CALLSLIP_WRITE_GOLDEN=1 make test ARGS='--test everything'",
        same + 1,
        lines(&kept),
        lines(&current),
    ))
}

/// A snapshot without what every database of a major version has: the version's number, and PostgreSQL's own objects.
fn own(snapshot: &str) -> String {
    let builtin = format!("    \"{PG_CATALOG}\": {{");
    let mut own = String::new();
    let mut within = false;
    for line in snapshot.lines().filter(|line| !line.starts_with("  \"postgresql\": ")) {
        if line == builtin {
            // They come last.
            within = true;
            own.truncate(own.trim_end_matches(",\n").len());
            own.push('\n');
        }
        if !within {
            own.push_str(line);
            own.push('\n');
        }
        within &= line.trim_end_matches(',') != "    }";
    }
    own
}
