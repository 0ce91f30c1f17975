use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::catalog::{LogicalSchema, Schemas, is_of_the_system};
use crate::grants::GrantSettings;
use crate::loan::{PlanMode, PoolSettings};
use crate::plugin;
use crate::{Code, WatchSettings};

/// In how many ways the claims of callers may choose schemas: each is a proof of its own.
const MOST_CHOICES: usize = 1_024;
/// What 32-bit WebAssembly can address.
const MOST_MEMORY_MIB: usize = 4_096;

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

/// What of the database is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// The schemas in which names without one are looked for, in this order, after `pg_catalog`. They may be logical ones.
    /// Default: `public`.
    pub schemas: Vec<String>,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { schemas: vec!["public".to_owned()] }
    }
}

/// How `callslip serve` notices that the database has changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CatalogConfig {
    /// Whether to listen for the database's own word, on one connection more. Default: true.
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

/// A logical schema: what plugins call by one name, and is a schema of another name. It hides a schema of its own name.
///
/// Either `schema`, or `claim` and `allowed`. Plugins and grants name it as they would any schema; a plugin neither declares nor
/// sees the claim. Each query is proven for each schema that is allowed.
///
/// ```toml
/// [schemas.tenant]
/// claim = "tenant"
/// allowed = ["acme", "globex"]
///
/// [schemas.reporting]
/// schema = "reporting_v3"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchemaConfig {
    /// The schema that it always is.
    pub schema: Option<String>,
    /// The claim of the caller that names the schema. One claim chooses one schema.
    pub claim: Option<String>,
    /// The schemas that the claim may name. A schema is of one logical schema only. Neither plugins nor grants can name it by
    /// its own name.
    pub allowed: Vec<String>,
}

impl SchemaConfig {
    fn logical(&self) -> Option<LogicalSchema> {
        match (&self.schema, &self.claim) {
            (Some(schema), _) => Some(LogicalSchema::Fixed(schema.clone())),
            (None, Some(claim)) => {
                Some(LogicalSchema::Chosen { claim: claim.clone(), allowed: self.allowed.clone() })
            }
            (None, None) => None,
        }
    }

    /// What is wrong with it by itself.
    fn wrong(&self) -> Option<&'static str> {
        let real = self.schema.iter().chain(&self.allowed);
        let mut allowed = BTreeSet::new();
        match (&self.schema, &self.claim) {
            (None, None) => Some("needs `schema`, or `claim` and `allowed`"),
            (Some(_), _) if self.claim.is_some() || !self.allowed.is_empty() => {
                Some("has `schema`, which is always the same, and so neither `claim` nor `allowed`")
            }
            (None, Some(claim)) if claim.is_empty() => Some("has an empty `claim`"),
            (None, Some(_)) if self.allowed.is_empty() => Some("has a `claim`, and so needs `allowed`"),
            _ if real.clone().any(String::is_empty) => Some("names a schema with an empty name"),
            _ if real.clone().any(|schema| is_of_the_system(schema)) => {
                Some("names a schema of PostgreSQL's own")
            }
            _ if !real.clone().all(|schema| allowed.insert(schema)) => Some("names a schema twice"),
            _ => None,
        }
    }
}

/// The host's own connections.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolConfig {
    /// How many there are at most. Default: 8.
    pub size: usize,
    /// How long a request waits for one, in milliseconds. Default: 5,000.
    pub wait_ms: u64,
    /// How long a statement may take, in milliseconds. Default: 30,000.
    pub statement_timeout_ms: u64,
    /// How long a statement may wait for a lock, in milliseconds. Default: 2,000.
    pub lock_timeout_ms: u64,
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
    /// How many rows a call may give. Default: 1,000,000.
    pub rows: u64,
    /// How much a reply may have, in MiB. Default: 1,024.
    pub reply_mib: u64,
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self { memory_mib: 16, plan_ms: 50, shapes: 256, rows: 1_000_000, reply_mib: 1_024 }
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
    /// A number that is more than there can be.
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
        for (name, plugin) in &mut config.plugins {
            if !is_plugin_name(name) {
                return Err(ConfigError::PluginName(name.clone()));
            }
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

    fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("pool.size", self.pool.size == 0),
            ("limits.memory_mib", self.limits.memory_mib == 0),
            ("limits.plan_ms", self.limits.plan_ms == 0),
            ("limits.shapes", self.limits.shapes == 0),
            ("limits.rows", self.limits.rows == 0),
            ("limits.reply_mib", self.limits.reply_mib == 0),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, zero)| *zero) {
            return Err(ConfigError::Zero(name));
        }
        if self.limits.memory_mib > MOST_MEMORY_MIB {
            return Err(ConfigError::TooMuch { setting: "limits.memory_mib", most: MOST_MEMORY_MIB });
        }
        if self.database.schemas.is_empty() || self.database.schemas.iter().any(String::is_empty) {
            return Err(ConfigError::NoSchema);
        }
        self.check_schemas()
    }

    /// A schema that a claim chooses is reached by one way only.
    fn check_schemas(&self) -> Result<(), ConfigError> {
        let wrong = |name: &str, wrong: String| ConfigError::Schema { name: name.to_owned(), wrong };
        let (mut claims, mut schemas) = (BTreeMap::new(), BTreeMap::new());
        let mut choices = 1_usize;
        for (name, its) in &self.schemas {
            if name.is_empty() || is_of_the_system(name) {
                return Err(wrong(name, "has a name that no logical schema can have".to_owned()));
            }
            if let Some(what) = its.wrong() {
                return Err(wrong(name, what.to_owned()));
            }
            if let Some(other) = its.claim.as_ref().and_then(|claim| claims.insert(claim, name)) {
                return Err(wrong(name, format!("is chosen by the same claim as schemas.{other}")));
            }
            for schema in its.schema.iter().chain(&its.allowed) {
                if let Some(other) = schemas.insert(schema, name) {
                    return Err(wrong(
                        name,
                        format!("names the schema {schema}, and so does schemas.{other}"),
                    ));
                }
            }
            for schema in &its.allowed {
                if self.database.schemas.contains(schema) && !self.schemas.contains_key(schema) {
                    let what = format!(
                        "allows the schema {schema}, which database.schemas searches for every caller; name {name} there"
                    );
                    return Err(wrong(name, what));
                }
            }
            choices = choices.saturating_mul(its.allowed.len().max(1));
        }
        if choices > MOST_CHOICES {
            return Err(ConfigError::TooManyChoices { most: MOST_CHOICES });
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
        assert_eq!(
            error("[database]\nschemas = []"),
            "database.schemas names no schema, or one with an empty name"
        );
        let message = error("[plugins.\"a*/\"]\ncomponent = \"a.wasm\"");
        assert_eq!(message, "the plugin name \"a*/\" is not [a-z][a-z0-9_-]* of at most 63 bytes");
        assert!(error("[plugins.a]").contains("component"));
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

    #[test]
    fn a_logical_schema_is_one_schema_or_those_that_one_claim_may_name() {
        let both = "[schemas.tenant]\nclaim = \"tenant\"\nallowed = [\"acme\", \"globex\"]\n\
                    [schemas.reporting]\nschema = \"v3\"\n[database]\nschemas = [\"tenant\", \"public\"]";
        let schemas = Config::parse(both, Path::new("")).unwrap().schemas();
        assert_eq!(schemas.logical["tenant"].real(), ["acme", "globex"]);
        assert_eq!(schemas.logical["reporting"], LogicalSchema::Fixed("v3".to_owned()));
        let many: Vec<String> = (0..33).map(|n| format!("\"a{n}\"")).collect();
        let (many, other) = (many.join(","), many.join(",").replace('a', "b"));
        for (text, message) in [
            ("[schemas.a]", "schemas.a needs `schema`, or `claim` and `allowed`"),
            (
                "[schemas.a]\nschema = \"x\"\nclaim = \"c\"",
                "schemas.a has `schema`, which is always the same, and so neither `claim` nor `allowed`",
            ),
            ("[schemas.a]\nclaim = \"\"\nallowed = [\"x\"]", "schemas.a has an empty `claim`"),
            ("[schemas.a]\nclaim = \"c\"", "schemas.a has a `claim`, and so needs `allowed`"),
            ("[schemas.a]\nallowed = [\"x\"]", "schemas.a needs `schema`, or `claim` and `allowed`"),
            ("[schemas.a]\nschema = \"\"", "schemas.a names a schema with an empty name"),
            ("[schemas.a]\nschema = \"pg_catalog\"", "schemas.a names a schema of PostgreSQL's own"),
            ("[schemas.a]\nclaim = \"c\"\nallowed = [\"x\", \"x\"]", "schemas.a names a schema twice"),
            (
                "[schemas.pg_temp]\nschema = \"x\"",
                "schemas.pg_temp has a name that no logical schema can have",
            ),
            (
                "[schemas.a]\nclaim = \"c\"\nallowed = [\"x\"]\n[schemas.b]\nclaim = \"c\"\nallowed = [\"y\"]",
                "schemas.b is chosen by the same claim as schemas.a",
            ),
            (
                "[schemas.a]\nclaim = \"c\"\nallowed = [\"x\"]\n[schemas.b]\nschema = \"x\"",
                "schemas.b names the schema x, and so does schemas.a",
            ),
            (
                "[schemas.a]\nclaim = \"c\"\nallowed = [\"public\"]",
                "schemas.a allows the schema public, which database.schemas searches for every caller; name a there",
            ),
            (
                &format!(
                    "[schemas.a]\nclaim = \"c\"\nallowed = [{many}]\n[schemas.b]\nclaim = \"d\"\nallowed = [{other}]"
                ),
                "the claims of [schemas] can choose in more than 1024 ways, for each of which every query is proven; \
                 allow fewer",
            ),
        ] {
            assert_eq!(error(text), message);
        }
    }
}
