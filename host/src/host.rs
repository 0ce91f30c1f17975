//! The one type that ties the rooms together.

mod basis;
mod call;
mod error;
mod load;
mod offline;
mod plugin;
mod prove;
mod reply;

use std::sync::Arc;

pub use call::Call;
pub use error::{CallError, StartError};
pub use load::{PluginFinding, Refusal};
pub use offline::OfflineProof;
pub use plugin::{LoadedPlugin, LoadedQuery};
pub use prove::{ProvenShape, ProvenStatement, ValueSource};
pub use reply::{Reply, ReplyError};

use self::basis::{Basis, Plugins};
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
    basis: Basis,
    pool: Pool,
    reply_limits: reply::ReplyLimits,
    plugins: Plugins,
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
        let basis = Basis::new(catalog, config);
        let plugins = basis.load_all(config, &engine, Some(&pool)).await?;
        let reply_limits = reply::ReplyLimits {
            rows: config.limits.rows,
            bytes: config.limits.reply_mib.saturating_mul(1 << 20),
        };
        Ok(Self(Arc::new(Inner { basis, pool, reply_limits, plugins })))
    }

    /// The plugins by name: what was loaded, or why it was refused.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, Result<&LoadedPlugin, &Refusal>)> {
        basis::each(&self.0.plugins)
    }

    /// The database's metadata, as it was when the host started.
    pub fn catalog(&self) -> &Catalog {
        &self.0.basis.catalog
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
