use std::net::SocketAddr;
use std::path::PathBuf;

use crate::Code;

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
    /// A secret can't be used. Nothing of it is told.
    #[error("{setting}: {wrong}")]
    Secret {
        /// The setting.
        setting: &'static str,
        /// What is wrong.
        wrong: String,
    },
    /// A plugin has a name that it can't have.
    #[error("the plugin name \"{0}\" is not [a-z][a-z0-9_-]* of at most 63 bytes")]
    PluginName(String),
    /// A plugin has no file.
    #[error("plugins.{0} has no `component`, which names its file")]
    NoComponent(String),
    /// A plugin has a signature that nothing checks.
    #[error("plugins.{0}.signature is there without a public_key to check it with")]
    UncheckedSignature(String),
    /// A number that has to be greater than zero is not.
    #[error("{0} must be greater than zero")]
    Zero(String),
    /// A number that is more than there can be of it.
    #[error("{setting} must be at most {most}")]
    TooMuch {
        /// The setting.
        setting: String,
        /// The most that it can be.
        most: usize,
    },
    /// A limit of a plugin or a query is more than all plugins together were given.
    #[error("{setting} must be at most {most}, which all plugins may have: raise limits.{key} first")]
    MoreThanAll {
        /// The setting.
        setting: String,
        /// The most that it can be.
        most: u64,
        /// The key of `[limits]`.
        key: &'static str,
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
    /// A filter is not understood.
    #[error("the filter of \"{relation}\" in [{table}] is not understood: {problem}")]
    Filter {
        /// The table of the configuration: `filters` or `plugins.NAME.filters`.
        table: String,
        /// The relation, as it is written.
        relation: String,
        /// What is wrong.
        problem: String,
    },
    /// Nothing would tell of changes.
    #[error(
        "behind {pool}.pooler = \"transaction\" notifications are not heard: catalog.poll_s must be greater than zero, or \
         catalog.listen false, to have no changes noticed"
    )]
    Unheard {
        /// The table that says so: `pool`, or `databases.NAME.pool`.
        pool: String,
    },
    /// What is said of a database can't be so.
    #[error("{key} {wrong}")]
    Caller {
        /// Where it is configured, such as `database.roles`.
        key: String,
        /// What is wrong.
        wrong: String,
    },
    /// A plugin is granted what no plugin may have with this configuration.
    #[error("plugins.{plugin} {wrong}")]
    Granted {
        /// The plugin.
        plugin: String,
        /// What is wrong.
        wrong: String,
    },
    /// A plugin or a database has the name of another one, or one that is not there.
    #[error("{key} {wrong}")]
    Names {
        /// Where it is configured, or the file that makes it.
        key: String,
        /// What is wrong.
        wrong: String,
    },
    /// What is said of replicas can't be so.
    #[error("{key} {wrong}")]
    Replicas {
        /// Where it is configured.
        key: String,
        /// What is wrong.
        wrong: String,
    },
    /// Anybody on the network could reload.
    #[error(
        "admin.listen is {address}, which other machines may reach: name a file with a token (admin.token_file), or listen on \
         127.0.0.1"
    )]
    OpenAdmin {
        /// The address.
        address: SocketAddr,
    },
    /// The claim that names the caller has no name.
    #[error("audit.claim is empty")]
    NoClaim,
    /// What is to be redacted has no name.
    #[error("slips.redact has an empty name; name parameters and claims, or \"*\" for all of them")]
    NothingRedacted,
    /// A claim under limits has no name: where.
    #[error("{0} has a claim with an empty name")]
    EmptyLimitClaim(String),
    /// A setting has a value that it can't have, or not beside the others.
    #[error("{setting} {wrong}")]
    Setting {
        /// The setting.
        setting: String,
        /// What is wrong.
        wrong: String,
    },
    /// What is said of telemetry can't be.
    #[error("telemetry.{key} {wrong}")]
    Telemetry {
        /// What is configured.
        key: &'static str,
        /// What is wrong.
        wrong: String,
    },
    /// There is no schema to look in.
    #[error("{database}.schemas names no schema, or one with an empty name")]
    NoSchema {
        /// The table of the database.
        database: String,
    },
}

impl ConfigError {
    pub(crate) fn setting(setting: impl Into<String>, wrong: impl Into<String>) -> Self {
        Self::Setting { setting: setting.into(), wrong: wrong.into() }
    }

    /// Always [`Code::BadConfiguration`].
    pub fn code(&self) -> Code {
        Code::BadConfiguration
    }
}
