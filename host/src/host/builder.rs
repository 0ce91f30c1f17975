use std::sync::Arc;

use tokio::sync::watch;

use super::error::StartError;
use super::fetch::ReplyLimits;
use super::generation::{Basis, Generation};
use super::inspect::reflect;
use super::observation::{Observation, Observer, Observers};
use super::refresh::Refresher;
use super::version::{Version, Versions};
use super::{Host, Inner, STATEMENTS_PER_LENT_SESSION};
use crate::Config;
use crate::catalog::Catalog;
use crate::loan::{
    Canceller, ConnectionSettings, Inspection, Lender, Lent, Pool, Privilege, Sessions, Terms,
};
use crate::plugin::Engine;

/// A host that is to be started: what it reflects its database on, and whether it has connections of its own.
///
/// Without [`HostBuilder::connect`] the host opens no connection, ever: it reflects and proves on what
/// [`HostBuilder::reflect_on`] lends, and each call runs on what [`Call::on`](crate::Call::on) lends. A shape that is
/// proven on its first use is proven on the connection of that call. Nobody then looks whether the database changes:
/// where a call meets such a change, it fails with [`Code::StaleStatement`](crate::Code::StaleStatement),
/// [`CatalogStatus::doubted_at`](crate::CatalogStatus) says so, and the service calls [`Host::refresh_on`].
///
/// ```no_run
/// # async fn example(mut client: tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use callslip::{Config, Host};
///
/// let config = Config::read("callslip.toml".as_ref())?;
/// let host = Host::builder().reflect_on(&mut client).start(&config).await?;
/// let reply = host.call("hiring", "funnel").param("company", 7).on(&mut client).run().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is started yet"]
#[derive(Default)]
pub struct HostBuilder<'loan> {
    reflect_on: Option<Lent<'loan>>,
    connect: Option<ConnectionSettings>,
    canceller: Option<Canceller>,
    engine: Option<Engine>,
    allow: Vec<Privilege>,
    observers: Vec<Observer>,
}

impl<'loan> HostBuilder<'loan> {
    /// Reflects the database and proves the plugins on a connection that is lent until the host has started: a client,
    /// whether it is idle or not, or an open transaction, whose uncommitted tables are then there. The plugins are proven
    /// with what its role may use, and it comes back as it was.
    ///
    /// Only what [`Lent::run`] names stays of it.
    pub fn reflect_on<'lent>(self, lender: &'lent mut (impl Lender + ?Sized)) -> HostBuilder<'lent> {
        let Self { reflect_on: _, connect, canceller, engine, allow, observers } = self;
        HostBuilder { reflect_on: Some(lender.lend()), connect, canceller, engine, allow, observers }
    }

    /// Gives the host a read-only pool of its own, as the configuration's `[pool]` describes it. On it run the calls to which
    /// nothing is lent, and all proofs after the start; the host follows its database by itself, and
    /// [`Host::watch`] can listen. Its login must see the database as that of what is lent does.
    pub fn connect(self, connection: &ConnectionSettings) -> Self {
        Self { connect: Some(connection.clone()), ..self }
    }

    /// Says where a cancel is sent when [`Running::cancel`](crate::Running::cancel) is called, or the same of a reply, on a
    /// connection that was lent: to the server of that connection, over one that is opened for it alone. Without this
    /// such a call can't be cancelled. Neither a user nor a password is sent, and nothing is opened before the first
    /// cancel.
    pub fn cancel_through(self, connection: &ConnectionSettings) -> Self {
        Self { canceller: Some(Canceller::new(connection.clone())), ..self }
    }

    /// Runs the plugins in an engine that several hosts share: its one watching thread, its address space, and its bound
    /// on how many plugins run at once. Its limits must be those of the configuration:
    /// `Engine::new(&config.limits.plugin())`. Otherwise the host makes an engine of its own.
    pub fn engine(self, engine: &Engine) -> Self {
        Self { engine: Some(engine.clone()), ..self }
    }

    /// Tells of what happens in the host, beside its log (`tracing`), where it happens: on the task of a call or of a
    /// refresh, and while a reply is dropped. So it must be quick, and must not wait; what takes time belongs on a
    /// channel. If it panics, that is caught and logged, and hurts neither the call nor what is told after it; a program
    /// that aborts on panics ends all the same. Several observers are told of everything in their order.
    pub fn observe(mut self, observer: impl Fn(&Observation) + Send + Sync + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Has calls run on connections of roles for which row-level security does not hold for this reason, and the host's
    /// own login be one, as [`DatabaseConfig::allow`](crate::DatabaseConfig::allow) does. Without it neither is.
    pub fn allow(mut self, privilege: Privilege) -> Self {
        self.allow.push(privilege);
        self
    }

    /// Reflects the database, loads every plugin of the configuration, and proves every statement that they can
    /// send. A plugin that can't be proven is refused, with all its findings; those of its queries that prove all the same are
    /// served, and so are the other plugins.
    ///
    /// # Errors
    /// [`StartError`], if there is no host at all: a configuration that can't be used, nothing to reflect on, a database that can't be reached or reflected, a
    /// login of its own for which row-level security does not hold, or an engine that can't be made.
    pub async fn start(self, config: &Config) -> Result<Host, StartError> {
        let Self { reflect_on, connect, canceller, engine, allow, observers } = self;
        let mut config = config.clone();
        config.database.allow.extend(allow);
        config.check()?;
        let config = &config;
        let engine = engine_for(config, engine)?;
        let pool_settings = config.pool.settings();
        let pool = connect.as_ref().map(|connection| Pool::new(connection, pool_settings)).transpose()?;
        let terms = Terms::of(&pool_settings);
        let first = First { config, versions: Version::read_all(&engine, config).await };
        let connects_now = reflect_on.is_none();
        let current = match (reflect_on, &pool) {
            (Some(lent), _) => first.generation(&lent.inspect(&terms).await?).await?,
            (None, Some(pool)) => first.generation(&pool.loan().await?.inspect()).await?,
            (None, None) => return Err(StartError::NothingToReflectOn),
        };
        if let Some(pool) = &pool {
            pool.guard(current.guard.clone());
            if connects_now {
                drop(pool.loan().await?);
            }
        }
        let refresher = Refresher::new(config.clone(), engine, connect, current.reflected_at());
        let call_time = config.limits.call_time();
        let reply_limits =
            ReplyLimits { rows: config.limits.rows, bytes: config.limits.reply_mib.saturating_mul(1 << 20) };
        let current = watch::Sender::new(Arc::new(current));
        let observers = Observers::new(observers);
        let sessions = Sessions::new(STATEMENTS_PER_LENT_SESSION);
        let inner = Inner {
            pool,
            canceller,
            terms,
            sessions,
            call_time,
            reply_limits,
            current,
            refresher,
            observers,
        };
        Ok(Host(Arc::new(inner)))
    }
}

fn engine_for(config: &Config, shared: Option<Engine>) -> Result<Engine, StartError> {
    let limits = config.limits.plugin();
    match shared {
        Some(engine) if *engine.limits() == limits => Ok(engine),
        Some(_) => Err(StartError::OtherLimits),
        None => Ok(Engine::new(&limits)?),
    }
}

/// What is served first.
struct First<'a> {
    config: &'a Config,
    versions: Versions,
}

impl First<'_> {
    async fn generation(self, inspection: &Inspection<'_>) -> Result<Generation, StartError> {
        let catalog = Arc::new(Catalog::new(reflect::<StartError>(inspection).await?));
        let basis = Basis::new(catalog, self.config.schemas());
        let proving = inspection.prove().await?;
        let generation = basis.load_all(self.config, self.versions, Some(&proving)).await?;
        proving.end().await?;
        Ok(generation)
    }
}
