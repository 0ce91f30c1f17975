use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::OnceLock;

use callslip::cluster::Binaries;

/// The major versions of PostgreSQL that Callslip is for.
const PROMISED: RangeInclusive<u32> = 14..=18;
/// The folder of `host/setup/postgresql-versions.sh`.
const FOLDER: &str = "CALLSLIP_POSTGRESQL_VERSIONS";
/// Whether a version that is not here is a failure.
const EVERY: &str = "CALLSLIP_EVERY_POSTGRESQL";

/// The server programs of every major version that is on this machine, one of each, the oldest first: PostgreSQL as
/// [`Binaries::find`] finds it, and the copies of the others. Says on standard error, once in a run, which are missing.
///
/// # Panics
/// If there is none; or if one of 14 to 18 is missing and `CALLSLIP_EVERY_POSTGRESQL=1` asks for all.
pub fn servers() -> Vec<Binaries> {
    static FOUND: OnceLock<Vec<Binaries>> = OnceLock::new();
    FOUND.get_or_init(find).clone()
}

fn find() -> Vec<Binaries> {
    let own = Binaries::find().unwrap_or_else(|error| panic!("{error}"));
    let mut copies: Vec<_> = copies().collect();
    // The last of a major version stays: the newest copy, where an older one was left, and the machine's own before all.
    copies.sort_by_key(numbers);
    let found: BTreeMap<u32, Binaries> =
        copies.into_iter().chain([own]).map(|server| (server.major(), server)).collect();

    let missing: Vec<u32> = PROMISED.filter(|major| !found.contains_key(major)).collect();
    if !missing.is_empty() {
        let note = format!(
            "PostgreSQL {missing:?} is not here: the tests of every version run on {:?} alone. `make test` brings the others, \
             where it can; {FOLDER} is their folder.",
            found.keys().collect::<Vec<_>>()
        );
        assert!(env::var_os(EVERY).is_none_or(|every| every != "1"), "{note}");
        // The test harness keeps to itself what `eprintln!` prints.
        let _ = writeln!(io::stderr(), "{note}");
    }
    found.into_values().collect()
}

/// The copies that can be used.
fn copies() -> impl Iterator<Item = Binaries> {
    let folder = env::var_os(FOLDER).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let versions = folder.and_then(|folder| fs::read_dir(folder).ok());
    versions
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Binaries::in_folder(&entry.path().join("bin")).ok())
}

/// The numbers in a version, as they are compared.
fn numbers(binaries: &Binaries) -> Vec<u32> {
    binaries.version().split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}
