use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep_until};

use super::super::observation::{Observation, Observers};
use super::backoff::Backoff;
use crate::catalog::CHANNEL;
use crate::loan::{ConnectionSettings, Listener, LoanError};

/// How soon a connection that was lost is made again, at first and at most. One that held for the longest of these begins with the
/// first again; others may be closed each time, by a proxy that lets nobody wait.
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// The connection that listens, made again whenever it is lost.
pub(super) struct Listening {
    settings: ConnectionSettings,
    listener: Option<Listener>,
    /// The next one, while it is being made: that may take longer than whoever waits has time.
    connecting: Option<BoxFuture<'static, Result<Listener, LoanError>>>,
    connected_at: Instant,
    backoff: Backoff,
    again_at: Instant,
    observers: Observers,
    /// Whether they were told that nothing is heard.
    is_told: bool,
}

impl Listening {
    pub fn new(settings: ConnectionSettings, observers: Observers) -> Self {
        let now = Instant::now();
        Self {
            settings,
            listener: None,
            connecting: None,
            connected_at: now,
            backoff: Backoff::new(FIRST_DELAY, LONGEST_DELAY),
            again_at: now,
            observers,
            is_told: false,
        }
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
            let settings = &self.settings;
            let connecting = self.connecting.get_or_insert_with(|| {
                let settings = settings.clone();
                async move { Listener::connect(&settings, CHANNEL).await }.boxed()
            });
            let connected = connecting.await;
            self.connecting = None;
            match connected {
                Ok(listener) => {
                    (self.listener, self.connected_at) = (Some(listener), Instant::now());
                    if std::mem::take(&mut self.is_told) {
                        self.observers.tell(&Observation::NotificationsRecovered);
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
        if self.listener.take().is_some() && self.connected_at.elapsed() >= LONGEST_DELAY {
            self.backoff.reset();
        }
        self.again_at = Instant::now() + self.backoff.delay();
        if !std::mem::replace(&mut self.is_told, true) {
            let reason = error.database_message().unwrap_or_else(|| error.to_string());
            self.observers.tell(&Observation::NotificationsLost { reason });
        }
    }
}
