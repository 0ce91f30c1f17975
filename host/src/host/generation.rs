use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::choice::Choice;
use super::entry::{Entry, Standing, State, Waiting};
use super::error::{CallError, StartError};
use super::hosted::HostedPlugin;
use super::load::Refusal;
use super::plugin::{LoadedPlugin, LoadedQuery};
use super::version::{Version, Versions};
#[cfg(feature = "service")]
use crate::QueryConfig;
use crate::catalog::{Catalog, ChosenSchemas, Schemas, SearchPath, Snapshot};
use crate::config::{LimitConfig, PluginConfig, QueryLimitConfig};
use crate::loan::{Guard, LoanError, Proving};
use crate::plugin::{Digest, cursor_of};
use crate::{Config, FilterConfig, select};

/// The plugins of a configuration, by name.
pub(super) type Plugins = BTreeMap<String, Entry>;

/// What a host serves at one moment: a catalog, and the plugins that were proven against it.
///
/// It never changes. When the database does, the host goes over to another one, whole.
pub struct Generation {
    pub(super) basis: Basis,
    pub(super) plugins: Plugins,
    pub(super) number: u64,
    pub(super) reflected_at: SystemTime,
    /// What keeps calls from the connections of roles that could see more than they should.
    pub(super) guard: Arc<Guard>,
}

/// What plugins are proven against.
pub(super) struct Basis {
    pub catalog: Arc<Catalog>,
    /// Where names are looked for.
    pub schemas: Arc<Schemas>,
    pub limits: select::Limits,
    /// `[filters]` of the configuration.
    pub filters: Arc<FilterConfig>,
    /// What plugins may cost of which nothing else is said.
    allowed: LimitConfig,
}

impl Basis {
    pub fn new(catalog: Arc<Catalog>, schemas: Schemas, config: &Config) -> Self {
        let (limits, allowed) = (select::Limits::default(), config.limits.clone());
        let filters = Arc::new(config.filters.clone());
        Self { catalog, schemas: Arc::new(schemas), limits, allowed, filters }
    }

    /// What a query of a plugin may cost.
    pub fn limits_of(&self, plugin: &PluginConfig, query: &str) -> LimitConfig {
        let of_plugin = self.allowed.of_plugin(plugin);
        match plugin.queries.get(query) {
            Some(query) => of_plugin.of_query(&query.limits),
            None => of_plugin.of_query(&QueryLimitConfig::default()),
        }
    }

    /// Where names are looked for under what claims have chosen.
    pub fn path(&self, chosen: &ChosenSchemas) -> SearchPath {
        SearchPath::new(self.schemas.clone(), chosen.clone())
    }

    /// Looks something up under every choice of schemas on which it depends: first under none, and then, for one logical schema
    /// that had a say after the other, under each schema that it can be. What depends on no claim is looked up once.
    pub fn under_each_choice<T>(&self, mut look: impl FnMut(&SearchPath) -> T) -> Vec<(ChosenSchemas, T)> {
        let (mut open, mut found) = (vec![ChosenSchemas::default()], Vec::new());
        while let Some(chosen) = open.pop() {
            let path = self.path(&chosen);
            let its = look(&path);
            match path.unchosen() {
                None => found.push((chosen, its)),
                Some(logical) => {
                    let allowed = self.schemas.allowed(&logical).unwrap_or_default();
                    open.extend(allowed.iter().rev().map(|real| chosen.with(&logical, real)));
                }
            }
        }
        found
    }

    /// Proves every plugin of a configuration whose components were read: with a connection, all that PostgreSQL says of a
    /// statement too.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be reached any more.
    pub async fn load_all(
        self,
        config: &Config,
        versions: Versions,
        proving: Option<&Proving<'_>>,
    ) -> Result<Generation, LoanError> {
        let reflected_at = SystemTime::now();
        let guard = Arc::new(self.guard(config));
        let mut plugins = Plugins::new();
        for (name, read) in versions {
            if let Some(settings) = config.plugins.get(&name) {
                let entry = self.load(&name, settings, read, proving).await?;
                plugins.insert(name, entry);
            }
        }
        Ok(Generation { basis: self, plugins, number: 1, reflected_at, guard })
    }
}

/// What there is of the names of a call.
pub(super) struct Found {
    /// Whether the configuration has the plugin.
    pub plugin: bool,
    /// Whether the plugin has the query. Of one that can't be loaded nobody knows which it has.
    pub query: bool,
    /// What identifies the plugin's code, if any is loaded.
    pub digest: Option<Digest>,
}

impl Generation {
    /// The plugins of a configuration, proven against a catalog snapshot as far as that goes without a database.
    ///
    /// Every shape is planned, verified and printed, as [`crate::Host::start`] does. What only PostgreSQL can tell is left
    /// out: whether it takes the statement, the columns' types where the verifier can't infer them (these are `unknown`),
    /// and whether the plugin's constants are values of their types, but for the labels of enums. Of a snapshot of everything
    /// only what the login may read counts. A snapshot that has a logical schema of the configuration, and none of the schemas
    /// that it can be, is one that `callslip catalog snapshot` wrote: the logical schema is then what it is called.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use callslip::{Config, Generation, catalog::Snapshot};
    ///
    /// let snapshot = Snapshot::read(&std::fs::read_to_string("schema.json")?)?;
    /// let proven = Generation::offline(&Config::read("callslip.toml".as_ref())?, snapshot).await?;
    /// for (_, plugin) in proven.plugins() {
    ///     plugin.map_err(Clone::clone)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StartError`], if the sandbox can't be made on this machine.
    pub async fn offline(config: &Config, snapshot: Snapshot) -> Result<Self, StartError> {
        let engine = config.engine()?;
        let contents = snapshot.contents.readable();
        let schemas = config.schemas().of_snapshot(&contents);
        let basis = Basis::new(Arc::new(Catalog::new(contents)), schemas, config);
        let versions = Version::read_all(&engine, config).await;
        Ok(basis.load_all(config, versions, None).await?)
    }

    /// The plugins by name: what was loaded, or why not all of it is served.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, Result<&LoadedPlugin, &Refusal>)> {
        self.plugins.iter().map(|(name, entry)| (name.as_str(), outcome(entry)))
    }

    /// The plugin of that name: what was loaded, or why not all of it is served.
    pub fn plugin(&self, name: &str) -> Option<Result<&LoadedPlugin, &Refusal>> {
        self.plugins.get(name).map(outcome)
    }

    /// The plugins by name as they are served, with their queries, parameters and replies.
    pub fn hosted(&self) -> Vec<HostedPlugin> {
        self.plugins.iter().map(|(name, entry)| HostedPlugin::new(name, entry)).collect()
    }

    /// How much of the plugin of that name is served.
    pub fn standing(&self, name: &str) -> Option<Standing> {
        self.plugins.get(name).map(|entry| entry.state.standing())
    }

    /// For how long the plugin of that name is not run still, after too many of its runs have failed. Its proven shapes are
    /// served meanwhile.
    pub fn suspended(&self, name: &str) -> Option<Duration> {
        self.plugins.get(name)?.state.loaded()?.version.component.suspended()
    }

    /// The newer version of the plugin of that name that waits for the database to be as it needs it, if there is one.
    pub fn waiting(&self, name: &str) -> Option<&Waiting> {
        self.plugins.get(name)?.waiting.as_deref()
    }

    /// The database's metadata.
    pub fn catalog(&self) -> &Catalog {
        &self.basis.catalog
    }

    /// Its number: 1 when the host starts, and one more each time that something else is served.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What there is of these names.
    pub(super) fn look_for(&self, plugin: &str, query: &str) -> Found {
        let entry = self.plugins.get(plugin);
        let loaded = entry.and_then(|entry| entry.state.loaded());
        Found {
            plugin: entry.is_some(),
            query: loaded.is_some_and(|loaded| loaded.query(query).is_some()),
            digest: loaded.map(|loaded| loaded.digest()),
        }
    }

    /// Whether there is a plugin of that name, and whether it has a query of that name, be they served or not.
    #[cfg(feature = "service")]
    pub(crate) fn has(&self, plugin: &str, query: &str) -> (bool, bool) {
        let Found { plugin, query, .. } = self.look_for(plugin, query);
        (plugin, query)
    }

    /// When its catalog was reflected.
    pub fn reflected_at(&self) -> SystemTime {
        self.reflected_at
    }

    /// Whether one of its queries gives pages behind cursors.
    pub(super) fn gives_pages(&self) -> bool {
        let loaded = self.plugins.values().filter_map(|entry| entry.state.loaded());
        loaded.flat_map(|plugin| plugin.queries()).any(|query| cursor_of(query.declaration()).is_some())
    }

    /// Whether proving its plugins again, against the same database, would come to the same.
    pub(super) fn is_settled(&self) -> bool {
        self.plugins.values().all(Entry::is_settled)
    }

    /// The query of these names with its own settings, if there is such a query.
    #[cfg(feature = "service")]
    pub(crate) fn query(&self, plugin: &str, query: &str) -> Option<(&LoadedQuery, Option<&QueryConfig>)> {
        let loaded = self.plugins.get(plugin)?.state.loaded()?;
        Some((loaded.query(query)?, loaded.settings.queries.get(query)))
    }

    /// The query of a call, if it is served to a caller with these claims.
    pub(super) fn find(
        &self,
        plugin: &str,
        query: &str,
        choice: &Choice,
    ) -> Result<(&LoadedPlugin, &LoadedQuery), CallError> {
        let Some(entry) = self.plugins.get(plugin) else {
            return Err(CallError::unknown_plugin(plugin, self.plugins.keys().map(String::as_str)));
        };
        let degraded = |query| CallError::Degraded { plugin: plugin.to_owned(), query };
        let Some(loaded) = entry.state.loaded() else { return Err(degraded(None)) };
        match loaded.query(query) {
            Some(found) if found.is_served_to(choice) => Ok((loaded, found)),
            Some(_) => Err(degraded(Some(query.to_owned()))),
            None => {
                let queries = loaded.queries().iter().map(|query| query.declaration().name.as_str());
                Err(CallError::unknown_query(plugin, query, queries))
            }
        }
    }
}

fn outcome(entry: &Entry) -> Result<&LoadedPlugin, &Refusal> {
    match &entry.state {
        State::Proven(loaded) => Ok(loaded),
        State::Degraded(_, refusal) | State::Unloadable(refusal) => Err(refusal),
    }
}
