use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::connection::Released;

/// By which somebody stops a run before it is there: while statements were sent, and nobody knows of an answer yet. It is
/// for one run.
#[derive(Default)]
pub struct Stop {
    asked: watch::Sender<bool>,
    sent: Mutex<Option<Sent>>,
}

/// Where statements were sent.
pub enum Sent {
    /// On a connection that is lent. Who awaits the run gets it, or [`LoanError::Cancelled`](super::LoanError::Cancelled) as
    /// soon as everything is answered.
    Lent,
    /// On a connection of a pool. It is cancelled when the future of the run is dropped.
    Own(Released),
}

impl Stop {
    /// To be called before statements are sent.
    pub(super) fn sends(&self, sent: Sent) {
        // Nothing panics while it holds the lock.
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
    }

    /// Asks the run to stop. Says where its statements were sent; none, if they were not, and the future of the run can be
    /// dropped.
    pub fn ask(&self) -> Option<Sent> {
        self.asked.send_replace(true);
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the run is to stop.
    pub fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Waits until the run is to stop.
    pub(super) async fn asked(&self) {
        // The sender is there as long as this is.
        let _ = self.asked.subscribe().wait_for(|asked| *asked).await;
    }
}
