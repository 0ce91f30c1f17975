use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once, PoisonError};

use tracing_subscriber::EnvFilter;

/// How a line begins that tells of a call.
const AUDIT: &str = "INFO callslip::audit: ";

thread_local! {
    static HERE: RefCell<Option<Log>> = const { RefCell::new(None) };
}

/// What the host logs on one thread, as that of a test is, with all that runs on its tokio runtime. A clone is the same.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The log of this thread, kept from the first time that it is asked for.
    ///
    /// # Panics
    /// If the process logs elsewhere already.
    pub fn here() -> Self {
        // One for all threads: whether something is logged at all is remembered for the whole process.
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            tracing_subscriber::fmt()
                .with_env_filter(EnvFilter::new("callslip=debug"))
                .with_ansi(false)
                .without_time()
                .with_writer(|| Here)
                .init();
        });
        HERE.with_borrow_mut(|here| here.get_or_insert_default().clone())
    }

    /// The lines since it was last asked.
    pub fn take(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    /// The same of those that tell of calls.
    pub fn take_audit(&self) -> Vec<String> {
        self.take().into_iter().filter(|line| line.trim_start().starts_with(AUDIT)).collect()
    }
}

/// The log of the thread that writes, if it has one.
struct Here;

impl Write for Here {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HERE.with_borrow(|here| {
            if let Some(Log(log)) = here {
                log.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
