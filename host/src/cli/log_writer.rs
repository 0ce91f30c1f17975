use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long what has come is gathered before it is written: a server that is asked often writes its lines together.
const GATHERED: Duration = Duration::from_millis(2);

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
            gathered = self.0.was_written.wait(gathered).unwrap_or_else(PoisonError::into_inner);
        }
        if gathered.is_over {
            return write(line);
        }
        if gathered.lines.is_empty() {
            self.0.has_come.notify_one();
        }
        gathered.lines.extend_from_slice(line);
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
            let is_over = gathered.is_over;
            drop(gathered);
            self.0.was_written.notify_all();
            write(&written);
            written.clear();
            if is_over {
                return;
            }
        }
    }
}

/// Nobody can be told that stderr is closed.
fn write(lines: &[u8]) {
    _ = io::stderr().lock().write_all(lines);
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
