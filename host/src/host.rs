//! The one type that ties the rooms together.

mod allowance;
#[cfg(feature = "cli")]
mod analyze;
mod bind;
mod budget;
mod builder;
mod by_choice;
mod caches;
mod call;
mod callers;
mod choice;
mod cursor;
pub mod drift;
mod entry;
mod error;
mod fetch;
mod first_use;
mod generation;
mod guard;
mod hosted;
mod inspect;
mod load;
mod meter;
#[cfg(feature = "cli")]
mod needed;
mod observation;
mod output;
mod page;
mod plugin;
mod prove;
mod refresh;
mod replicas;
mod reply;
mod request;
mod rows;
mod running;
mod slow;
mod suggest;
mod swap;
mod version;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::watch;

pub use builder::HostBuilder;
pub use caches::CacheLookups;
pub use call::Call;
pub use cursor::{CursorKey, ShortSecret};
pub use entry::{Standing, Swapped, Waiting};
pub use error::{CallError, StartError};
pub use generation::Generation;
pub use hosted::HostedPlugin;
pub use load::{PluginFinding, Refusal};
#[cfg(feature = "cli")]
pub(crate) use needed::Needed;
#[cfg(feature = "service")]
pub(crate) use observation::Observer;
pub(crate) use observation::Observers;
pub use observation::{
    CallEnded, CallId, CallOutcome, NoCallId, Observation, RanOn, RequestEnded, ShapeProven, TraceContext,
};
pub use plugin::{LoadedPlugin, LoadedQuery};
pub use prove::{ColumnFacts, ProvenPage, ProvenShape, ProvenStatement, ValueSource};
#[cfg(feature = "service")]
pub(crate) use refresh::{Backoff, Heir, HeirError};
pub use refresh::{
    CatalogStatus, Change, PluginChange, RefreshError, RefreshFailure, Refreshed, Watch, WatchSettings,
};
pub use replicas::ReplicaStatus;
pub use reply::{Reply, ReplyError};
pub use rows::Rows;
pub use running::Running;
pub use swap::{ReplyChange, ReplyDifference, Swap};

use self::allowance::Allowances;
use self::refresh::{Refresher, Wish};
use self::replicas::Replicas;
use crate::Config;
use crate::loan::{Canceller, ConnectionSettings, Excess, Lack, Lender, LoanError, Pool, Sessions, Terms};
use crate::lookups::Lookups;

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
    /// From which calls are read instead, if there are any.
    replicas: Replicas,
    /// By which calls on lent connections are cancelled, if they can be.
    canceller: Option<Canceller>,
    /// What statements on lent connections are held to.
    terms: Terms,
    /// What of each caller row-level security is told.
    callers: callers::Callers,
    /// What lent sessions keep prepared.
    sessions: Sessions,
    allowances: Allowances,
    /// How often the shape of a call was proven already.
    shapes: Arc<Lookups>,
    /// The claim that names the caller.
    audit_claim: Option<String>,
    /// By which cursors of pages are made.
    cursor_key: CursorKey,
    exposes_errors: bool,
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

    /// The host's own connections: to its database, and to the replicas of that.
    fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.pool.iter().chain(self.replicas.pools())
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
    /// files are read again: a new version of a plugin is served if all of it proves and callers lose nothing by it, no query and no
    /// column of a reply; otherwise it waits, and the version before it is served, until the database is as it needs it.
    ///
    /// It takes connections of its own, so that no call waits for it. There is never more than one refresh at a time; those
    /// who ask for one meanwhile share the next.
    ///
    /// # Errors
    /// [`RefreshError`]. What was served is served on. [`RefreshError::NothingLent`], if the host has no connections of
    /// its own: that is refreshed by [`Host::refresh_on`].
    pub async fn refresh(&self) -> Result<Refreshed, Arc<RefreshError>> {
        self.refresh_forcing(std::iter::empty::<String>()).await
    }

    /// The same, and a new version of these plugins is served though callers lose by it: queries that it has not any more, or
    /// columns of replies that are others. Without this it waits ([`Code::ReloadRefused`](crate::Code::ReloadRefused)). One that
    /// does not prove waits all the same.
    ///
    /// # Errors
    /// As of [`Host::refresh`].
    pub async fn refresh_forcing(
        &self,
        plugins: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Refreshed, Arc<RefreshError>> {
        if self.0.refresher.connection.is_none() {
            return Err(Arc::new(RefreshError::NothingLent));
        }
        let forced = plugins.into_iter().map(Into::into).collect();
        self.0.ask_forcing(Wish::Everything, forced).outcome().await
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
        self.0.refresh(Wish::Everything, &BTreeSet::new(), Some(lender.lend())).await
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
        self.generation().hosted()
    }

    /// Whether the host's own login has no [`Privilege`](crate::loan::Privilege), whatever the configuration allows. A host without
    /// connections of its own has no login.
    ///
    /// # Errors
    /// [`LoanError::Privileged`], if it has one, and whatever else can go wrong.
    pub async fn check_login(&self) -> Result<(), LoanError> {
        match self.pool() {
            Some(pool) => pool.loan().await?.check(&self.generation().guard.strict()).await,
            None => Ok(()),
        }
    }

    /// Whether callers are to see of an error what is otherwise in the log only: see [`HostBuilder::expose_errors`].
    pub fn exposes_errors(&self) -> bool {
        self.0.exposes_errors
    }

    /// What the host's own login may do beside reading what its plugins are granted: nothing, for one that `callslip catalog
    /// login-sql` has made. It is in the log of each start. A host without connections of its own has no login, and a
    /// superuser is told nothing here.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be asked.
    pub async fn login_excess(&self) -> Result<Vec<Excess>, LoanError> {
        match self.pool() {
            Some(pool) => pool.loan().await?.excess(&self.generation().guard).await,
            None => Ok(Vec::new()),
        }
    }

    /// What the server of the host's own connections lacks, and the host does without. It is in the log of each start. A host without
    /// connections of its own is told nothing here.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be asked.
    pub async fn server_lacks(&self) -> Result<Vec<Lack>, LoanError> {
        match self.pool() {
            Some(pool) => pool.loan().await?.lacks().await,
            None => Ok(Vec::new()),
        }
    }

    /// The host's own connections, if it has any: see [`HostBuilder::connect`].
    pub fn pool(&self) -> Option<&Pool> {
        self.0.pool.as_ref()
    }

    /// How the replicas do that calls are read from (`[database.replicas]`), in the order of the configuration. They are looked at
    /// all the time, from the start of the host on.
    pub fn replicas(&self) -> Vec<ReplicaStatus> {
        self.0.replicas.status()
    }

    /// A call of a query, to be given its parameters and run.
    pub fn call(&self, plugin: &str, query: &str) -> Call<'static> {
        Call::new(self.0.clone(), plugin, query)
    }
}
