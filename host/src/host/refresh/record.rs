use std::sync::Arc;
use std::time::SystemTime;

use super::status::{RefreshError, RefreshFailure};
use crate::catalog::Fingerprint;

/// What is known of the database beside the generation that is served.
pub(super) struct Record {
    /// The catalog's, as the generation that is served has it. Nothing before the first look.
    pub fingerprint: Option<Fingerprint>,
    pub checked_at: SystemTime,
    /// When a call first met something that is not as it was proven, since the last look.
    pub doubted_at: Option<SystemTime>,
    /// Whether somebody wanted the components' files to be read, and the refresh that was to serve what they hold has failed.
    pub owes_files: bool,
    pub failure: Option<RefreshFailure>,
}

impl Record {
    pub fn new(checked_at: SystemTime) -> Self {
        Self { fingerprint: None, checked_at, doubted_at: None, owes_files: false, failure: None }
    }

    /// The database is as the generation says.
    pub fn succeed(&mut self, fingerprint: Fingerprint) {
        self.fingerprint = Some(fingerprint);
        self.checked_at = SystemTime::now();
        self.doubted_at = None;
        if self.failure.take().is_some() {
            tracing::info!("the database can be looked at again");
        }
    }

    /// A call met something that is not as it was proven. Said once until the next look, where the host can't look by itself.
    pub fn doubt(&mut self, looks_by_itself: bool) {
        if self.doubted_at.is_none() {
            self.doubted_at = Some(SystemTime::now());
            if !looks_by_itself {
                tracing::warn!(
                    "a call met something that is not as it was proven: refresh the host on a connection that is lent \
                     (`Host::refresh_on`)"
                );
            }
        }
    }

    /// The host could not look. Said once of each kind, until it can look again.
    pub fn fail(&mut self, error: Arc<RefreshError>) {
        let code = error.code().as_str();
        let is_known = self.failure.as_ref().is_some_and(|known| known.error.code() == error.code());
        if is_known {
            tracing::debug!(code, "the catalog can't be refreshed: {error}");
        } else {
            tracing::error!(code, "the catalog can't be refreshed, what was served is served on: {error}");
        }
        self.failure = Some(RefreshFailure { at: SystemTime::now(), error });
    }
}
