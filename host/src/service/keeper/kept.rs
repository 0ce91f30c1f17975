use tokio::task::JoinHandle;

use super::source::Wanted;
use crate::{Config, Host, Watch};

/// A database that is kept.
pub(super) struct Kept {
    /// What its host was started with, or is to be.
    pub wanted: Wanted,
    /// Nothing, as long as the database could not be reached.
    pub host: Option<Host>,
    pub task: Task,
}

/// What goes on for a database by itself, for as long as this is kept.
pub(super) enum Task {
    /// Nothing.
    None,
    /// The host follows the database.
    Watch(#[expect(dead_code, reason = "kept, so that it goes on")] Watch),
    /// There is no host yet, and it is tried again.
    TryAgain(#[expect(dead_code, reason = "kept, so that it goes on")] AbortOnDrop),
}

/// A task that ends with this.
pub(super) struct AbortOnDrop(pub JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Task {
    /// Has a host follow its database.
    pub fn watch(host: &Host, config: &Config) -> Self {
        // It has connections of its own.
        host.watch(config.catalog.settings()).map_or(Self::None, Self::Watch)
    }
}
