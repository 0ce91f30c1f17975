use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::entry::{Entry, Standing, State, Waiting};
use super::super::generation::{Basis, Generation, Plugins};
use super::super::load::Refusal;
use super::super::version::{Version, read_component};
use super::status::RefreshError;
use crate::Code;
use crate::Config;
use crate::catalog::Catalog;
use crate::config::PluginConfig;
use crate::loan::Proving;
use crate::plugin::{Digest, Engine};

/// What the components' files were found to hold. Of a plugin that is not named, the file was not read.
#[derive(Default)]
pub(super) struct Components(BTreeMap<String, File>);

/// What a component's file holds.
enum File {
    /// The version that is served.
    Served,
    /// The version that waits.
    Waiting,
    /// Another one.
    New(Arc<Version>),
    /// Nothing that can be loaded.
    Unusable(Refusal),
}

impl Components {
    /// Reads the file of each plugin, and compiles those that hold something new.
    pub async fn read(config: &Config, engine: &Engine, current: &Generation) -> Self {
        let mut files = BTreeMap::new();
        for (name, settings) in &config.plugins {
            if let Some(entry) = current.plugins.get(name) {
                files.insert(name.clone(), File::read(name, settings, engine, entry).await);
            }
        }
        Self(files)
    }
}

impl File {
    async fn read(name: &str, settings: &PluginConfig, engine: &Engine, entry: &Entry) -> Self {
        let bytes = match read_component(name, settings).await {
            Ok(bytes) => bytes,
            Err(refusal) => return Self::Unusable(refusal),
        };
        let digest = Some(Digest::of(&bytes));
        if entry.state.loaded().map(|loaded| loaded.digest()) == digest {
            return Self::Served;
        }
        if entry.waiting.as_ref().and_then(|waiting| waiting.digest()) == digest {
            return Self::Waiting;
        }
        match Version::load(engine, name, bytes).await {
            Ok(version) => Self::New(Arc::new(version)),
            Err(refusal) => Self::Unusable(refusal),
        }
    }
}

/// What a generation's successor is made of.
pub(super) struct Successor<'a> {
    pub current: &'a Generation,
    pub config: &'a Config,
    /// The generation's own, unless the database has changed.
    pub catalog: &'a Arc<Catalog>,
    pub components: &'a Components,
    pub proving: &'a Proving<'a>,
}

impl Successor<'_> {
    /// Proves every plugin that may come out otherwise. Nothing, if there is nothing new.
    ///
    /// # Errors
    /// [`RefreshError`], if PostgreSQL can't be asked whether a plugin proves.
    pub async fn prove(&self) -> Result<Option<Generation>, RefreshError> {
        let current = self.current;
        let basis = Basis::new(self.catalog.clone(), self.config.schemas());
        let mut plugins = Plugins::new();
        for (name, settings) in &self.config.plugins {
            if let Some(entry) = current.plugins.get(name) {
                let next = self.entry(&basis, name, settings, entry).await?;
                plugins.insert(name.clone(), next);
            }
        }
        let is_same = |(now, was): (&Entry, &Entry)| now.is_same(was);
        if !self.has_changed() && plugins.values().zip(current.plugins.values()).all(is_same) {
            return Ok(None);
        }
        let guard = Arc::new(basis.guard(self.config));
        let (number, reflected_at) = (current.number + 1, current.reflected_at);
        Ok(Some(Generation { basis, plugins, number, reflected_at, guard }))
    }

    fn has_changed(&self) -> bool {
        !Arc::ptr_eq(self.catalog, &self.current.basis.catalog)
    }

    async fn entry(
        &self,
        basis: &Basis,
        name: &str,
        settings: &PluginConfig,
        entry: &Entry,
    ) -> Result<Entry, RefreshError> {
        let file = self.components.0.get(name);
        let state = match entry.state.loaded() {
            Some(loaded) if self.has_changed() || !entry.state.is_settled() => {
                let state = basis.prove(name, settings, &loaded.version, Some(self.proving)).await?;
                match decided(state)? {
                    state if !self.has_changed() && state.refusal() == entry.state.refusal() => {
                        entry.state.clone()
                    }
                    state => state,
                }
            }
            _ => entry.state.clone(),
        };
        let waiting = entry.waiting.as_ref();
        let candidate = match file {
            Some(File::New(version)) => version,
            Some(File::Served) => return Ok(Entry { state, waiting: None }),
            Some(File::Unusable(refusal)) => return Ok(unusable(state, waiting, refusal)),
            Some(File::Waiting) | None => match waiting.map(|waiting| (waiting, &waiting.version)) {
                Some((_, Some(version))) => version,
                Some((waiting, None)) => return Ok(Entry { state, waiting: Some(waiting.clone()) }),
                None => return Ok(Entry { state, waiting: None }),
            },
        };
        let is_new = matches!(file, Some(File::New(_)));
        if let Some(waiting) = waiting
            && !(is_new || self.has_changed() || !waiting.refusal.is_settled())
        {
            return Ok(Entry { state, waiting: Some(waiting.clone()) });
        }
        match basis.prove(name, settings, candidate, Some(self.proving)).await? {
            State::Degraded(_, refusal) if state.standing() != Standing::Refused => {
                let known =
                    waiting.filter(|known| !is_new && !self.has_changed() && known.refusal == *refusal);
                let new = || {
                    let refusal = Arc::unwrap_or_clone(refusal);
                    Arc::new(Waiting { version: Some(candidate.clone()), refusal })
                };
                Ok(Entry { state, waiting: Some(known.cloned().unwrap_or_else(new)) })
            }
            // It proves, or nothing is lost with the one before it.
            candidate => Ok(Entry { state: candidate, waiting: None }),
        }
    }
}

/// What is served must not suffer from a lock that was not free in time.
fn decided(state: State) -> Result<State, RefreshError> {
    let undecided = |refusal: &Refusal| {
        let found = refusal.findings.iter().find(|found| found.finding.code == Code::StatementTimeout)?;
        Some(RefreshError::Undecided { plugin: refusal.plugin.clone(), finding: Box::new(found.clone()) })
    };
    match state.refusal().and_then(undecided) {
        Some(error) => Err(error),
        None => Ok(state),
    }
}

/// A plugin whose file holds nothing that can be loaded.
fn unusable(state: State, waiting: Option<&Arc<Waiting>>, refusal: &Refusal) -> Entry {
    if let State::Unloadable(known) = &state {
        let state = if **known == *refusal { state } else { State::Unloadable(Arc::new(refusal.clone())) };
        return Entry { state, waiting: None };
    }
    let known = waiting.filter(|waiting| waiting.version.is_none() && waiting.refusal == *refusal);
    let new = || Arc::new(Waiting { version: None, refusal: refusal.clone() });
    Entry { state, waiting: Some(known.cloned().unwrap_or_else(new)) }
}
