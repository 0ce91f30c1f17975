use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;

/// `[slips]`: what is kept of each call for a time, so that `callslip replay` can run it again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlipConfig {
    /// A folder of the host's own, relative to the configuration's, in which several hosts may keep their slips. It is made where
    /// there is none, for this process's user alone, and is not used if it is another's or can be entered by others. Default:
    /// none, and nothing is kept.
    pub folder: Option<PathBuf>,
    /// For how many hours a slip is kept. Default: 24.
    pub keep_hours: u64,
    /// How much the folder may hold, in MiB; the oldest slips go first. Default: 256.
    pub max_mib: u64,
    /// The parameters and claims whose values are never kept: a name, for all queries, or `plugin.query.name`; `"*"` for all of
    /// them. Default: none, so that the values of all calls are in the folder.
    pub redact: Vec<String>,
}

impl SlipConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let of = [("keep_hours", self.keep_hours), ("max_mib", self.max_mib)];
        match of.into_iter().find(|(_, value)| *value == 0) {
            Some((key, _)) => Err(ConfigError::Zero(format!("slips.{key}"))),
            None if self.redact.iter().any(String::is_empty) => Err(ConfigError::NothingRedacted),
            None => Ok(()),
        }
    }
}

impl Default for SlipConfig {
    fn default() -> Self {
        Self { folder: None, keep_hours: 24, max_mib: 256, redact: Vec::new() }
    }
}
