use std::sync::Arc;

use super::generation::Generation;
use super::plugin::LoadedPlugin;
use crate::catalog::ChosenSchemas;
use crate::grants::{GrantSettings, Grants, Visible};

/// How often a plugin is verified at most, each time with what was missing before. Each round finds at least one more thing,
/// and a few rounds find everything but of a plugin that is made to take many.
const ROUNDS: usize = 64;

impl Generation {
    /// The smallest grants under which the plugin of that name verifies, as far as it does under any: those that are missing
    /// when it is granted nothing, then those that are missing with these, and so on. Relations have only the columns that
    /// are read, functions and operators their signatures. None, if there is no such plugin, or its component can't be loaded.
    ///
    /// PostgreSQL is not asked: only what it says when the plugin is proven with these grants tells whether they do.
    pub async fn suggest_grants(&self, plugin: &str) -> Option<GrantSettings> {
        let loaded: &Arc<LoadedPlugin> = self.plugins.get(plugin)?.state.loaded()?;
        let mut settings = loaded.settings.clone();
        settings.grants = GrantSettings::default();
        settings.queries.values_mut().for_each(|query| query.grants = GrantSettings::default());
        for _ in 0..ROUNDS {
            // Without a database there is nothing that could fail.
            let Ok(state) = self.basis.prove(plugin, &settings, &loaded.version, None).await else { break };
            let findings = state.refusal().map_or(&[][..], |refusal| &refusal.findings);
            let missing: Vec<_> = findings.iter().flat_map(|its| its.finding.missing.clone()).collect();
            if !settings.grants.add(&missing) {
                break;
            }
            settings.grants = settings.grants.gathered();
        }
        Some(settings.grants)
    }

    /// What the grants of the plugin of that name come to, for each choice of schemas on which that depends: of a query, what
    /// it was granted by itself. None, if there is no such plugin, or its component can't be loaded.
    pub fn visible(&self, plugin: &str, query: Option<&str>) -> Option<Vec<(ChosenSchemas, Visible)>> {
        let settings = &self.plugins.get(plugin)?.state.loaded()?.settings;
        let grants = match query {
            None => &settings.grants,
            Some(query) => &settings.queries.get(query)?.grants,
        };
        let catalog = &self.basis.catalog;
        let look = |path: &_| Grants::resolve_known(grants, catalog, path).0.visible(catalog, path);
        Some(self.basis.under_each_choice(look))
    }
}
