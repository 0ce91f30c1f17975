use std::sync::Arc;

use tokio::sync::watch;

use super::allowance::Allowances;
use super::callers::Callers;
use super::cursor::{CursorKey, ShortSecret};
use super::error::StartError;
use super::generation::{Basis, Generation};
use super::inspect::reflect;
use super::observation::{Observation, Observer, Observers};
use super::refresh::Refresher;
use super::replicas::Replicas;
use super::slow::SlowQueries;
use super::version::{Version, Versions};
use super::{Host, Inner, STATEMENTS_PER_LENT_SESSION};
use crate::catalog::Catalog;
use crate::loan::{
    Canceller, ConnectionSettings, Guard, Inspection, Lender, Lent, Loan, LoanError, Pool, Privilege,
    Sessions, Terms,
};
use crate::plugin::Engine;
use crate::{Code, Config, ConfigError};

/// Where it is logged what logins may, so that who is told of it otherwise can leave that out.
const LOGIN: &str = "callslip::login";

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
    expose_errors: bool,
    cursor_key: Option<CursorKey>,
}

impl<'loan> HostBuilder<'loan> {
    /// Reflects the database and proves the plugins on a connection that is lent until the host has started: a client,
    /// whether it is idle or not, or an open transaction, whose uncommitted tables are then there. The plugins are proven
    /// with what its role may use, and it comes back as it was.
    ///
    /// Only what [`Lent::run`] names stays of it.
    pub fn reflect_on<'lent>(self, lender: &'lent mut (impl Lender + ?Sized)) -> HostBuilder<'lent> {
        let Self { reflect_on: _, connect, canceller, engine, allow, observers, expose_errors, cursor_key } =
            self;
        HostBuilder {
            reflect_on: Some(lender.lend()),
            connect,
            canceller,
            engine,
            allow,
            observers,
            expose_errors,
            cursor_key,
        }
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
    /// `Engine::new(&config.limits.plugin())`; where it keeps what it has compiled is its own affair
    /// ([`Engine::with_cache`], [`CacheConfig::cache`](crate::CacheConfig::cache)). Otherwise the host makes an engine of its
    /// own.
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

    /// Has calls run on connections of roles that may see or do more than plugins are granted by this, and the host's
    /// own login be one, as [`DatabaseConfig::allow`](crate::DatabaseConfig::allow) does. Without it neither is.
    pub fn allow(mut self, privilege: Privilege) -> Self {
        self.allow.push(privilege);
        self
    }

    /// Has callers see of an error what is otherwise in the log only, as `expose_errors` under `[service]` of the configuration
    /// does: the HTTP service then answers with [`CallError::log_message`](crate::CallError::log_message). It may hold
    /// anybody's data, so that this is for development.
    pub fn expose_errors(self, exposed: bool) -> Self {
        Self { expose_errors: exposed, ..self }
    }

    /// Makes the cursors of pages with this key, and takes those that another host has made with it, whatever the configuration
    /// says ([`ServiceConfig::cursor_key_file`](crate::ServiceConfig::cursor_key_file)). Without either the host makes a key, and a
    /// cursor is good for as long as the host lives.
    pub fn cursor_key(self, key: CursorKey) -> Self {
        Self { cursor_key: Some(key), ..self }
    }

    /// Reflects the database, loads every plugin of the configuration, and proves every statement that they can
    /// send. A plugin that can't be proven is refused, with all its findings; those of its queries that prove all the same are
    /// served, and so are the other plugins.
    ///
    /// # Errors
    /// [`StartError`], if there is no host at all: a configuration that can't be used, nothing to reflect on, a database that can't be reached or reflected, a
    /// login of its own or a role of `database.roles` that may see or do more than plugins are granted ([`Privilege`]), or an engine that can't be made.
    pub async fn start(self, config: &Config) -> Result<Host, StartError> {
        let Self { reflect_on, connect, canceller, engine, allow, observers, expose_errors, cursor_key } =
            self;
        let mut config = config.clone();
        config.database.allow.extend(allow);
        config.check()?;
        let config = &config;
        let cursor_key = match cursor_key {
            Some(key) => Some(key),
            None => cursor_key_of(config)?,
        };
        let engine = engine_for(config, engine)?;
        let pool_settings = config.pool.settings();
        let pool = connect.as_ref().map(|connection| Pool::new(connection, pool_settings)).transpose()?;
        let terms = Terms::of(&pool_settings);
        let callers = Callers::of(&config.database);
        let first = First { config, versions: Version::read_all(&engine, config).await };
        let connects_now = reflect_on.is_none();
        let current = match (reflect_on, &pool) {
            (Some(lent), _) => {
                let generation = first.generation(&lent.inspect(&terms).await?).await?;
                if pool.is_none() {
                    warn_of_role(&lent, &generation.guard).await?;
                }
                generation
            }
            (None, Some(pool)) => first.generation(&pool.loan().await?.inspect()).await?,
            (None, None) => return Err(StartError::NothingToReflectOn),
        };
        if let Some(pool) = &pool {
            pool.guard(current.guard.clone());
            if connects_now {
                let loan = pool.loan().await?;
                tell_lacks(&loan).await?;
                warn_of_excess(&loan, &current.guard).await?;
                for role in callers.roles() {
                    loan.check_role(&current.guard, role).await?;
                }
            }
        }
        let (observers, slow) = with_slow_queries(config, observers);
        let replicas = match &connect {
            Some(database) => {
                let replicas =
                    config.database.replicas.settings(database, &|name| std::env::var(name).ok())?;
                Replicas::start(&Replicas::default(), database, &replicas, config, &observers)?
            }
            None => Replicas::default(),
        };
        replicas.pools().for_each(|pool| pool.guard(current.guard.clone()));
        let refresher = Refresher::new(config.clone(), engine, connect, current.reflected_at());
        let allowances = Allowances::new(config);
        let audit_claim = config.audit.claim.clone();
        if cursor_key.is_none() && current.gives_pages() {
            tracing::info!(
                "the cursors of pages are made with a key of this process, and are good for as long as it runs; set \
                 service.cursor_key_file where several hosts serve the same clients"
            );
        }
        let cursor_key = cursor_key.unwrap_or_else(CursorKey::random);
        let current = watch::Sender::new(Arc::new(current));
        let sessions = Sessions::new(STATEMENTS_PER_LENT_SESSION);
        let inner = Inner {
            pool,
            replicas,
            canceller,
            terms,
            callers,
            sessions,
            allowances,
            shapes: Arc::default(),
            audit_claim,
            cursor_key,
            exposes_errors: expose_errors || config.service.expose_errors,
            current,
            refresher,
            observers,
        };
        Ok(Host::begin(inner, slow))
    }
}

impl Host {
    /// A host of its parts, which begins to log its slow queries.
    pub(super) fn begin(inner: Inner, slow: Option<SlowQueries>) -> Self {
        let inner = Arc::new(inner);
        if let Some(slow) = slow {
            tokio::spawn(slow.log(Arc::downgrade(&inner)));
        }
        Self(inner)
    }
}

/// The key of the configuration, if it has one.
pub(super) fn cursor_key_of(config: &Config) -> Result<Option<CursorKey>, ConfigError> {
    let Some((setting, secret)) = config.service.cursor_secret()? else { return Ok(None) };
    let wrong = |short: ShortSecret| ConfigError::Secret { setting, wrong: short.to_string() };
    CursorKey::new(&secret).map(Some).map_err(wrong)
}

/// Whom a host tells, and who logs its slow queries, which is one of them.
pub(super) fn with_slow_queries(
    config: &Config,
    mut observers: Vec<Observer>,
) -> (Observers, Option<SlowQueries>) {
    let (slow, observer) = SlowQueries::new(&config.slow_queries).unzip();
    observers.extend(observer);
    (Observers::new(observers), slow)
}

/// Says in the log that calls will be refused on connections such as the one on which the host starts.
async fn warn_of_role(lent: &Lent<'_>, guard: &Guard) -> Result<(), LoanError> {
    match lent.check(guard).await {
        Err(LoanError::Privileged(role)) => {
            tracing::warn!(
                target: LOGIN,
                code = Code::PrivilegedRole.as_str(),
                "calls on a connection such as the one that was lent for the start are refused: {role}"
            );
            Ok(())
        }
        checked => checked,
    }
}

/// Says in the log what the server lacks.
async fn tell_lacks(loan: &Loan) -> Result<(), LoanError> {
    for lack in loan.lacks().await? {
        tracing::info!("{lack}");
    }
    Ok(())
}

/// Says in the log what the host's own login may do beside reading.
async fn warn_of_excess(loan: &Loan, guard: &Guard) -> Result<(), LoanError> {
    for excess in loan.excess(guard).await? {
        tracing::warn!(target: LOGIN, "{excess} (`callslip catalog login-sql` prints a login that may only read)");
    }
    Ok(())
}

fn engine_for(config: &Config, shared: Option<Engine>) -> Result<Engine, StartError> {
    let limits = config.limits.plugin();
    match shared {
        Some(engine) if *engine.limits() == limits => Ok(engine),
        Some(_) => Err(StartError::OtherLimits),
        None => Ok(config.engine()?),
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
        let basis = Basis::new(catalog, self.config.schemas(), self.config);
        let proving = inspection.prove().await?;
        let generation = basis.load_all(self.config, self.versions, Some(&proving)).await?;
        proving.end().await?;
        Ok(generation)
    }
}
