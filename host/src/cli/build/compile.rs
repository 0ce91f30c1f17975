use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};
use serde::Deserialize;

use super::package::{Package, cargo};
use super::{BuildOptions, TARGET};

/// What a plugin's manifest need not say. Function names stay, since a trap is reported with them. Optimising for
/// size would save a twentieth of it.
const PROFILE: [&str; 8] = [
    "profile.release.panic=\"abort\"",
    "profile.release.lto=\"fat\"",
    "profile.release.codegen-units=1",
    "profile.release.opt-level=3",
    "profile.release.debug=false",
    "profile.release.strip=\"debuginfo\"",
    "profile.release.incremental=false",
    "profile.release.split-debuginfo=\"off\"",
];

/// The guest's stack: with a small one an instance needs fewer pages.
const STACK_SIZE: &str = "-Clink-arg=-zstack-size=65536";

/// A line of `cargo build --message-format=json`, as far as it is wanted here.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        package_id: String,
        filenames: Vec<PathBuf>,
    },
    #[serde(other)]
    Other,
}

/// Compiles a plugin's crate to a core module, and says where it is. What cargo and rustc say goes to stderr.
pub(super) fn compile(
    package: &Package,
    rustc: &Path,
    target_dir: &Path,
    options: &BuildOptions,
) -> anyhow::Result<PathBuf> {
    let manifest = package.folder.join("Cargo.toml");
    let mut command = cargo(&manifest);
    command
        .args(["build", "--release", "--lib", "--target", TARGET])
        .arg("--message-format=json-render-diagnostics")
        .arg("--manifest-path")
        .arg(&manifest)
        .arg("--target-dir")
        .arg(target_dir)
        .args(PROFILE.iter().flat_map(|setting| ["--config", setting]))
        .args(options.quiet.then_some("--quiet"))
        .args(&options.cargo_args)
        .env("RUSTC", rustc)
        // One source of flags: a user's own for this machine's programs must not change what a plugin is.
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags(package, target_dir))
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn().context("can't run cargo: see https://rustup.rs")?;

    let mut module = None;
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line.context("can't read what cargo says")?;
        // A build script or a procedural macro may print to cargo's stdout too.
        let Ok(Message::CompilerArtifact { package_id, filenames }) = serde_json::from_str(&line) else {
            continue;
        };
        if package_id == package.id {
            let is_module = |file: &PathBuf| file.extension() == Some(OsStr::new("wasm"));
            module = filenames.into_iter().find(is_module).or(module);
        }
    }
    let status = child.wait().context("can't wait for cargo")?;
    match module {
        _ if !status.success() => bail!("`{}` does not compile ({status})", package.name),
        Some(module) => Ok(module),
        None => bail!("cargo built no WebAssembly module of `{}`", package.name),
    }
}

/// The flags, as cargo's variable separates them. No folder of this machine ends up in the module; of two that
/// fit a file the last one counts, so the outer ones come first.
fn rustflags(package: &Package, target_dir: &Path) -> OsString {
    let mut flags = OsString::from(STACK_SIZE);
    let target_dir = std::iter::once((target_dir, "target"));
    let folders = package.folder_names.iter().map(|(folder, name)| (folder.as_path(), name.as_str()));
    for (folder, name) in folders.chain(target_dir) {
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(folder);
        flags.push("=");
        flags.push(name);
    }
    flags
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::rustc;
    use super::*;

    /// A crate that panics at a place and needs nothing.
    fn write_crate(folder: &Path, source: &str) {
        fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                        [lib]\ncrate-type = [\"cdylib\"]\n[profile.release]\ndebug = true\n[workspace]\n";
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::write(folder.join("src/lib.rs"), source).unwrap();
    }

    fn compiled(folder: &Path) -> anyhow::Result<Vec<u8>> {
        let options = BuildOptions { quiet: true, ..BuildOptions::new(folder) };
        let package = Package::find(folder, &[])?;
        let rustc = rustc::with_target(None, folder)?;
        Ok(fs::read(compile(&package, &rustc, &folder.join("built"), &options)?)?)
    }

    fn contains(bytes: &[u8], text: &str) -> bool {
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    }

    const SOURCE: &str = "#[unsafe(no_mangle)] pub extern \"C\" fn pick(i: usize) -> u8 {\n\
                          let bytes = vec![i as u8; 3]; bytes[i] }";

    #[test]
    fn the_same_source_gives_the_same_module_without_a_folder_of_this_machine() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write_crate(one.path(), SOURCE);
        write_crate(other.path(), SOURCE);
        let module = compiled(one.path()).unwrap();
        assert!(contains(&module, "src/lib.rs"), "the place of the panic is gone");
        assert!(
            !contains(&module, one.path().to_str().unwrap()),
            "a folder of this machine is in the module"
        );
        assert_eq!(module, compiled(other.path()).unwrap());
    }

    #[test]
    fn a_crate_that_does_not_compile_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        write_crate(folder.path(), "pub fn broken() -> u8 {}");
        let error = compiled(folder.path()).unwrap_err().to_string();
        assert!(error.starts_with("`tiny` does not compile"), "{error}");
    }
}
