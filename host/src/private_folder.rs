//! A folder of this process's user alone: what is in it nobody else has written or can read.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, fstatat};
use nix::unistd::{UnlinkatFlags, geteuid, unlinkat};

/// An open folder that belongs to this process's user and that nobody else can enter. All goes through the handle, on which that
/// was looked at, and no link is followed.
pub(crate) struct PrivateFolder(OwnedFd);

impl PrivateFolder {
    /// The folder, if it is this user's alone; made for that, if it is to be and there is none. Nothing, if there is none.
    ///
    /// # Errors
    /// What is wrong with it, to be said after "it".
    pub fn open(path: &Path, make: bool) -> Result<Option<Self>, String> {
        // A slash at the end would have a link followed.
        let path: &Path = &path.components().collect::<PathBuf>();
        if make {
            match std::fs::DirBuilder::new().mode(0o700).create(path) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(format!("it can't be made: {error}"));
                }
                _ => {}
            }
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let folder = match nix::fcntl::open(path, flags, Mode::empty()) {
            Ok(folder) => File::from(folder),
            Err(nix::Error::ENOENT) if !make => return Ok(None),
            Err(nix::Error::ELOOP | nix::Error::ENOTDIR) => {
                return Err("it is a link, or no folder".to_owned());
            }
            Err(error) => return Err(format!("it can't be opened: {error}")),
        };
        let metadata = folder.metadata().map_err(|error| error.to_string())?;
        is_own(metadata.uid(), metadata.mode()).map_err(|why| format!("it {why}"))?;
        Ok(Some(Self(folder.into())))
    }

    /// Its files, by name.
    pub fn files(&self) -> nix::Result<Vec<(OsString, FileStat)>> {
        // A handle of its own, since reading moves it.
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut listed = Dir::openat(&self.0, ".", flags, Mode::empty())?;
        let mut files = Vec::new();
        for entry in listed.iter() {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            // Another host may have removed it.
            if let Ok(stat) = fstatat(&self.0, name.as_os_str(), AtFlags::AT_SYMLINK_NOFOLLOW)
                && stat.st_mode & nix::libc::S_IFMT == nix::libc::S_IFREG
            {
                files.push((name, stat));
            }
        }
        Ok(files)
    }

    /// Makes a file of which there is none yet, to be written by this user alone.
    pub fn make(&self, name: &str) -> nix::Result<File> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        openat(&self.0, name, flags, Mode::S_IRUSR | Mode::S_IWUSR).map(File::from)
    }

    /// Opens a file to be read, if it is there and this user's alone.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, name: impl AsRef<OsStr>) -> Result<Option<File>, String> {
        let name = name.as_ref();
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = match openat(&self.0, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(nix::Error::ENOENT) => return Ok(None),
            Err(error) => return Err(format!("{} can't be opened: {error}", name.display())),
        };
        let metadata = file.metadata().map_err(|error| error.to_string())?;
        if !metadata.is_file() {
            return Err(format!("{} is not a file", name.display()));
        }
        is_own(metadata.uid(), metadata.mode()).map_err(|why| format!("{} {why}", name.display()))?;
        Ok(Some(file))
    }

    /// Gives a file the name of another, in whose place it is then.
    pub fn rename(&self, from: &str, to: &str) -> nix::Result<()> {
        renameat(&self.0, from, &self.0, to)
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, name: impl AsRef<OsStr>) {
        _ = unlinkat(&self.0, name.as_ref(), UnlinkatFlags::NoRemoveDir);
    }
}

/// Whether something belongs to this process's user, and nobody else can read or write it.
fn is_own(owner: u32, mode: u32) -> Result<(), String> {
    let user = geteuid().as_raw();
    match mode & 0o077 {
        _ if owner != user => {
            Err(format!("belongs to the user {owner}, and not to {user}, as whom this process runs"))
        }
        0 => Ok(()),
        _ => Err(format!("can be used by others (its mode is {:03o}): chmod go= it", mode & 0o777)),
    }
}
