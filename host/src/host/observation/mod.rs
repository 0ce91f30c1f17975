//! What happens in a host, as values: one type for logs, metrics and whatever else a service makes of it.

mod call;
mod id;
mod log;
mod observers;
mod request;
mod trace;

use std::sync::Arc;
use std::time::Duration;

pub(super) use call::{Begins, ObservedCall, Phase};
pub use id::{CallId, NoCallId};
pub(crate) use observers::{Observer, Observers};
pub use request::RequestEnded;
pub use trace::TraceContext;

use super::entry::Standing;
use super::prove::ProvenShape;
use super::refresh::{PluginChange, RefreshError, Refreshed};
use crate::Code;
use crate::loan::Isolation;
use crate::plugin::{Digest, Inputs};

/// Something that has happened in a host: see [`HostBuilder::observe`](crate::HostBuilder::observe). The host's own log is made of
/// the same values.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::sync::Arc;
///
/// use callslip::{CallOutcome, Host, Observation};
///
/// let failed = Arc::new(AtomicU64::new(0));
/// let counter = failed.clone();
/// let builder = Host::builder().observe(move |observation| {
///     if let Observation::CallEnded(call) = observation
///         && let CallOutcome::Failed { .. } = call.outcome
///     {
///         counter.fetch_add(1, Ordering::Relaxed);
///     }
/// });
/// # drop(builder);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Observation {
    /// A call has ended, well or not. Each call that was run ends once.
    CallEnded(CallEnded),
    /// A service has answered a request. A host itself tells of none.
    RequestEnded(RequestEnded),
    /// A shape was proven, or was not, since a call came that was the first to need it.
    ShapeProven(ShapeProven),
    /// A call met a statement that is not any more what was proven. The call is run again where it can be.
    StatementStale {
        /// The plugin, as the configuration names it.
        plugin: Arc<str>,
        /// The query.
        query: Arc<str>,
        /// What is different. It holds no data.
        change: String,
    },
    /// A call met something that is not as it was proven, and the host has no connection of its own to look at the database:
    /// [`Host::refresh_on`](crate::Host::refresh_on) is due. Told once until then.
    Doubted,
    /// The host has looked at its database.
    Refreshed {
        /// What came of it: the generation that is served, and whether it is another one.
        refreshed: Refreshed,
        /// How long that took.
        took: Duration,
    },
    /// The host could not look at its database. What was served is served on.
    RefreshFailed {
        /// Why.
        error: Arc<RefreshError>,
        /// Whether the refresh before it failed for a reason of the same code.
        is_repeated: bool,
        /// How long that took.
        took: Duration,
    },
    /// The host can look at its database again, after it could not.
    RefreshRecovered,
    /// Something became of a plugin with a refresh; told after that, once for each change.
    PluginChanged {
        /// What became of it.
        change: PluginChange,
        /// How much of it is served now.
        standing: Standing,
    },
    /// Too many runs of a plugin's code have failed. It is not run for a time; calls that need no run are served on.
    PluginSuspended {
        /// The plugin, as the configuration names it.
        plugin: Arc<str>,
        /// What identifies its code.
        digest: Digest,
        /// For how long.
        time: Duration,
    },
    /// A plugin that was suspended is run again: a try went well.
    PluginResumed {
        /// The plugin, as the configuration names it.
        plugin: Arc<str>,
        /// What identifies its code.
        digest: Digest,
    },
    /// What the database tells of its changes is not heard any more. They are found by polling alone.
    NotificationsLost {
        /// Why. It may be what PostgreSQL said.
        reason: String,
    },
    /// What the database tells is heard again.
    NotificationsRecovered,
    /// The host was to listen to what the database tells, and can't: its pooler lets nobody hear it.
    NotificationsUnheard,
    /// Calls are read from a replica from now on.
    ReplicaServes {
        /// Where it is: `host:port`.
        replica: Arc<str>,
    },
    /// Calls are not read from a replica any more; until it serves again, they are read elsewhere.
    ReplicaRests {
        /// Where it is: `host:port`.
        replica: Arc<str>,
        /// Why: it can't be reached, or is too far behind. It holds no data.
        reason: String,
    },
}

/// A call that has ended. Its durations are of the machine's monotonic clock, and zero where it did not come to that; what it
/// waited and planned until it was dropped counts.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallEnded {
    /// What it is known by.
    pub id: CallId,
    /// The name of the plugin that was called, whether there is one or not: no label of a metric, but for an audit. Of one that
    /// is not there at most 63 characters, and none that could forge a line of a log.
    pub called_plugin: Arc<str>,
    /// The same of the query.
    pub called_query: Arc<str>,
    /// The plugin, as the configuration names it; nothing if it has none of the name that was called: what callers make up is no
    /// label of a metric.
    pub plugin: Option<Arc<str>>,
    /// The query; nothing if the plugin has none of that name, or can't be loaded.
    pub query: Option<Arc<str>>,
    /// Who called, if that is known: what [`Call::caller`](crate::Call::caller) was given, or the claim that the configuration names
    /// (`audit.claim`). At most 200 characters, none of which could forge a line of a log.
    pub caller: Option<Arc<str>>,
    /// What identifies the plugin's code; nothing if none is loaded.
    pub digest: Option<Digest>,
    /// The digest of its shape, in hexadecimal, as the comment before its first statement has it. Nothing before that is known, and
    /// where there is no statement.
    pub shape: Option<Arc<str>>,
    /// Its statements as they were proven; nothing before they are found.
    pub proven: Option<Arc<ProvenShape>>,
    /// The number of the [`Generation`](crate::Generation) that it was last run with; nothing if it did not come to that.
    pub generation: Option<u64>,
    /// Its parameters, as they were given. They may be anything and anybody's: what is kept of them is for the service to say.
    pub parameters: Arc<Inputs>,
    /// Its claims, as they were given: the same holds for them.
    pub claims: Arc<Inputs>,
    /// The span that it is a part of, if it was [told one](crate::Call::trace).
    pub trace: Option<TraceContext>,
    /// On what it ran, or was to run. Of a call that was run again, on what it was run last.
    pub ran_on: RanOn,
    /// The replica that it was read from, `host:port`, if it was one.
    pub replica: Option<Arc<str>>,
    /// The isolation level that its statements had; nothing if none was started.
    pub isolation: Option<Isolation>,
    /// The claims that row filters read and that the caller does not have, or has as null: of the relations under these filters it
    /// was given no rows.
    pub absent_claims: Arc<[String]>,
    /// How long it waited for a connection of the pool, a new one included, and before that for its place, where only so many calls
    /// run at once.
    pub waited: Duration,
    /// How much of that it waited for its place, before it was planned.
    pub queued: Duration,
    /// How long it took to read its parameters and to find its statements: very little, but for shapes of open queries and those
    /// that are proven first, with the wait for the connection on which that is done.
    pub planned: Duration,
    /// How long it waited for the database while its statements ran: for their begin, and for each of their rows. The time in which
    /// nobody asked for a row is no part of it.
    pub executed: Duration,
    /// How long it took from its begin until the first row was there, or it was known that a statement has none; nothing if it did
    /// not come to that. Of a call that was run again, until the first row of the last run.
    pub first_row: Option<Duration>,
    /// How long it took in all: from its begin until its last row was read, or it failed or was dropped.
    pub total: Duration,
    /// How many rows were read, of all statements.
    pub rows: u64,
    /// How many bytes were given: of JSON, or for [`Rows`](crate::Rows) and [`Reply::cells`](crate::Reply::cells) of rows as they
    /// come from the database.
    pub bytes: u64,
    /// How it ended.
    pub outcome: CallOutcome,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallOutcome {
    /// All of its rows were given, and their end was read.
    Complete,
    /// The same: there was none, of a query that gives at most one.
    Missing,
    /// It failed.
    Failed {
        /// The code of its error.
        code: Code,
        /// What was wrong, for logs: it may hold data. [`CallError::log_message`](crate::CallError::log_message).
        message: String,
    },
    /// It was dropped or cancelled before its end, whatever the reason. A cancel that fails is a failure of its call.
    Dropped,
}

/// On what a call ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RanOn {
    /// On a connection of the host's own pool.
    Pool,
    /// On a connection of the host's own to a replica.
    Replica,
    /// On a transaction that was lent.
    LentTransaction,
    /// On a client that was lent, with a transaction on it or not.
    LentClient,
}

/// A shape that was proven on its first use, or was not.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShapeProven {
    /// The plugin, as the configuration names it.
    pub plugin: Arc<str>,
    /// The query.
    pub query: Arc<str>,
    /// The digest of the shape, as of [`CallEnded::shape`].
    pub shape: Option<Arc<str>>,
    /// How long that took, with the wait for a connection.
    pub took: Duration,
    /// Why it does not prove, if it does not.
    pub refused: Option<Code>,
}

impl CallOutcome {
    /// A word for it: `complete`, `missing`, `dropped`, or the code of its error.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Missing => "missing",
            Self::Failed { code, .. } => code.as_str(),
            Self::Dropped => "dropped",
        }
    }
}

impl RanOn {
    /// A word for it: `pool`, `replica`, `lent_transaction` or `lent_client`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Replica => "replica",
            Self::LentTransaction => "lent_transaction",
            Self::LentClient => "lent_client",
        }
    }
}
