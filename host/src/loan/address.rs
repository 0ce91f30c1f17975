use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres::config::LoadBalanceHosts;

use super::error::LoanError;
use super::settings::{ConnectionSettings, Server};

/// How long an address may take to do what is asked of it, where `connect_timeout` says nothing.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Where a server listens: of a name, one of its addresses. A cancel has to go where its session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Tcp {
        address: SocketAddr,
        /// By which name it was found: what the server's certificate is to be for.
        host: String,
    },
    /// The folder of a socket, and the port that is a part of the socket's name.
    Unix { folder: PathBuf, port: u16 },
}

/// A connection that nothing was sent on yet.
pub(super) trait Opened: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Opened for S {}

impl Address {
    /// The addresses of a server; none is not among them.
    async fn all_of(server: &Server) -> io::Result<Vec<Self>> {
        if let Some(ip) = server.address {
            let host = if server.host.is_empty() { ip.to_string() } else { server.host.clone() };
            return Ok(vec![Self::Tcp { address: SocketAddr::new(ip, server.port), host }]);
        }
        if server.host.starts_with('/') {
            return Ok(vec![Self::Unix { folder: PathBuf::from(&server.host), port: server.port }]);
        }
        let tcp = |address| Self::Tcp { address, host: server.host.clone() };
        let found: Vec<Self> = lookup_host((&*server.host, server.port)).await?.map(tcp).collect();
        match found.is_empty() {
            true => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address")),
            false => Ok(found),
        }
    }

    /// The login at this address and no other.
    pub fn config(&self, login: &Config) -> Config {
        let mut config = login.clone();
        match self {
            Self::Tcp { address, host } => config.host(host).hostaddr(address.ip()).port(address.port()),
            Self::Unix { folder, port } => config.host_path(folder).port(*port),
        };
        config
    }

    /// Whether it is a socket of this machine, on which nobody else can listen.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Unix { .. })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { address, .. } => address.fmt(f),
            Self::Unix { folder, port } => write!(f, "{}:{port}", folder.display()),
        }
    }
}

/// How long each address of these settings may take.
pub(super) fn connect_within(settings: &ConnectionSettings) -> Duration {
    settings.login().get_connect_timeout().copied().unwrap_or(CONNECT_WITHIN)
}

/// Tries the addresses of the settings until `attempt` succeeds with one, each within [`connect_within`]: server by server,
/// and of each all addresses that its name has; in their order, or in a random one if the settings say so.
///
/// # Errors
/// [`LoanError::Unavailable`], with what was wrong with each.
pub(super) async fn first<T, F>(
    settings: &ConnectionSettings,
    attempt: impl Fn(Address) -> F,
) -> Result<T, LoanError>
where
    F: Future<Output = Result<T, String>>,
{
    let within = connect_within(settings);
    let late = || format!("it did not answer within {within:?}");
    let at_random = settings.login().get_load_balance_hosts() == LoadBalanceHosts::Random;
    let mut servers: Vec<&Server> = settings.servers().iter().collect();
    if at_random {
        shuffle(&mut servers);
    }
    let mut failures: Vec<(String, String)> = Vec::new();
    for server in servers {
        let found = match timeout(within, Address::all_of(server)).await {
            Ok(found) => found.map_err(|error| error.to_string()),
            Err(_) => Err(late()),
        };
        let mut addresses = match found {
            Ok(addresses) => addresses,
            Err(reason) => {
                failures.push((server.host.clone(), reason));
                continue;
            }
        };
        if at_random {
            shuffle(&mut addresses);
        }
        for address in addresses {
            // Connecting takes kilobytes, which would be a part of every future that waits for this one.
            let attempt = Box::pin(attempt(address.clone()));
            let failure = match timeout(within, attempt).await {
                Ok(Ok(result)) => return Ok(result),
                Ok(Err(reason)) => reason,
                Err(_) => late(),
            };
            failures.push((address.to_string(), failure));
        }
    }
    let reason = match &*failures {
        [(_, reason)] => reason.clone(),
        several => {
            let each: Vec<String> =
                several.iter().map(|(place, reason)| format!("{place}: {reason}")).collect();
            each.join("; ")
        }
    };
    Err(LoanError::Unavailable { reason })
}

/// Each map of the standard library hashes in an order of its own.
fn shuffle<T>(items: &mut [T]) {
    let hasher = RandomState::new();
    let mut number = 0_usize;
    items.sort_by_cached_key(|_| {
        number += 1;
        hasher.hash_one(number)
    });
}
