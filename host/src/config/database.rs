use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, FilterConfig, PluginConfig, PoolConfig, ReplicaConfig};
use crate::loan::Privilege;

/// How many claims can be set for a call.
const MOST_CLAIMS: usize = 64;

/// How long the name of a role or a setting can be, in bytes.
const LONGEST_NAME: usize = 63;

/// Where a database is, what of it is looked at, and with whose rights: `[database]`, and `[databases.NAME]` for each further one.
///
/// With `claims` and `role_claim` PostgreSQL's own row-level security knows who calls. Both are set for each call by the host, within
/// the transaction or savepoint of the call alone, and no plugin can read or change them.
///
/// ```
/// let config = callslip::Config::parse(
///     r#"
///     [database]
///     role_claim = "role"
///     roles = ["tenant_a", "tenant_b"]
///
///     [database.claims]
///     company = "app.company"
///     "#,
///     "".as_ref(),
/// )?;
/// assert_eq!(config.database.claims["company"], "app.company");
/// # Ok::<(), callslip::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// Where it is, without a password: `postgres://callslip@db/shop`. `[database]` needs none of these three: `callslip serve
    /// --database-url`, `DATABASE_URL` and then the `PG*` variables say where it is, the first two before what is written here. Of
    /// the others each needs one. What a URL leaves out comes from the `PG*` variables and the password file.
    pub url: Option<String>,
    /// A file that holds nothing but the URL, with a password or without. Relative to the configuration's folder.
    pub url_file: Option<PathBuf>,
    /// The environment variable that holds the URL.
    pub url_env: Option<String>,
    /// `[databases.NAME.pool]`: the connections to it, if they are not as `[pool]` says. `[database]` has none.
    pub pool: Option<PoolConfig>,
    /// `[databases.NAME.filters]`: the rows that there are for its plugins, instead of what `[filters]` says. `[database]` has
    /// none.
    pub filters: Option<FilterConfig>,
    /// The schemas in which names without one are looked for, in this order, after `pg_catalog`. They may be logical ones.
    /// Default: `public`.
    pub schemas: Vec<String>,
    /// What the roles may have with whose rights statements run, though by that they may see or do more than plugins are granted
    /// ([`Privilege`]): `superuser`, `owner`, `bypass_rls`, `create_role`, `replication`, `server_files`, `server_programs`,
    /// `signal_backend`. A call on a connection of any other such role is refused; so is a host whose own login is one. Default:
    /// nothing.
    pub allow: Vec<Privilege>,
    /// Claims of the caller, and the setting in which the policies of tables find each: `company = "app.company"`. At most 64.
    ///
    /// A policy reads it by `nullif(current_setting('app.company', true), '')`, which is null where there is no claim, and shows no row then. A
    /// function of your own that reads it must be STABLE and not IMMUTABLE: PostgreSQL would keep the first caller's value in
    /// the plan that it keeps. Each setting is set for each call: to a string
    /// as it is, to any other value as JSON writes it (`7`, `true`, `["a","b"]`), and to an empty text where the claim is absent or null, so
    /// that neither an earlier caller's value is ever seen nor that of the owner of a connection. A value has at most 8,192
    /// bytes and no NUL. Default: none.
    pub claims: BTreeMap<String, String>,
    /// The claim of the caller that names the role with whose rights the statements of the call run (`SET LOCAL ROLE`): one of
    /// `roles`, or the call is refused. The login has to be a member of each (`GRANT tenant_a TO callslip`), none may have what
    /// `allow` does not name, and each needs the privileges that the queries need. Statements are proven with those of the login.
    /// Default: none; they run with the rights of the connection's role.
    pub role_claim: Option<String>,
    /// The roles that `role_claim` may name.
    pub roles: Vec<String>,
    /// `[database.replicas]`.
    pub replicas: ReplicaConfig,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            url_env: None,
            pool: None,
            filters: None,
            schemas: vec!["public".to_owned()],
            allow: Vec::new(),
            claims: BTreeMap::new(),
            role_claim: None,
            roles: Vec::new(),
            replicas: ReplicaConfig::default(),
        }
    }
}

impl DatabaseConfig {
    /// Names its files relative to a folder.
    pub(super) fn resolve(&mut self, folder: &Path) {
        self.url_file = self.url_file.take().map(|file| folder.join(file));
    }

    /// Checks what is set for callers; `table` is where it is written.
    pub(super) fn check(&self, table: &str) -> Result<(), ConfigError> {
        self.replicas.check(&format!("{table}.replicas"))?;
        let wrong =
            |key: String, wrong: String| Err(ConfigError::Caller { key: format!("{table}.{key}"), wrong });
        if self.claims.len() > MOST_CLAIMS {
            return wrong("claims".into(), format!("has more than {MOST_CLAIMS} claims"));
        }
        let mut settings = BTreeSet::new();
        for (claim, setting) in &self.claims {
            let key = || format!("claims.{claim}");
            if claim.is_empty() {
                return wrong("claims".into(), "has a claim with an empty name".into());
            }
            if let Err(why) = check_setting(setting) {
                return wrong(key(), why);
            }
            // PostgreSQL does not tell them apart.
            if !settings.insert(setting.to_ascii_lowercase()) {
                return wrong(key(), format!("names the setting {setting}, and so does another claim"));
            }
        }
        match &self.role_claim {
            None if self.roles.is_empty() => Ok(()),
            None => wrong("roles".into(), "needs `role_claim`, the claim that names one of them".into()),
            Some(claim) if claim.is_empty() => wrong("role_claim".into(), "is empty".into()),
            Some(_) if self.roles.is_empty() => {
                wrong("role_claim".into(), "needs `roles`, those that it may name".into())
            }
            Some(_) => self.check_roles(table),
        }
    }

    /// Checks that nobody is granted what could set anew what is set for callers.
    pub(super) fn check_grants(&self, plugins: &BTreeMap<String, PluginConfig>) -> Result<(), ConfigError> {
        if self.claims.is_empty() && self.role_claim.is_none() {
            return Ok(());
        }
        let sets = |function: &String| {
            let name = function.split('(').next().unwrap_or_default().trim();
            name.rsplit('.').next().unwrap_or_default().trim_matches('"').eq_ignore_ascii_case("set_config")
        };
        for (name, plugin) in plugins {
            if plugin.all_grants().any(|grants| grants.functions.iter().any(sets)) {
                let wrong =
                    "grants set_config, by which the claims and the role of a caller could be set anew"
                        .to_owned();
                return Err(ConfigError::Granted { plugin: name.clone(), wrong });
            }
        }
        Ok(())
    }

    fn check_roles(&self, table: &str) -> Result<(), ConfigError> {
        let wrong = |wrong: String| Err(ConfigError::Caller { key: format!("{table}.roles"), wrong });
        let mut names = BTreeSet::new();
        for role in &self.roles {
            // PostgreSQL would take the latter for going back to the login.
            if role.is_empty() || role.len() > LONGEST_NAME || role.contains('\0') || role == "none" {
                return wrong(format!("names {role:?}, which no role can be called"));
            }
            if !names.insert(role) {
                return wrong(format!("names {role:?} twice"));
            }
        }
        Ok(())
    }
}

/// Whether it is the name of a setting that a policy can read, and that has no meaning for PostgreSQL itself: such names have
/// a dot.
fn check_setting(setting: &str) -> Result<(), String> {
    let is_name = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let parts: Vec<&str> = setting.split('.').collect();
    if parts.len() < 2 || !parts.iter().all(|part| is_name(part)) || setting.len() > LONGEST_NAME {
        return Err(format!("names {setting:?}, which is no setting of your own, such as app.company"));
    }
    let prefix = parts[0].to_ascii_lowercase();
    let extensions = ["plpgsql", "plperl", "plpython", "pltcl", "auto_explain"];
    if prefix.starts_with("pg") || extensions.contains(&prefix.as_str()) {
        return Err(format!(
            "names {setting}, whose prefix is for PostgreSQL and its extensions; choose another, such as app"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::Config;

    #[test]
    fn a_claim_is_set_as_a_setting_of_one_s_own() {
        let many: String = (0..65).map(|n| format!("c{n} = \"app.c{n}\"\n")).collect();
        for (text, message) in [
            ("[database.claims]\na = \"app.a\"\nb = \"app.b.c\"\nc = \"_x9._y\"", None),
            (
                "[database.claims]\na = \"role\"",
                Some(
                    "database.claims.a names \"role\", which is no setting of your own, such as app.company",
                ),
            ),
            ("[database.claims]\na = \"app.\"", Some("names \"app.\", which")),
            ("[database.claims]\na = \"app.a'b\"", Some("which is no setting")),
            ("[database.claims]\na = \"app.a b\"", Some("which is no setting")),
            ("[database.claims]\na = \"pg_stat_statements.track\"", Some("whose prefix is for PostgreSQL")),
            ("[database.claims]\na = \"plpgsql.variable_conflict\"", Some("whose prefix is for PostgreSQL")),
            ("[database.claims]\n\"\" = \"app.a\"", Some("database.claims has a claim with an empty name")),
            (
                "[database.claims]\na = \"app.x\"\nb = \"App.X\"",
                Some("database.claims.b names the setting App.X, and so does another claim"),
            ),
            (&format!("[database.claims]\n{many}"), Some("database.claims has more than 64 claims")),
            ("[database]\nrole_claim = \"role\"\nroles = [\"a\", \"B c\"]", None),
            (
                "[database]\nrole_claim = \"role\"",
                Some("database.role_claim needs `roles`, those that it may name"),
            ),
            ("[database]\nrole_claim = \"\"\nroles = [\"a\"]", Some("database.role_claim is empty")),
            (
                "[database]\nroles = [\"a\"]",
                Some("database.roles needs `role_claim`, the claim that names one of them"),
            ),
            (
                "[database]\nrole_claim = \"r\"\nroles = [\"a\", \"a\"]",
                Some("database.roles names \"a\" twice"),
            ),
            (
                "[database]\nrole_claim = \"r\"\nroles = [\"none\"]",
                Some("names \"none\", which no role can be called"),
            ),
            ("[database]\nrole_claim = \"r\"\nroles = [\"\"]", Some("which no role can be called")),
        ] {
            let parsed = Config::parse(text, Path::new(""));
            match message {
                None => _ = parsed.unwrap(),
                Some(message) => {
                    let said = parsed.unwrap_err().to_string();
                    assert!(said.contains(message), "{text}: {said}");
                }
            }
        }
    }

    #[test]
    fn who_could_set_what_the_host_sets_is_granted_no_function_for_it() {
        let plugin = "[plugins.a]\ncomponent = \"a.wasm\"\n[plugins.a.grants]\nfunctions = [\"FUNCTION\"]\n";
        for (set, function, is_refused) in [
            ("[database.claims]\na = \"app.a\"\n", "set_config", true),
            ("[database.claims]\na = \"app.a\"\n", "pg_catalog.set_config(text, text, boolean)", true),
            ("[database]\nrole_claim = \"r\"\nroles = [\"a\"]\n", "pg_catalog.set_config", true),
            ("[database.claims]\na = \"app.a\"\n", "app.score", false),
            ("", "pg_catalog.set_config", false),
        ] {
            let text = format!("{set}{}", plugin.replace("FUNCTION", function));
            let parsed = Config::parse(&text, Path::new(""));
            assert_eq!(parsed.is_err(), is_refused, "{text}");
        }
    }
}
