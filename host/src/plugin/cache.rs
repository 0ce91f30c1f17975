//! Compiled components, kept in a folder of the host's own, so that a start need not compile them again.
//!
//! A compiled component is machine code that the host runs without any further check, so whoever can write such a file owns
//! the host. So what is read is read from a folder that belongs to this process's user and that nobody else can enter, out
//! of a file of which the same holds; both are looked at on the opened handle, through which everything goes, and neither
//! may be a link. What is damaged is compiled again: each file ends with a digest of all that is before it.

use std::ffi::OsString;
use std::hash::{Hash, Hasher};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use nix::sys::stat::FileStat;
use sha2::{Digest as _, Sha256};

use super::Digest;
use crate::private_folder::PrivateFolder;

/// The first bytes of each file, which change with its format.
const MAGIC: &[u8] = b"callslip compiled component 1\n";
/// How a file of the cache ends; what does not end so is left alone, unless it is half written.
const SUFFIX: &str = ".compiled";
/// How a file ends that is being written.
const UNFINISHED: &str = ".unfinished";
/// The bytes of a compiled component, at most.
const MOST_BYTES: u64 = 512 << 20;
/// After how long a file that was never finished is removed.
const ABANDONED_S: u64 = 3600;

const DIGEST_BYTES: usize = 32;

/// A folder of compiled components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
    most_bytes: u64,
}

/// What a compiled component is found by: its bytes, and the engine that compiled them, its settings included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key([u8; DIGEST_BYTES]);

impl Key {
    pub(super) fn new(component: Digest, engine: &wasmtime::Engine) -> Self {
        let mut hasher = Sha(Sha256::new_with_prefix(component.as_bytes()));
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self(hasher.0.finalize().into())
    }

    fn file(self) -> String {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        digits + SUFFIX
    }
}

/// A hasher whose collisions nobody finds.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

impl Cache {
    /// Compiled components in this folder, of no more bytes than these together. The folder is made when it is first needed,
    /// for this process's user alone.
    pub fn new(folder: impl Into<PathBuf>, most_bytes: u64) -> Self {
        Self { folder: folder.into(), most_bytes }
    }

    /// What was compiled, if it is there and whole. Whatever is wrong with the folder or the file is logged.
    pub(super) fn read(&self, key: Key) -> Option<Vec<u8>> {
        let read = || -> Result<Option<Vec<u8>>, String> {
            let Some(folder) = PrivateFolder::open(&self.folder, false)? else { return Ok(None) };
            let Some(file) = folder.read(key.file())? else { return Ok(None) };
            let mut bytes = Vec::new();
            // What nobody else can write does not grow meanwhile; another process of the same user could have it do so.
            file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            let bytes = unsealed(key, bytes).ok_or_else(|| format!("{} is damaged", key.file()))?;
            Ok(Some(bytes))
        };
        read().unwrap_or_else(|why| {
            self.warn(&why);
            None
        })
    }

    /// Keeps what was compiled, and removes what was written longest ago where that is too much. What goes wrong is
    /// logged: the cache is there to be quick, and nothing needs it.
    pub(super) fn write(&self, key: Key, compiled: &[u8]) {
        let write = || -> Result<(), String> {
            let sealed = sealed(key, compiled);
            if sealed.len() as u64 > MOST_BYTES.min(self.most_bytes) {
                return Ok(());
            }
            let Some(folder) = PrivateFolder::open(&self.folder, true)? else { return Ok(()) };
            self.make_room(&folder, sealed.len() as u64)?;
            let unfinished = unfinished_name();
            let failed =
                |what: &str, error: &dyn std::fmt::Display| format!("{unfinished} can't be {what}: {error}");
            let mut file = folder.make(&unfinished).map_err(|error| failed("made", &error))?;
            let written = file.write_all(&sealed).map_err(|error| failed("written", &error)).and_then(|()| {
                folder.rename(&unfinished, &key.file()).map_err(|error| failed("renamed", &error))
            });
            if written.is_err() {
                folder.remove(&unfinished);
            }
            written
        };
        if let Err(why) = write() {
            self.warn(&why);
        }
    }

    /// Removes what was written longest ago until there is room for so many bytes, and what nobody finished.
    fn make_room(&self, folder: &PrivateFolder, bytes: u64) -> Result<(), String> {
        let mut files = folder.files().map_err(|error| format!("it can't be listed: {error}"))?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let written = |stat: &FileStat| u64::try_from(stat.st_mtime).unwrap_or(0);
        let is_abandoned = |name: &OsString, stat: &FileStat| {
            name.as_bytes().ends_with(UNFINISHED.as_bytes()) && written(stat) + ABANDONED_S < now
        };
        for (name, _) in files.iter().filter(|(name, stat)| is_abandoned(name, stat)) {
            folder.remove(name);
        }
        files.retain(|(name, _)| name.as_bytes().ends_with(SUFFIX.as_bytes()));
        files.sort_by_key(|(_, stat)| written(stat));
        let size = |stat: &FileStat| u64::try_from(stat.st_size).unwrap_or(0);
        let mut all: u64 = files.iter().map(|(_, stat)| size(stat)).sum();
        for (name, stat) in &files {
            if all.saturating_add(bytes) <= self.most_bytes {
                break;
            }
            folder.remove(name);
            all = all.saturating_sub(size(stat));
        }
        Ok(())
    }

    fn warn(&self, why: &str) {
        let folder = self.folder.display();
        tracing::warn!(
            "the folder of compiled components {folder} is not used: {why}; plugins are compiled instead"
        );
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// A name that no other writer has, be it another process or thread.
fn unfinished_name() -> String {
    static WRITERS: AtomicU64 = AtomicU64::new(0);
    let (process, writer) = (std::process::id(), WRITERS.fetch_add(1, Ordering::Relaxed));
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    format!("{process}-{writer}-{nanos}{UNFINISHED}")
}

/// What a file holds: what it is, the key, so that no file passes for another, what was compiled, and a digest of all that.
fn sealed(key: Key, compiled: &[u8]) -> Vec<u8> {
    let mut bytes = [MAGIC, &key.0, compiled].concat();
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
}

/// What was compiled, out of the bytes of a whole file of that key.
fn unsealed(key: Key, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let end = bytes.len().checked_sub(DIGEST_BYTES)?;
    let (content, digest) = bytes.split_at(end);
    let begins_right = content.strip_prefix(MAGIC)?.starts_with(&key.0);
    if !begins_right || Sha256::digest(content).as_slice() != digest {
        return None;
    }
    bytes.truncate(end);
    bytes.drain(..MAGIC.len() + DIGEST_BYTES);
    Some(bytes)
}

#[cfg(test)]
mod tests;
