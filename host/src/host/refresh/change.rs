use std::fmt;
use std::sync::Arc;

use super::super::entry::State;
use super::super::generation::Generation;
use super::super::load::{PluginFinding, Refusal};
use super::super::swap::Swap;
use crate::plugin::Digest;

/// What came of a refresh.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refreshed {
    /// The number of the generation that is served now.
    pub generation: u64,
    /// Whether it is another one than before.
    pub changed: bool,
    /// What became of plugins. Of those that are not named nothing has changed.
    pub plugins: Vec<PluginChange>,
}

/// What became of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginChange {
    /// Its name.
    pub plugin: String,
    /// What became of it.
    pub change: Change,
}

/// What a refresh makes of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A new version is served.
    NewVersion {
        /// What identifies its code.
        digest: Digest,
        /// What its statements are warned of. They are served all the same.
        warnings: Vec<PluginFinding>,
        /// What is otherwise in it than in the one before it; nothing, if nothing could be loaded before it.
        swap: Option<Swap>,
    },
    /// The same version is served under another configuration.
    Reconfigured {
        /// What is otherwise by that.
        swap: Swap,
    },
    /// A plugin that was not there is served, unless it does not prove.
    Added {
        /// What identifies its code, if it could be loaded.
        digest: Option<Digest>,
        /// Why not all of it is served.
        refusal: Option<Refusal>,
    },
    /// It is not in the configuration any more, and its queries are not served.
    Removed,
    /// Not all of it proves any more, or for other reasons than before.
    Degraded(Refusal),
    /// All of it proves again.
    Healthy,
    /// A new version has findings, and waits. The one before it is served on.
    Waiting(Refusal),
    /// The version that waited is not wanted any more: its file holds what is served.
    Withdrawn,
}

impl Refreshed {
    /// What is different in a generation from the one before it.
    pub(super) fn between(before: &Generation, now: &Generation) -> Self {
        let mut plugins = Vec::new();
        for (name, entry) in &now.plugins {
            let mut add = |change| plugins.push(PluginChange { plugin: name.clone(), change });
            let Some(was) = before.plugins.get(name) else {
                let digest = entry.state.loaded().map(|loaded| loaded.digest());
                add(Change::Added { digest, refusal: entry.state.refusal().cloned() });
                continue;
            };
            let digest = |state: &State| state.loaded().map(|loaded| loaded.digest());
            if let Some(digest) = digest(&entry.state).filter(|now| Some(*now) != digest(&was.state)) {
                let swap = entry.swapped.as_ref().map(|swapped| swapped.swap.clone());
                add(Change::NewVersion { digest, warnings: entry.state.warnings(), swap });
            }
            match (was.state.refusal(), entry.state.refusal()) {
                (Some(_), None) => add(Change::Healthy),
                (was, Some(now)) if was != Some(now) => add(Change::Degraded(now.clone())),
                _ => {}
            }
            match (&was.waiting, &entry.waiting) {
                // Tried again, and in vain: worth saying again.
                (None, Some(now)) => add(Change::Waiting(now.refusal.clone())),
                (Some(was), Some(now)) if !Arc::ptr_eq(was, now) => {
                    add(Change::Waiting(now.refusal.clone()));
                }
                (Some(waited), None) if waited.digest() != digest(&entry.state) => add(Change::Withdrawn),
                _ => {}
            }
        }
        let removed = before.plugins.keys().filter(|name| !now.plugins.contains_key(*name));
        plugins.extend(removed.map(|name| PluginChange { plugin: name.clone(), change: Change::Removed }));
        Self { generation: now.number, changed: true, plugins }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let findings = |refusal: &Refusal| match refusal.findings.len() {
            1 => "1 finding".to_owned(),
            several => format!("{several} findings"),
        };
        match self {
            Self::NewVersion { digest, swap: None, .. } => {
                write!(f, "the new version {digest:.8} is served")
            }
            Self::NewVersion { digest, swap: Some(swap), .. } => {
                write!(f, "the new version {digest:.8} is served: {swap}")
            }
            Self::Reconfigured { swap } => write!(f, "served as it is configured now: {swap}"),
            Self::Added { refusal: None, .. } => f.write_str("new, and served"),
            Self::Added { refusal: Some(refusal), .. } => {
                write!(f, "new, with {}; its queries without one are served", findings(refusal))
            }
            Self::Removed => f.write_str("not in the configuration any more, and not served"),
            Self::Degraded(refusal) => {
                write!(f, "degraded: {}; its queries without one are served", findings(refusal))
            }
            Self::Healthy => f.write_str("healthy again: all of it proves"),
            Self::Waiting(refusal) => {
                write!(f, "the new version waits with {}; the one before it is served", findings(refusal))
            }
            Self::Withdrawn => f.write_str("the version that waited is gone from its file"),
        }
    }
}
