use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::catalog::CHANNEL;
use crate::loan::{ConnectionSettings, Listener, LoanError};

/// How soon a connection that was lost is made again, at first and at most.
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// The connection that listens, made again whenever it is lost.
pub(super) struct Listening {
    settings: ConnectionSettings,
    listener: Option<Listener>,
    delay: Duration,
    again_at: Instant,
    /// Whether the log knows that nothing is heard.
    is_told: bool,
}

impl Listening {
    pub fn new(settings: ConnectionSettings) -> Self {
        let (delay, again_at) = (FIRST_DELAY, Instant::now());
        Self { settings, listener: None, delay, again_at, is_told: false }
    }

    /// Waits until the database may have changed: it says so, or it is listened to again after a time in which it may have.
    /// May be dropped at any await and called again.
    pub async fn heard(&mut self) {
        loop {
            if let Some(listener) = &mut self.listener {
                match listener.notified().await {
                    Ok(()) => return,
                    Err(error) => self.lose(&error),
                }
            }
            sleep_until(self.again_at).await;
            match Listener::connect(&self.settings, CHANNEL).await {
                Ok(listener) => {
                    self.listener = Some(listener);
                    if std::mem::take(&mut self.is_told) {
                        tracing::info!("listening on the channel {CHANNEL} again");
                    }
                    return;
                }
                Err(error) => self.lose(&error),
            }
        }
    }

    /// The connection, if there is one.
    pub fn listener(&self) -> Option<&Listener> {
        self.listener.as_ref()
    }

    /// The connection does not serve.
    pub fn lose(&mut self, error: &LoanError) {
        let was_there = self.listener.take().is_some();
        if was_there {
            self.delay = FIRST_DELAY;
        }
        self.again_at = Instant::now() + self.delay;
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
        if !std::mem::replace(&mut self.is_told, true) {
            let said = error.database_message().unwrap_or_else(|| error.to_string());
            tracing::warn!(
                "the database's notifications are not heard, changes are found by polling alone: {said}"
            );
        }
    }
}
