use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::problem::Problem;
use super::state::Service;
use crate::loan::{LoanError, Pool};
use crate::{Code, Host};

/// How long it takes at most to find out.
const PATIENCE: Duration = Duration::from_secs(1);
/// For how long what was found out holds: however many ask, the databases are asked once.
const HOLDS: Duration = Duration::from_secs(1);

/// Whether requests should come. A clone is the same.
#[derive(Clone, Default)]
pub(super) struct Readiness(Arc<Parts>);

#[derive(Default)]
struct Parts {
    stops: AtomicBool,
    found: Mutex<Option<(Instant, Found)>>,
}

/// What keeps requests from being answered, if anything does.
type Found = Result<(), NotReady>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotReady {
    /// Databases that can't be used, of so many.
    Databases {
        away: usize,
        of: usize,
    },
    Stops,
}

impl Service {
    /// Has `/readyz` say from now on that no more requests should come: what is in front of the service sends them elsewhere, before it
    /// stops. Those that come all the same are answered.
    pub fn announce_stop(&self) {
        self.readiness().0.stops.store(true, Ordering::Relaxed);
    }
}

/// Whether each database can be used and nobody stops the service: 200, or 503 and why. For a load balancer, which asks it often.
pub(super) async fn ready(State(service): State<Service>) -> Result<Json<serde_json::Value>, Problem> {
    let Parts { stops, found } = &*service.readiness().0;
    if stops.load(Ordering::Relaxed) {
        return Err(NotReady::Stops.into());
    }
    let mut found = found.lock().await;
    let known = found.filter(|(at, _)| at.elapsed() < HOLDS).map(|(_, found)| found);
    let now = match known {
        Some(known) => known,
        None => {
            let now = look(&service).await;
            *found = Some((Instant::now(), now));
            now
        }
    };
    now?;
    Ok(Json(json!({ "status": "ready" })))
}

async fn look(service: &Service) -> Found {
    let hosts = service.hosts();
    let are_usable = join_all(hosts.started().map(|(_, host)| is_usable(host))).await;
    // A host that there is not has never had a connection.
    let missing = hosts.missing().count();
    let away = are_usable.iter().filter(|is_usable| !**is_usable).count() + missing;
    match away {
        0 => Ok(()),
        away => Err(NotReady::Databases { away, of: are_usable.len() + missing }),
    }
}

/// Whether a host can run calls.
async fn is_usable(host: &Host) -> bool {
    // One that runs on what it is lent has no database to lose.
    let Some(pool) = host.pool() else { return true };
    let asked = async { pool.loan().await?.ping().await };
    match timeout(PATIENCE, asked).await {
        Ok(Ok(())) => true,
        // All of its connections are at work: to send requests elsewhere for that would take one host after the other from those
        // that are left.
        Ok(Err(LoanError::Exhausted { .. })) | Err(_) if is_busy(pool) => {
            host.catalog_status().failure.is_none()
        }
        Ok(Err(error)) => {
            tracing::debug!(code = error.code().as_str(), "not ready: {error}");
            false
        }
        Err(_) => false,
    }
}

fn is_busy(pool: &Pool) -> bool {
    let status = pool.status();
    status.available == 0 && status.size == status.max_size
}

impl From<NotReady> for Problem {
    fn from(not_ready: NotReady) -> Self {
        let detail = match not_ready {
            NotReady::Databases { of: 1, .. } => "the database can't be used".to_owned(),
            NotReady::Databases { away, of } => format!("{away} of {of} databases can't be used"),
            NotReady::Stops => "the server is about to stop".to_owned(),
        };
        Self::new(Code::NotReady, detail)
    }
}
