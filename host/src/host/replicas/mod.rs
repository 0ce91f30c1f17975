//! Reading from replicas: those that are hardly behind the database serve calls, and whatever fails there, before anything of it
//! is given, is run on the database itself.

mod look;
mod position;
mod replica;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::observation::Observers;
use crate::Config;
use crate::loan::{ConnectionSettings, LoanError, Pool, PoolSettings};

use look::Look;
use position::Positions;
pub(super) use replica::Replica;
pub use replica::ReplicaStatus;

/// The replicas of a host's database; most hosts have none. A clone is of the same replicas.
#[derive(Clone, Default)]
pub(super) struct Replicas {
    replicas: Arc<[Arc<Replica>]>,
    /// What looks at them, until nobody has them any more.
    _looks: Option<Arc<Looks>>,
    /// The queries that are not read from them, by plugin.
    current: Arc<BTreeSet<(String, String)>>,
    /// With which of them to begin to look for the least busy one.
    next: Arc<AtomicUsize>,
    /// What they were made of; nothing, where there are none.
    made_of: Option<Arc<MadeOf>>,
}

/// What replicas are made of: those of the same are the same.
#[derive(PartialEq)]
struct MadeOf {
    database: ConnectionSettings,
    replicas: Vec<ConnectionSettings>,
    pool: PoolSettings,
    max_lag: Option<Duration>,
}

/// The tasks that look at servers.
struct Looks(Vec<JoinHandle<()>>);

impl Drop for Looks {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Replicas {
    /// Looks at replicas from now on; goes on with those before where they are the same. Until a look has told how far each is behind,
    /// none is read from.
    ///
    /// # Errors
    /// [`LoanError::PoolSettings`].
    pub fn start(
        before: &Self,
        database: &ConnectionSettings,
        replicas: &[ConnectionSettings],
        config: &Config,
        observers: &Observers,
    ) -> Result<Self, LoanError> {
        if replicas.is_empty() {
            return Ok(Self::default());
        }
        let (settings, max_lag) = (config.pool.settings(), config.database.replicas.max_lag());
        let current = config.plugins.iter().flat_map(|(name, plugin)| {
            let current = plugin.queries.iter().filter(|(_, query)| query.primary);
            current.map(|(query, _)| (name.clone(), query.clone()))
        });
        let current = Arc::new(current.collect());
        let made_of =
            MadeOf { database: database.clone(), replicas: replicas.to_vec(), pool: settings, max_lag };
        if before.made_of.as_deref() == Some(&made_of) {
            return Ok(Self { current, ..before.clone() });
        }
        let positions = Arc::new(Positions::default());
        let look_at = |connection: &ConnectionSettings| {
            let alone = PoolSettings { size: 1, ..settings };
            Ok::<_, LoanError>(Look::new(Pool::new(connection, alone)?, positions.clone(), max_lag))
        };
        let mut looks = vec![tokio::spawn(look_at(database)?.at_database())];
        let mut all = Vec::with_capacity(replicas.len());
        for (number, connection) in replicas.iter().enumerate() {
            let pool = Pool::new(connection, settings)?;
            let replica = Arc::new(Replica::new(number, connection, pool, max_lag, observers.clone()));
            looks.push(tokio::spawn(look_at(connection)?.at_replica(replica.clone())));
            all.push(replica);
        }
        Ok(Self {
            replicas: all.into(),
            _looks: Some(Arc::new(Looks(looks))),
            current,
            next: Arc::default(),
            made_of: Some(Arc::new(made_of)),
        })
    }

    /// Their pools.
    pub fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.replicas.iter().map(|replica| replica.pool())
    }

    /// How each does.
    pub fn status(&self) -> Vec<ReplicaStatus> {
        self.replicas.iter().map(|replica| replica.status()).collect()
    }

    /// The one that a call of a query is read from: of those that serve now, the least busy one.
    pub fn pick(&self, plugin: &str, query: &str) -> Option<Arc<Replica>> {
        if self.replicas.is_empty() || self.current.iter().any(|(its, of_it)| its == plugin && of_it == query)
        {
            return None;
        }
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.replicas.len();
        let (before, from) = self.replicas.split_at(first);
        let serving = from.iter().chain(before).filter(|replica| replica.serves());
        serving.min_by_key(|replica| replica.load()).cloned()
    }
}

/// How often servers are asked where they are: so that one that keeps up is never thought to be further behind than it may be.
fn interval(max_lag: Option<Duration>) -> Duration {
    const MOST: Duration = Duration::from_secs(1);
    max_lag.map_or(MOST, |lag| (lag / 4).min(MOST))
}
