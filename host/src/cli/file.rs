//! Files that the command reads and writes.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

use crate::catalog::Snapshot;

/// Writes a file so that a reader sees the old one or the new one, never a part, also after a crash of the machine. What is no
/// file, such as `/dev/null` or a pipe, is written to as it is: root could put a file in its place.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
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

#[cfg(all(test, unix))]
mod tests {
    use super::write_whole;

    #[test]
    fn a_file_is_replaced_and_a_device_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let (file, device) = (folder.path().join("file"), folder.path().join("device"));
        for text in ["longer", "short"] {
            write_whole(&file, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        std::os::unix::fs::symlink("/dev/full", &device).unwrap();
        let error = write_whole(&device, b"x").unwrap_err();
        assert!(format!("{error:#}").contains("No space left"), "{error:#}");
        assert!(device.symlink_metadata().unwrap().is_symlink(), "it is not replaced");
    }
}
