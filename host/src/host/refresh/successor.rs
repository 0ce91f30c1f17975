use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use super::super::entry::{Entry, Standing, State, Swapped, Waiting};
use super::super::generation::{Basis, Generation, Plugins};
use super::super::load::Refusal;
use super::super::swap::Swap;
use super::super::version::Version;
use super::components::{Components, File};
use super::status::RefreshError;
use crate::Code;
use crate::Config;
use crate::catalog::Catalog;
use crate::config::PluginConfig;
use crate::loan::Proving;

/// What a generation's successor is made of.
pub(in crate::host) struct Successor<'a> {
    pub current: &'a Generation,
    pub config: &'a Config,
    /// Whether the configuration is another than the generation's, so that everything is proven again.
    pub is_reconfigured: bool,
    /// The generation's own, unless the database has changed.
    pub catalog: &'a Arc<Catalog>,
    pub components: &'a Components,
    /// The plugins of which a new version is served though callers lose by it.
    pub forced: &'a BTreeSet<String>,
    pub proving: &'a Proving<'a>,
}

impl Successor<'_> {
    /// Proves every plugin that may come out otherwise. Nothing, if there is nothing new.
    ///
    /// # Errors
    /// [`RefreshError`], if PostgreSQL can't be asked whether a plugin proves.
    pub async fn prove(&self) -> Result<Option<Generation>, RefreshError> {
        let current = self.current;
        let basis = Basis::new(self.catalog.clone(), self.config.schemas(), self.config);
        let mut plugins = Plugins::new();
        for (name, settings) in &self.config.plugins {
            let next = match (current.plugins.get(name), self.components.of(name)) {
                (Some(entry), _) => self.entry(&basis, name, settings, entry).await?,
                (None, Some(File::New(version))) => {
                    let state = basis.prove(name, settings, version, Some(self.proving)).await?;
                    Entry { state, waiting: None, swapped: None }
                }
                (None, Some(File::Unusable(refusal))) => {
                    let state = State::Unloadable(Arc::new(refusal.clone()));
                    Entry { state, waiting: None, swapped: None }
                }
                // Of a plugin that was not there nothing is served or waits.
                (None, Some(File::Served | File::Waiting) | None) => continue,
            };
            plugins.insert(name.clone(), next);
        }
        let is_same = |(now, was): (&Entry, &Entry)| now.is_same(was);
        if !self.has_changed() && plugins.values().zip(current.plugins.values()).all(is_same) {
            return Ok(None);
        }
        let guard = Arc::new(basis.guard(self.config));
        let (number, reflected_at) = (current.number + 1, current.reflected_at);
        Ok(Some(Generation { basis, plugins, number, reflected_at, guard }))
    }

    /// Whether what was proven before may come out otherwise.
    fn has_changed(&self) -> bool {
        self.is_reconfigured || !Arc::ptr_eq(self.catalog, &self.current.basis.catalog)
    }

    async fn entry(
        &self,
        basis: &Basis,
        name: &str,
        settings: &PluginConfig,
        entry: &Entry,
    ) -> Result<Entry, RefreshError> {
        let state = self.served_on(basis, name, settings, &entry.state).await?;
        let waiting = entry.waiting.as_ref();
        let goes_on = |state: State, waiting: Option<Arc<Waiting>>| Entry {
            state,
            waiting,
            swapped: entry.swapped.clone(),
        };
        let file = self.components.of(name);
        let candidate = match file {
            Some(File::New(version)) => version,
            Some(File::Served) => return Ok(goes_on(state, None)),
            Some(File::Unusable(refusal)) => {
                let (state, waiting) = unusable(state, waiting, refusal);
                return Ok(goes_on(state, waiting));
            }
            Some(File::Waiting) | None => match waiting.map(|waiting| (waiting, &waiting.version)) {
                Some((_, Some(version))) => version,
                Some((waiting, None)) => return Ok(goes_on(state, Some(waiting.clone()))),
                None => return Ok(goes_on(state, None)),
            },
        };
        let is_new = matches!(file, Some(File::New(_)));
        if let Some(waiting) = waiting
            && !(is_new || self.has_changed() || self.forced.contains(name) || !waiting.refusal.is_settled())
        {
            return Ok(goes_on(state, Some(waiting.clone())));
        }
        match self.try_version(basis, name, settings, candidate, &state).await? {
            Ok(swapped) => Ok(swapped),
            Err(refusal) => {
                let known =
                    waiting.filter(|known| !is_new && !self.has_changed() && known.refusal == refusal);
                let new = || Arc::new(Waiting { version: Some(candidate.clone()), refusal });
                let waiting = known.cloned().unwrap_or_else(new);
                Ok(goes_on(state, Some(waiting)))
            }
        }
    }

    /// What becomes of the version that is served.
    async fn served_on(
        &self,
        basis: &Basis,
        name: &str,
        settings: &PluginConfig,
        state: &State,
    ) -> Result<State, RefreshError> {
        match state.loaded() {
            Some(loaded) if self.has_changed() || !state.is_settled() => {
                let again = basis.prove(name, settings, &loaded.version, Some(self.proving)).await?;
                match decided(again)? {
                    again if !self.has_changed() && again.refusal() == state.refusal() => Ok(state.clone()),
                    again => Ok(again),
                }
            }
            _ => Ok(state.clone()),
        }
    }

    /// What is served if another version than this one is, or why that waits: it has findings, or callers lose by it. With a version
    /// of which nothing is served nothing is lost.
    async fn try_version(
        &self,
        basis: &Basis,
        name: &str,
        settings: &PluginConfig,
        candidate: &Arc<Version>,
        served: &State,
    ) -> Result<Result<Entry, Refusal>, RefreshError> {
        let state = basis.prove(name, settings, candidate, Some(self.proving)).await?;
        let swap = served.loaded().map(|loaded| Swap::between(loaded, state.loaded().map(Arc::as_ref)));
        if served.standing() != Standing::Refused {
            if let State::Degraded(_, refusal) = state {
                return Ok(Err(Arc::unwrap_or_clone(refusal)));
            }
            let losses = swap.as_ref().map_or_else(Vec::new, |swap| swap.losses(name));
            if !losses.is_empty() && !self.forced.contains(name) {
                let warnings = state.warnings();
                return Ok(Err(Refusal { plugin: name.to_owned(), findings: losses, warnings }));
            }
        }
        let swapped = swap.map(|swap| Arc::new(Swapped { at: SystemTime::now(), swap }));
        Ok(Ok(Entry { state, waiting: None, swapped }))
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

/// What becomes of a plugin whose file holds nothing that can be loaded.
fn unusable(
    state: State,
    waiting: Option<&Arc<Waiting>>,
    refusal: &Refusal,
) -> (State, Option<Arc<Waiting>>) {
    if let State::Unloadable(known) = &state {
        let state = if **known == *refusal { state } else { State::Unloadable(Arc::new(refusal.clone())) };
        return (state, None);
    }
    let known = waiting.filter(|waiting| waiting.version.is_none() && waiting.refusal == *refusal);
    let new = || Arc::new(Waiting { version: None, refusal: refusal.clone() });
    (state, Some(known.cloned().unwrap_or_else(new)))
}
