use std::num::NonZeroU32;

use serde::Deserialize;

use super::ConfigError;

/// `[rate_limits]`: how many requests one caller may make, whatever they ask for. Who is not known is the address from which it
/// asks, of IPv6 its /64.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimitConfig {
    /// How many in a second, over time. Default: any number.
    pub per_second: Option<NonZeroU32>,
    /// How many at once, after a time without any. Default: those of one second.
    pub burst: Option<NonZeroU32>,
}

impl RateLimitConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match (self.per_second, self.burst) {
            (None, Some(_)) => Err(ConfigError::setting("rate_limits.burst", "needs per_second beside it")),
            _ => Ok(()),
        }
    }
}
