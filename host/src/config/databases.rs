#[cfg(feature = "service")]
use std::collections::BTreeMap;

use super::{
    AdminConfig, Config, ConfigError, DatabaseConfig, IdentityConfig, RateLimitConfig, ReloadConfig,
    ServiceConfig, SlipConfig, TelemetryConfig, is_plugin_name,
};
use crate::loan::ConnectionSettings;
#[cfg(feature = "service")]
use crate::loan::SettingsError;

/// What `[database]` is called where databases have names.
pub(crate) const DEFAULT_DATABASE: &str = "default";

impl Config {
    /// What each database's host is started with, by the database's name: the same configuration with its plugins alone, and
    /// nothing of the service's own, so that two that are equal need one host. A database without plugins is none, but for
    /// `[database]`, where that is all that there is.
    #[cfg(feature = "service")]
    pub(crate) fn by_database(&self) -> BTreeMap<String, Self> {
        let names = self.databases.keys().map(String::as_str).chain([DEFAULT_DATABASE]);
        let all = names.map(|name| (name.to_owned(), self.of_database(name)));
        let is_wanted = |(name, its): &(String, Self)| {
            !its.plugins.is_empty() || (name == DEFAULT_DATABASE && self.plugins.is_empty())
        };
        all.filter(is_wanted).collect()
    }

    /// The configuration of one database's host.
    pub(crate) fn of_database(&self, name: &str) -> Self {
        let mut its = self.clone();
        its.plugins.retain(|_, plugin| plugin.database.as_deref().unwrap_or(DEFAULT_DATABASE) == name);
        for plugin in its.plugins.values_mut() {
            plugin.database = None;
            // Who may call is the service's matter, as is how callers are known.
            plugin.roles = None;
            plugin.queries.values_mut().for_each(|query| query.roles = None);
        }
        if let Some(database) = its.databases.remove(name) {
            its.database = database;
            its.pool = its.database.pool.take().unwrap_or(its.pool);
            its.filters = its.database.filters.take().unwrap_or(its.filters);
        }
        its.databases.clear();
        its.plugin_folder = None;
        // What hosts read of it.
        let ServiceConfig { expose_errors, cursor_key_file, .. } = std::mem::take(&mut its.service);
        its.service = ServiceConfig { expose_errors, cursor_key_file, ..ServiceConfig::default() };
        (its.admin, its.reload) = (AdminConfig::default(), ReloadConfig::default());
        (its.identity, its.rate_limits) = (IdentityConfig::default(), RateLimitConfig::default());
        (its.telemetry, its.slips) = (TelemetryConfig::default(), SlipConfig::default());
        its
    }

    /// How the host of this configuration connects: by `url`, which wins over what is written, or by what is written, or as the
    /// environment says, of which `DATABASE_URL` is for the default database alone.
    ///
    /// # Errors
    /// [`SettingsError`], which never tells a password.
    #[cfg(feature = "service")]
    pub(crate) fn connection(
        &self,
        url: Option<&str>,
        is_default: bool,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<ConnectionSettings, SettingsError> {
        let of_environment = environment("DATABASE_URL").filter(|_| is_default);
        let written = match url.map(str::to_owned).or(of_environment) {
            Some(url) => Some(url),
            None => self.database.written_url(environment)?,
        };
        let rest = |name: &str| environment(name).filter(|_| name != "DATABASE_URL");
        ConnectionSettings::resolve(written.as_deref(), &rest)
    }

    pub(super) fn check_databases(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, wrong: &str| {
            Err(ConfigError::Caller { key: key.to_owned(), wrong: wrong.to_owned() })
        };
        if self.database.pool.is_some() {
            return wrong("database.pool", "is written as [pool]");
        }
        if self.database.filters.is_some() {
            return wrong("database.filters", "is written as [filters]");
        }
        self.database.check_url("database", false)?;
        for (name, database) in &self.databases {
            let table = format!("databases.{name}");
            if !is_plugin_name(name) || name == DEFAULT_DATABASE {
                let wrong = "has a name that is not [a-z][a-z0-9_-]* of at most 63 bytes, or is `default`, which is that of [database]";
                return Err(ConfigError::Names { key: table, wrong: wrong.to_owned() });
            }
            database.check_url(&table, true)?;
            let (pool, filters) = (format!("{table}.pool"), format!("{table}.filters"));
            self.of_database(name).check_database(&table, &pool, &filters)?;
        }
        for (plugin, its) in &self.plugins {
            if let Some(name) = its.database.as_ref().filter(|name| !self.databases.contains_key(*name)) {
                let wrong = format!("names the database {name:?}, and there is no [databases.{name}]");
                return Err(ConfigError::Names { key: format!("plugins.{plugin}.database"), wrong });
            }
        }
        Ok(())
    }
}

impl DatabaseConfig {
    /// The URL, as far as it is written.
    #[cfg(feature = "service")]
    fn written_url(
        &self,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, SettingsError> {
        if let Some(file) = &self.url_file {
            let path = file.display().to_string();
            let text =
                std::fs::read_to_string(file).map_err(|error| SettingsError::Unreadable { path, error })?;
            return Ok(Some(text.trim().to_owned()));
        }
        if let Some(variable) = &self.url_env {
            let malformed = || SettingsError::Malformed {
                origin: format!("the environment variable {variable}"),
                problem: "it is not set, and the configuration says that it holds the URL of a database"
                    .to_owned(),
            };
            return environment(variable).map(Some).ok_or_else(malformed);
        }
        Ok(self.url.clone())
    }

    /// Whether it is said at most once where it is, and with no password in the configuration itself.
    fn check_url(&self, table: &str, is_needed: bool) -> Result<(), ConfigError> {
        let wrong = |key: String, wrong: &str| Err(ConfigError::Caller { key, wrong: wrong.to_owned() });
        let said = [self.url.is_some(), self.url_file.is_some(), self.url_env.is_some()];
        match said.into_iter().filter(|said| *said).count() {
            0 if is_needed => {
                return wrong(
                    table.to_owned(),
                    "says nowhere where it is: write `url_file`, `url_env` or `url`",
                );
            }
            0 | 1 => {}
            _ => {
                return wrong(
                    table.to_owned(),
                    "says more than once where it is: of `url`, `url_file` and `url_env` keep one",
                );
            }
        }
        let Some(url) = &self.url else { return Ok(()) };
        match ConnectionSettings::has_password(url) {
            Ok(false) => Ok(()),
            Ok(true) => wrong(
                format!("{table}.url"),
                "holds a password, which is no matter of the configuration: write the URL into a file of its own, named by `url_file`, or into a variable, named by `url_env`",
            ),
            Err(error) => wrong(format!("{table}.url"), &format!("can't be used: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const TWO: &str = "
        [databases.stock]
        url_env = \"STOCK\"
        schemas = [\"stock\"]
        pool.size = 3
        [plugins.orders]
        component = \"orders.wasm\"
        [plugins.items]
        component = \"items.wasm\"
        database = \"stock\"
        [filters]
        orders = \"true\"
        [databases.stock.filters]
        items = \"true\"
        [admin]
        listen = \"127.0.0.1:1\"
        [service]
        expose_errors = true
    ";

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new(""))
    }

    #[test]
    fn each_database_has_a_host_of_its_own_plugins() {
        let config = parse(TWO).unwrap();
        let hosts = config.by_database();
        let names = |of: &str| hosts[of].plugins.keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            (hosts.len(), names("default"), names("stock")),
            (2, vec!["orders".into()], vec!["items".into()])
        );
        let (of_default, of_stock) = (&hosts["default"], &hosts["stock"]);
        assert_eq!((of_default.pool.size, of_stock.pool.size), (8, 3));
        assert_eq!(
            (&of_default.database.schemas[..], &of_stock.database.schemas[..]),
            (&["public".into()][..], &["stock".into()][..])
        );
        assert!(of_default.filters.0.contains_key("orders") && of_stock.filters.0.contains_key("items"));
        assert!(of_stock.service.expose_errors && of_stock.admin == AdminConfig::default());
        hosts.values().for_each(|host| host.check().unwrap());
        assert_eq!(parse("").unwrap().by_database().into_keys().collect::<Vec<_>>(), ["default"]);
        let only =
            "[databases.a]\nurl = \"postgres://a\"\n[plugins.p]\ncomponent = \"p.wasm\"\ndatabase = \"a\"\n";
        assert_eq!(parse(only).unwrap().by_database().into_keys().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn a_host_starts_where_roles_say_who_may_call_and_is_the_same_with_others() {
        let hosts = |role: &str| {
            let text = format!(
                "[identity]\nkeys_file = \"k\"\n[plugins.p]\ncomponent = \"p.wasm\"\nroles = [\"{role}\"]\n\
                 [plugins.p.queries.q]\nroles = [\"{role}\"]\netag = true\n"
            );
            parse(&text).unwrap().by_database()
        };
        let staff = hosts("staff");
        staff.values().for_each(|host| host.check().unwrap());
        assert!(staff["default"].plugins["p"].queries["q"].etag);
        assert!(staff == hosts("partner"));
    }

    #[test]
    fn where_a_database_is_comes_from_a_url_a_file_or_a_variable() {
        let config = parse(TWO).unwrap();
        let environment = |name: &str| (name == "STOCK").then(|| "postgres://me:pw@nowhere/stock".to_owned());
        let shown = |config: &Config, url: Option<&str>| {
            config.connection(url, false, &environment).map(|connection| connection.to_string())
        };
        let stock = config.of_database("stock");
        assert_eq!(shown(&stock, None).unwrap(), "postgresql://me@nowhere:5432/stock");
        let error = stock.connection(None, false, &|_| None).unwrap_err().to_string();
        assert!(error.contains("the environment variable STOCK"), "{error}");
        let default = config.of_database(DEFAULT_DATABASE);
        assert_eq!(shown(&default, Some("postgres://me@there/x")).unwrap(), "postgresql://me@there:5432/x");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("url"), "postgres://me:pw@file/x\n").unwrap();
        let config = Config::parse("[database]\nurl_file = \"url\"", folder.path()).unwrap();
        assert_eq!(shown(&config, None).unwrap(), "postgresql://me@file:5432/x");
        assert!(!format!("{config:?}").contains("pw"));
    }

    #[test]
    fn what_can_only_fail_is_refused_by_its_key() {
        let plugin = "[plugins.p]\ncomponent = \"p.wasm\"\ndatabase = \"b\"\n";
        for (text, says) in [
            ("[databases.a]", "databases.a says nowhere where it is"),
            ("[databases.a]\nurl = \"postgres://a\"\nurl_env = \"A\"", "says more than once where it is"),
            ("[databases.a]\nurl = \"postgres://u:secret@a\"", "databases.a.url holds a password"),
            ("[database]\nurl = \"postgres://u:secret@a\"", "database.url holds a password"),
            ("[databases.default]\nurl_env = \"A\"", "which is that of [database]"),
            ("[databases.A]\nurl_env = \"A\"", "databases.A has a name"),
            ("[database.pool]\nsize = 1", "database.pool is written as [pool]"),
            ("[databases.a]\nurl_env = \"A\"\npool.size = 0", "databases.a.pool.size must be greater"),
            ("[databases.a]\nurl_env = \"A\"\nschemas = []", "databases.a.schemas names no schema"),
            ("[databases.a]\nurl_env = \"A\"\nroles = [\"r\"]", "databases.a.roles needs `role_claim`"),
            (plugin, "plugins.p.database names the database \"b\""),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
