use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

use super::super::allowance::Allowances;
use super::super::builder::{cursor_key_of, with_slow_queries};
use super::super::callers::Callers;
use super::super::entry::{State, Swapped};
use super::super::generation::Generation;
use super::super::load::Refusal;
use super::super::observation::Observer;
use super::super::replicas::Replicas;
use super::super::swap::Swap;
use super::super::{Host, Inner, STATEMENTS_PER_LENT_SESSION, StartError};
use super::change::{Change, PluginChange, Refreshed};
use super::components::Components;
use super::queue::{Refresher, Wish};
use super::round::reflect;
use super::status::RefreshError;
use super::successor::Successor;
use crate::Config;
use crate::loan::{ConnectionSettings, Pool, Sessions, Terms};

/// A host that is proven and not served yet. It is to be served instead of another one, whose configuration is another: requests
/// that have begun go on with that, which ends with the last of them.
///
/// What both need alike they share: the connections, the compiled plugins with what is known of their failures, and what is counted of
/// calls.
pub(crate) struct Heir {
    host: Host,
    refreshed: Refreshed,
    losses: Vec<Refusal>,
    took: Duration,
}

/// Why there is no heir. The host goes on as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeirError {
    /// What a start can fail for.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What a refresh can fail for.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
}

impl Host {
    /// Proves another configuration, or the same for another database, to be served instead of this one. New versions of the plugins
    /// `forced` are served though callers lose by it.
    ///
    /// # Errors
    /// [`HeirError`].
    pub(crate) async fn heir(
        &self,
        config: &Config,
        connection: &ConnectionSettings,
        forced: &BTreeSet<String>,
        observers: Vec<Observer>,
    ) -> Result<Heir, HeirError> {
        // What the database has changed is no fault of the configuration's. Where that can't be told, the rest can't either.
        _ = self.0.ask(Wish::Look).outcome().await;
        let began = Instant::now();
        config.check().map_err(StartError::from)?;
        let (before, current) = (&*self.0, self.generation());
        let known = &before.refresher.config;
        let engine = match known.limits.plugin() == config.limits.plugin() && known.cache == config.cache {
            true => before.refresher.engine.clone(),
            false => config.engine().map_err(StartError::from)?,
        };
        let (settings, is_known) =
            (config.pool.settings(), before.refresher.connection.as_ref() == Some(connection));
        let pool = match &before.pool {
            Some(pool) if is_known && *pool.settings() == settings => pool.clone(),
            _ => Pool::new(connection, settings).map_err(StartError::from)?,
        };
        let reflected_at = SystemTime::now();
        let refresher =
            Refresher::new(config.clone(), engine.clone(), Some(connection.clone()), reflected_at);
        let components = Components::read(config, &engine, &current).await;
        let loan = refresher.loan().await?;
        let inspection = loan.inspect();
        let catalog = reflect(&inspection, current.basis.catalog.clone()).await?;
        let catalog = catalog.unwrap_or_else(|| current.basis.catalog.clone());
        let proving = inspection.prove().await.map_err(RefreshError::from)?;
        let successor = Successor {
            current: &current,
            config,
            is_reconfigured: true,
            catalog: &catalog,
            components: &components,
            forced,
            proving: &proving,
        };
        let next = successor.prove().await?;
        proving.end().await.map_err(RefreshError::from)?;
        // Of another configuration everything is proven again.
        let mut next = next.ok_or(RefreshError::BrokenOff)?;
        next.reflected_at = reflected_at;
        // Without another one, what clients have been given is still good.
        let cursor_key = cursor_key_of(config).map_err(StartError::from)?;
        let cursor_key = cursor_key.unwrap_or_else(|| before.cursor_key.clone());
        let callers = Callers::of(&config.database);
        loan.check(&next.guard).await.map_err(StartError::from)?;
        for role in callers.roles() {
            loan.check_role(&next.guard, role).await.map_err(StartError::from)?;
        }
        let mut refreshed = Refreshed::between(&current, &next);
        refreshed.plugins.extend(reconfigure(&current, &mut next, reflected_at));
        let losses = losses(&current, &next, forced);
        if let (false, Some(undecided)) = (losses.is_empty(), undecided(&next)) {
            return Err(undecided.into());
        }
        let (observers, slow) = with_slow_queries(config, observers);
        let replicas = &config.database.replicas;
        let replicas =
            replicas.settings(connection, &|name| std::env::var(name).ok()).map_err(StartError::from)?;
        let replicas = Replicas::start(&before.replicas, connection, &replicas, config, &observers)
            .map_err(StartError::from)?;
        let inner = Inner {
            pool: Some(pool),
            replicas,
            canceller: before.canceller.clone(),
            terms: Terms::of(&settings),
            callers,
            sessions: Sessions::new(STATEMENTS_PER_LENT_SESSION),
            allowances: Allowances::new(config).going_on_with(&before.allowances),
            audit_claim: config.audit.claim.clone(),
            cursor_key,
            exposes_errors: config.service.expose_errors,
            current: watch::Sender::new(Arc::new(next)),
            refresher,
            shapes: before.shapes.clone(),
            observers,
        };
        Ok(Heir { host: Host::begin(inner, slow), refreshed, losses, took: began.elapsed() })
    }

    /// What callers lose of the plugins that they had of another host and have of this one now, but of those `forced`.
    pub(crate) fn losses_after(&self, before: &Self, forced: &BTreeSet<String>) -> Vec<Refusal> {
        losses(&before.generation(), &self.generation(), forced)
    }
}

impl Heir {
    /// What callers would lose, by plugin: queries and columns of replies that there are now, and that are not to be lost by force.
    pub fn losses(&self) -> &[Refusal] {
        &self.losses
    }

    /// It, to be served as soon as it has taken over.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Has it take over, and tells of that.
    pub fn take_over(self) -> (Host, Refreshed) {
        let Self { host, refreshed, took, .. } = self;
        let inner = &host.0;
        for pool in inner.pools() {
            pool.forget_statements();
            pool.guard(inner.generation().guard.clone());
        }
        inner.tell_refreshed(&refreshed, took);
        (host, refreshed)
    }
}

/// What PostgreSQL could not say of a plugin, since a lock was not free or a change came in between: nothing is lost for that.
fn undecided(generation: &Generation) -> Option<RefreshError> {
    let (name, entry) = generation.plugins.iter().find(|(_, entry)| !entry.state.is_settled())?;
    let finding = entry.state.refusal()?.findings.first()?.clone();
    Some(RefreshError::Undecided { plugin: name.clone(), finding: Box::new(finding) })
}

/// What became of plugins whose version is the same, under another configuration.
fn reconfigure(before: &Generation, now: &mut Generation, at: SystemTime) -> Vec<PluginChange> {
    let mut changes = Vec::new();
    for (name, entry) in &mut now.plugins {
        let Some(was) = before.plugins.get(name) else { continue };
        let (Some(was), Some(is)) = (was.state.loaded(), entry.state.loaded()) else { continue };
        let swap = Swap::between(was, Some(is));
        if was.digest() == is.digest() && !(swap.is_nothing() && was.settings == is.settings) {
            entry.swapped = Some(Arc::new(Swapped { at, swap: swap.clone() }));
            changes.push(PluginChange { plugin: name.clone(), change: Change::Reconfigured { swap } });
        }
    }
    changes
}

/// What callers would lose. A plugin that is taken out of the configuration is meant to be gone.
fn losses(before: &Generation, now: &Generation, forced: &BTreeSet<String>) -> Vec<Refusal> {
    let mut losses = Vec::new();
    for (name, entry) in now.plugins.iter().filter(|(name, _)| !forced.contains(*name)) {
        let Some(was) = before.plugins.get(name).and_then(|was| was.state.loaded()) else { continue };
        let mut findings = Swap::between(was, entry.state.loaded().map(Arc::as_ref)).losses(name);
        if findings.is_empty() {
            continue;
        }
        // Why they are lost.
        findings.extend(entry.state.refusal().into_iter().flat_map(|refusal| refusal.findings.clone()));
        let warnings = State::warnings(&entry.state);
        losses.push(Refusal { plugin: name.clone(), findings, warnings });
    }
    losses
}
