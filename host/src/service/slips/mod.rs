//! Slips: what is kept of each call for a time, so that it can be run again.
//!
//! [`Slips`] is told of calls that have ended and hands them to a thread of its own, which [writes](writer) them to a
//! [folder](folder) of files that only grow. [`SlipFolder`] finds them there by the ids of their calls.

mod folder;
mod redaction;
mod slip;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

pub use folder::{SlipError, SlipFolder};
pub use slip::{KeptInputs, Slip, SlipStatement};

use self::redaction::Redaction;
use self::slip::Ended;
use self::writer::Writer;
use crate::{Observation, SlipConfig};

/// How many calls that have ended wait for their slips to be written, at most: some megabytes, and some seconds of a slow folder.
const QUEUE: usize = 1_024;

/// How long is waited for what is still to be written.
const WITHIN: Duration = Duration::from_secs(10);

/// Keeps a slip of each call. A clone keeps them in the same place.
///
/// It costs a call next to nothing and never makes one wait: where calls end faster than the folder takes them, slips are left out,
/// and counted.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use callslip::service::Slips;
/// use callslip::{Config, Host, loan::ConnectionSettings};
///
/// let connection = ConnectionSettings::resolve(None, &|name| std::env::var(name).ok())?;
/// let config = Config::read("callslip.toml".as_ref())?;
/// let mut builder = Host::builder().connect(&connection);
/// if let Some(slips) = Slips::start(&config.slips)? {
///     builder = builder.observe(slips.observer());
/// }
/// let host = builder.start(&config).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Slips {
    queue: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

/// What the writer is told.
enum Message {
    /// A call that has ended.
    Ended(Box<Ended>),
    /// Tell when all before this is in the folder.
    Flush(oneshot::Sender<()>),
}

impl Slips {
    /// Keeps slips as a configuration says; nothing, if it names no folder.
    ///
    /// # Errors
    /// [`SlipError::Folder`], if the folder can't be used; [`SlipError::Thread`].
    pub fn start(config: &SlipConfig) -> Result<Option<Self>, SlipError> {
        let Some(folder) = SlipFolder::new(config) else { return Ok(None) };
        let dropped = Arc::<AtomicU64>::default();
        let writer = Writer::new(folder, Redaction::new(&config.redact), dropped.clone())?;
        let (queue, messages) = mpsc::sync_channel(QUEUE);
        let thread = thread::Builder::new().name("callslip-slips".to_owned());
        thread.spawn(move || writer.run(&messages)).map_err(SlipError::Thread)?;
        Ok(Some(Self { queue, dropped }))
    }

    /// What a host is to be [observed](crate::HostBuilder::observe) by. Slips are kept until all that observe are gone.
    pub fn observer(&self) -> impl Fn(&Observation) + Send + Sync + 'static {
        let slips = self.clone();
        move |observation| {
            if let Observation::CallEnded(call) = observation
                && let Some(ended) = Ended::of(call)
                && slips.queue.try_send(Message::Ended(Box::new(ended))).is_err()
            {
                slips.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// How many slips were left out by now, since they could not be written, or not soon enough.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until the slips of all calls that have ended are in the folder, for ten seconds at the most.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        let queue = self.queue.clone();
        // There may be no room for it.
        tokio::task::spawn_blocking(move || queue.send(Message::Flush(done)));
        _ = tokio::time::timeout(WITHIN, flushed).await;
    }
}
