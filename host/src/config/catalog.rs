use std::time::Duration;

use serde::Deserialize;

use crate::WatchSettings;

/// How `callslip serve` notices that the database has changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CatalogConfig {
    /// Whether to listen for the database's own word, on one connection more. Default: true. Behind a pooler that shares
    /// sessions it is not heard, and looking serves alone.
    pub listen: bool,
    /// How often to look whether the catalog has another fingerprint, in seconds; 0 for never. Default: 10.
    pub poll_s: u64,
}

impl Default for CatalogConfig {
    fn default() -> Self {
        let settings = WatchSettings::default();
        Self { listen: settings.listen, poll_s: settings.poll.as_secs() }
    }
}

impl CatalogConfig {
    /// The same for [`crate::Host::watch`].
    pub fn settings(&self) -> WatchSettings {
        WatchSettings { listen: self.listen, poll: Duration::from_secs(self.poll_s) }
    }
}
