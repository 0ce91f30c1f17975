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

    /// The database is as the generation says. Returns whether the host could not look before.
    pub fn succeed(&mut self, fingerprint: Fingerprint) -> bool {
        self.fingerprint = Some(fingerprint);
        self.checked_at = SystemTime::now();
        self.doubted_at = None;
        self.failure.take().is_some()
    }

    /// A call met something that is not as it was proven. Returns whether it is the first since the last look.
    pub fn doubt(&mut self) -> bool {
        let is_first = self.doubted_at.is_none();
        self.doubted_at.get_or_insert_with(SystemTime::now);
        is_first
    }

    /// The host could not look. Returns whether it could not before, for a reason of the same kind.
    pub fn fail(&mut self, error: Arc<RefreshError>) -> bool {
        let is_repeated = self.failure.as_ref().is_some_and(|known| known.error.code() == error.code());
        self.failure = Some(RefreshFailure { at: SystemTime::now(), error });
        is_repeated
    }
}
