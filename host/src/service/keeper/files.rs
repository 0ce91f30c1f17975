use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::Config;

/// The files that a server is made of, as they are at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files(BTreeMap<PathBuf, Option<Stamp>>);

/// What tells that a file is another: by whatever way it was written or replaced, something of this is other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    file: (u64, u64),
}

impl Files {
    /// Looks at the configuration's file, at those that it names, and at what is in its folder of plugins.
    pub async fn look(path: &Path, config: &Config) -> Self {
        let mut paths = config.files();
        paths.push(path.to_owned());
        let folder = config.plugin_folder.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let listed = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten();
            let is_of_plugin = |path: &PathBuf| {
                path.extension()
                    .is_some_and(|its| ["wasm", "toml", "minisig"].iter().any(|known| its == *known))
            };
            let listed = listed.filter_map(|entry| Some(entry.ok()?.path())).filter(is_of_plugin);
            Self(paths.into_iter().chain(listed).map(|path| (path.clone(), stamp(&path))).collect())
        });
        looked.await.unwrap_or_default()
    }

    /// The same files as others, each as it was here if it was.
    pub fn and_new_of(&self, others: Self) -> Self {
        let known = |(path, stamp): (PathBuf, Option<Stamp>)| {
            let stamp = self.0.get(&path).copied().unwrap_or(stamp);
            (path, stamp)
        };
        Self(others.0.into_iter().map(known).collect())
    }

    /// The folders that they are in.
    pub fn folders(&self, config: &Config) -> BTreeSet<PathBuf> {
        let parent = |path: &PathBuf| match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
            Some(folder) => folder.to_owned(),
            None => path.clone(),
        };
        self.0.keys().map(parent).chain(config.plugin_folder.clone()).collect()
    }
}

/// What tells the contents of the files of secrets that a configuration names from others.
pub(super) fn digest_of_secrets(config: &Config) -> [u8; 32] {
    let mut all = Sha256::new();
    for path in config.secret_files() {
        // One that can't be read is refused where it is used.
        all.update(Sha256::digest(std::fs::read(path).unwrap_or_default()));
    }
    all.finalize().into()
}

/// Links are followed: where one is exchanged, the file is another.
fn stamp(path: &Path) -> Option<Stamp> {
    let its = std::fs::metadata(path).ok()?;
    Some(Stamp {
        bytes: its.size(),
        modified: (its.mtime(), its.mtime_nsec()),
        changed: (its.ctime(), its.ctime_nsec()),
        file: (its.dev(), its.ino()),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[tokio::test]
    async fn whatever_way_a_file_is_exchanged_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("plugins")).unwrap();
        fs::write(path("a.wasm"), "one").unwrap();
        fs::write(path("other.wasm"), "one").unwrap();
        symlink(path("a.wasm"), path("link.wasm")).unwrap();
        let text = "plugin_folder = \"plugins\"\n[plugins.a]\ncomponent = \"a.wasm\"\n[plugins.l]\ncomponent = \"link.wasm\"\n\
                    [plugins.missing]\ncomponent = \"missing.wasm\"\n[databases.d]\nurl_file = \"url\"\n";
        fs::write(path("callslip.toml"), text).unwrap();
        let config = Config::read(&path("callslip.toml")).unwrap();
        let mut last = Files::look(&path("callslip.toml"), &config).await;
        assert_eq!(last, Files::look(&path("callslip.toml"), &config).await);
        assert_eq!(last.folders(&config), BTreeSet::from([folder.path().to_owned(), path("plugins")]));
        let changes: [(&str, &dyn Fn()); 7] = [
            ("written in place", &|| fs::write(path("a.wasm"), "two").unwrap()),
            ("replaced", &|| fs::rename(path("other.wasm"), path("a.wasm")).unwrap()),
            ("another link", &|| {
                symlink(path("callslip.toml"), path("new")).unwrap();
                fs::rename(path("new"), path("link.wasm")).unwrap();
            }),
            ("there now", &|| fs::write(path("missing.wasm"), "").unwrap()),
            ("a secret", &|| fs::write(path("url"), "postgres://x").unwrap()),
            ("new in the folder", &|| fs::write(path("plugins/n.wasm"), "").unwrap()),
            ("gone", &|| fs::remove_file(path("plugins/n.wasm")).unwrap()),
        ];
        for (what, change) in changes {
            change();
            let now = Files::look(&path("callslip.toml"), &config).await;
            assert_ne!(now, last, "{what}");
            last = now;
        }
        fs::write(path("unrelated"), "").unwrap();
        assert_eq!(Files::look(&path("callslip.toml"), &config).await, last);
    }
}
