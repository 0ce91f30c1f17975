mod gate;
mod manager;
mod session;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{self, Object, PoolError, TimeoutType, Timeouts};
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, Config};

use super::address::Address;
use super::admitted::Admitted;
use super::assumptions::Assumptions;
use super::block::Block;
use super::caller::Caller;
use super::connect::{self, Wires};
use super::connection::Connection;
use super::error::LoanError;
use super::excess::Excess;
use super::guard::Guard;
use super::lack::{self, Lack};
use super::pooler::{ADVICE, Pooler};
use super::session::{milliseconds, startup_options};
use super::settings::ConnectionSettings;
use super::stop::Stop;
use crate::lookups::LookupCounts;
use crate::reason::reason;

use gate::Gate;
pub(super) use manager::Manager;
pub(super) use session::Session;

/// How large a pool is, and what bounds the sessions in it. A duration of zero is no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// How many connections there may be; at least one.
    pub size: usize,
    /// How long a caller waits for a connection.
    pub wait: Duration,
    /// How long a statement may run.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How long a transaction may wait for its next statement.
    pub idle_in_transaction_timeout: Duration,
    /// How often a running statement looks whether its client is still there (PostgreSQL 14 and later).
    pub client_check_interval: Duration,
    /// How many prepared statements a connection keeps; one more, and the one that was not used for the longest time goes.
    pub statements_per_connection: usize,
    /// What stands between the pool and the database.
    pub pooler: Pooler,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            size: 8,
            wait: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(2),
            idle_in_transaction_timeout: Duration::from_secs(30),
            client_check_interval: Duration::from_secs(1),
            statements_per_connection: 256,
            pooler: Pooler::None,
        }
    }
}

/// How full a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// How many connections there may be.
    pub max_size: usize,
    /// How many there are.
    pub size: usize,
    /// How many of these nobody uses.
    pub available: usize,
    /// How many callers wait for one.
    pub waiting: usize,
}

/// Read-only sessions to lend. Cheap to clone; all clones are one pool.
#[derive(Clone)]
pub struct Pool {
    pool: managed::Pool<Manager>,
    settings: Arc<PoolSettings>,
    assumptions: Arc<Assumptions>,
    gate: Arc<Gate>,
    admitted: Arc<Admitted>,
}

impl Pool {
    /// A pool without connections: they are made when they are first wanted.
    ///
    /// # Errors
    /// [`LoanError::PoolSettings`].
    pub fn new(connection: &ConnectionSettings, settings: PoolSettings) -> Result<Self, LoanError> {
        let refuse = |setting, problem| Err(LoanError::PoolSettings { setting, problem });
        if settings.size == 0 {
            return refuse("size", "must be at least one connection");
        }
        let Some(statements) = NonZeroUsize::new(settings.statements_per_connection) else {
            return refuse("statements_per_connection", "must be at least one statement");
        };
        let built = managed::Pool::builder(Manager::new(connection.clone(), settings, statements))
            .max_size(settings.size)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: (!settings.wait.is_zero()).then_some(settings.wait),
                create: None,
                recycle: None,
            })
            .build();
        match built {
            Ok(pool) => {
                let settings = Arc::new(settings);
                let (assumptions, gate, admitted) = (Arc::default(), Arc::default(), Arc::default());
                Ok(Self { pool, settings, assumptions, gate, admitted })
            }
            Err(error) => Err(LoanError::Unavailable { reason: error.to_string() }),
        }
    }

    /// Lends a connection, a new one if none is free and there may be more.
    ///
    /// # Errors
    /// [`LoanError::Exhausted`], [`LoanError::Unavailable`], and [`LoanError::Privileged`] if the pool is
    /// [guarded](Pool::guard).
    pub async fn loan(&self) -> Result<Loan, LoanError> {
        let unavailable =
            |reason| Err(LoanError::Unavailable { reason: self.settings.pooler.advised(reason) });
        match self.pool.get().await {
            Ok(object) => {
                let is_new = Object::metrics(&object).recycle_count == 0;
                let connection = Arc::new(Connection::new(object));
                let (settings, assumptions) = (self.settings.clone(), self.assumptions.clone());
                let (guard, admitted) = (self.gate.guard(), self.admitted.clone());
                let (stop, caller, asked_at) = (None, None, None);
                let loan =
                    Loan { connection, settings, assumptions, stop, guard, admitted, caller, asked_at };
                self.admit(&loan, is_new).await?;
                Ok(Loan { asked_at: self.gate.asked_at(), ..loan })
            }
            Err(PoolError::Timeout(TimeoutType::Wait)) => {
                Err(LoanError::Exhausted { size: self.settings.size, wait: self.settings.wait })
            }
            Err(PoolError::Backend(LoanError::Unavailable { reason })) => unavailable(reason),
            Err(PoolError::Backend(error)) => Err(error),
            Err(error) => unavailable(error.to_string()),
        }
    }

    /// Has every connection prepare its statements anew: the database is another than the one that they were prepared
    /// against, and their parameters may be of types that have gone.
    pub fn forget_statements(&self) {
        self.pool.manager().forget_statements();
        self.assumptions.forget_columns();
    }

    /// Has a guard look from now on at the role of each new session, before it is lent; if it is another guard than before,
    /// also of those that there are.
    pub fn guard(&self, guard: Arc<Guard>) {
        if self.gate.set_guard(guard) {
            self.suspect();
        }
    }

    /// Has the guard look at every session with each loan, until its role may pass.
    pub fn suspect(&self) {
        self.gate.suspect();
        self.plan_anew();
    }

    /// Has each session plan anew what it runs, from its next loan on: to be called whenever somebody asks what their role
    /// may. What it was when they planned, nobody knows.
    pub fn plan_anew(&self) {
        self.gate.set_asked();
    }

    /// Has the connection pass the guard, if it has to.
    async fn admit(&self, loan: &Loan, is_new: bool) -> Result<(), LoanError> {
        let (suspicion, is_suspect) = self.gate.suspicion();
        let Some(guard) = self.gate.guard().filter(|_| is_new || is_suspect) else { return Ok(()) };
        if is_suspect {
            self.plan_anew();
        }
        if let (true, Some(statements)) = (is_new, loan.connection.statements()) {
            // It has planned nothing yet.
            statements.set_planned_since(Instant::now());
        }
        loan.check(&guard).await?;
        self.gate.clear(suspicion);
        Ok(())
    }

    /// How full the pool is.
    pub fn status(&self) -> PoolStatus {
        let status = self.pool.status();
        PoolStatus {
            max_size: status.max_size,
            size: status.size,
            available: status.available,
            waiting: status.waiting,
        }
    }

    /// How often a run on one of its connections had all of its statements prepared. Nothing is counted behind a pooler that shares
    /// sessions, where none are kept.
    pub fn statement_lookups(&self) -> LookupCounts {
        self.pool.manager().lookups.counts()
    }

    /// What the pool was made with.
    pub fn settings(&self) -> &PoolSettings {
        &self.settings
    }
}

/// A connection that is lent. Dropped, it goes back to the pool, unless something may still run on it.
pub struct Loan {
    pub(super) connection: Arc<Connection>,
    /// Those of its pool.
    pub(super) settings: Arc<PoolSettings>,
    pub(super) assumptions: Arc<Assumptions>,
    pub(super) stop: Option<Arc<Stop>>,
    /// That of its pool, which a caller's role has to pass.
    pub(super) guard: Option<Arc<Guard>>,
    /// The roles of callers that it has let pass lately.
    pub(super) admitted: Arc<Admitted>,
    pub(super) caller: Option<Arc<Caller>>,
    /// When its pool last asked what its role may.
    pub(super) asked_at: Option<Instant>,
}

impl Loan {
    /// Lets somebody stop the run before it is there.
    #[must_use]
    pub fn stopped_by(self, stop: Arc<Stop>) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Runs statements for a caller. Its role has to pass the [guard of the pool](Pool::guard).
    #[must_use]
    pub fn for_caller(self, caller: Option<Arc<Caller>>) -> Self {
        Self { caller, ..self }
    }

    /// Asks whether the session may become a role, and whether that may pass a guard.
    ///
    /// # Errors
    /// [`LoanError::CallerNotSet`], [`LoanError::Privileged`], and whatever else can go wrong.
    pub async fn check_role(&self, guard: &Guard, role: &str) -> Result<(), LoanError> {
        let caller = Caller::of_role(role);
        let question = format!("{}{}", caller.set_role(), guard.question());
        self.connection.begin_unknown_work();
        let (answered, ended) = Block::Transaction.around(self.connection.client(), &question).await;
        ended?;
        self.connection.settle_unknown_work();
        guard.judge(&answered.map_err(|error| caller.not_set(error))?)
    }

    /// Keeps something for as long as the connection is lent: it is dropped when the pool has that back, or it is closed, and what
    /// was dropped half-way has ended. There is one such thing; a second one is dropped at once.
    #[must_use]
    pub fn accompanied_by(self, companion: impl Send + Sync + 'static) -> Self {
        self.connection.keep(Arc::new(companion));
        self
    }

    /// Asks whether the session's role may pass a guard. If it may not, the connection is closed when the loan ends.
    ///
    /// # Errors
    /// [`LoanError::Privileged`], and whatever else can go wrong.
    pub async fn check(&self, guard: &Guard) -> Result<(), LoanError> {
        self.connection.begin_unknown_work();
        guard.check(self.connection.client()).await?;
        self.connection.settle_unknown_work();
        Ok(())
    }

    /// What the session's login may do beside reading what is guarded.
    ///
    /// # Errors
    /// [`LoanError`], if PostgreSQL can't be asked; the connection is then closed when the loan ends.
    pub async fn excess(&self, guard: &Guard) -> Result<Vec<Excess>, LoanError> {
        self.connection.begin_unknown_work();
        let excess = guard.excess(self.connection.client()).await?;
        self.connection.settle_unknown_work();
        Ok(excess)
    }

    /// Asks the database for nothing, and waits until it has answered that.
    ///
    /// # Errors
    /// [`LoanError`], if it does not answer; the connection is then closed when the loan ends.
    pub async fn ping(&self) -> Result<(), LoanError> {
        self.connection.begin_unknown_work();
        self.connection.client().batch_execute("").await?;
        self.connection.settle_unknown_work();
        Ok(())
    }

    /// What the server lacks of what the host makes use of where it is there.
    ///
    /// # Errors
    /// [`LoanError`], if it can't be asked; the connection is then closed when the loan ends.
    pub async fn lacks(&self) -> Result<Vec<Lack>, LoanError> {
        self.connection.begin_unknown_work();
        let lacks = Lack::of(self.connection.client(), self.settings.pooler).await?;
        self.connection.settle_unknown_work();
        Ok(lacks)
    }

    /// The driver's client, for work that has no method here, such as reflection. Nobody knows what was done
    /// with it, so the connection is closed when the loan ends. Behind a pooler
    /// its session is not read-only, and has none of the pool's settings.
    pub fn client(&self) -> &Client {
        self.connection.begin_unknown_work();
        self.connection.client()
    }
}

/// Opens a session of the host's own at an address.
///
/// # Errors
/// Why there is none.
pub(super) async fn open_session(
    connection: &ConnectionSettings,
    settings: &PoolSettings,
    address: &Address,
) -> Result<(Client, Wires), String> {
    let tls = connection.tls();
    match connect::at(address, &session_login(connection, settings, &[]), tls).await {
        Err(reason) if lack::is_of_idle_timeout(&reason) => {
            connect::at(address, &session_login(connection, settings, &[lack::IDLE_TIMEOUT]), tls).await
        }
        connected => connected,
    }
}

/// How a session of the host's own logs in.
fn session_login(connection: &ConnectionSettings, settings: &PoolSettings, lacking: &[&str]) -> Config {
    let mut login = connection.login().clone();
    // The driver asks a server that must be writable whether its transactions are read-only: there, that
    // has to wait until it is connected.
    let read_only_at_once = login.get_target_session_attrs() != TargetSessionAttrs::ReadWrite;
    if settings.pooler == Pooler::None {
        login.options(startup_options(login.get_options(), settings, read_only_at_once, lacking));
    }
    login
}

/// Checks that the session is what was asked for, makes it read-only where that had to wait, and lets it notice
/// that its client has gone, where the server can. A session that is shared is left as it is.
async fn finish_session(client: &Client, settings: &PoolSettings) -> Result<(), String> {
    if settings.pooler != Pooler::None {
        return Ok(());
    }
    let failed = |error: tokio_postgres::Error| reason(&error);
    // Before anything is set, and without a name: this may be a shared session that nobody told of.
    let sql = "SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_setting('TimeZone')";
    let row = client.query_typed_one(sql, &[]).await.map_err(failed)?;
    for (position, wanted) in ["pg_catalog,pg_temp", "UTC"].into_iter().enumerate() {
        let found: &str = row.try_get(position).map_err(failed)?;
        if found != wanted {
            return Err(format!(
                "the session has \"{found}\" where \"{wanted}\" was asked for: a proxy drops startup options; {ADVICE}"
            ));
        }
    }
    client.batch_execute("SET default_transaction_read_only = on").await.map_err(failed)?;
    let sql = format!(
        "SELECT pg_catalog.set_config(name, '{}', false) FROM pg_catalog.pg_settings \
         WHERE name = 'client_connection_check_interval'",
        milliseconds(settings.client_check_interval)
    );
    // Not every operating system can do it.
    if let Err(error) = client.simple_query(&sql).await {
        tracing::debug!(reason = reason(&error), "the server can't look for clients that have gone");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_pool_is_refused() {
        let settings = ConnectionSettings::resolve(Some("postgresql://u@h/d"), &|_| None).unwrap();
        let error = Pool::new(&settings, PoolSettings { size: 0, ..PoolSettings::default() }).err().unwrap();
        assert_eq!(error.to_string(), "the pool's size must be at least one connection");
    }
}
