use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderValue, header};

use super::Caller;
use crate::service::problem::Problem;
use crate::{CallError, Code, PluginConfig};

/// Which callers may call what: by their roles, as the configuration says of plugins and of single queries.
///
/// A plugin of which a caller may call nothing is as if it were not there. A query that it may not call, of a plugin of which it
/// may call another, is refused.
#[derive(Debug, Default)]
pub(in crate::service) struct Access(BTreeMap<String, PluginAccess>);

#[derive(Debug)]
struct PluginAccess {
    roles: Roles,
    /// Those that say so themselves.
    queries: BTreeMap<String, Roles>,
}

/// Who may: those with one of these roles, or everybody.
#[derive(Debug)]
struct Roles(Option<BTreeSet<String>>);

/// Why a caller may not call what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum Denied {
    /// None of the plugin's queries is for it.
    Plugin,
    /// This query is not.
    Query,
}

impl Access {
    pub fn of(plugins: &BTreeMap<String, PluginConfig>) -> Self {
        let roles =
            |roles: &Option<Vec<String>>| Roles(roles.as_ref().map(|roles| roles.iter().cloned().collect()));
        let of_plugin = |plugin: &PluginConfig| PluginAccess {
            roles: roles(&plugin.roles),
            queries: plugin
                .queries
                .iter()
                .filter(|(_, query)| query.roles.is_some())
                .map(|(name, query)| (name.clone(), roles(&query.roles)))
                .collect(),
        };
        Self(plugins.iter().map(|(name, plugin)| (name.clone(), of_plugin(plugin))).collect())
    }

    /// Whether a caller may call a query, if there is such a one.
    ///
    /// # Errors
    /// What it may not.
    pub fn check(&self, caller: &Caller, plugin: &str, query: &str) -> Result<(), Denied> {
        let Some(its) = self.0.get(plugin) else { return Ok(()) };
        if its.queries.get(query).unwrap_or(&its.roles).admit(caller) {
            return Ok(());
        }
        let knows_the_plugin =
            its.roles.admit(caller) || its.queries.values().any(|roles| roles.admit(caller));
        Err(if knows_the_plugin { Denied::Query } else { Denied::Plugin })
    }
}

impl Access {
    /// Those of a caller's roles that say what it may call.
    pub fn roles_of(&self, caller: &Caller) -> BTreeSet<String> {
        let matters = |role: &&String| {
            let of_plugins = self.0.values().map(|its| &its.roles);
            let mut all = of_plugins.chain(self.0.values().flat_map(|its| its.queries.values()));
            all.any(|roles| roles.0.as_ref().is_some_and(|roles| roles.contains(*role)))
        };
        caller.roles.iter().filter(matters).cloned().collect()
    }
}

impl Roles {
    fn admit(&self, caller: &Caller) -> bool {
        self.0.as_ref().is_none_or(|roles| caller.roles.iter().any(|role| roles.contains(role)))
    }
}

impl Denied {
    /// What the caller is told: where errors are hidden from callers, a plugin that is none for it is told of as one that is
    /// not there, word for word.
    pub fn problem(self, plugin: &str, exposes: bool) -> Problem {
        let detail = match self {
            Self::Plugin if !exposes => {
                let unknown = CallError::unknown_plugin(plugin, std::iter::empty());
                return Problem::new(unknown.code(), unknown.to_string());
            }
            Self::Plugin => "none of your roles may call a query of this plugin",
            Self::Query => "none of your roles may call this query",
        };
        let challenge = HeaderValue::from_static("Bearer realm=\"callslip\", error=\"insufficient_scope\"");
        Problem::new(Code::NotAllowed, detail).with_header(header::WWW_AUTHENTICATE, challenge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::plugin::Inputs;
    use crate::service::identity::KnownBy;

    #[test]
    fn a_query_s_roles_go_before_its_plugin_s_and_what_is_for_nobody_is_hidden() {
        let text = "[identity]\nkeys_file = \"k\"\n\
                    [plugins.open]\ncomponent = \"a\"\n[plugins.open.queries.own]\nroles = [\"staff\"]\n\
                    [plugins.closed]\ncomponent = \"a\"\nroles = [\"staff\"]\n\
                    [plugins.closed.queries.shared]\nroles = [\"partner\", \"staff\"]\n\
                    [plugins.nobody]\ncomponent = \"a\"\nroles = []\n";
        let access = Access::of(&Config::parse(text, "".as_ref()).unwrap().plugins);
        let check = |role: &str, plugin: &str, query: &str| {
            let roles = vec!["x".to_owned(), role.to_owned()];
            let caller = Caller { name: None, claims: Inputs::default(), roles, known_by: KnownBy::Key };
            access.check(&caller, plugin, query).err()
        };
        assert_eq!(check("partner", "open", "any"), None);
        assert_eq!(check("partner", "open", "own"), Some(Denied::Query));
        assert_eq!(check("staff", "open", "own"), None);
        assert_eq!(check("partner", "closed", "any"), Some(Denied::Query));
        assert_eq!(check("partner", "closed", "shared"), None);
        assert_eq!(check("guest", "closed", "shared"), Some(Denied::Plugin));
        assert_eq!(check("staff", "closed", "any"), None);
        assert_eq!(check("staff", "nobody", "any"), Some(Denied::Plugin));
        assert_eq!(check("staff", "Closed", "any"), None, "there is none of that name");
    }
}
