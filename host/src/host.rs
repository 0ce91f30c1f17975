//! The one type that ties the rooms together.

mod by_choice;
mod call;
mod choice;
mod drift;
mod error;
mod generation;
mod load;
mod plugin;
mod prove;
mod reply;

use std::sync::{Arc, PoisonError, RwLock};

pub use call::Call;
pub use drift::{AffectedShapes, BrokenQuery, ChangedReply, Drift, Effect, Live, ReplyColumn};
pub use error::{CallError, StartError};
pub use generation::Generation;
pub use load::{PluginFinding, Refusal};
pub use plugin::{LoadedPlugin, LoadedQuery};
pub use prove::{ProvenShape, ProvenStatement, ValueSource};
pub use reply::{Reply, ReplyError};

use self::generation::Basis;
use crate::catalog::{self, Catalog};
use crate::loan::{ConnectionSettings, Pool};
use crate::{Config, plugin as sandbox};

/// A host: a database, its catalog, and the plugins that were proven against it. A clone is the same host.
///
/// A call runs on a connection of the host's own, or on an open transaction that its caller lends: [`Call::on`].
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use callslip::{Config, Host, loan::ConnectionSettings};
///
/// let connection = ConnectionSettings::resolve(None, &|name| std::env::var(name).ok())?;
/// let host = Host::start(&Config::read("callslip.toml".as_ref())?, &connection).await?;
/// let mut reply = host.call("hiring", "funnel").param("company", 7).run().await?;
/// while let Some(chunk) = reply.next_chunk().await? {
///     print!("{}", String::from_utf8_lossy(&chunk));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    pool: Pool,
    reply_limits: reply::ReplyLimits,
    /// What is served now.
    current: RwLock<Arc<Generation>>,
}

impl Inner {
    fn generation(&self) -> Arc<Generation> {
        // A thread that panicked while it held the lock left a whole generation behind: an assignment is all that is done.
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Host {
    /// Reflects the database, loads every plugin of the configuration, and proves every statement that they can
    /// send. A plugin that can't be proven is refused, with all its findings, and the others are served.
    ///
    /// # Errors
    /// [`StartError`], if there is no host at all: a database that can't be reached or reflected, or an engine
    /// that can't be made.
    pub async fn start(config: &Config, connection: &ConnectionSettings) -> Result<Self, StartError> {
        let engine = sandbox::Engine::new(&config.limits.plugin())?;
        let pool = Pool::new(connection, config.pool.settings())?;
        let catalog = {
            let loan = pool.loan().await?;
            Catalog::new(catalog::reflect(loan.client()).await?)
        };
        let current = Basis::new(catalog, config.schemas()).load_all(config, &engine, Some(&pool)).await?;
        let reply_limits = reply::ReplyLimits {
            rows: config.limits.rows,
            bytes: config.limits.reply_mib.saturating_mul(1 << 20),
        };
        Ok(Self(Arc::new(Inner { pool, reply_limits, current: RwLock::new(Arc::new(current)) })))
    }

    /// What is served now: the catalog, and the plugins by name. Calls that have begun go on with what was served then.
    pub fn generation(&self) -> Arc<Generation> {
        self.0.generation()
    }

    /// The host's own connections.
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// A call of a query, to be given its parameters and run.
    pub fn call(&self, plugin: &str, query: &str) -> Call<'static> {
        Call::new(self.0.clone(), plugin, query)
    }
}
