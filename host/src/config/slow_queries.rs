use serde::Deserialize;

/// `[slow_queries]`: which calls the log tells of under the target `callslip::slow`, with the SQL of their statements.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlowQueryConfig {
    /// How long a call's statements may keep it waiting, in milliseconds; the log tells of those that take longer. Default: 0, and
    /// it tells of none.
    pub over_ms: u64,
    /// Whether it has PostgreSQL's plan, too: that for any values, which tells nothing of the call's own. Not more than six times
    /// a minute, on a connection of its own. A host without connections of its own can't ask for it. Default: true.
    pub plan: bool,
}

impl Default for SlowQueryConfig {
    fn default() -> Self {
        Self { over_ms: 0, plan: true }
    }
}
