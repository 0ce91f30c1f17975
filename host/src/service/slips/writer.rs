use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant, SystemTime};

use super::Message;
use super::folder::{FILE_TIME, SlipError, SlipFolder};
use super::redaction::Redaction;
use super::slip::Slip;

/// How often what is over is removed, and slips that were left out are told of.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// How long nothing is written after that has failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Writes slips to a folder, on a thread of its own.
pub(super) struct Writer {
    folder: SlipFolder,
    redaction: Redaction,
    dropped: Arc<AtomicU64>,
    /// How many of these were told of.
    told: u64,
    open: Option<Open>,
    tidied: Instant,
    /// Since when nothing is written.
    failed: Option<Instant>,
}

/// The file that is written to. What has no room in its buffer is in the folder.
struct Open {
    file: BufWriter<File>,
    bytes: u64,
    since: Instant,
}

impl Open {
    /// Whether the file has a name yet: another host that makes room in the folder may have removed it, or somebody all of it.
    fn is_there(&self) -> bool {
        self.file.get_ref().metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }
}

impl Writer {
    /// A writer to a folder, which is made where there is none.
    ///
    /// # Errors
    /// [`SlipError::Folder`], if it can't be used.
    pub fn new(folder: SlipFolder, redaction: Redaction, dropped: Arc<AtomicU64>) -> Result<Self, SlipError> {
        folder.open(true)?;
        folder.tidy(SystemTime::now(), 0)?;
        Ok(Self { folder, redaction, dropped, told: 0, open: None, tidied: Instant::now(), failed: None })
    }

    /// Writes until nobody is left who could tell of a call.
    pub fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let message = match messages.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Disconnected) => return self.flush(),
                // Whoever looks for a slip finds it soon, and a crash costs little.
                Err(TryRecvError::Empty) => {
                    self.flush();
                    match messages.recv_timeout(TIDY_EVERY) {
                        Ok(message) => message,
                        Err(RecvTimeoutError::Timeout) => {
                            self.tidy();
                            continue;
                        }
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            };
            match message {
                Message::Ended(ended) => self.write(&ended.slip(&self.redaction)),
                Message::Flush(done) => {
                    self.flush();
                    // It may be the last that is heard of them.
                    self.tell_dropped();
                    // Whoever asked may be gone.
                    _ = done.send(());
                }
            }
            self.tidy();
        }
    }

    fn write(&mut self, slip: &Slip) {
        if self.failed.is_some_and(|since| since.elapsed() < PAUSE) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if let Err(error) = self.append(slip) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            self.fail(&error);
        }
    }

    fn append(&mut self, slip: &Slip) -> Result<(), SlipError> {
        let wrong = |error| self.folder.wrong(error);
        let mut line = serde_json::to_vec(slip).map_err(|error| self.folder.wrong(error))?;
        // Between the tokens of a value that was given there may be ends of lines; within strings there are none.
        line.iter_mut().filter(|byte| matches!(**byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        line.push(b'\n');
        let bytes = line.len() as u64;
        let (now, most) = (Instant::now(), self.folder.file_bytes());
        let has_room =
            |open: &Open| now - open.since < FILE_TIME && open.bytes + bytes <= most && open.is_there();
        if !self.open.as_ref().is_some_and(has_room) {
            if let Some(mut open) = self.open.take() {
                open.file.flush().map_err(wrong)?;
            }
            let file = BufWriter::new(self.folder.make_file(SystemTime::now(), bytes.max(most))?);
            self.open = Some(Open { file, bytes: 0, since: now });
        }
        if let Some(open) = &mut self.open {
            open.file.write_all(&line).map_err(wrong)?;
            open.bytes += bytes;
        }
        Ok(())
    }

    fn flush(&mut self) {
        let Some(open) = &mut self.open else { return };
        match open.file.flush() {
            Ok(()) => self.failed = None,
            Err(error) => self.fail(&self.folder.wrong(error)),
        }
    }

    /// Goes on with another file, after a while: the end of this one may be torn.
    fn fail(&mut self, error: &SlipError) {
        if self.failed.is_none() {
            tracing::error!(code = error.code().as_str(), "{error}; slips are left out until it can");
        }
        self.failed = Some(Instant::now());
        if let Some(Open { file, .. }) = self.open.take() {
            // What is in its buffer is lost.
            drop(file.into_parts());
        }
    }

    fn tidy(&mut self) {
        if self.tidied.elapsed() < TIDY_EVERY {
            return;
        }
        self.tidied = Instant::now();
        if let Err(error) = self.folder.tidy(SystemTime::now(), 0) {
            self.fail(&error);
        }
        self.tell_dropped();
    }

    /// Says how many slips were left out since that was said.
    fn tell_dropped(&mut self) {
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > self.told {
            let slips = dropped - self.told;
            tracing::warn!(
                slips,
                "slips were left out: they could not be written, or not as fast as calls end"
            );
            self.told = dropped;
        }
    }
}
