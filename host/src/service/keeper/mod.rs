//! What keeps a running server as its files say: it starts the hosts, reads the configuration again when it is told to, and
//! exchanges what is served once that is proven.

mod error;
mod files;
mod follow;
mod instruments;
mod kept;
mod reloaded;
mod source;
mod start;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::timeout;

use self::files::digest_of_secrets;
use self::instruments::Instruments;
use self::kept::{Kept, Task};
use self::source::Wanted;
use self::start::{start, tell_started};
use super::admin::{self, Token};
use super::hosts::Hosts;
use super::server::Server;
use super::state::Service;
use crate::host::Heir;
use crate::{Config, Host, Refusal, StartError};

pub use error::ReloadError;
pub use reloaded::Reloaded;
pub(super) use reloaded::findings;
pub use source::Source;

/// How long a reload may take: the next one waits for it.
const WITHIN: Duration = Duration::from_secs(300);

/// What keeps a server as its files say. It starts a host for each database, and goes on trying where one can't be reached.
/// [`Keeper::reload`] reads the configuration, its files and the components again; what comes of that is served once it is proven, and
/// otherwise what was served is served on. A clone is the same keeper.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use callslip::service::{Keeper, Source, stop_requested};
///
/// let keeper = Keeper::start(Source::new("callslip.toml", None), false).await?;
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:7070").await?;
/// keeper.server().serve(listener, stop_requested(), std::time::Duration::from_secs(30)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Keeper(Arc<Inner>);

struct Inner {
    source: Source,
    instruments: Instruments,
    server: Server,
    /// The configuration that the server was started with: some of it takes a restart.
    started_with: Arc<Config>,
    /// Held for as long as a reload takes: there is never more than one, and the others wait in their order.
    databases: tokio::sync::Mutex<BTreeMap<String, Kept>>,
    current: watch::Sender<Arc<Current>>,
    /// The last reload, by whomever.
    last: watch::Sender<Option<Arc<Reloaded>>>,
}

/// What is served now, and by which configuration.
pub(super) struct Current {
    pub config: Arc<Config>,
    pub service: Service,
    /// What those have to bring who administrate.
    pub token: Option<Token>,
    /// What the files of secrets held that are no database's.
    secrets: [u8; 32],
}

/// What is to be served of a database.
enum Next {
    /// The host that there is.
    Same,
    /// One that takes over from it.
    Heir(Heir),
    /// One where there was none.
    New(Host),
    /// None yet, and why not.
    Later(StartError),
}

impl Keeper {
    /// Reads the configuration and starts the hosts. One whose database can't be reached is tried again for as long as it takes, and its
    /// plugins answer 503 until then, unless `all` have to be there.
    ///
    /// # Errors
    /// [`ReloadError`]: the configuration can't be used, or a host can't be started for a reason that does not pass.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(source: Source, all: bool) -> Result<Self, ReloadError> {
        let (config, wanted) = source.read().await?;
        let instruments = Instruments::start(&config)?;
        let starting = wanted.values().map(|wanted| start(wanted, instruments.observers()));
        let started = join_all(starting).await;
        let (mut hosts, mut databases, mut missing) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for ((name, wanted), started) in wanted.into_iter().zip(started) {
            let host = match started {
                Ok(host) => Some(host),
                Err(error) if !all && error::is_passing(&error) => {
                    missing.push((name.clone(), error));
                    None
                }
                Err(error) => {
                    return Err(ReloadError::Start { connection: wanted.connection.to_string(), error });
                }
            };
            hosts.insert(name.clone(), host.clone());
            databases.insert(name, Kept { wanted, host, task: Task::None });
        }
        let service = instruments.on(Service::configured(Hosts::new(&config, hosts), &config, None)?);
        let (token, secrets) = (admin::token(&config)?, digest_of_secrets(&config));
        let current = Current { token, config: Arc::new(config), service, secrets };
        let inner = Arc::new(Inner {
            source,
            instruments,
            server: Server::new(&current.service),
            started_with: current.config.clone(),
            databases: tokio::sync::Mutex::default(),
            current: watch::Sender::new(Arc::new(current)),
            last: watch::Sender::new(None),
        });
        for kept in databases.values_mut() {
            if let Some(host) = kept.host.clone() {
                tell_started(&host);
                kept.task = Task::watch(&host, &kept.wanted.config);
            }
        }
        for (name, error) in missing {
            if let Some(kept) = databases.get_mut(&name) {
                kept.task = inner.try_again(&name, &kept.wanted, &error);
            }
        }
        *inner.databases.lock().await = databases;
        Ok(Self(inner))
    }

    /// What answers requests with what is served.
    pub fn server(&self) -> &Server {
        &self.0.server
    }

    /// What is served now.
    pub fn service(&self) -> Service {
        self.current().service.clone()
    }

    /// The configuration that is served now.
    pub fn config(&self) -> Arc<Config> {
        self.current().config.clone()
    }

    /// Where the configuration is.
    pub fn source(&self) -> &Source {
        &self.0.source
    }

    /// What came of the last reload, if there was one.
    pub fn last_reload(&self) -> Option<Arc<Reloaded>> {
        self.0.last.borrow().clone()
    }

    /// Sends and writes what has yet to be: traces and slips. To be called when the server has ended.
    pub async fn flush(&self) {
        self.0.instruments.flush().await;
    }

    pub(super) fn current(&self) -> Arc<Current> {
        self.0.current.borrow().clone()
    }

    /// Reads the configuration, the files that it names and the components again, and serves what comes of it once it is proven. What
    /// callers would lose by it, queries and columns of replies, is refused, but for the plugins `forced`. Reloads wait for each other
    /// in their order; one that has begun goes on when this is dropped.
    pub async fn reload(&self, forced: BTreeSet<String>) -> Arc<Reloaded> {
        let (inner, its) = (self.0.clone(), forced.clone());
        let reload = tokio::spawn(async move { inner.reload(its).await });
        let broken_off = |_| {
            let refused = Some(Arc::new(ReloadError::BrokenOff));
            Arc::new(Reloaded { refused, ..Reloaded::new(forced) })
        };
        reload.await.unwrap_or_else(broken_off)
    }
}

impl Inner {
    async fn reload(self: &Arc<Self>, forced: BTreeSet<String>) -> Arc<Reloaded> {
        let mut databases = self.databases.lock().await;
        let (mut reloaded, began) = (Reloaded::new(forced.clone()), Instant::now());
        let kept_on = match timeout(WITHIN, self.prepare(&databases, &forced)).await {
            Ok(Ok(prepared)) => self.serve(prepared, &mut databases, &mut reloaded),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(ReloadError::TooLong(WITHIN)),
        };
        match kept_on {
            Ok(same) => self.refresh(&databases, same, &forced, &mut reloaded).await,
            Err(error) => reloaded.refused = Some(Arc::new(error)),
        }
        for (_, host) in self.current.borrow().service.hosts().started() {
            let generation = host.generation();
            let waiting = generation.plugins().filter_map(|(name, _)| generation.waiting(name));
            reloaded.waiting.extend(waiting.map(|waiting| waiting.refusal().clone()));
        }
        reloaded.took = began.elapsed();
        reloaded.log();
        self.instruments.count(&reloaded);
        let reloaded = Arc::new(reloaded);
        self.last.send_replace(Some(reloaded.clone()));
        reloaded
    }

    /// Proves what is to be served. Nothing that is served is changed by it, and nothing is if this is dropped.
    async fn prepare(
        &self,
        databases: &BTreeMap<String, Kept>,
        forced: &BTreeSet<String>,
    ) -> Result<(Config, BTreeMap<String, (Wanted, Next)>), ReloadError> {
        let (config, wanted) = self.source.read().await?;
        let next = wanted.into_iter().map(async |(name, wanted)| {
            let next = self.next(databases.get(&name), &wanted, forced).await?;
            Ok::<_, ReloadError>((name, (wanted, next)))
        });
        let mut prepared = BTreeMap::new();
        let mut losses = Vec::new();
        for next in join_all(next).await {
            let (name, (wanted, next)) = next?;
            if let Next::Heir(heir) = &next {
                losses.extend_from_slice(heir.losses());
            }
            prepared.insert(name, (wanted, next));
        }
        losses.extend(losses_by_moves(databases, &mut prepared, forced)?);
        match losses.is_empty() {
            true => Ok((config, prepared)),
            false => Err(ReloadError::Loses(losses)),
        }
    }

    async fn next(
        &self,
        kept: Option<&Kept>,
        wanted: &Wanted,
        forced: &BTreeSet<String>,
    ) -> Result<Next, ReloadError> {
        let (connection, observers) = (|| wanted.connection.to_string(), || self.instruments.observers());
        match kept.and_then(|kept| Some((kept, kept.host.as_ref()?))) {
            Some((kept, _)) if kept.wanted == *wanted => Ok(Next::Same),
            Some((_, host)) => {
                let heir = host.heir(&wanted.config, &wanted.connection, forced, observers()).await;
                heir.map(Next::Heir).map_err(|error| ReloadError::of_heir(connection(), error))
            }
            None => match start(wanted, observers()).await {
                Ok(host) => Ok(Next::New(host)),
                Err(error) if error::is_passing(&error) => Ok(Next::Later(error)),
                Err(error) => Err(ReloadError::Start { connection: connection(), error }),
            },
        }
    }

    /// Serves what was proven, all at once; the names of the databases whose hosts stay.
    fn serve(
        self: &Arc<Self>,
        (config, prepared): (Config, BTreeMap<String, (Wanted, Next)>),
        databases: &mut BTreeMap<String, Kept>,
        reloaded: &mut Reloaded,
    ) -> Result<Vec<String>, ReloadError> {
        let before = self.current.borrow().clone();
        let hosts = prepared.iter().map(|(name, (_, next))| {
            let host = match next {
                Next::Same => databases.get(name).and_then(|kept| kept.host.clone()),
                Next::Heir(heir) => Some(heir.host().clone()),
                Next::New(host) => Some(host.clone()),
                Next::Later(_) => None,
            };
            (name.clone(), host)
        });
        let hosts = Hosts::new(&config, hosts.collect());
        let service = Service::configured(hosts, &config, Some(&before.service))?;
        let token = match admin::token(&config)? {
            // The address that needs no token is not listened on before a restart.
            None if config.admin.listen != self.started_with.admin.listen => before.token,
            token => token,
        };
        // From here on nothing fails.
        let secrets = digest_of_secrets(&config);
        let is_other = |next: &Next| matches!(next, Next::Heir(_) | Next::New(_));
        reloaded.reconfigured = *before.config != config
            || before.secrets != secrets
            || prepared.values().any(|(_, next)| is_other(next));
        let (mut same, mut kept_now) = (Vec::new(), BTreeMap::new());
        for (name, (wanted, next)) in prepared {
            let kept = match (next, databases.remove(&name)) {
                (Next::Same, Some(kept)) => {
                    same.push(name.clone());
                    kept
                }
                (Next::Heir(heir), _) => {
                    let (host, refreshed) = heir.take_over();
                    reloaded.plugins.extend(refreshed.plugins);
                    let task = Task::watch(&host, &wanted.config);
                    Kept { wanted, host: Some(host), task }
                }
                (Next::New(host), _) => {
                    tell_started(&host);
                    let task = Task::watch(&host, &wanted.config);
                    Kept { wanted, host: Some(host), task }
                }
                (Next::Later(error), _) => {
                    let task = self.try_again(&name, &wanted, &error);
                    Kept { wanted, host: None, task }
                }
                (Next::Same, None) => continue,
            };
            kept_now.insert(name, kept);
        }
        *databases = kept_now;
        reloaded.restart = needs_restart(&self.started_with, &config);
        self.server.exchange(&service);
        self.current.send_replace(Arc::new(Current { config: Arc::new(config), service, token, secrets }));
        Ok(same)
    }

    /// Has the hosts that stay look at their databases and their components' files.
    async fn refresh(
        &self,
        databases: &BTreeMap<String, Kept>,
        names: Vec<String>,
        forced: &BTreeSet<String>,
        reloaded: &mut Reloaded,
    ) {
        let hosts = names.into_iter().filter_map(|name| {
            let host = databases.get(&name)?.host.clone()?;
            Some(async move { (name, host.refresh_forcing(forced.iter().cloned()).await) })
        });
        for (name, refreshed) in join_all(hosts).await {
            match refreshed {
                Ok(refreshed) => reloaded.plugins.extend(refreshed.plugins),
                Err(error) => _ = reloaded.failed.insert(name, error),
            }
        }
    }

    /// Serves the plugins of a database that could not be reached before.
    async fn install(&self, name: &str, host: Host) {
        let mut databases = self.databases.lock().await;
        let Some(kept) = databases.get_mut(name) else { return };
        tell_started(&host);
        kept.task = Task::watch(&host, &kept.wanted.config);
        kept.host = Some(host);
        let hosts = databases.iter().map(|(name, kept)| (name.clone(), kept.host.clone())).collect();
        let current = self.current.borrow().clone();
        let service = current.service.clone().with_hosts(Hosts::new(&current.config, hosts));
        self.server.exchange(&service);
        let (config, token, secrets) = (current.config.clone(), current.token, current.secrets);
        self.current.send_replace(Arc::new(Current { config, service, token, secrets }));
    }
}

/// What callers would lose of plugins that are to go over to another database.
///
/// # Errors
/// [`ReloadError::Start`], where that database can't be reached: they are served on from the one that they have.
fn losses_by_moves(
    databases: &BTreeMap<String, Kept>,
    prepared: &mut BTreeMap<String, (Wanted, Next)>,
    forced: &BTreeSet<String>,
) -> Result<Vec<Refusal>, ReloadError> {
    let mut losses = Vec::new();
    for (name, (wanted, next)) in prepared {
        let others = databases.iter().filter(|(other, _)| *other != name);
        let mut others = others.filter_map(|(_, kept)| kept.host.as_ref());
        match next {
            Next::Same => {}
            Next::Heir(heir) => losses.extend(others.flat_map(|host| heir.host().losses_after(host, forced))),
            Next::New(host) => losses.extend(others.flat_map(|before| host.losses_after(before, forced))),
            Next::Later(_) => {
                let serves = |host: &Host| {
                    wanted.config.plugins.keys().any(|plugin| host.generation().standing(plugin).is_some())
                };
                if others.any(serves)
                    && let Next::Later(error) = std::mem::replace(next, Next::Same)
                {
                    return Err(ReloadError::Start { connection: wanted.connection.to_string(), error });
                }
            }
        }
    }
    Ok(losses)
}

/// What is another than it was when the server started, which has read it then.
fn needs_restart(before: &Config, now: &Config) -> Vec<&'static str> {
    let all = [
        ("admin.listen", before.admin.listen != now.admin.listen),
        ("[telemetry]", before.telemetry != now.telemetry),
        ("[slips]", before.slips != now.slips),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(setting, _)| setting).collect()
}
