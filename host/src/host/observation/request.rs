use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{CallId, TraceContext};

/// A request that a service has answered, or had begun to. What became of its call, if it came to one, is told by itself:
/// [`CallEnded`](super::CallEnded).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RequestEnded {
    /// What its call is known by, whether it came to one or not; nothing if the client went away before there was an answer.
    pub id: Option<CallId>,
    /// The method; `OTHER` for one that HTTP does not define.
    pub method: &'static str,
    /// The pattern of the address; nothing where nothing is served.
    pub route: Option<Arc<str>>,
    /// The path, as it was asked for: whatever callers make up, and no label of a metric. At most 200 characters of it, and none that
    /// could forge a line of a log.
    pub path: String,
    /// The plugin, as the configuration names it; nothing if it has none of that name.
    pub plugin: Option<Arc<str>>,
    /// The query; nothing if the plugin has none of that name, or can't be loaded.
    pub query: Option<Arc<str>>,
    /// The status of the answer; nothing if the client went away before there was one.
    pub status: Option<u16>,
    /// What the answer is written as: `json`, `ndjson`, `csv`, `arrow`, `problem`, `other`, or `none` where it has no body.
    pub format: &'static str,
    /// Whether all of the answer was handed on. Of one that was not, its client was sent a part that can't look whole, or went
    /// away.
    pub is_whole: bool,
    /// How many bytes of a body were handed on, as they are sent: after compression.
    pub bytes: u64,
    /// How long the client, and what is between, let the service wait to hand on more.
    pub read: Duration,
    /// How long it took in all, from its head to the last byte that was handed on.
    pub total: Duration,
    /// From where it came, if that is known.
    pub peer: Option<IpAddr>,
    /// Its own span, if it is a part of a trace.
    pub trace: Option<TraceContext>,
    /// The span that the client has told, of which its own is a child.
    pub parent: Option<u64>,
}
