mod admin;
mod audit;
mod cache;
mod cache_control;
mod catalog;
mod cors;
mod cursor;
mod database;
mod databases;
mod error;
mod filters;
mod folder;
mod identity;
mod limits;
mod line;
mod network;
mod plugin;
mod pool;
mod query;
mod rate_limits;
mod reload;
mod replicas;
mod schemas;
#[cfg(feature = "service")]
mod secret;
mod service;
mod slips;
mod slow_queries;
mod telemetry;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::catalog::Schemas;
use crate::loan::Pooler;
use crate::plugin::{Engine, EngineError};

pub use admin::AdminConfig;
pub use audit::AuditConfig;
pub use cache::CacheConfig;
pub use cache_control::{CacheControl, UnknownDirective};
pub use catalog::CatalogConfig;
pub use cors::CorsConfig;
pub use database::DatabaseConfig;
#[cfg(feature = "service")]
pub(crate) use databases::DEFAULT_DATABASE;
pub use error::ConfigError;
pub use filters::FilterConfig;
pub use identity::{ClaimPath, IdentityConfig, JwtAlgorithm, JwtConfig};
pub use limits::{ClaimLimitConfig, LimitConfig, PluginLimitConfig, QueryLimitConfig, ScriptLimitConfig};
pub use network::Network;
pub use plugin::PluginConfig;
pub use pool::PoolConfig;
pub use query::QueryConfig;
pub use rate_limits::RateLimitConfig;
pub use reload::ReloadConfig;
pub use replicas::ReplicaConfig;
pub use schemas::SchemaConfig;
#[cfg(feature = "service")]
pub(crate) use secret::{Secret, unreadable, warn_if_open};
pub use service::{ForwardedHeader, ServiceConfig};
pub use slips::SlipConfig;
pub use slow_queries::SlowQueryConfig;
pub use telemetry::{LogFormat, SampleRatio, TelemetryConfig};

/// What 32-bit WebAssembly can address.
const MOST_MEMORY_MIB: usize = 4_096;

/// How the last runs of a plugin ended is remembered for twice as many, and looked through at the end of each.
const MOST_FAILURES: usize = 1_000;

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
    /// `[databases.NAME]`: further databases, for the plugins that name one. Each of them has what `[database]` has for the
    /// others. A name is as that of a plugin, and not `default`.
    pub databases: BTreeMap<String, DatabaseConfig>,
    /// `[catalog]`.
    pub catalog: CatalogConfig,
    /// `[schemas.NAME]`: the logical schemas, by the names that plugins know them by.
    pub schemas: BTreeMap<String, SchemaConfig>,
    /// `[pool]`.
    pub pool: PoolConfig,
    /// `[cache]`.
    pub cache: CacheConfig,
    /// `[limits]`, of every plugin.
    pub limits: LimitConfig,
    /// `[filters]`, of every plugin.
    pub filters: FilterConfig,
    /// `[audit]`.
    pub audit: AuditConfig,
    /// `[service]`.
    pub service: ServiceConfig,
    /// `[identity]`.
    pub identity: IdentityConfig,
    /// `[rate_limits]`.
    pub rate_limits: RateLimitConfig,
    /// `[telemetry]`.
    pub telemetry: TelemetryConfig,
    /// `[slips]`.
    pub slips: SlipConfig,
    /// `[slow_queries]`.
    pub slow_queries: SlowQueryConfig,
    /// `[admin]`.
    pub admin: AdminConfig,
    /// `[reload]`.
    pub reload: ReloadConfig,
    /// A folder of plugins: each `NAME.wasm` in it is one, and `NAME.toml` beside it says what `[plugins.NAME]` would, but for
    /// `component`. Without that file it is granted nothing. What begins with a dot is left alone. Relative to the configuration's
    /// folder. Default: none.
    pub plugin_folder: Option<PathBuf>,
    /// `[plugins.NAME]`, and those of the folder. A name is `[a-z][a-z0-9_-]*` of at most 63 bytes; requests use it.
    pub plugins: BTreeMap<String, PluginConfig>,
}

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// [`ConfigError`], with line and column where it is about a key.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        Self::parse_in(&text, path, path.parent().unwrap_or(Path::new(""))).map_err(|error| match error {
            error @ (ConfigError::Invalid { .. } | ConfigError::Unreadable { .. }) => error,
            other => {
                let error = other.to_string();
                let line =
                    line::line_of(&text, &error).map_or(String::new(), |line| format!("line {line}: "));
                ConfigError::Invalid { path: path.to_owned(), error: format!("{line}{error}") }
            }
        })
    }

    /// Checks a configuration. Components are named relative to `folder`, and a folder of plugins is read.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        Self::parse_in(text, Path::new("the configuration"), folder)
    }

    fn parse_in(text: &str, path: &Path, folder: &Path) -> Result<Self, ConfigError> {
        let invalid =
            |error: toml::de::Error| ConfigError::Invalid { path: path.to_owned(), error: error.to_string() };
        let mut config: Self = toml::from_str(text).map_err(invalid)?;
        for (name, plugin) in &mut config.plugins {
            if plugin.component.as_os_str().is_empty() {
                return Err(ConfigError::NoComponent(name.clone()));
            }
            plugin.resolve(folder);
        }
        config.cache.folder = config.cache.folder.take().map(|cache| folder.join(cache));
        let service = &mut config.service;
        service.cursor_key_file = service.cursor_key_file.take().map(|file| folder.join(file));
        config.identity.relative_to(folder);
        config.admin.token_file = config.admin.token_file.take().map(|token| folder.join(token));
        config.database.resolve(folder);
        config.databases.values_mut().for_each(|database| database.resolve(folder));
        if let Some(its) = config.plugin_folder.take() {
            let its = folder.join(its);
            folder::add(&its, &mut config.plugins)?;
            config.plugin_folder = Some(its);
        }
        config.slips.folder = config.slips.folder.take().map(|slips| folder.join(slips));
        config.check()?;
        Ok(config)
    }

    /// An engine with the limits and the cache of this configuration.
    pub(crate) fn engine(&self) -> Result<Engine, EngineError> {
        Engine::with_cache(&self.limits.plugin(), self.cache.cache())
    }

    /// The files that it names, beside those of its folder of plugins: what a server has to read again when one of them changes.
    #[cfg(feature = "service")]
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let of_plugins =
            self.plugins.values().flat_map(|plugin| [plugin.component.clone(), plugin.signature()]);
        let databases = std::iter::once(&self.database).chain(self.databases.values());
        let of_databases = databases.filter_map(|database| database.url_file.clone());
        of_plugins.chain(of_databases).chain(self.secret_files()).collect()
    }

    /// The files of secrets that are no database's.
    #[cfg(feature = "service")]
    pub(crate) fn secret_files(&self) -> Vec<PathBuf> {
        let jwt = self.identity.jwt.iter().flat_map(|jwt| [&jwt.jwks_file, &jwt.key_file, &jwt.secret_file]);
        let others = [&self.identity.keys_file, &self.admin.token_file, &self.service.cursor_key_file];
        jwt.chain(others).filter_map(Clone::clone).collect()
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
        let unchecked = |plugin: &PluginConfig| plugin.signature.is_some() && plugin.public_key.is_none();
        if let Some((name, _)) = self.plugins.iter().find(|(_, plugin)| unchecked(plugin)) {
            return Err(ConfigError::UncheckedSignature(name.clone()));
        }
        if self.cache.max_mib == 0 {
            return Err(ConfigError::Zero("cache.max_mib".to_owned()));
        }
        self.slips.check()?;
        self.check_limits()?;
        let at_most = [
            ("limits.memory_mib", self.limits.memory_mib, MOST_MEMORY_MIB),
            ("limits.script.memory_mib", self.limits.script.memory_mib, MOST_MEMORY_MIB),
            ("limits.failures", self.limits.failures as usize, MOST_FAILURES),
        ];
        if let Some((setting, _, most)) = at_most.into_iter().find(|(_, value, most)| value > most) {
            return Err(ConfigError::TooMuch { setting: setting.to_owned(), most });
        }
        self.check_database("database", "pool", "filters")?;
        self.check_databases()?;
        self.admin.check()?;
        for (name, plugin) in &self.plugins {
            plugin.filters.check(&format!("plugins.{name}.filters"))?;
        }
        if self.audit.claim.as_ref().is_some_and(String::is_empty) {
            return Err(ConfigError::NoClaim);
        }
        self.service.check()?;
        self.identity.check(&self.plugins)?;
        self.rate_limits.check()?;
        self.telemetry.check()
    }

    /// Checks what is said of one database, in these tables.
    fn check_database(&self, database: &str, pool: &str, filters: &str) -> Result<(), ConfigError> {
        if self.pool.size == 0 {
            return Err(ConfigError::Zero(format!("{pool}.size")));
        }
        if self.pool.size > MOST_CONNECTIONS {
            return Err(ConfigError::TooMuch { setting: format!("{pool}.size"), most: MOST_CONNECTIONS });
        }
        if self.pool.pooler != Pooler::None && self.catalog.listen && self.catalog.poll_s == 0 {
            return Err(ConfigError::Unheard { pool: pool.to_owned() });
        }
        if self.database.schemas.is_empty() || self.database.schemas.iter().any(String::is_empty) {
            return Err(ConfigError::NoSchema { database: database.to_owned() });
        }
        self.database.check(database)?;
        self.database.check_grants(&self.plugins)?;
        self.filters.check(filters)?;
        schemas::check(&self.schemas, &self.database.schemas)
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        self.limits.check("limits")?;
        for (name, plugin) in &self.plugins {
            let of_plugin = self.limits.of_plugin(plugin);
            of_plugin.check_plugin(plugin.profile, &self.limits, &format!("plugins.{name}.limits"))?;
            for (query, its) in &plugin.queries {
                let of_query = of_plugin.of_query(&its.limits);
                of_query.check_plugin(
                    plugin.profile,
                    &self.limits,
                    &format!("plugins.{name}.queries.{query}.limits"),
                )?;
            }
        }
        Ok(())
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
    use crate::loan::{PlanMode, Privilege};
    use crate::plugin::{Pin, Profile};

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
        assert_eq!(error("[limits]\nfailures = 4294967295"), "limits.failures must be at most 1000");
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
    fn a_query_is_granted_what_its_plugin_is_and_more() {
        let text = "[plugins.a]\ncomponent = \"a.wasm\"\n[plugins.a.grants]\nrelations = [\"t\"]\ntypes = [\"mood\"]\n\
                    [plugins.a.queries.more.grants]\nrelations = [\"u\"]\nfunctions = [\"f\"]\n";
        let plugin = &Config::parse(text, Path::new("")).unwrap().plugins["a"];
        let more = plugin.grants_of("more");
        assert_eq!(
            (more.relations.as_slice(), more.functions.as_slice()),
            (&["t", "u"].map(String::from)[..], &["f".to_owned()][..])
        );
        assert_eq!(more.types, ["mood"]);
        assert_eq!(plugin.grants_of("other"), plugin.grants);
        let message = error("[plugins.a]\ncomponent = \"a.wasm\"\n[plugins.a.queries.more]\ngrant = {}\n");
        assert!(message.contains("line 4") && message.contains("`grants`"), "{message}");
    }

    #[test]
    fn replies_may_be_kept_as_it_says() {
        let query = |line: &str| {
            let text = format!("[plugins.a]\ncomponent = \"a.wasm\"\n[plugins.a.queries.q]\n{line}");
            Config::parse(&text, Path::new("")).map(|config| config.plugins["a"].queries["q"].clone())
        };
        let plain = query("").unwrap();
        assert_eq!((plain.cache_control, plain.etag), (None, false));
        let kept = query("cache_control = \"private,max-age=60\"\netag = true").unwrap();
        assert_eq!((kept.cache_control.unwrap().as_str(), kept.etag), ("private, max-age=60", true));
        let message = query("cache_control = \"max-ag=60\"").unwrap_err().to_string();
        assert!(message.contains("line 4") && message.contains("\"max-ag=60\" is no directive"), "{message}");
    }

    #[test]
    fn what_is_allowed_is_named() {
        let config = Config::parse(
            "[database]\nallow = [\"superuser\", \"owner\", \"bypass_rls\", \"create_role\", \"replication\", \
             \"server_files\", \"server_programs\", \"signal_backend\"]",
            Path::new(""),
        );
        assert_eq!(config.unwrap().database.allow, Privilege::ALL);
        for privilege in Privilege::ALL {
            let text = format!("[database]\nallow = [\"{privilege}\"]");
            assert_eq!(Config::parse(&text, Path::new("")).unwrap().database.allow, [*privilege]);
        }
        let message = error("[database]\nallow = [\"root\"]");
        assert!(message.contains("line 2") && message.contains("bypass_rls"), "{message}");
    }

    #[test]
    fn a_component_is_pinned_and_of_a_profile() {
        let plugin = |line: &str| {
            let text = format!("[plugins.a]\ncomponent = \"a.wasm\"\n{line}");
            Config::parse(&text, Path::new("/etc")).map(|mut config| config.plugins.remove("a").unwrap())
        };
        let plain = plugin("").unwrap();
        assert_eq!((plain.pin(), plain.profile), (Pin::default(), Profile::Compact));
        let digest = "ab".repeat(32);
        let pinned = plugin(&format!("sha256 = \"{digest}\"")).unwrap();
        assert_eq!(pinned.sha256.unwrap().to_string(), digest);
        assert_eq!(pinned.signature(), Path::new("/etc/a.wasm.minisig"));
        let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let signed =
            plugin(&format!("public_key = \"{key}\"\nsignature = \"s\"\nprofile = \"script\"")).unwrap();
        assert_eq!(signed.public_key.as_ref().unwrap().to_string(), key);
        assert_eq!((signed.signature().as_path(), signed.profile), (Path::new("/etc/s"), Profile::Script));
        for (line, words) in [
            ("sha256 = \"ab\"", "64 hexadecimal digits"),
            (&format!("sha256 = \"{}\"", "xy".repeat(32)), "64 hexadecimal digits"),
            (&format!("sha256 = \"{}é\"", "a".repeat(62)), "64 hexadecimal digits"),
            ("public_key = \"RWQf\"", "begins with RW"),
            ("profile = \"large\"", "`compact` or `script`"),
        ] {
            let message = plugin(line).unwrap_err().to_string();
            assert!(message.contains("line 3") && message.contains(words), "{message}");
        }
        let message = plugin("signature = \"s\"").unwrap_err().to_string();
        assert_eq!(message, "plugins.a.signature is there without a public_key to check it with");
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
