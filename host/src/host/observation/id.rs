use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use uuid::{NoContext, Timestamp, Uuid};

/// What one call is known by, wherever something is said of it: a UUID of version 7, which tells when the call came, to the
/// millisecond, and is otherwise random. A caller who knows it can do nothing with it.
///
/// ```
/// use callslip::CallId;
///
/// let id = CallId::new();
/// assert_eq!(id.to_string().parse(), Ok(id));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CallId(Uuid);

/// A text that is no [`CallId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not the id of a call, which is a UUID of version 7, such as 01980d5e-6c1a-7b52-9f03-5d1c2f6a8e47"
)]
pub struct NoCallId;

impl CallId {
    /// A new one, of a call that comes now.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        // Without a counter: of one id nobody can tell another.
        Self(Uuid::new_v7(Timestamp::now(NoContext)))
    }

    /// When the call came, to the millisecond.
    pub fn time(self) -> SystemTime {
        let (seconds, nanoseconds) = self.0.get_timestamp().map_or((0, 0), |time| time.to_unix());
        SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds)
    }

    /// The same as a URI: `urn:uuid:…`.
    pub fn urn(self) -> String {
        self.0.urn().to_string()
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl From<CallId> for String {
    fn from(id: CallId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for CallId {
    type Error = NoCallId;

    fn try_from(text: String) -> Result<Self, NoCallId> {
        text.parse()
    }
}

impl FromStr for CallId {
    type Err = NoCallId;

    /// Reads one as it is written, or as its URI.
    fn from_str(text: &str) -> Result<Self, NoCallId> {
        match Uuid::try_parse(text) {
            Ok(id) if id.get_version_num() == 7 => Ok(Self(id)),
            _ => Err(NoCallId),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_its_call_came() {
        let before = SystemTime::now() - Duration::from_millis(1);
        let id = CallId::new();
        assert!(id.time() >= before && id.time() <= SystemTime::now(), "{:?}", id.time());
        assert_ne!(id, CallId::new());
    }

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = CallId::new();
        assert_eq!(id.urn().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        for other in
            ["", "slip", "01980d5e-6c1a-4b52-9f03-5d1c2f6a8e47", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
        {
            assert_eq!(other.parse::<CallId>(), Err(NoCallId), "{other}");
        }
        // The last moment that there is room for.
        let last: CallId = "ffffffff-ffff-7fff-bfff-ffffffffffff".parse().unwrap();
        assert!(last.time() > SystemTime::now());
    }
}
