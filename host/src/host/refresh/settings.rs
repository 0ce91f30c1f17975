use std::time::Duration;

/// How a host notices that its database has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchSettings {
    /// Whether to keep a connection that listens on the channel `callslip_catalog`. On a standby, or behind a pooler that
    /// shares sessions, nothing comes of it, and polling serves alone.
    pub listen: bool,
    /// How often the catalog's fingerprint is compared, which takes one cheap statement. Zero for never.
    pub poll: Duration,
}

impl Default for WatchSettings {
    /// Listens, and compares every 10 seconds.
    fn default() -> Self {
        Self { listen: true, poll: Duration::from_secs(10) }
    }
}
