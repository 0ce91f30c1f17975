use std::fmt;
use std::path::Path;

use super::ConfigError;

/// What nobody but its owner may know. It is never written: not to a log, not by `Debug`, not into an error.
#[derive(Clone)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    /// Reads one from a file, which is named by this setting. The end of its line is no part of it. A file that every user of
    /// the machine can read is warned of.
    pub fn of_file(setting: &str, path: &Path) -> Result<Self, ConfigError> {
        let bytes = std::fs::read(path).map_err(|error| unreadable(setting, path, &error))?;
        warn_if_open(path);
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        Self::of(setting, bytes.strip_suffix(b"\r").unwrap_or(bytes).to_vec())
    }

    /// Reads one from a variable of the environment, which is named by this setting.
    pub fn of_environment(setting: &str, variable: &str) -> Result<Self, ConfigError> {
        match std::env::var_os(variable) {
            Some(value) => Self::of(setting, value.into_encoded_bytes()),
            None => Err(ConfigError::setting(setting, format!("names {variable}, which is not set"))),
        }
    }

    fn of(setting: &str, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        match bytes.is_empty() {
            true => Err(ConfigError::setting(setting, "names a secret that is empty")),
            false => Ok(Self(bytes)),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why the file of a setting can't be used.
pub(crate) fn unreadable(setting: &str, path: &Path, error: &std::io::Error) -> ConfigError {
    ConfigError::setting(setting, format!("names {}, which can't be read: {error}", path.display()))
}

/// Warns of a file with a secret that every user of the machine can read.
pub(crate) fn warn_if_open(path: &Path) {
    #[cfg(unix)]
    let is_open = path.metadata().is_ok_and(|its| {
        use std::os::unix::fs::PermissionsExt;
        its.permissions().mode() & 0o004 != 0
    });
    #[cfg(not(unix))]
    let is_open = false;
    if is_open {
        tracing::warn!("{} holds a secret, and every user of this machine can read it", path.display());
    }
}
