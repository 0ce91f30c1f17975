use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use super::TARGET;

/// Finds a rustc that has the target's standard library: the one that is given or named in
/// CALLSLIP_WASM_RUSTC, else cargo's own, else the newest that `host/setup/wasm-target.sh` made.
pub(super) fn with_target(given: Option<&Path>, folder: &Path) -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("CALLSLIP_WASM_RUSTC").filter(|rustc| !rustc.is_empty());
    if let Some(mut rustc) = given.map(PathBuf::from).or(named.map(PathBuf::from)) {
        // It runs in other folders; a mere name is looked for in PATH.
        if rustc.components().count() > 1 {
            rustc = std::path::absolute(rustc)?;
        }
        if !has_target(&rustc, folder) {
            bail!("{} does not run, or has no standard library for {TARGET}", rustc.display());
        }
        return Ok(rustc);
    }
    let usual = PathBuf::from(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let candidates = std::iter::once(usual).chain(cached());
    if let Some(rustc) = candidates.into_iter().find(|rustc| has_target(rustc, folder)) {
        return Ok(rustc);
    }
    bail!(
        "no rustc here has the standard library for {TARGET}, which plugins are built for. Bring it with\n  \
         rustup target add {TARGET}\n\
         or, on Debian and Ubuntu without rustup, with the script of Callslip's repository\n  \
         CALLSLIP_WASM_TARGET=debian host/setup/wasm-target.sh"
    )
}

/// Whether a rustc finds the target's standard library. It is asked in the crate's folder, which may choose a
/// toolchain.
fn has_target(rustc: &Path, folder: &Path) -> bool {
    let asked = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(folder)
        .output();
    let Ok(answer) = asked else { return false };
    let libraries = String::from_utf8_lossy(&answer.stdout).trim_end().to_owned();
    answer.status.success()
        && files_in(Path::new(&libraries)).any(|file| {
            let name = file.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
}

/// What `host/setup/wasm-target.sh` left in the cache folder, the newest first.
fn cached() -> Vec<PathBuf> {
    let cache = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(cache), _) if !cache.is_empty() => PathBuf::from(cache),
        (_, Some(home)) => PathBuf::from(home).join(".cache"),
        (_, None) => return Vec::new(),
    };
    cached_in(&cache.join("callslip"))
}

fn cached_in(cache: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(Vec<u32>, PathBuf)> = files_in(cache)
        .filter_map(|folder| {
            let version = folder.file_name()?.to_str()?.strip_prefix("wasm-sysroot-")?;
            let version = version.split('.').map(|number| number.parse().unwrap_or(0)).collect();
            Some((version, folder.join("bin/rustc")))
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| other.cmp(one));
    found.into_iter().map(|(_, rustc)| rustc).collect()
}

/// What a folder holds; nothing where it can't be read.
fn files_in(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_sysroot_is_tried_first() {
        let cache = tempfile::tempdir().unwrap();
        for name in ["wasm-sysroot-1.9.0", "wasm-sysroot-1.96.0", "wasm-sysroot-1.100.1", "build.x1"] {
            std::fs::create_dir(cache.path().join(name)).unwrap();
        }
        let found = cached_in(cache.path());
        let names = ["1.100.1", "1.96.0", "1.9.0"];
        assert_eq!(found, names.map(|name| cache.path().join(format!("wasm-sysroot-{name}/bin/rustc"))));
    }

    #[test]
    fn a_rustc_that_is_named_is_not_replaced_by_another() {
        let error = with_target(Some(Path::new("/no/such/rustc")), Path::new(".")).unwrap_err();
        assert!(error.to_string().starts_with("/no/such/rustc does not run"), "{error}");
    }
}
