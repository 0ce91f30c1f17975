use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::super::observation::Observation;
use super::super::{Inner, inspect};
use super::change::Refreshed;
use super::components::Components;
use super::queue::{Outcome, Wish};
use super::status::RefreshError;
use super::successor::Successor;
use crate::catalog::{Catalog, Contents, Fingerprint};
use crate::loan::{Inspection, Lent, Pool};

/// How long a refresh may take: what waits for it must not wait for a network that swallows everything.
pub(super) const WITHIN: Duration = Duration::from_secs(300);

/// How often the catalog is reflected anew because it changed while plugins were proven.
const ATTEMPTS: usize = 3;

/// What a refresh is to do.
#[derive(Clone, Copy)]
struct Asked<'a> {
    wish: Wish,
    /// The plugins of which a new version is served though callers lose by it.
    forced: &'a BTreeSet<String>,
}

impl Inner {
    /// Looks at the database, and has what is served follow it: on a connection that is lent, or otherwise on one of its
    /// own. Never two at a time.
    pub(in crate::host) async fn refresh(
        &self,
        wish: Wish,
        forced: &BTreeSet<String>,
        lent: Option<Lent<'_>>,
    ) -> Outcome {
        let _one = self.refresher.one_at_a_time.lock().await;
        let began = Instant::now();
        let wish = if self.refresher.record().owes_files { Wish::Everything } else { wish };
        let asked = Asked { wish, forced };
        let refreshed = match tokio::time::timeout(WITHIN, self.look(asked, lent.as_ref(), began)).await {
            Ok(refreshed) => refreshed,
            Err(_) => Err(RefreshError::TooLong(WITHIN)),
        };
        self.refresher.record().owes_files = refreshed.is_err() && wish == Wish::Everything;
        let took = began.elapsed();
        match refreshed {
            Ok((refreshed, fingerprint)) => {
                if self.refresher.record().succeed(fingerprint) {
                    self.observers.tell(&Observation::RefreshRecovered);
                }
                self.tell_refreshed(&refreshed, took);
                Ok(refreshed)
            }
            Err(error) => {
                let error = Arc::new(error);
                let is_repeated = self.refresher.record().fail(error.clone());
                self.observers.tell(&Observation::RefreshFailed { error: error.clone(), is_repeated, took });
                Err(error)
            }
        }
    }

    pub(super) fn tell_refreshed(&self, refreshed: &Refreshed, took: Duration) {
        self.observers.tell(&Observation::Refreshed { refreshed: refreshed.clone(), took });
        let generation = self.generation();
        for change in &refreshed.plugins {
            if let Some(standing) = generation.standing(&change.plugin) {
                self.observers.tell(&Observation::PluginChanged { change: change.clone(), standing });
            }
        }
    }

    async fn look(
        &self,
        asked: Asked<'_>,
        lent: Option<&Lent<'_>>,
        began: Instant,
    ) -> Result<(Refreshed, Fingerprint), RefreshError> {
        let refresher = &self.refresher;
        let current = self.generation();
        let components = match asked.wish {
            Wish::Everything => Components::read(&refresher.config, &refresher.engine, &current).await,
            Wish::Doubt | Wish::Look => Components::default(),
        };
        let mut attempt = 1;
        loop {
            let is_last = attempt == ATTEMPTS;
            let looked = match lent {
                Some(lent) => {
                    self.follow(&lent.inspect(&self.terms).await?, asked, &components, is_last).await?
                }
                // Each time another: behind a pooler a connection does not outlive what it has proven.
                None => self.follow_on_own(asked, &components, is_last, began).await?,
            };
            match looked {
                Some(looked) => return Ok(looked),
                None => attempt += 1,
            }
        }
    }

    async fn follow_on_own(
        &self,
        asked: Asked<'_>,
        components: &Components,
        is_last: bool,
        began: Instant,
    ) -> Result<Option<(Refreshed, Fingerprint)>, RefreshError> {
        let loan = self.refresher.loan().await?;
        let looked = self.follow(&loan.inspect(), asked, components, is_last).await?;
        // What a role may is in no fingerprint.
        self.pools().for_each(Pool::plan_anew);
        if let Err(error) = loan.check(&self.generation().guard).await {
            if let Some((refreshed, _)) = &looked {
                self.tell_refreshed(refreshed, began.elapsed());
            }
            self.pools().for_each(Pool::suspect);
            return Err(error.into());
        }
        Ok(looked)
    }

    /// Looks once. Nothing, if the database changed while plugins were proven, unless this is the last time.
    async fn follow(
        &self,
        inspection: &Inspection<'_>,
        asked: Asked<'_>,
        components: &Components,
        is_last: bool,
    ) -> Result<Option<(Refreshed, Fingerprint)>, RefreshError> {
        let current = self.generation();
        // Before the catalog: what changes in between is found by the next look.
        let fingerprint = inspect::fingerprint::<RefreshError>(inspection).await?;
        let known = self.refresher.record().fingerprint;
        let same = Refreshed { generation: current.number(), changed: false, plugins: Vec::new() };
        if asked.wish < Wish::Everything && known == Some(fingerprint) && current.is_settled() {
            return Ok(Some((same, fingerprint)));
        }
        let reflected_at = SystemTime::now();
        let reflected = reflect(inspection, current.basis.catalog.clone()).await?;
        let is_new = reflected.is_some();
        let catalog = reflected.unwrap_or_else(|| current.basis.catalog.clone());
        let proving = inspection.prove().await?;
        let config = &self.refresher.config;
        let successor = Successor {
            current: &current,
            config,
            is_reconfigured: false,
            catalog: &catalog,
            components,
            forced: asked.forced,
            proving: &proving,
        };
        let next = successor.prove().await?;
        proving.end().await?;
        let Some(mut next) = next else { return Ok(Some((same, fingerprint))) };
        // What came in between may have come before the catalog was read: then reading it again tells nothing new.
        if is_new && !next.is_settled() && !is_last {
            return Ok(None);
        }
        next.reflected_at = reflected_at;
        let refreshed = Refreshed::between(&current, &next);
        if !Arc::ptr_eq(&next.basis.catalog, &current.basis.catalog) {
            self.pools().for_each(Pool::forget_statements);
            self.sessions.forget_statements();
        }
        self.pools().for_each(|pool| pool.guard(next.guard.clone()));
        self.current.send_replace(Arc::new(next));
        Ok(Some((refreshed, fingerprint)))
    }
}

/// What the database holds, if that is something else than what is known.
pub(super) async fn reflect(
    inspection: &Inspection<'_>,
    known: Arc<Catalog>,
) -> Result<Option<Arc<Catalog>>, RefreshError> {
    let contents = inspect::reflect::<RefreshError>(inspection).await?;
    let index =
        move |contents: Contents| (contents != *known.contents()).then(|| Arc::new(Catalog::new(contents)));
    // Comparing and indexing thousands of tables is nothing for a thread that serves requests.
    tokio::task::spawn_blocking(move || index(contents)).await.map_err(|_| RefreshError::BrokenOff)
}
