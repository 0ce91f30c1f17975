//! The one type that ties the rooms together.

mod budget;
mod builder;
mod by_choice;
mod call;
mod choice;
pub mod drift;
mod entry;
mod error;
mod fetch;
mod generation;
mod guard;
mod hosted;
mod inspect;
mod load;
mod observation;
mod plugin;
mod prove;
mod refresh;
mod reply;
mod rows;
mod running;
mod version;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use builder::HostBuilder;
pub use call::Call;
pub use entry::{Standing, Waiting};
pub use error::{CallError, StartError};
pub use generation::Generation;
pub use hosted::HostedPlugin;
pub use load::{PluginFinding, Refusal};
pub use observation::{CallEnded, CallOutcome, Observation, RanOn, ShapeProven};
pub use plugin::{LoadedPlugin, LoadedQuery};
pub use prove::{ProvenShape, ProvenStatement, ValueSource};
pub use refresh::{
    CatalogStatus, Change, PluginChange, RefreshError, RefreshFailure, Refreshed, Watch, WatchSettings,
};
pub use reply::{Reply, ReplyError};
pub use rows::Rows;
pub use running::Running;

use self::observation::Observers;
use self::refresh::{Refresher, Wish};
use crate::Config;
use crate::loan::{Canceller, ConnectionSettings, Lender, LoanError, Pool, Sessions, Terms};

/// A host: a database, its catalog, and the plugins that were proven against it. A clone is the same host.
///
/// A call runs on what its caller lends, a connection or an open transaction ([`Call::on`]), or on a connection of the
/// host's own, if it was started with these: [`Host::start`]. [`Host::builder`] starts one that opens no connection. The
/// [crate's page](crate#in-your-own-service) shows it all.
///
/// A host with connections of its own follows its database. When a call meets something that is not as it was proven, the
/// catalog is reflected anew, the plugins are proven again, and the call is run once more before that is an error.
/// [`Host::watch`] has the host notice without any call, and [`Host::refresh`] makes it look, also for new versions of
/// the plugins. Another host is told to look, on what is lent: [`Host::refresh_on`].
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
    /// Nothing, if the host runs on what it is lent alone.
    pool: Option<Pool>,
    /// By which calls on lent connections are cancelled, if they can be.
    canceller: Option<Canceller>,
    /// What statements on lent connections are held to.
    terms: Terms,
    /// What lent sessions keep prepared.
    sessions: Sessions,
    /// The time that a call has which has no other.
    call_time: Duration,
    reply_limits: fetch::ReplyLimits,
    /// What is served now. Whoever waits for something else is told of it.
    current: watch::Sender<Arc<Generation>>,
    refresher: Refresher,
    observers: Observers,
}

/// How many statements a lent session keeps prepared.
const STATEMENTS_PER_LENT_SESSION: NonZeroUsize = NonZeroUsize::new(256).expect("it is not zero");

impl Inner {
    fn generation(&self) -> Arc<Generation> {
        self.current.borrow().clone()
    }
}

impl Host {
    /// A host to be started: on what the service lends, or with connections of its own.
    pub fn builder() -> HostBuilder<'static> {
        HostBuilder::default()
    }

    /// Starts a host that has connections of its own: short for
    /// [`Host::builder()`](Self::builder)[`.connect(connection)`](HostBuilder::connect)[`.start(config)`](HostBuilder::start).
    ///
    /// # Errors
    /// As of [`HostBuilder::start`].
    pub async fn start(config: &Config, connection: &ConnectionSettings) -> Result<Self, StartError> {
        Self::builder().connect(connection).start(config).await
    }

    /// Reflects the database anew, proves the plugins again where it has changed, and serves what comes of it. The components'
    /// files are read again: a new version of a plugin is served if all of it proves; otherwise it waits, and the version
    /// before it is served, until the database is as it needs it.
    ///
    /// It takes connections of its own, so that no call waits for it. There is never more than one refresh at a time; those
    /// who ask for one meanwhile share the next.
    ///
    /// # Errors
    /// [`RefreshError`]. What was served is served on. [`RefreshError::NothingLent`], if the host has no connections of
    /// its own: that is refreshed by [`Host::refresh_on`].
    pub async fn refresh(&self) -> Result<Refreshed, Arc<RefreshError>> {
        if self.0.refresher.connection.is_none() {
            return Err(Arc::new(RefreshError::NothingLent));
        }
        self.0.ask(Wish::Everything).outcome().await
    }

    /// The same on a connection that is lent, as [`HostBuilder::reflect_on`] takes one: a host without connections of its
    /// own looks at its database in no other way. Where there is a refresh already, it begins after that. Dropped, it
    /// gives the connection back, and nothing else is served.
    ///
    /// On an open transaction, what that has not committed is served until the next refresh.
    ///
    /// # Errors
    /// [`RefreshError`]. What was served is served on.
    pub async fn refresh_on(
        &self,
        lender: &mut (impl Lender + ?Sized),
    ) -> Result<Refreshed, Arc<RefreshError>> {
        self.0.refresh(Wish::Everything, Some(lender.lend())).await
    }

    /// Has the host notice when its database changes, for as long as what this returns is kept. It refreshes when
    /// PostgreSQL tells of a change on the channel [`CHANNEL`](crate::catalog::CHANNEL)
    /// ([`INSTALL_NOTIFY`](crate::catalog::INSTALL_NOTIFY) makes it tell), and when the catalog's fingerprint is another
    /// one. It keeps one connection of its own.
    ///
    /// ```no_run
    /// # fn example(host: callslip::Host) -> Result<(), callslip::RefreshError> {
    /// let _watch = host.watch(callslip::WatchSettings::default())?;
    /// // … serve …
    /// # Ok::<(), callslip::RefreshError>(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RefreshError::NothingLent`], if the host has no connections of its own.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn watch(&self, settings: WatchSettings) -> Result<Watch, RefreshError> {
        Watch::start(&self.0, settings)
    }

    /// How well the host knows its database: what is served, when the database was last looked at, and why it could not be.
    pub fn catalog_status(&self) -> CatalogStatus {
        self.0.catalog_status()
    }

    /// What is served now: the catalog, and the plugins by name. Calls that have begun go on with what was served then.
    pub fn generation(&self) -> Arc<Generation> {
        self.0.generation()
    }

    /// The plugins of the configuration as they are served now, by name, with their queries, parameters and replies.
    pub fn plugins(&self) -> Vec<HostedPlugin> {
        let generation = self.generation();
        generation.plugins.iter().map(|(name, entry)| HostedPlugin::new(name, entry)).collect()
    }

    /// Whether row-level security holds for the host's own login, whatever the configuration allows. It does for that of a host
    /// without connections of its own.
    ///
    /// # Errors
    /// [`LoanError::Privileged`], if it does not, and whatever else can go wrong.
    pub async fn check_login(&self) -> Result<(), LoanError> {
        match self.pool() {
            Some(pool) => pool.loan().await?.check(&self.generation().guard.strict()).await,
            None => Ok(()),
        }
    }

    /// The host's own connections, if it has any: see [`HostBuilder::connect`].
    pub fn pool(&self) -> Option<&Pool> {
        self.0.pool.as_ref()
    }

    /// A call of a query, to be given its parameters and run.
    pub fn call(&self, plugin: &str, query: &str) -> Call<'static> {
        Call::new(self.0.clone(), plugin, query)
    }
}
