//! What plugins are proven against: a database, or a snapshot of one.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::HostArgs;
use super::explain::PROVEN;
use super::file;
use crate::catalog::Catalog;
use crate::loan::Excess;
use crate::{Config, Generation, LoadedPlugin, Refusal};

#[derive(Args, Debug)]
pub(super) struct ProofArgs {
    /// Prove against a catalog snapshot instead of a database: everything but what only PostgreSQL itself can tell.
    #[arg(long, value_name = "FILE")]
    pub(super) snapshot: Option<PathBuf>,
    #[command(flatten)]
    pub(super) host: HostArgs,
}

/// Plugins that were tried: without findings, or refused.
pub(super) struct Proof {
    generation: Arc<Generation>,
    is_described: bool,
    /// What the login may do beside reading.
    excess: Vec<Excess>,
}

impl ProofArgs {
    /// Proves the plugins of the configuration: all, or just one.
    pub(super) async fn prove(&self, plugin: Option<&str>) -> anyhow::Result<Proof> {
        self.prove_config(self.host.read_config(plugin)?).await
    }

    /// Proves the plugins of a configuration.
    pub(super) async fn prove_config(&self, config: Config) -> anyhow::Result<Proof> {
        let Some(path) = &self.snapshot else {
            let host = self.host.start_for_author(config).await?;
            let excess = host.login_excess().await?;
            return Ok(Proof { generation: host.generation(), is_described: true, excess });
        };
        let generation = Arc::new(Generation::offline(&config, file::read_snapshot(path)?).await?);
        Ok(Proof { generation, is_described: false, excess: Vec::new() })
    }
}

impl Proof {
    pub(super) fn plugins(&self) -> Vec<(&str, Result<&LoadedPlugin, &Refusal>)> {
        self.generation.plugins().collect()
    }

    pub(super) fn generation(&self) -> &Generation {
        &self.generation
    }

    pub(super) fn catalog(&self) -> &Catalog {
        self.generation.catalog()
    }

    /// What a plugin without findings is: proven, or against a snapshot just verified.
    pub(super) fn verdict(&self) -> &'static str {
        if self.is_described { PROVEN } else { "verified" }
    }

    /// What the login of the database may do beside reading.
    pub(super) fn excess(&self) -> &[Excess] {
        &self.excess
    }

    /// Whether PostgreSQL has described every statement.
    pub(super) fn is_described(&self) -> bool {
        self.is_described
    }
}
