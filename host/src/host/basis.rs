use std::collections::BTreeMap;
use std::sync::Arc;

use super::load::{LoadFailure, Refusal};
use super::plugin::LoadedPlugin;
use crate::catalog::Catalog;
use crate::loan::{LoanError, Pool};
use crate::plugin::Engine;
use crate::{Config, select};

/// Plugins by name: what was loaded, or why it was refused.
pub(super) type Plugins = BTreeMap<String, Result<Arc<LoadedPlugin>, Refusal>>;

/// What plugins are proven against.
pub(super) struct Basis {
    pub catalog: Arc<Catalog>,
    /// Where names without a schema are looked for.
    pub schemas: Vec<String>,
    pub limits: select::Limits,
}

impl Basis {
    pub fn new(catalog: Catalog, config: &Config) -> Self {
        Self {
            catalog: Arc::new(catalog),
            schemas: config.database.schemas.clone(),
            limits: select::Limits::default(),
        }
    }

    /// Loads and proves every plugin of a configuration: with a pool, all that PostgreSQL says of a statement too.
    ///
    /// # Errors
    /// [`LoanError`], if the database can't be reached any more.
    pub async fn load_all(
        &self,
        config: &Config,
        engine: &Engine,
        pool: Option<&Pool>,
    ) -> Result<Plugins, LoanError> {
        let mut plugins = Plugins::new();
        for (name, settings) in &config.plugins {
            let plugin = match self.load(engine, name, settings, pool).await {
                Ok(plugin) => Ok(plugin),
                Err(LoadFailure::Refused(refusal)) => Err(refusal),
                Err(LoadFailure::Database(error)) => return Err(error),
            };
            plugins.insert(name.clone(), plugin);
        }
        Ok(plugins)
    }
}

/// The plugins, as the outside sees them.
pub(super) fn each(plugins: &Plugins) -> impl Iterator<Item = (&str, Result<&LoadedPlugin, &Refusal>)> {
    plugins.iter().map(|(name, plugin)| (name.as_str(), plugin.as_ref().map(Arc::as_ref)))
}
