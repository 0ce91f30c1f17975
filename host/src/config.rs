mod schemas;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::catalog::Schemas;
use crate::grants::GrantSettings;
use crate::loan::{PlanMode, PoolSettings, Pooler, Privilege};
use crate::plugin;
use crate::{Code, WatchSettings};

pub use schemas::SchemaConfig;

/// What 32-bit WebAssembly can address.
const MOST_MEMORY_MIB: usize = 4_096;

/// How many connections PostgreSQL can be configured for.
const MOST_CONNECTIONS: usize = 262_143;

/// `callslip.toml`: which plugins are loaded, what each may touch, and the limits.
///
/// How to reach the database is not in it: that comes from what the service has already ([`crate::loan::
/// ConnectionSettings::resolve`]).
///
/// ```
/// let config = callslip::Config::parse(
///     r#"
///     [plugins.hiring]
///     component = "hiring.wasm"
///
///     [plugins.hiring.grants]
///     relations = ["position", "interview"]
///     "#,
///     "/etc/callslip".as_ref(),
/// )?;
/// assert_eq!(config.plugins["hiring"].component, std::path::Path::new("/etc/callslip/hiring.wasm"));
/// # Ok::<(), callslip::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `[database]`.
    pub database: DatabaseConfig,
    /// `[catalog]`.
    pub catalog: CatalogConfig,
    /// `[schemas.NAME]`: the logical schemas, by the names that plugins know them by.
    pub schemas: BTreeMap<String, SchemaConfig>,
    /// `[pool]`.
    pub pool: PoolConfig,
    /// `[limits]`, of every plugin.
    pub limits: LimitConfig,
    /// `[plugins.NAME]`. A name is `[a-z][a-z0-9_-]*` of at most 63 bytes; requests use it.
    pub plugins: BTreeMap<String, PluginConfig>,
}

/// What of the database is looked at, and with whose rights.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// The schemas in which names without one are looked for, in this order, after `pg_catalog`. They may be logical ones.
    /// Default: `public`.
    pub schemas: Vec<String>,
    /// What the roles may be with whose rights statements run, though row-level security does not hold for them: `superuser`,
    /// `owner`, `bypass_rls`. A call on a connection of any other such role is refused; so is a host whose own login is
    /// one. Default: nothing.
    pub allow: Vec<Privilege>,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { schemas: vec!["public".to_owned()], allow: Vec::new() }
    }
}

/// How `callslip serve` notices that the database has changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CatalogConfig {
    /// Whether to listen for the database's own word, on one connection more. Default: true. Behind a pooler that shares
    /// sessions it is not heard, and looking serves alone.
    pub listen: bool,
    /// How often to look whether the catalog has another fingerprint, in seconds; 0 for never. Default: 10.
    pub poll_s: u64,
}

impl Default for CatalogConfig {
    fn default() -> Self {
        let settings = WatchSettings::default();
        Self { listen: settings.listen, poll_s: settings.poll.as_secs() }
    }
}

impl CatalogConfig {
    /// The same for [`crate::Host::watch`].
    pub fn settings(&self) -> WatchSettings {
        WatchSettings { listen: self.listen, poll: Duration::from_secs(self.poll_s) }
    }
}

/// The host's own connections.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolConfig {
    /// How many there are at most; no more than the 262,143 that PostgreSQL can have. Default: 8.
    pub size: usize,
    /// How long a request waits for one, in milliseconds; 0 for as long as its call may take. Default: 5,000.
    pub wait_ms: u64,
    /// How long a statement may take, in milliseconds; 0 for as long as its call may. Default: 30,000.
    pub statement_timeout_ms: u64,
    /// How long a statement may wait for a lock, in milliseconds; 0 for as long as it may take. Default: 2,000.
    pub lock_timeout_ms: u64,
    /// What stands before the database: `none`, or `transaction` for PgBouncer in transaction mode and what works like it.
    /// Default: `none`.
    pub pooler: Pooler,
}

impl Default for PoolConfig {
    fn default() -> Self {
        let settings = PoolSettings::default();
        let milliseconds = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            size: settings.size,
            wait_ms: milliseconds(settings.wait),
            statement_timeout_ms: milliseconds(settings.statement_timeout),
            lock_timeout_ms: milliseconds(settings.lock_timeout),
            pooler: settings.pooler,
        }
    }
}

impl PoolConfig {
    pub(crate) fn settings(&self) -> PoolSettings {
        PoolSettings {
            size: self.size,
            wait: Duration::from_millis(self.wait_ms),
            statement_timeout: Duration::from_millis(self.statement_timeout_ms),
            lock_timeout: Duration::from_millis(self.lock_timeout_ms),
            pooler: self.pooler,
            ..PoolSettings::default()
        }
    }
}

/// What a plugin may cost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitConfig {
    /// The memory of an instance, in MiB; at most 4,096. Default: 16.
    pub memory_mib: usize,
    /// How long a plugin may plan, in milliseconds. Default: 50. To say what queries it has it may take as long, and 200
    /// in any case.
    pub plan_ms: u64,
    /// How many shapes of a query are proven at load; the rest on first use. Default: 256.
    pub shapes: usize,
    /// How long a call may take, in milliseconds: all that it waits for, from the pool to its last row. Default: 30,000.
    pub call_ms: u64,
    /// How many rows a call may give. Default: 1,000,000.
    pub rows: u64,
    /// How much a reply may have, in MiB. Default: 1,024.
    pub reply_mib: u64,
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self { memory_mib: 16, plan_ms: 50, shapes: 256, call_ms: 30_000, rows: 1_000_000, reply_mib: 1_024 }
    }
}

impl LimitConfig {
    /// The limits of an engine that several hosts are to share: see [`HostBuilder::engine`](crate::HostBuilder::engine).
    pub fn plugin(&self) -> plugin::Limits {
        let limits = plugin::Limits::default();
        let plan_time = Duration::from_millis(self.plan_ms);
        plugin::Limits {
            memory_bytes: self.memory_mib.saturating_mul(1 << 20),
            plan_time,
            manifest_time: limits.manifest_time.max(plan_time),
            shapes: self.shapes,
            ..limits
        }
    }

    /// How long a call may take.
    pub(crate) fn call_time(&self) -> Duration {
        Duration::from_millis(self.call_ms)
    }
}

/// A plugin to load.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginConfig {
    /// The component's file, relative to the configuration's folder.
    pub component: PathBuf,
    /// What it may touch: nothing, but for what is named here and the built-in functions.
    #[serde(default)]
    pub grants: GrantSettings,
    /// `plan = "custom"`: every statement of the plugin is planned for the values of each call, and not only those of
    /// queries that say so themselves. It costs the planning, and is for databases whose rows are unevenly spread, as
    /// over tenants of very different size, where one plan for any values is a bad one for some. Default: `"auto"`, as
    /// each query says.
    #[serde(default, with = "PlanSetting")]
    pub plan: PlanMode,
}

/// How a configuration writes a [`PlanMode`].
#[derive(Deserialize)]
#[serde(remote = "PlanMode", rename_all = "lowercase")]
enum PlanSetting {
    Auto,
    Custom,
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{path} can't be read: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// It is not TOML, or has a key or value that it can't have.
    #[error("{path} can't be used: {error}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        error: String,
    },
    /// A plugin has a name that it can't have.
    #[error("the plugin name \"{0}\" is not [a-z][a-z0-9_-]* of at most 63 bytes")]
    PluginName(String),
    /// A number that has to be greater than zero is not.
    #[error("{0} must be greater than zero")]
    Zero(&'static str),
    /// A number that is more than there can be of it.
    #[error("{setting} must be at most {most}")]
    TooMuch {
        /// The setting.
        setting: &'static str,
        /// The most that it can be.
        most: usize,
    },
    /// A logical schema is not one.
    #[error("schemas.{name} {wrong}")]
    Schema {
        /// What plugins call it.
        name: String,
        /// What is wrong.
        wrong: String,
    },
    /// The logical schemas can be chosen in too many ways.
    #[error(
        "the claims of [schemas] can choose in more than {most} ways, for each of which every query is proven; allow fewer"
    )]
    TooManyChoices {
        /// The most that there can be.
        most: usize,
    },
    /// Nothing would tell of changes.
    #[error(
        "behind pool.pooler = \"transaction\" notifications are not heard: catalog.poll_s must be greater than zero, or \
         catalog.listen false, to have no changes noticed"
    )]
    Unheard,
    /// There is no schema to look in.
    #[error("database.schemas names no schema, or one with an empty name")]
    NoSchema,
}

impl ConfigError {
    /// Always [`Code::BadConfiguration`].
    pub fn code(&self) -> Code {
        Code::BadConfiguration
    }
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`], with line and column where it is about a key.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let invalid = |error| ConfigError::Invalid { path: path.to_owned(), error };
        Self::parse(&text, folder).map_err(|error| match error {
            ConfigError::Invalid { error, .. } => invalid(error),
            other => invalid(other.to_string()),
        })
    }

    /// Checks a configuration. Components are named relative to `folder`.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| ConfigError::Invalid {
            path: PathBuf::from("the configuration"),
            error: error.to_string(),
        })?;
        for plugin in config.plugins.values_mut() {
            plugin.component = folder.join(&plugin.component);
        }
        config.check()?;
        Ok(config)
    }

    /// Where names are looked for.
    pub(crate) fn schemas(&self) -> Schemas {
        let logical = self.schemas.iter().filter_map(|(name, its)| Some((name.clone(), its.logical()?)));
        Schemas { searched: self.database.schemas.clone(), logical: logical.collect() }
    }

    /// What [`Config::read`] and [`Config::parse`] check, of one that is made otherwise.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if let Some(name) = self.plugins.keys().find(|name| !is_plugin_name(name)) {
            return Err(ConfigError::PluginName(name.clone()));
        }
        let positive = [
            ("pool.size", self.pool.size == 0),
            ("limits.memory_mib", self.limits.memory_mib == 0),
            ("limits.plan_ms", self.limits.plan_ms == 0),
            ("limits.shapes", self.limits.shapes == 0),
            ("limits.call_ms", self.limits.call_ms == 0),
            ("limits.rows", self.limits.rows == 0),
            ("limits.reply_mib", self.limits.reply_mib == 0),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, zero)| *zero) {
            return Err(ConfigError::Zero(name));
        }
        let at_most = [
            ("pool.size", self.pool.size, MOST_CONNECTIONS),
            ("limits.memory_mib", self.limits.memory_mib, MOST_MEMORY_MIB),
        ];
        if let Some((setting, _, most)) = at_most.into_iter().find(|(_, value, most)| value > most) {
            return Err(ConfigError::TooMuch { setting, most });
        }
        if self.pool.pooler != Pooler::None && self.catalog.listen && self.catalog.poll_s == 0 {
            return Err(ConfigError::Unheard);
        }
        if self.database.schemas.is_empty() || self.database.schemas.iter().any(String::is_empty) {
            return Err(ConfigError::NoSchema);
        }
        schemas::check(&self.schemas, &self.database.schemas)
    }
}

/// Plugin names end up in addresses and in the comment of each statement.
fn is_plugin_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= 63
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Config::parse(text, Path::new("")).unwrap_err().to_string()
    }

    #[test]
    fn says_where_a_key_is_wrong() {
        let message = error("[pool]\nsize = 4\nsise = 5\n");
        assert!(message.contains("line 3") && message.contains("sise"), "{message}");
        let message = error("[plugins.a]\ncomponent = \"a.wasm\"\n[plugins.a.grants]\ntables = []\n");
        assert!(message.contains("line 4") && message.contains("tables"), "{message}");
    }

    #[test]
    fn refuses_what_could_only_fail_later() {
        assert_eq!(error("[pool]\nsize = 0"), "pool.size must be greater than zero");
        assert_eq!(error("[pool]\nsize = 9223372036854775807"), "pool.size must be at most 262143");
        assert_eq!(error("[limits]\ncall_ms = 0"), "limits.call_ms must be greater than zero");
        let message = error("[pool]\npooler = \"statement\"");
        assert!(message.contains("line 2") && message.contains("`none` or `transaction`"), "{message}");
        assert!(error("[pool]\npooler = \"transaction\"\n[catalog]\npoll_s = 0").contains("catalog.poll_s"));
        assert_eq!(
            error("[database]\nschemas = []"),
            "database.schemas names no schema, or one with an empty name"
        );
        let message = error("[plugins.\"a*/\"]\ncomponent = \"a.wasm\"");
        assert_eq!(message, "the plugin name \"a*/\" is not [a-z][a-z0-9_-]* of at most 63 bytes");
        assert!(error("[plugins.a]").contains("component"));
    }

    #[test]
    fn what_is_allowed_is_named() {
        let config =
            Config::parse("[database]\nallow = [\"superuser\", \"owner\", \"bypass_rls\"]", Path::new(""));
        assert_eq!(config.unwrap().database.allow, Privilege::ALL);
        for privilege in Privilege::ALL {
            let text = format!("[database]\nallow = [\"{privilege}\"]");
            assert_eq!(Config::parse(&text, Path::new("")).unwrap().database.allow, [*privilege]);
        }
        let message = error("[database]\nallow = [\"root\"]");
        assert!(message.contains("line 2") && message.contains("bypass_rls"), "{message}");
    }

    #[test]
    fn a_plugin_s_statements_can_be_planned_for_the_values_of_each_call() {
        let plan = |line: &str| {
            let text = format!("[plugins.a]\ncomponent = \"a.wasm\"\n{line}");
            Config::parse(&text, Path::new("")).map(|config| config.plugins["a"].plan)
        };
        assert_eq!(plan("").unwrap(), PlanMode::Auto);
        assert_eq!(plan("plan = \"auto\"").unwrap(), PlanMode::Auto);
        assert_eq!(plan("plan = \"custom\"").unwrap(), PlanMode::Custom);
        for wrong in ["\"Custom\"", "\"generic\"", "true"] {
            let message = plan(&format!("plan = {wrong}")).unwrap_err().to_string();
            assert!(message.contains("line 3"), "{message}");
        }
        let message = plan("plan = \"generic\"").unwrap_err().to_string();
        assert!(message.contains("unknown variant `generic`, expected `auto` or `custom`"), "{message}");
    }
}
