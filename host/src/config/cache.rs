use std::path::PathBuf;

use serde::Deserialize;

use crate::plugin::Cache;

/// Where compiled components are kept, so that a start does not compile them again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// A folder of the host's own, relative to the configuration's. It is made where there is none, for this process's user
    /// alone, and is not used if it is another's or can be entered by others: what is in it is run without a further check.
    /// Default: none, and nothing is kept.
    pub folder: Option<PathBuf>,
    /// How much it may hold, in MiB; what was written longest ago is removed. Default: 512.
    pub max_mib: u64,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self { folder: None, max_mib: 512 }
    }
}

impl CacheConfig {
    /// The cache, if there is to be one.
    pub fn cache(&self) -> Option<Cache> {
        Some(Cache::new(self.folder.clone()?, self.max_mib.saturating_mul(1 << 20)))
    }
}
