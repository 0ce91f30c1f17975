use serde::Deserialize;

use super::{CacheControl, QueryLimitConfig};
use crate::grants::GrantSettings;

/// `[plugins.NAME.queries.QUERY]`: what holds for one query of a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueryConfig {
    /// What this query may touch beside what the plugin was granted. None of the plugin's other queries may.
    pub grants: GrantSettings,
    /// What it may cost, if that is not what its plugin may.
    pub limits: QueryLimitConfig,
    /// Who may call it, if these are not those who may call the others.
    pub roles: Option<Vec<String>>,
    /// `Cache-Control` of its replies to `GET` and `HEAD`, as RFC 9111 has it: `"max-age=60"`. Replies to callers of whom the
    /// service knows claims, and those of queries that read some, are `private` unless it says otherwise. Default: none.
    pub cache_control: Option<CacheControl>,
    /// Whether its replies to `GET` and `HEAD` have an `ETag`, and a client that has such a reply already gets 304. A reply is then
    /// gathered before it is sent, up to 256 KiB; one that is longer has no tag. Default: false.
    pub etag: bool,
    /// Whether it is never read from a replica, but from the database itself: for what must be seen as soon as it is written.
    /// Default: false.
    pub primary: bool,
}
