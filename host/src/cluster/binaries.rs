use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::ClusterError;

/// The environment variable that names the folder of PostgreSQL's programs. It wins over every other place.
pub const BINARIES_VARIABLE: &str = "CALLSLIP_PG_BIN";

/// The oldest major version that can be used.
pub const OLDEST_VERSION: u32 = 14;

/// Where distributions keep the programs, after PATH and `pg_config`. A `*` stands for the rest of one name.
const PLACES: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/usr/local/pgsql/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// The programs of a PostgreSQL server: `initdb` and `postgres` of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    version: String,
    major: u32,
}

impl Binaries {
    /// Looks for them: in the folder that [`BINARIES_VARIABLE`] names, if it is set; otherwise in PATH, where `pg_config`
    /// says, and in the distributions' folders, the newest version first.
    ///
    /// # Errors
    /// [`ClusterError::UnusableBinaries`], if the variable is set and names no such folder;
    /// [`ClusterError::NoBinaries`], if there are none.
    pub fn find() -> Result<Self, ClusterError> {
        Self::find_in(env::var_os(BINARIES_VARIABLE).as_deref(), env::var_os("PATH").as_deref(), PLACES)
    }

    fn find_in(named: Option<&OsStr>, path: Option<&OsStr>, places: &[&str]) -> Result<Self, ClusterError> {
        if let Some(named) = named.filter(|named| !named.is_empty()) {
            return Self::in_folder(Path::new(named));
        }
        let mut looked: Vec<PathBuf> = path.map(|path| env::split_paths(path).collect()).unwrap_or_default();
        looked.extend(told_by_pg_config(&looked));
        looked.extend(places.iter().flat_map(|place| folders(place)));
        match looked.iter().find_map(|folder| Self::in_folder(folder).ok()) {
            Some(found) => Ok(found),
            None => Err(ClusterError::NoBinaries { looked }),
        }
    }

    /// The programs in a folder.
    ///
    /// # Errors
    /// [`ClusterError::UnusableBinaries`], if one is missing or they are too old.
    pub fn in_folder(folder: &Path) -> Result<Self, ClusterError> {
        let unusable = |reason: String| ClusterError::UnusableBinaries { folder: folder.to_owned(), reason };
        // They are run in another folder than ours.
        let folder = std::path::absolute(folder).map_err(|e| unusable(e.to_string()))?;
        for program in ["initdb", "postgres"] {
            if !folder.join(program).is_file() {
                return Err(unusable(format!("it has no `{program}`")));
            }
        }
        let output = Command::new(folder.join("postgres")).arg("--version").output();
        let output = output.map_err(|e| unusable(format!("`postgres --version` failed: {e}")))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version =
            version_in(&said).ok_or_else(|| unusable(format!("its version is {:?}", said.trim())))?;
        match major(version) {
            Some(major) if major >= OLDEST_VERSION => Ok(Self { version: version.to_owned(), major, folder }),
            _ => Err(unusable(format!("it is version {version}; {OLDEST_VERSION} or later is needed"))),
        }
    }

    /// The folder that they are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Their version, such as `15.18` or `19beta1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Their major version, such as 15.
    pub fn major(&self) -> u32 {
        self.major
    }
}

/// What `postgres --version` says, such as `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn version_in(said: &str) -> Option<&str> {
    said.split_once("(PostgreSQL)")?.1.split_whitespace().next()
}

fn major(version: &str) -> Option<u32> {
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

fn told_by_pg_config(path: &[PathBuf]) -> Option<PathBuf> {
    let pg_config = path.iter().map(|folder| folder.join("pg_config")).find(|program| program.is_file())?;
    let output = Command::new(pg_config).arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(folder.trim()).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// The folders that a place with one `*` stands for, the newest version first.
fn folders(place: &str) -> Vec<PathBuf> {
    let Some((before, after)) = place.split_once('*') else { return vec![PathBuf::from(place)] };
    let Some((parent, prefix)) = before.rsplit_once('/') else { return Vec::new() };
    let mut versions: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(prefix)) else { continue };
        let version = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
        versions.push((major(version).unwrap_or(0), entry.path().join(after.trim_start_matches('/'))));
    }
    versions.sort_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn pretend(folder: &Path, version: &str) {
        fs::create_dir_all(folder).unwrap();
        for program in ["initdb", "postgres"] {
            let file = folder.join(program);
            fs::write(&file, format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    #[test]
    fn the_newest_of_a_distribution_is_found_after_path() {
        let machine = tempfile::tempdir().unwrap();
        let at = |name: &str| machine.path().join(name);
        let place = format!("{}/*/bin", machine.path().display());
        for version in ["9.6.24", "13.9", "15.18 (Debian 15.18-1)", "16.2"] {
            pretend(&at(version.split('.').next().unwrap()).join("bin"), version);
        }
        let found = Binaries::find_in(None, None, &[&place]).unwrap();
        assert_eq!((found.folder(), found.version(), found.major()), (at("16/bin").as_path(), "16.2", 16));

        let path = env::join_paths([at("13/bin"), at("15/bin")]).unwrap();
        let found = Binaries::find_in(None, Some(&path), &[&place]).unwrap();
        assert_eq!((found.folder(), found.version()), (at("15/bin").as_path(), "15.18"));

        let named = at("16/bin");
        let found = Binaries::find_in(Some(named.as_os_str()), Some(&path), &[&place]).unwrap();
        assert_eq!(found.folder(), named);
    }

    #[test]
    fn what_is_named_is_used_or_refused() {
        let machine = tempfile::tempdir().unwrap();
        let old = machine.path().join("old");
        pretend(&old, "13.9");
        let refused = Binaries::find_in(Some(old.as_os_str()), None, PLACES).unwrap_err().to_string();
        assert!(refused.contains("it is version 13.9; 14 or later is needed"), "{refused}");
        let refused =
            Binaries::find_in(Some(machine.path().as_os_str()), None, PLACES).unwrap_err().to_string();
        assert!(refused.contains("it has no `initdb`"), "{refused}");
        let none = Binaries::find_in(None, None, &["/nowhere/bin"]).unwrap_err().to_string();
        assert!(none.contains("/nowhere/bin") && none.contains("CALLSLIP_PG_BIN"), "{none}");
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(version_in("postgres (PostgreSQL) 19beta1\n"), Some("19beta1"));
        assert_eq!(major("19beta1"), Some(19));
        assert_eq!(version_in("postgres of another kind"), None);
    }
}
