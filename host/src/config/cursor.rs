use std::io::Read;

use super::{ConfigError, ServiceConfig};

/// The variable that holds the secret for cursors.
const CURSOR_KEY: &str = "CALLSLIP_CURSOR_KEY";
/// The most bytes of a secret in a file.
const MOST_SECRET: u64 = 4_096;

impl ServiceConfig {
    /// The secret for cursors, if there is one, and where it comes from.
    ///
    /// # Errors
    /// [`ConfigError::Secret`].
    pub(crate) fn cursor_secret(&self) -> Result<Option<(&'static str, Vec<u8>)>, ConfigError> {
        if let Some(secret) = std::env::var_os(CURSOR_KEY).filter(|secret| !secret.is_empty()) {
            return Ok(Some((CURSOR_KEY, secret.into_encoded_bytes())));
        }
        let setting = "service.cursor_key_file";
        let Some(path) = &self.cursor_key_file else { return Ok(None) };
        let wrong = |wrong: String| ConfigError::Secret { setting, wrong };
        let unreadable = |error| wrong(format!("{} can't be read: {error}", path.display()));
        let mut secret = Vec::new();
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MOST_SECRET + 1).read_to_end(&mut secret).map_err(unreadable)?;
        if secret.len() as u64 > MOST_SECRET {
            return Err(wrong(format!("{} has more than {MOST_SECRET} bytes", path.display())));
        }
        Ok(Some((setting, secret.trim_ascii().to_vec())))
    }
}
