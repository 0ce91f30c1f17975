use std::future::Future;

use tokio::task::JoinHandle;

/// The task that sends and receives for a session. Dropped, it stops at once, and the session ends.
pub(super) struct Driver(JoinHandle<()>);

impl Driver {
    pub fn start(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}
