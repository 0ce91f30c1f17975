use std::path::Path;
use std::{env, fs};

/// The text that is checked in at a place. `CALLSLIP_WRITE_GOLDEN=1` writes the current one there first.
///
/// # Panics
/// If there is none, or it can't be written.
pub fn golden(path: &Path, current: &str) -> String {
    if env::var_os("CALLSLIP_WRITE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(path, current).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is the user's of a snapshot: PostgreSQL's own objects, which are another version's elsewhere, come last.
///
/// # Panics
/// If it has none of these.
pub fn own_of_snapshot(snapshot: &str) -> String {
    let (own, _) = snapshot.split_once("    \"pg_catalog\": {\n").expect("pg_catalog comes last");
    own.lines()
        .filter(|line| !line.starts_with("  \"postgresql\": "))
        .map(|line| format!("{line}\n"))
        .collect()
}
