use std::time::Duration;

use serde::Deserialize;

use super::ConfigError;
use crate::loan::{ConnectionSettings, SettingsError};

/// How little a lag may be bounded by: the servers are asked four times as often.
const LEAST_LAG_MS: u64 = 100;

/// `[database.replicas]`: streaming replicas of the database, which queries are read from.
///
/// ```
/// let config = callslip::Config::parse(
///     r#"
///     [database.replicas]
///     urls = ["postgres://replica-1.internal", "postgres://replica-2.internal:5433"]
///     max_lag_ms = 2000
///     "#,
///     "".as_ref(),
/// )?;
/// assert_eq!(config.database.replicas.urls.len(), 2);
/// # Ok::<(), callslip::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplicaConfig {
    /// Where each is: a URL, or a keyword string, without a password. What it leaves out, such as the user, the password, the
    /// database or what is said of TLS, is as for the database itself. Default: none.
    pub urls: Vec<String>,
    /// The environment variable that holds further ones, with blanks between them. They may hold passwords. Default: none.
    pub urls_env: Option<String>,
    /// How far what is read may be behind the database, in milliseconds: at least 100, or 0 for as far as it may be. A replica that
    /// is further behind, or of which nobody knows, is not read from. Default: 10,000.
    pub max_lag_ms: u64,
}

impl Default for ReplicaConfig {
    fn default() -> Self {
        Self { urls: Vec::new(), urls_env: None, max_lag_ms: 10_000 }
    }
}

impl ReplicaConfig {
    /// How far a replica may be behind, if that is bounded.
    pub(crate) fn max_lag(&self) -> Option<Duration> {
        (self.max_lag_ms > 0).then(|| Duration::from_millis(self.max_lag_ms))
    }

    /// How to connect to each.
    ///
    /// # Errors
    /// [`SettingsError`], which never tells a password.
    pub(crate) fn settings(
        &self,
        database: &ConnectionSettings,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<ConnectionSettings>, SettingsError> {
        let written = self.urls.iter().map(|url| database.replica(url, "database.replicas.urls"));
        let mut replicas = written.collect::<Result<Vec<_>, _>>()?;
        if let Some(variable) = &self.urls_env {
            let urls = environment(variable).ok_or_else(|| SettingsError::Malformed {
                origin: variable.clone(),
                problem: "it is not set, and database.replicas.urls_env names it; set it to nothing where there is no replica"
                    .to_owned(),
            })?;
            for url in urls.split_whitespace() {
                replicas.push(database.replica(url, variable)?);
            }
        }
        Ok(replicas)
    }

    /// Checks what is written; `table` is where.
    pub(super) fn check(&self, table: &str) -> Result<(), ConfigError> {
        let wrong =
            |key: &str, wrong: String| Err(ConfigError::Replicas { key: format!("{table}.{key}"), wrong });
        if (1..LEAST_LAG_MS).contains(&self.max_lag_ms) {
            return wrong("max_lag_ms", format!("must be at least {LEAST_LAG_MS}, or 0 for any lag"));
        }
        if self.urls_env.as_ref().is_some_and(String::is_empty) {
            return wrong("urls_env", "is empty".to_owned());
        }
        for url in &self.urls {
            match ConnectionSettings::has_password(url) {
                Ok(false) => {}
                Ok(true) => {
                    let advice = "holds a password, which is no matter of the configuration: leave it out, where it is that of \
                                  the database, or write the URL into a variable that urls_env names";
                    return wrong("urls", advice.to_owned());
                }
                Err(error) => return wrong("urls", format!("can't be used: {error}")),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::Config;
    use crate::loan::ConnectionSettings;

    fn checked(lines: &str) -> Result<Config, String> {
        Config::parse(&format!("[database.replicas]\n{lines}"), Path::new(""))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_no_replica_can_be_is_told_by_its_key() {
        for (lines, words) in [
            ("max_lag_ms = 99", "database.replicas.max_lag_ms must be at least 100, or 0"),
            ("urls_env = \"\"", "database.replicas.urls_env is empty"),
            ("urls = [\"postgres://u:hunter2@h\"]", "database.replicas.urls holds a password"),
            ("urls = [\"replica-1\"]", "database.replicas.urls can't be used"),
            ("max_lag = 7", "line 2"),
        ] {
            let told = checked(lines).unwrap_err();
            assert!(told.contains(words) && !told.contains("hunter2"), "{told}");
        }
        checked("max_lag_ms = 0\nurls = [\"host=/run/replica port=5433\"]").unwrap();
    }

    #[test]
    fn what_a_replica_leaves_out_is_as_of_its_database() {
        let settings =
            "postgres://me:hunter2@main:5433/shop?application_name=mine&target_session_attrs=read-write";
        let database = ConnectionSettings::resolve(Some(settings), &|_| None).unwrap();
        let replicas = |lines: &str, variable: Option<&str>| {
            let replicas = checked(lines).unwrap().database.replicas;
            let settings = replicas.settings(&database, &|name| {
                assert_eq!(name, "MORE");
                variable.map(str::to_owned)
            });
            settings.map_err(|error| error.to_string())
        };
        let found = replicas(
            "urls = [\"postgres://one\"]\nurls_env = \"MORE\"",
            Some("postgres://you@two:7/x host="),
        )
        .unwrap_err();
        assert!(found.contains("MORE: it names no host"), "{found}");
        let found =
            replicas("urls = [\"postgres://one\"]\nurls_env = \"MORE\"", Some("postgres://you:p@two:7/x "))
                .unwrap();
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["postgresql://me@one:5432/shop", "postgresql://you@two:7/x"]);
        let password = |n: usize| {
            found[n].config().get_password().map(|password| String::from_utf8_lossy(password).into_owned())
        };
        assert_eq!((password(0).as_deref(), password(1).as_deref()), (Some("hunter2"), Some("p")));
        assert_eq!(found[0].config().get_application_name(), Some("mine"));
        let unset = replicas("urls_env = \"MORE\"", None).unwrap_err();
        assert!(unset.contains("MORE: it is not set"), "{unset}");
    }
}
