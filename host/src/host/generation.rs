use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{CallError, StartError};
use super::load::{LoadFailure, Refusal};
use super::plugin::{LoadedPlugin, LoadedQuery};
use crate::catalog::{Catalog, ChosenSchemas, Schemas, SearchPath, Snapshot};
use crate::loan::{LoanError, Pool};
use crate::plugin::Engine;
use crate::{Config, select};

/// Plugins by name: what was loaded, or why it was refused.
pub(super) type Plugins = BTreeMap<String, Result<Arc<LoadedPlugin>, Refusal>>;

/// What a host serves at one moment: a catalog, and the plugins that were proven against it.
///
/// It never changes. When the database does, the host goes over to another one, whole.
pub struct Generation {
    pub(super) basis: Basis,
    pub(super) plugins: Plugins,
}

/// What plugins are proven against.
pub(super) struct Basis {
    pub catalog: Arc<Catalog>,
    /// Where names are looked for.
    pub schemas: Arc<Schemas>,
    pub limits: select::Limits,
}

impl Basis {
    pub fn new(catalog: Catalog, schemas: Schemas) -> Self {
        Self { catalog: Arc::new(catalog), schemas: Arc::new(schemas), limits: select::Limits::default() }
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

    /// Loads and proves every plugin of a configuration: with a pool, all that PostgreSQL says of a statement too.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be reached any more.
    pub async fn load_all(
        self,
        config: &Config,
        engine: &Engine,
        pool: Option<&Pool>,
    ) -> Result<Generation, LoanError> {
        let mut plugins = Plugins::new();
        for (name, settings) in &config.plugins {
            let plugin = match self.load(engine, name, settings, pool).await {
                Ok(plugin) => Ok(plugin),
                Err(LoadFailure::Refused(refusal)) => Err(refusal),
                Err(LoadFailure::Database(error)) => return Err(error),
            };
            plugins.insert(name.clone(), plugin);
        }
        Ok(Generation { basis: self, plugins })
    }
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
        let engine = Engine::new(&config.limits.plugin())?;
        let contents = snapshot.contents.readable();
        let schemas = config.schemas().of_snapshot(&contents);
        let basis = Basis::new(Catalog::new(contents), schemas);
        Ok(basis.load_all(config, &engine, None).await?)
    }

    /// The plugins by name: what was loaded, or why it was refused.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, Result<&LoadedPlugin, &Refusal>)> {
        self.plugins.iter().map(|(name, plugin)| (name.as_str(), plugin.as_ref().map(Arc::as_ref)))
    }

    /// The plugin of that name: what was loaded, or why it was refused.
    pub fn plugin(&self, name: &str) -> Option<Result<&LoadedPlugin, &Refusal>> {
        self.plugins.get(name).map(|plugin| plugin.as_ref().map(Arc::as_ref))
    }

    /// The database's metadata.
    pub fn catalog(&self) -> &Catalog {
        &self.basis.catalog
    }

    /// The query of a call.
    pub(super) fn find(&self, plugin: &str, query: &str) -> Result<(&LoadedPlugin, &LoadedQuery), CallError> {
        let loaded = match self.plugin(plugin) {
            Some(Ok(loaded)) => loaded,
            Some(Err(_)) => return Err(CallError::Degraded { plugin: plugin.to_owned() }),
            None => return Err(CallError::unknown_plugin(plugin, self.plugins.keys().map(String::as_str))),
        };
        let queries = || loaded.queries().iter().map(|query| query.declaration().name.as_str());
        match loaded.query(query) {
            Some(found) => Ok((loaded, found)),
            None => Err(CallError::unknown_query(plugin, query, queries())),
        }
    }
}
