use std::collections::BTreeMap;
use std::sync::Arc;

use super::problem::Problem;
use crate::{Code, Config, Host};

/// The hosts of a server, of which each has a database of its own. A clone is the same.
///
/// Which plugin has which database is said by the configuration, so that it is known before a database can be reached.
#[derive(Clone, Default)]
pub struct Hosts(Arc<Databases>);

#[derive(Default)]
struct Databases {
    by_name: BTreeMap<String, Option<Host>>,
    /// The database of each plugin. Empty where a single host says itself which plugins it has.
    of_plugins: BTreeMap<String, String>,
}

/// The host of a plugin has not been started yet, since its database can't be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotReady;

/// When it is worth another try, in seconds.
const TRY_AGAIN_S: u64 = 2;

impl From<NotReady> for Problem {
    fn from(_: NotReady) -> Self {
        let detail =
            "the database of this plugin has not been reached since the server has started; try again later";
        Self::new(Code::NotReady, detail).with_retry_after(TRY_AGAIN_S)
    }
}

impl From<Host> for Hosts {
    fn from(host: Host) -> Self {
        let by_name = BTreeMap::from([(crate::config::DEFAULT_DATABASE.to_owned(), Some(host))]);
        Self(Arc::new(Databases { by_name, of_plugins: BTreeMap::new() }))
    }
}

impl Hosts {
    /// Those of the databases of a configuration, by name. Of a database that is nothing, its host has not been started yet.
    pub(super) fn new(config: &Config, by_name: BTreeMap<String, Option<Host>>) -> Self {
        let name = |database: &Option<String>| {
            database.clone().unwrap_or_else(|| crate::config::DEFAULT_DATABASE.to_owned())
        };
        let of_plugins = config.plugins.iter().map(|(plugin, its)| (plugin.clone(), name(&its.database)));
        Self(Arc::new(Databases { by_name, of_plugins: of_plugins.collect() }))
    }

    /// These names, as far as a configuration has the plugin and the plugin the query.
    pub(super) fn known(&self, plugin: &str, query: &str) -> (Option<Arc<str>>, Option<Arc<str>>) {
        let Ok(host) = self.of_plugin(plugin) else { return (None, None) };
        let (has_plugin, has_query) = host.generation().has(plugin, query);
        (has_plugin.then(|| plugin.into()), has_query.then(|| query.into()))
    }

    /// The host that has a plugin of this name, or that says that there is none.
    pub(super) fn of_plugin(&self, plugin: &str) -> Result<&Host, NotReady> {
        let host = match self.0.of_plugins.get(plugin) {
            Some(database) => self.0.by_name.get(database).and_then(Option::as_ref),
            None => self.started().map(|(_, host)| host).next(),
        };
        host.ok_or(NotReady)
    }

    /// The hosts that have been started, by the names of their databases; that of `[database]` is `default`.
    pub fn started(&self) -> impl Iterator<Item = (&str, &Host)> {
        self.0.by_name.iter().filter_map(|(name, host)| Some((name.as_str(), host.as_ref()?)))
    }

    /// The databases whose hosts have not been started yet: no plugin of theirs is served.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.0.by_name.iter().filter(|(_, host)| host.is_none()).map(|(name, _)| name.as_str())
    }
}
