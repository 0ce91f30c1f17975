use nix::unistd::{User, geteuid};

use super::ClusterError;

/// Who the server runs as when we are root, in the order of preference.
const NAMES: [&str; 2] = ["postgres", "nobody"];

/// A user of this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub uid: u32,
    pub gid: u32,
}

impl Account {
    /// The user to become, if we are root.
    pub(super) fn to_become() -> Result<Option<Self>, ClusterError> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        for name in NAMES {
            if let Ok(Some(user)) = User::from_name(name) {
                return Ok(Some(Self { uid: user.uid.as_raw(), gid: user.gid.as_raw() }));
            }
        }
        Err(ClusterError::NoAccount)
    }
}
