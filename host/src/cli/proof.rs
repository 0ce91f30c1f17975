//! What plugins are proven against: a database, or a snapshot of one.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::HostArgs;
use super::explain::PROVEN;
use super::file;
use crate::catalog::Catalog;
use crate::{Generation, LoadedPlugin, Refusal};

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
}

impl ProofArgs {
    /// Proves the plugins of the configuration: all, or just one.
    pub(super) async fn prove(&self, plugin: Option<&str>) -> anyhow::Result<Proof> {
        let config = self.host.read_config(plugin)?;
        let Some(path) = &self.snapshot else {
            let generation = self.host.start_for_author(config).await?.generation();
            return Ok(Proof { generation, is_described: true });
        };
        let generation = Arc::new(Generation::offline(&config, file::read_snapshot(path)?).await?);
        Ok(Proof { generation, is_described: false })
    }
}

impl Proof {
    pub(super) fn plugins(&self) -> Vec<(&str, Result<&LoadedPlugin, &Refusal>)> {
        self.generation.plugins().collect()
    }

    pub(super) fn catalog(&self) -> &Catalog {
        self.generation.catalog()
    }

    /// What a plugin without findings is: proven, or against a snapshot just verified.
    pub(super) fn verdict(&self) -> &'static str {
        if self.is_described { PROVEN } else { "verified" }
    }

    /// Whether PostgreSQL has described every statement.
    pub(super) fn is_described(&self) -> bool {
        self.is_described
    }
}
