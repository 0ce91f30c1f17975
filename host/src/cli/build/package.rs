use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use super::TARGET;

/// The crate of a plugin.
#[derive(Debug)]
pub(super) struct Package {
    /// The package's name.
    pub(super) name: String,
    /// What cargo calls it.
    pub(super) id: String,
    /// The folder of its `Cargo.toml`.
    pub(super) folder: PathBuf,
    /// Where cargo builds it.
    pub(super) target_folder: PathBuf,
    /// How the folders of this machine read in the component: where what is left of a place begins with.
    pub(super) folder_names: BTreeMap<PathBuf, String>,
}

/// What `cargo metadata` says, as far as it is wanted here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    workspace_members: Vec<String>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    version: String,
    id: String,
    source: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<MetadataTarget>,
}

#[derive(Deserialize)]
struct MetadataTarget {
    crate_types: Vec<String>,
}

impl Package {
    /// Finds the crate of a folder or of a `Cargo.toml`, and all that it stands on. Of the arguments for cargo,
    /// those about versions are heeded.
    pub(super) fn find(path: &Path, cargo_args: &[String]) -> anyhow::Result<Self> {
        let manifest = if path.is_dir() { path.join("Cargo.toml") } else { path.to_owned() };
        let manifest = manifest
            .canonicalize()
            .with_context(|| format!("can't read {}: is there a plugin's crate?", manifest.display()))?;
        Self::of_manifest(&manifest, metadata(&manifest, cargo_args)?)
    }

    fn of_manifest(manifest: &Path, metadata: Metadata) -> anyhow::Result<Self> {
        let is_it = |package: &&MetadataPackage| package.manifest_path == manifest;
        let Some(package) = metadata.packages.iter().find(is_it) else {
            let members = metadata
                .packages
                .iter()
                .filter(|package| package.is_cdylib() && metadata.workspace_members.contains(&package.id));
            let folders = members.filter_map(|package| package.manifest_path.parent());
            let folders = folders.map(|folder| folder.display().to_string()).collect::<Vec<_>>();
            ensure!(!folders.is_empty(), "{} is a workspace without a plugin", manifest.display());
            bail!("{} is a workspace: name one of its plugins: {}", manifest.display(), folders.join(", "));
        };
        ensure!(
            package.is_cdylib(),
            "`{}` is no cdylib, which a plugin must be: write this in {}\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n",
            package.name,
            manifest.display()
        );
        Ok(Self {
            name: package.name.clone(),
            id: package.id.clone(),
            folder: package.folder()?.to_owned(),
            folder_names: metadata.folder_names()?,
            target_folder: metadata.target_directory,
        })
    }
}

fn metadata(manifest: &Path, cargo_args: &[String]) -> anyhow::Result<Metadata> {
    let about_versions = |arg: &&String| matches!(arg.as_str(), "--locked" | "--offline" | "--frozen");
    let output = cargo(manifest)
        .args(["metadata", "--format-version", "1", "--filter-platform", TARGET])
        .arg("--manifest-path")
        .arg(manifest)
        .args(cargo_args.iter().filter(about_versions))
        .stderr(Stdio::inherit())
        .output()
        .context("can't run cargo: see https://rustup.rs")?;
    ensure!(output.status.success(), "cargo can't read {}", manifest.display());
    serde_json::from_slice(&output.stdout).context("can't read what `cargo metadata` says")
}

/// The cargo for a manifest: the one that runs us, if one does, else that of the crate's own toolchain.
pub(super) fn cargo(manifest: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    if let Some(folder) = manifest.parent() {
        cargo.current_dir(folder);
    }
    cargo
}

impl Metadata {
    /// A place in a workspace reads as in cargo's own messages, from the workspace's folder; one in a
    /// dependency begins with the dependency's name and version.
    fn folder_names(&self) -> anyhow::Result<BTreeMap<PathBuf, String>> {
        let mut names = BTreeMap::new();
        names.insert(self.target_directory.clone(), "target".to_owned());
        names.insert(self.workspace_root.clone(), String::new());
        for package in &self.packages {
            let folder = package.folder()?;
            if folder.starts_with(&self.workspace_root) {
                continue;
            }
            // A registry's folder holds packages by name and version already.
            match (&package.source, folder.parent()) {
                (Some(source), Some(registry)) if source.starts_with("registry+") => {
                    names.insert(registry.to_owned(), String::new());
                }
                _ => {
                    names.insert(folder.to_owned(), format!("{}-{}", package.name, package.version));
                }
            }
        }
        Ok(names)
    }
}

impl MetadataPackage {
    fn is_cdylib(&self) -> bool {
        self.targets.iter().any(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))
    }

    fn folder(&self) -> anyhow::Result<&Path> {
        self.manifest_path.parent().with_context(|| format!("`{}` has no folder", self.name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn package(name: &str, folder: &str, kind: &str, source: Option<&str>) -> Value {
        json!({
            "name": name, "version": "1.2.3", "id": format!("path+file://{folder}#1.2.3"), "source": source,
            "manifest_path": format!("{folder}/Cargo.toml"), "targets": [{ "crate_types": [kind] }],
        })
    }

    fn metadata(packages: &[Value]) -> Metadata {
        let members = packages.iter().map(|package| package["id"].clone()).collect::<Vec<_>>();
        serde_json::from_value(json!({
            "packages": packages, "workspace_members": members,
            "workspace_root": "/home/me/shop", "target_directory": "/var/builds/shop",
        }))
        .unwrap()
    }

    fn find(manifest: &str, packages: &[Value]) -> anyhow::Result<Package> {
        Package::of_manifest(Path::new(manifest), metadata(packages))
    }

    #[test]
    fn places_read_from_the_workspace_or_from_a_dependencys_name() {
        let found = find(
            "/home/me/shop/sales/Cargo.toml",
            &[
                package("sales", "/home/me/shop/sales", "cdylib", None),
                package("tools", "/home/me/tools", "lib", None),
                package(
                    "serde",
                    "/home/me/.cargo/registry/src/a-1/serde-1.2.3",
                    "lib",
                    Some("registry+https://example.invalid"),
                ),
            ],
        )
        .unwrap();
        assert_eq!(found.name, "sales");
        assert_eq!(found.folder, Path::new("/home/me/shop/sales"));
        assert_eq!(found.target_folder, Path::new("/var/builds/shop"));
        let names = found.folder_names.iter().map(|(folder, name)| (folder.to_str().unwrap(), name.as_str()));
        assert_eq!(
            names.collect::<Vec<_>>(),
            [
                ("/home/me/.cargo/registry/src/a-1", ""),
                ("/home/me/shop", ""),
                ("/home/me/tools", "tools-1.2.3"),
                ("/var/builds/shop", "target"),
            ]
        );
    }

    #[test]
    fn a_crate_that_is_no_cdylib_is_told_what_to_write() {
        let packages = [package("sales", "/home/me/shop/sales", "lib", None)];
        let error = find("/home/me/shop/sales/Cargo.toml", &packages).unwrap_err().to_string();
        assert!(error.contains("crate-type = [\"cdylib\", \"rlib\"]"), "{error}");
    }

    #[test]
    fn a_workspace_names_its_plugins() {
        let packages = [
            package("sales", "/home/me/shop/sales", "cdylib", None),
            package("tools", "/home/me/shop/tools", "lib", None),
        ];
        let error = find("/home/me/shop/Cargo.toml", &packages).unwrap_err().to_string();
        assert!(error.ends_with("name one of its plugins: /home/me/shop/sales"), "{error}");
        let error = find("/home/me/shop/Cargo.toml", &packages[1..]).unwrap_err().to_string();
        assert!(error.ends_with("is a workspace without a plugin"), "{error}");
    }

    #[test]
    fn a_folder_without_a_crate_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = Package::find(folder.path(), &[]).unwrap_err();
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
    }
}
