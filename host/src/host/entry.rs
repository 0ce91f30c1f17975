use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::load::{PluginFinding, Refusal};
use super::plugin::LoadedPlugin;
use super::swap::Swap;
use super::version::Version;
use crate::Code;
use crate::plugin::Digest;

/// A plugin of the configuration: what is served of it, and a newer version that is not served yet.
pub(super) struct Entry {
    pub state: State,
    pub waiting: Option<Arc<Waiting>>,
    /// What the last swap has changed, if there was one.
    pub swapped: Option<Arc<Swapped>>,
}

/// Another version, or the same one under another configuration, that is served since.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Swapped {
    /// When.
    pub at: SystemTime,
    /// What was otherwise by it.
    pub swap: Swap,
}

/// How far a version of a plugin proves.
#[derive(Clone)]
pub(super) enum State {
    /// All of it.
    Proven(Arc<LoadedPlugin>),
    /// Something of it does not. The queries without findings are served, and those that have some under certain choices of
    /// schemas are served under the others.
    Degraded(Arc<LoadedPlugin>, Arc<Refusal>),
    /// There is nothing to prove: no component could be loaded.
    Unloadable(Arc<Refusal>),
}

/// How much of a plugin is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// All of its queries.
    Served,
    /// Those of its queries that prove; the others answer 503. A query that proves for some tenants is served to these.
    Degraded,
    /// None of its queries.
    Refused,
}

/// A newer version of a plugin that is not served: it does not prove against the database as it is now, or callers would lose by
/// it what they have ([`Code::ReloadRefused`]). It is tried again each time that the database has changed, and the version before
/// it is served until then.
#[derive(Debug)]
pub struct Waiting {
    /// Nothing where the file holds no component that can be loaded.
    pub(super) version: Option<Arc<Version>>,
    pub(super) refusal: Refusal,
}

impl State {
    pub fn loaded(&self) -> Option<&Arc<LoadedPlugin>> {
        match self {
            Self::Proven(loaded) | Self::Degraded(loaded, _) => Some(loaded),
            Self::Unloadable(_) => None,
        }
    }

    pub fn refusal(&self) -> Option<&Refusal> {
        self.shared_refusal().map(Arc::as_ref)
    }

    pub fn shared_refusal(&self) -> Option<&Arc<Refusal>> {
        match self {
            Self::Proven(_) => None,
            Self::Degraded(_, refusal) | Self::Unloadable(refusal) => Some(refusal),
        }
    }

    /// What its statements are warned of, those without findings too.
    pub fn warnings(&self) -> Vec<PluginFinding> {
        match self {
            Self::Proven(loaded) => loaded.warnings(),
            Self::Degraded(_, refusal) | Self::Unloadable(refusal) => refusal.warnings.clone(),
        }
    }

    pub fn standing(&self) -> Standing {
        match self {
            Self::Proven(_) => Standing::Served,
            Self::Degraded(loaded, _) if loaded.queries.iter().any(|query| query.is_served) => {
                Standing::Degraded
            }
            Self::Degraded(..) | Self::Unloadable(_) => Standing::Refused,
        }
    }

    /// Whether proving it again, against the same database, would come to the same.
    pub fn is_settled(&self) -> bool {
        self.refusal().is_none_or(Refusal::is_settled)
    }
}

impl Entry {
    /// Whether it is the very same as another one: not proven again.
    pub fn is_same(&self, other: &Self) -> bool {
        let same_state = match (&self.state, &other.state) {
            (State::Proven(one), State::Proven(other)) => Arc::ptr_eq(one, other),
            (State::Degraded(one, _), State::Degraded(other, _)) => Arc::ptr_eq(one, other),
            (State::Unloadable(one), State::Unloadable(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        let waiting = |entry: &Self| entry.waiting.as_ref().map(Arc::as_ptr);
        same_state && waiting(self) == waiting(other)
    }

    pub fn is_settled(&self) -> bool {
        self.state.is_settled() && self.waiting.as_ref().is_none_or(|waiting| waiting.refusal.is_settled())
    }
}

impl Refusal {
    /// Whether each finding is about the plugin: not about a lock that was not free, or a change that came in between.
    pub(super) fn is_settled(&self) -> bool {
        let passing = [Code::StatementTimeout, Code::StaleStatement];
        !self.findings.iter().any(|found| passing.contains(&found.finding.code))
    }
}

impl Waiting {
    /// What identifies its code. Nothing where the file can't be read, or holds no component that can be loaded.
    pub fn digest(&self) -> Option<Digest> {
        self.version.as_ref().map(|version| version.digest())
    }

    /// Why it is not served.
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }
}

impl Standing {
    /// The word for it: `served`, `degraded` or `refused`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Served => "served",
            Self::Degraded => "degraded",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
