use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::connection::Released;

/// By which the caller of a run stops it before the run is there.
#[derive(Default)]
pub(crate) struct Stop {
    asked: watch::Sender<bool>,
    sent: Mutex<Option<Sent>>,
}

/// Where statements were sent, of which nothing is known yet.
pub(crate) enum Sent {
    /// On a connection that is lent. The run stops them when it is asked to.
    Lent,
    /// On a connection of the host's own, which stops them when the run is dropped.
    Own(Released),
}

impl Stop {
    /// To be called before statements are sent.
    pub fn sends(&self, sent: Sent) {
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
    }

    /// Asks the run to stop. Says where its statements were sent, if they were.
    pub fn ask(&self) -> Option<Sent> {
        self.asked.send_replace(true);
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until the run is to stop.
    pub async fn asked(&self) {
        // The sender is there as long as this is.
        let _ = self.asked.subscribe().wait_for(|asked| *asked).await;
    }
}
