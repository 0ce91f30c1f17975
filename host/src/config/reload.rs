use serde::Deserialize;

/// `[reload]`: when a running server reads its files again, beside when it is told to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReloadConfig {
    /// Whether to do so when one of them changes: the configuration, the components and what they are signed with, the folder of
    /// plugins, and the files of secrets that the configuration names. Default: true.
    pub watch: bool,
}

impl Default for ReloadConfig {
    fn default() -> Self {
        Self { watch: true }
    }
}
