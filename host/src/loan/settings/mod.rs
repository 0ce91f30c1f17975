//! Where the database is, and as whom: a URL, or what libpq's programs read from the environment.

mod conninfo;
mod passfile;
mod service_file;
mod tls;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, LoadBalanceHosts, TargetSessionAttrs};

#[cfg(feature = "tls")]
pub(super) use tls::Roots;
pub(super) use tls::{TlsMode, TlsSettings};

use crate::Code;

/// libpq's keyword for each of its environment variables.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGDATABASE", "dbname"),
    ("PGPASSFILE", "passfile"),
    ("PGAPPNAME", "application_name"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGOPTIONS", "options"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLCRL", "sslcrl"),
    ("PGSSLCRLDIR", "sslcrldir"),
    ("PGSSLCERTMODE", "sslcertmode"),
    ("PGSSLCOMPRESSION", "sslcompression"),
    ("PGSSLSNI", "sslsni"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGSSLMAXPROTOCOLVERSION", "ssl_max_protocol_version"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGGSSENCMODE", "gssencmode"),
    ("PGREQUIREPEER", "requirepeer"),
    ("PGREQUIREAUTH", "require_auth"),
];

/// libpq's other keywords. They change nothing without GSS, or are a driver's own matter.
const WITHOUT_EFFECT: &[&str] = &[
    "client_encoding",
    "gssdelegation",
    "gsslib",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives",
    "krbsrvname",
    "max_protocol_version",
    "min_protocol_version",
    "sslpassword",
    "tcp_user_timeout",
];

/// The keywords that say where servers are, and which of them is wanted.
#[cfg(feature = "host")]
const OF_SERVERS: &[&str] =
    &["host", "hostaddr", "port", "target_session_attrs", "load_balance_hosts", "service"];

/// Where to connect, and as whom. Neither `Display` nor `Debug` shows a password.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// All but where the servers are, and how connections are encrypted.
    login: Config,
    servers: Vec<Server>,
    tls: TlsSettings,
    /// The login with the servers.
    config: Config,
    shown: String,
    /// What was given, and what of it was found in files: what a replica's settings leave out is as here.
    given: Settings,
}

/// Why the settings can't be used. It names the variable, or the file and line, but never a value that may be
/// a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A setting that can't be read.
    #[error("{origin}: {problem}")]
    Malformed {
        /// The variable, or the file and line, or "the connection URL".
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting that asks for TLS, which is not linked.
    #[error(
        "{origin}: sslmode \"{mode}\" asks for TLS, which this build of Callslip does not have: build it \
         with the feature `tls`, or use \"prefer\" or \"disable\" on a network that you trust"
    )]
    TlsNotSupported {
        /// Where it was set.
        origin: String,
        /// The mode.
        mode: String,
    },
    /// A file of certificates or of a key that can't be used.
    #[error("TLS can't be used: {problem}")]
    Tls {
        /// Which file, and why.
        problem: String,
    },
    /// A setting whose promise this driver can't keep.
    #[error("{origin}: {keyword}={value} is not supported; {help}")]
    NotSupported {
        /// Where it was set.
        origin: String,
        /// libpq's keyword.
        keyword: String,
        /// Its value.
        value: String,
        /// What to do instead.
        help: &'static str,
    },
    /// A service that no service file defines.
    #[error("{origin}: no service \"{service}\" in {searched}")]
    UnknownService {
        /// Where the service was named.
        origin: String,
        /// Its name.
        service: String,
        /// The files that were read.
        searched: String,
    },
    /// A file that can't be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

impl SettingsError {
    /// Always [`Code::BadConnectionSettings`].
    pub fn code(&self) -> Code {
        Code::BadConnectionSettings
    }

    fn malformed(origin: &str, problem: impl Into<String>) -> Self {
        Self::Malformed { origin: origin.to_owned(), problem: problem.into() }
    }
}

/// A setting's value, and where it was set.
#[derive(Clone, PartialEq, Eq)]
struct Setting {
    value: String,
    origin: String,
}

/// libpq's settings by keyword. What was set first stays.
#[derive(Clone, Default, PartialEq, Eq)]
struct Settings(BTreeMap<String, Setting>);

impl Settings {
    fn add(&mut self, keyword: String, value: String, origin: &str) -> Result<(), SettingsError> {
        let known = ENVIRONMENT.iter().any(|(_, known)| *known == keyword)
            || WITHOUT_EFFECT.contains(&keyword.as_str())
            || ["service", "fallback_application_name", "replication"].contains(&keyword.as_str());
        if !known {
            return Err(SettingsError::malformed(origin, format!("\"{keyword}\" is no connection setting")));
        }
        if value.contains('\0') {
            return Err(SettingsError::malformed(origin, format!("{keyword} has a NUL character")));
        }
        self.0.entry(keyword).or_insert_with(|| Setting { value, origin: origin.to_owned() });
        Ok(())
    }

    /// The setting, unless it is absent or empty: libpq takes its default for both.
    fn get(&self, keyword: &str) -> Option<&Setting> {
        self.0.get(keyword).filter(|setting| !setting.value.is_empty())
    }

    fn list(&self, keyword: &str) -> Vec<&str> {
        self.get(keyword).map_or_else(Vec::new, |setting| setting.value.split(',').map(str::trim).collect())
    }
}

/// One server of the list that `host`, `hostaddr` and `port` make together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// A name, a folder of unix sockets, or empty where only an address was given.
    pub host: String,
    pub address: Option<IpAddr>,
    pub port: u16,
}

impl ConnectionSettings {
    /// The settings from `url`, else from `DATABASE_URL`, a URL or a keyword string each. What these leave out
    /// comes from the service they name (or `PGSERVICE` does), then from libpq's environment variables, then
    /// from the password file, then from libpq's defaults.
    ///
    /// # Errors
    /// [`SettingsError`] for the first setting that is malformed or asks for what can't be kept.
    pub fn resolve(
        url: Option<&str>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        let mut settings = Settings::default();
        let from_environment = environment("DATABASE_URL").filter(|url| !url.is_empty());
        if let Some(url) = url {
            conninfo::parse(url, "the connection URL", &mut settings)?;
        } else if let Some(url) = from_environment {
            conninfo::parse(&url, "DATABASE_URL", &mut settings)?;
        }
        if let Some(service) = environment("PGSERVICE") {
            settings.add("service".to_owned(), service, "PGSERVICE")?;
        }
        if let Some(Setting { value, origin }) = settings.get("service").cloned() {
            service_file::add_service(&value, &origin, environment, &mut settings)?;
        }
        for (variable, keyword) in ENVIRONMENT {
            if let Some(value) = environment(variable) {
                settings.add((*keyword).to_owned(), value, variable)?;
            }
        }
        Self::build(settings, environment)
    }

    /// The settings of a replica of this database: a URL or a keyword string, and in what it leaves out as these are, but for
    /// which server is wanted of several. `origin` is where it is written.
    ///
    /// # Errors
    /// [`SettingsError`].
    #[cfg(feature = "host")]
    pub(crate) fn replica(&self, url: &str, origin: &str) -> Result<Self, SettingsError> {
        let mut settings = Settings::default();
        conninfo::parse(url, origin, &mut settings)?;
        if settings.get("host").or(settings.get("hostaddr")).is_none() {
            return Err(SettingsError::malformed(origin, "it names no host"));
        }
        for (keyword, setting) in
            self.given.0.iter().filter(|(keyword, _)| !OF_SERVERS.contains(&keyword.as_str()))
        {
            settings.0.entry(keyword.clone()).or_insert_with(|| setting.clone());
        }
        // A call that waits for one that is gone is late.
        settings.add("connect_timeout".to_owned(), "2".to_owned(), origin)?;
        Self::build(settings, &|_| None)
    }

    /// Whether a URL or a keyword string holds a password itself.
    ///
    /// # Errors
    /// [`SettingsError`], if it can't be read.
    #[cfg(feature = "host")]
    pub(crate) fn has_password(url: &str) -> Result<bool, SettingsError> {
        let mut settings = Settings::default();
        conninfo::parse(url, "the connection URL", &mut settings)?;
        Ok(settings.get("password").is_some())
    }

    fn build(
        mut settings: Settings,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingsError> {
        refuse_unkept_promises(&settings)?;
        let mut login = Config::new();

        let home = environment("HOME").filter(|home| !home.is_empty());
        let tls = TlsSettings::of(&settings, home.as_deref().map(Path::new))?;
        super::tls::check(&tls).map_err(|problem| SettingsError::Tls { problem })?;
        login.channel_binding(channel_binding(&settings)?);

        let user = match settings.get("user") {
            Some(user) => user.value.clone(),
            None => operating_system_user()?,
        };
        let database = settings.get("dbname").map_or_else(|| user.clone(), |name| name.value.clone());
        login.user(&user).dbname(&database);

        let servers = servers(&settings)?;
        let password = match settings.get("password") {
            Some(password) => Some(password.value.clone()),
            None => passfile::password(&settings, environment, &servers, &database, &user)?,
        };
        if let Some(password) = password {
            settings.add("password".to_owned(), password.clone(), "the password file")?;
            login.password(password);
        }
        tls.name_files(&mut settings)?;
        if let Some(options) = settings.get("options") {
            login.options(&options.value);
        }
        let name = settings.get("application_name").or_else(|| settings.get("fallback_application_name"));
        login.application_name(name.map_or("callslip", |name| &name.value));
        if let Some(timeout) = settings.get("connect_timeout") {
            let seconds: i64 = timeout.value.trim().parse().map_err(|_| {
                SettingsError::malformed(&timeout.origin, "connect_timeout is not a number of seconds")
            })?;
            if let Some(seconds) = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0) {
                login.connect_timeout(Duration::from_secs(seconds.min(86_400)));
            }
        }
        if let Some(wanted) = settings.get("target_session_attrs") {
            login.target_session_attrs(match wanted.value.as_str() {
                "any" => TargetSessionAttrs::Any,
                "read-write" => TargetSessionAttrs::ReadWrite,
                "read-only" => TargetSessionAttrs::ReadOnly,
                _ => {
                    return Err(not_supported(
                        "target_session_attrs",
                        wanted,
                        "use any, read-write or read-only",
                    ));
                }
            });
        }
        if let Some(wanted) = settings.get("load_balance_hosts") {
            login.load_balance_hosts(match wanted.value.as_str() {
                "disable" => LoadBalanceHosts::Disable,
                "random" => LoadBalanceHosts::Random,
                _ => return Err(not_supported("load_balance_hosts", wanted, "use disable or random")),
            });
        }
        let shown = show(&user, &database, &servers);
        let mut config = login.clone();
        for server in &servers {
            config.port(server.port);
            if !server.host.is_empty() {
                config.host(&server.host);
            }
            if let Some(address) = server.address {
                config.hostaddr(address);
            }
        }
        Ok(Self { login, servers, tls, config, shown, given: settings })
    }

    /// The driver's configuration without its servers. It has the password.
    pub(super) fn login(&self) -> &Config {
        &self.login
    }

    /// The servers, in the order in which they were given; at least one.
    pub(super) fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// Where the servers are, for people: `host:port`, of each.
    #[cfg(feature = "host")]
    pub(crate) fn places(&self) -> String {
        places(&self.servers).join(",")
    }

    /// How connections are encrypted.
    pub(super) fn tls(&self) -> &TlsSettings {
        &self.tls
    }

    /// The driver's configuration. It has the password, but not how connections are encrypted: [`connect`](super::connect) knows
    /// that.
    pub fn config(&self) -> &Config {
        &self.config
    }
}

impl fmt::Display for ConnectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for ConnectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionSettings({self})")
    }
}

fn not_supported(keyword: &str, setting: &Setting, help: &'static str) -> SettingsError {
    SettingsError::NotSupported {
        origin: setting.origin.clone(),
        keyword: keyword.to_owned(),
        value: setting.value.clone(),
        help,
    }
}

/// A setting that makes a connection safer must not be passed over in silence.
fn refuse_unkept_promises(settings: &Settings) -> Result<(), SettingsError> {
    let refused = |keyword: &str, kept: &[&str], help: &'static str| match settings.get(keyword) {
        Some(setting) if !kept.contains(&setting.value.as_str()) => {
            Err(not_supported(keyword, setting, help))
        }
        _ => Ok(()),
    };
    refused("gssencmode", &["disable", "prefer"], "GSS encryption is not available")?;
    refused("requirepeer", &[], "the server's user is not checked")?;
    refused("require_auth", &[], "restrict the method in pg_hba.conf")?;
    refused("replication", &["false", "off", "no", "0"], "Callslip reads through ordinary sessions")
}

/// Whether a login is to be bound to the certificate of the server, so that nobody in between can use it.
fn channel_binding(settings: &Settings) -> Result<ChannelBinding, SettingsError> {
    match settings.get("channel_binding") {
        None => Ok(ChannelBinding::Prefer),
        Some(wanted) => match wanted.value.as_str() {
            "disable" => Ok(ChannelBinding::Disable),
            "prefer" => Ok(ChannelBinding::Prefer),
            "require" if cfg!(feature = "tls") => Ok(ChannelBinding::Require),
            "require" => Err(not_supported("channel_binding", wanted, "this build has no TLS")),
            _ => Err(not_supported("channel_binding", wanted, "use disable, prefer or require")),
        },
    }
}

fn servers(settings: &Settings) -> Result<Vec<Server>, SettingsError> {
    let (hosts, addresses, ports) = (settings.list("host"), settings.list("hostaddr"), settings.list("port"));
    let count = hosts.len().max(addresses.len()).max(1);
    let origin = |keyword| settings.get(keyword).map_or("", |setting| &setting.origin);
    for (keyword, list) in [("host", &hosts), ("hostaddr", &addresses)] {
        if !list.is_empty() && list.len() != count {
            let problem = format!("{} values of {keyword} for {count} servers", list.len());
            return Err(SettingsError::malformed(origin(keyword), problem));
        }
    }
    if ports.len() > 1 && ports.len() != count {
        let problem = format!("{} ports for {count} servers", ports.len());
        return Err(SettingsError::malformed(origin("port"), problem));
    }
    let mut servers = Vec::with_capacity(count);
    for position in 0..count {
        let port = match ports.get(position).or(ports.first()) {
            None | Some(&"") => 5432,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
                SettingsError::malformed(origin("port"), "the port is not a number from 1 to 65535")
            })?,
        };
        let address = match addresses.get(position) {
            None | Some(&"") => None,
            Some(address) => Some(address.parse().map_err(|_| {
                SettingsError::malformed(origin("hostaddr"), "hostaddr is not an IP address")
            })?),
        };
        let host = match hosts.get(position) {
            Some(host) if !host.is_empty() => (*host).to_owned(),
            _ if address.is_some() => String::new(),
            _ => default_socket_folder(port).to_owned(),
        };
        if host.contains('@') && !host.starts_with('@') {
            let problem = "the host has an \"@\"; in a user name or password it is written %40";
            return Err(SettingsError::malformed(origin("host"), problem));
        }
        servers.push(Server { host, address, port });
    }
    let mixed = |set: fn(&Server) -> bool| servers.iter().any(set) && !servers.iter().all(set);
    if mixed(|server| !server.host.is_empty()) || mixed(|server| server.address.is_some()) {
        let problem = "hostaddr must be given for all servers or for none";
        return Err(SettingsError::malformed(origin("hostaddr"), problem));
    }
    Ok(servers)
}

/// The folders that packaged servers use: Debian's and Red Hat's, then PostgreSQL's own.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

fn default_socket_folder(port: u16) -> &'static str {
    let has_socket = |folder: &&&str| Path::new(folder).join(format!(".s.PGSQL.{port}")).exists();
    let found = SOCKET_FOLDERS.iter().find(has_socket);
    found.or_else(|| SOCKET_FOLDERS.iter().find(|folder| Path::new(folder).is_dir())).unwrap_or(&"/tmp")
}

fn operating_system_user() -> Result<String, SettingsError> {
    let uid = nix::unistd::geteuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) => Ok(user.name),
        _ => Err(SettingsError::malformed(
            "PGUSER",
            format!("no user is named, and the operating system has no name for user id {uid}"),
        )),
    }
}

fn show(user: &str, database: &str, servers: &[Server]) -> String {
    let (user, database) = (conninfo::encode(user), conninfo::encode(database));
    if let [Server { host, address: None, port }] = servers
        && host.starts_with('/')
    {
        return format!("postgresql://{user}@/{database}?host={host}&port={port}");
    }
    format!("postgresql://{user}@{}/{database}", places(servers).join(","))
}

/// Each as `host:port`.
fn places(servers: &[Server]) -> Vec<String> {
    servers
        .iter()
        .map(|Server { host, address, port }| match address {
            Some(IpAddr::V6(address)) if host.is_empty() => format!("[{address}]:{port}"),
            Some(address) if host.is_empty() => format!("{address}:{port}"),
            _ if host.starts_with('/') => format!("{host}:{port}"),
            _ => format!("{}:{port}", conninfo::encode(host)),
        })
        .collect()
}

#[cfg(test)]
mod tests;
