use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::slip::Slip;
use crate::private_folder::PrivateFolder;
use crate::{CallId, Code, SlipConfig};

/// How a file of slips ends; what does not end so is left alone.
const SUFFIX: &str = ".slips.ndjson";

/// For how long one file is written to.
pub(super) const FILE_TIME: Duration = Duration::from_secs(600);

/// Into how many files the room of the folder is divided, so that what goes is a small part of it.
const FILES: u64 = 32;

/// By how much clocks of hosts that share a folder may differ, and be set back.
const CLOCKS: Duration = Duration::from_secs(3600);

/// A folder of slips: files that only grow, of which each is one process's, of ten minutes at most. A file's name begins with the
/// second in which it was made, by which slips are found, and go when their time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlipFolder {
    path: PathBuf,
    keep: Duration,
    most_bytes: u64,
}

/// Why slips can't be kept or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlipError {
    /// The folder can't be used.
    #[error("the folder of slips {path} can't be used: {why}", path = path.display())]
    Folder {
        /// Where it is: `slips.folder` of the configuration.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no thread to write them.
    #[error("slips can't be written: {0}")]
    Thread(io::Error),
    /// There is no slip of that call.
    #[error("there is no slip of the call {id} in {path}: {why}", path = path.display())]
    Unknown {
        /// The call.
        id: CallId,
        /// Where it was looked for.
        path: PathBuf,
        /// Why there may be none.
        why: String,
    },
}

impl SlipError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Folder { .. } | Self::Thread(_) => Code::BadConfiguration,
            Self::Unknown { .. } => Code::UnknownSlip,
        }
    }
}

/// A file of slips.
struct SlipFile {
    name: String,
    /// When it was made.
    made: SystemTime,
    bytes: u64,
}

impl SlipFile {
    /// The last moment in which something was written to it, unless its process stood still.
    fn ends(&self) -> SystemTime {
        self.made + FILE_TIME
    }
}

impl SlipFolder {
    /// The folder of a configuration; nothing, if it names none.
    pub fn new(config: &SlipConfig) -> Option<Self> {
        Some(Self {
            path: config.folder.clone()?,
            keep: Duration::from_secs(config.keep_hours.saturating_mul(3600)),
            most_bytes: config.max_mib.saturating_mul(1 << 20),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes one file has at most.
    pub(super) fn file_bytes(&self) -> u64 {
        self.most_bytes / FILES
    }

    /// The slip of a call.
    ///
    /// # Errors
    /// [`SlipError::Folder`]; [`SlipError::Unknown`].
    pub fn find(&self, id: CallId) -> Result<Slip, SlipError> {
        let unknown = |why: String| SlipError::Unknown { id, path: self.path.clone(), why };
        let hours = self.keep.as_secs() / 3600;
        if SystemTime::now().duration_since(id.time()).is_ok_and(|age| age > self.keep) {
            return Err(unknown(format!("it came more than {hours} hours ago (slips.keep_hours)")));
        }
        let Some(folder) = self.open(false)? else {
            return Err(unknown("the folder is not there".to_owned()));
        };
        let files = files(&folder).map_err(|error| self.wrong(error))?;
        // A slip is written when its call has ended.
        for file in files.iter().filter(|file| file.ends() + CLOCKS >= id.time()) {
            // Another host may have removed it.
            if let Some(read) = folder.read(&file.name).map_err(|why| self.wrong(why))?
                && let Some(slip) = find_in(read, id).map_err(|error| self.wrong(error))?
            {
                return Ok(slip);
            }
        }
        let mib = self.most_bytes >> 20;
        Err(unknown(format!(
            "slips are kept for {hours} hours and as long as there is room in {mib} MiB (slips.keep_hours, slips.max_mib), \
             of calls that have ended and whose query there was"
        )))
    }

    /// The folder, if it is there, or made where it is to be.
    ///
    /// # Errors
    /// [`SlipError::Folder`].
    pub(super) fn open(&self, make: bool) -> Result<Option<PrivateFolder>, SlipError> {
        PrivateFolder::open(&self.path, make).map_err(|why| self.wrong(why))
    }

    /// Makes a new file, after room was made for so many bytes.
    pub(super) fn make_file(&self, now: SystemTime, bytes: u64) -> Result<File, SlipError> {
        self.tidy(now, bytes)?;
        let Some(folder) = self.open(true)? else { return Err(self.wrong("it is not there")) };
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (seconds, nanos) = (since.as_secs(), since.subsec_nanos());
        // The end of an id is random: no two processes choose one name.
        let id = CallId::new().to_string();
        let (_, random) = id.split_at(id.len() - 12);
        folder.make(&format!("{seconds}-{nanos:09}-{random}{SUFFIX}")).map_err(|error| self.wrong(error))
    }

    /// Removes the files whose time is over, and the oldest until there is room for so many bytes.
    pub(super) fn tidy(&self, now: SystemTime, bytes: u64) -> Result<(), SlipError> {
        let Some(folder) = self.open(false)? else { return Ok(()) };
        let files = files(&folder).map_err(|error| self.wrong(error))?;
        let mut all: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files {
            let is_over = now.duration_since(file.ends()).is_ok_and(|age| age > self.keep);
            if is_over || all.saturating_add(bytes) > self.most_bytes {
                folder.remove(&file.name);
                all = all.saturating_sub(file.bytes);
            }
        }
        Ok(())
    }

    pub(super) fn wrong(&self, why: impl ToString) -> SlipError {
        SlipError::Folder { path: self.path.clone(), why: why.to_string() }
    }
}

/// The files of slips in a folder, the oldest first.
fn files(folder: &PrivateFolder) -> nix::Result<Vec<SlipFile>> {
    let slips = folder.files()?.into_iter().filter_map(|(name, stat)| {
        let name = name.into_string().ok()?;
        let seconds: u64 = name.strip_suffix(SUFFIX)?.split('-').next()?.parse().ok()?;
        let made = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        // What is so far ahead that its end can't be told is none of ours.
        made.checked_add(FILE_TIME + CLOCKS)?;
        Some(SlipFile { name, made, bytes: u64::try_from(stat.st_size).unwrap_or(0) })
    });
    let mut slips: Vec<SlipFile> = slips.collect();
    slips.sort_by(|a, b| (a.made, &a.name).cmp(&(b.made, &b.name)));
    Ok(slips)
}

/// The slip of a call in a file. A line that is not whole, as one is that was written when its process ended, is no slip.
fn find_in(file: File, id: CallId) -> io::Result<Option<Slip>> {
    // Its first member.
    let begin = format!("{{\"id\":\"{id}\",");
    let (mut lines, mut line) = (BufReader::new(file), Vec::new());
    while lines.read_until(b'\n', &mut line)? > 0 {
        if line.starts_with(begin.as_bytes())
            && let Ok(slip) = serde_json::from_slice(&line)
        {
            return Ok(Some(slip));
        }
        line.clear();
    }
    Ok(None)
}
