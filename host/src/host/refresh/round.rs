use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::super::{Inner, inspect};
use super::change::Refreshed;
use super::queue::{Outcome, Wish};
use super::status::RefreshError;
use super::successor::{Components, Successor};
use crate::catalog::{Catalog, Contents, Fingerprint};
use crate::loan::{Inspection, Lent};

/// How long a refresh may take: what waits for it must not wait for a network that swallows everything.
const WITHIN: Duration = Duration::from_secs(300);

/// How often the catalog is reflected anew because it changed while plugins were proven.
const ATTEMPTS: usize = 3;

impl Inner {
    /// Looks at the database, and has what is served follow it: on a connection that is lent, or otherwise on one of its own. Never
    /// two at a time.
    pub(in crate::host) async fn refresh(&self, wish: Wish, lent: Option<Lent<'_>>) -> Outcome {
        let _one = self.refresher.one_at_a_time.lock().await;
        let wish = if self.refresher.record().owes_files { Wish::Everything } else { wish };
        let refreshed = match tokio::time::timeout(WITHIN, self.look(wish, lent.as_ref())).await {
            Ok(refreshed) => refreshed,
            Err(_) => Err(RefreshError::TooLong(WITHIN)),
        };
        self.refresher.record().owes_files = refreshed.is_err() && wish == Wish::Everything;
        match refreshed {
            Ok((refreshed, fingerprint)) => {
                self.refresher.record().succeed(fingerprint);
                Ok(refreshed)
            }
            Err(error) => {
                let error = Arc::new(error);
                self.refresher.record().fail(error.clone());
                Err(error)
            }
        }
    }

    async fn look(
        &self,
        wish: Wish,
        lent: Option<&Lent<'_>>,
    ) -> Result<(Refreshed, Fingerprint), RefreshError> {
        let refresher = &self.refresher;
        let loan;
        let inspection = match lent {
            Some(lent) => lent.inspect(&self.terms).await?,
            None => {
                loan = refresher.loan().await?;
                loan.inspect()
            }
        };
        let current = self.generation();
        // Before the catalog: what changes in between is found by the next look.
        let mut fingerprint = inspect::fingerprint::<RefreshError>(&inspection).await?;
        let known = refresher.record().fingerprint;
        let same = Refreshed { generation: current.number(), changed: false, plugins: Vec::new() };
        if wish < Wish::Everything && known == Some(fingerprint) && current.is_settled() {
            return Ok((same, fingerprint));
        }
        let components = match wish {
            Wish::Everything => Components::read(&refresher.config, &refresher.engine, &current).await,
            Wish::Doubt | Wish::Look => Components::default(),
        };
        let mut catalog = current.basis.catalog.clone();
        let mut attempt = 1;
        loop {
            let reflected_at = SystemTime::now();
            let reflected = reflect(&inspection, catalog.clone()).await?;
            let is_new = reflected.is_some();
            catalog = reflected.unwrap_or(catalog);
            let proving = inspection.prove().await?;
            let successor = Successor {
                current: &current,
                config: &refresher.config,
                catalog: &catalog,
                components: &components,
                proving: &proving,
            };
            let next = successor.prove().await?;
            proving.end().await?;
            let Some(mut next) = next else { return Ok((same, fingerprint)) };
            // What came in between may have come before the catalog was read: then reading it again tells nothing new.
            if is_new && !next.is_settled() && attempt < ATTEMPTS {
                attempt += 1;
                fingerprint = inspect::fingerprint::<RefreshError>(&inspection).await?;
                continue;
            }
            next.reflected_at = reflected_at;
            let refreshed = Refreshed::between(&current, &next);
            if !Arc::ptr_eq(&next.basis.catalog, &current.basis.catalog) {
                if let Some(pool) = &self.pool {
                    pool.forget_statements();
                }
                self.sessions.forget_statements();
            }
            self.current.send_replace(Arc::new(next));
            refreshed.log();
            return Ok((refreshed, fingerprint));
        }
    }
}

/// What the database holds, if that is something else than what is known.
async fn reflect(
    inspection: &Inspection<'_>,
    known: Arc<Catalog>,
) -> Result<Option<Arc<Catalog>>, RefreshError> {
    let contents = inspect::reflect::<RefreshError>(inspection).await?;
    let index =
        move |contents: Contents| (contents != *known.contents()).then(|| Arc::new(Catalog::new(contents)));
    // Comparing and indexing thousands of tables is nothing for a thread that serves requests.
    tokio::task::spawn_blocking(move || index(contents)).await.map_err(|_| RefreshError::BrokenOff)
}
