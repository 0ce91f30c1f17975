use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long what has come is gathered before it is written: to wake the thread takes longer than to write a line.
const GATHERED: Duration = Duration::from_millis(10);

/// How long a flush waits at most.
const FLUSHED_WITHIN: Duration = Duration::from_millis(200);

/// How much is gathered at most. Whoever has more to say waits.
const MOST_BYTES: usize = 1 << 20;

/// Writes lines to stderr from a thread of its own, several at once: who logs waits neither for that nor for others who log.
/// A clone is the same.
#[derive(Clone, Default)]
pub(super) struct LogWriter(Arc<Parts>);

#[derive(Default)]
struct Parts {
    gathered: Mutex<Gathered>,
    /// There is something to write, or nothing will come any more.
    has_come: Condvar,
    /// It was written.
    was_written: Condvar,
}

#[derive(Default)]
struct Gathered {
    lines: Vec<u8>,
    /// What was gathered before is being written.
    is_written: bool,
    /// How many wait for it to be written.
    waiting: usize,
    is_over: bool,
}

/// Has everything written when it is dropped, at the end of the process.
pub(super) struct LogThread {
    writer: LogWriter,
    thread: Option<JoinHandle<()>>,
}

impl LogWriter {
    /// One whose thread writes until what is returned with it is dropped. Where there can be no thread, lines are written as they come.
    pub fn start() -> (Self, LogThread) {
        let writer = Self::default();
        let of_thread = writer.clone();
        let thread = thread::Builder::new().name("log".to_owned()).spawn(move || of_thread.write_all()).ok();
        if thread.is_none() {
            writer.lock().is_over = true;
        }
        (writer.clone(), LogThread { writer, thread })
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut gathered = self.lock();
        while gathered.lines.len() >= MOST_BYTES && !gathered.is_over {
            gathered.waiting += 1;
            gathered = self.0.was_written.wait(gathered).unwrap_or_else(PoisonError::into_inner);
            gathered.waiting -= 1;
        }
        if gathered.is_over {
            return write(line);
        }
        if gathered.lines.is_empty() {
            self.0.has_come.notify_one();
        }
        gathered.lines.extend_from_slice(line);
    }

    /// Waits until all that has come is written, but not for long: the process may be about to end.
    pub fn flush(&self) {
        let is_not_written = |gathered: &mut Gathered| {
            !gathered.is_over && (gathered.is_written || !gathered.lines.is_empty())
        };
        let mut gathered = self.lock();
        gathered.waiting += 1;
        let written = self.0.was_written.wait_timeout_while(gathered, FLUSHED_WITHIN, is_not_written);
        let (mut gathered, _) = written.unwrap_or_else(PoisonError::into_inner);
        gathered.waiting -= 1;
    }

    /// Tells those who wait, if there are any: to tell nobody asks the kernel all the same.
    fn tell(&self, gathered: &Gathered) {
        if gathered.waiting > 0 {
            self.0.was_written.notify_all();
        }
    }

    fn write_all(&self) {
        let mut written = Vec::new();
        loop {
            let mut gathered = self.lock();
            while gathered.lines.is_empty() && !gathered.is_over {
                gathered = self.0.has_come.wait(gathered).unwrap_or_else(PoisonError::into_inner);
            }
            if !gathered.is_over {
                drop(gathered);
                thread::sleep(GATHERED);
                gathered = self.lock();
            }
            std::mem::swap(&mut gathered.lines, &mut written);
            gathered.is_written = true;
            let is_over = gathered.is_over;
            // There is room again.
            self.tell(&gathered);
            drop(gathered);
            write(&written);
            written.clear();
            let mut gathered = self.lock();
            gathered.is_written = false;
            self.tell(&gathered);
            drop(gathered);
            if is_over {
                return;
            }
        }
    }
}

/// Nobody can be told that stderr is closed. One that others have made not to wait is waited for all the same.
fn write(mut lines: &[u8]) {
    let mut stderr = io::stderr().lock();
    while !lines.is_empty() {
        match stderr.write(lines) {
            Ok(0) => return,
            Ok(written) => lines = lines.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        self.writer.lock().is_over = true;
        self.writer.0.has_come.notify_one();
        self.writer.0.was_written.notify_all();
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

/// A line, which comes whole.
impl Write for &LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}
