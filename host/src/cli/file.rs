//! Files that the command reads and writes.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

use crate::catalog::Snapshot;

/// Writes a file so that a reader sees the old one or the new one, never a part, also after a crash of the machine. A
/// symbolic link stays one, and what is no regular file, such as a pipe or `/dev/stdout`, is written to and not replaced.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        let target = std::fs::canonicalize(path);
        let path = target.as_deref().unwrap_or(path);
        if path.metadata().is_ok_and(|its| !its.is_file()) {
            return std::fs::OpenOptions::new().write(true).open(path)?.write_all(bytes);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut new = tempfile::Builder::new();
        #[cfg(unix)]
        new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask
        let mut file = new.prefix(".callslip-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        // Else a crash of the machine could leave the new name with nothing in it.
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("can't write {}", path.display()))
}

/// Reads a catalog snapshot.
pub(super) fn read_snapshot(path: &Path) -> anyhow::Result<Snapshot> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    Snapshot::read(&text).with_context(|| format!("{} can't be used", path.display()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_file_is_replaced_a_link_followed_and_a_pipe_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write_whole(&at("new/file"), b"1").unwrap();
        std::os::unix::fs::symlink(at("new/file"), at("link")).unwrap();
        write_whole(&at("link"), b"2").unwrap();
        assert!(at("link").is_symlink());
        assert_eq!(std::fs::read(at("new/file")).unwrap(), b"2");

        // As root, `--out /dev/null` must not take that from the machine.
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let pipe = at("pipe");
        let reader = std::thread::spawn(move || std::fs::read(pipe).unwrap());
        write_whole(&at("pipe"), b"3").unwrap();
        assert_eq!(reader.join().unwrap(), b"3");
        assert!(!at("pipe").metadata().unwrap().is_file());
    }
}
