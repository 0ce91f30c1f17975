use super::basis::{self, Basis, Plugins};
use super::error::StartError;
use super::load::Refusal;
use super::plugin::LoadedPlugin;
use crate::Config;
use crate::catalog::{Catalog, Snapshot};
use crate::plugin::Engine;

/// The plugins of a configuration, proven against a catalog snapshot as far as that goes without a database.
///
/// Every shape is planned, verified and printed, as [`crate::Host::start`] does. What only PostgreSQL can tell is left out:
/// whether it takes the statement, the columns' types where the verifier can't infer them (these are `unknown`), and
/// whether the plugin's constants are values of their types, but for the labels of enums.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use callslip::{Config, OfflineProof, catalog::Snapshot};
///
/// let snapshot = Snapshot::read(&std::fs::read_to_string("schema.json")?)?;
/// let proof = OfflineProof::of(&Config::read("callslip.toml".as_ref())?, snapshot).await?;
/// for (_, plugin) in proof.plugins() {
///     plugin.map_err(Clone::clone)?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct OfflineProof {
    basis: Basis,
    plugins: Plugins,
}

impl OfflineProof {
    /// Loads every plugin of the configuration and proves it.
    ///
    /// # Errors
    /// [`StartError`], if the sandbox can't be made on this machine.
    pub async fn of(config: &Config, snapshot: Snapshot) -> Result<Self, StartError> {
        let engine = Engine::new(&config.limits.plugin())?;
        let basis = Basis::new(Catalog::new(snapshot.contents), config);
        let plugins = basis.load_all(config, &engine, None).await?;
        Ok(Self { basis, plugins })
    }

    /// The plugins by name: what was loaded, or why it was refused.
    pub fn plugins(&self) -> impl Iterator<Item = (&str, Result<&LoadedPlugin, &Refusal>)> {
        basis::each(&self.plugins)
    }

    /// The snapshot's catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.basis.catalog
    }
}
