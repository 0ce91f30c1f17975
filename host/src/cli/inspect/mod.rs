//! `callslip inspect`.

mod overview;
mod parameter;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use super::proof::ProofArgs;
use crate::plugin::{self, Component, Engine};
use crate::select::Finding;
use overview::Overview;

const EXAMPLES: &str = "\
Examples:
  callslip inspect hiring.wasm
  callslip inspect hiring
  callslip inspect hiring --snapshot schema.json --json";

/// Show what a plugin is: its world, digest, queries, parameters, claims, and what it reads.
///
/// Of a file it shows what its manifest and its plans say; that needs neither a configuration nor a database. A plugin of
/// the configuration is proven, and shown with the relations and functions that it really uses.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct InspectArgs {
    /// A component's file (….wasm), or a plugin by its name in the configuration.
    #[arg(value_name = "FILE|PLUGIN")]
    plugin: String,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    proof: ProofArgs,
}

pub(super) async fn main(args: InspectArgs) -> anyhow::Result<ExitCode> {
    let path = Path::new(&args.plugin);
    // Names of plugins have neither a dot nor a separator.
    let overview = match path.extension().is_some() || path.components().count() > 1 {
        true => of_file(path).await?,
        false => of_plugin(&args.plugin, &args.proof).await?,
    };
    let mut out = io::stdout().lock();
    match args.json {
        true => writeln!(out, "{:#}", overview.to_json())?,
        false => overview.print(&mut out)?,
    }
    Ok(if overview.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn of_plugin(name: &str, args: &ProofArgs) -> anyhow::Result<Overview> {
    let proof = args.prove(Some(name)).await?;
    match proof.plugins().into_iter().find(|(its, _)| *its == name) {
        Some((_, Ok(plugin))) => Ok(Overview::of_plugin(plugin, proof.is_described())),
        Some((_, Err(refusal))) => Err(refusal.clone().into()),
        None => bail!("{} names no plugin \"{name}\"", args.host.config.display()),
    }
}

async fn of_file(path: &Path) -> anyhow::Result<Overview> {
    let bytes = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    let size = bytes.len();
    let refused = |findings: Vec<Finding>| {
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        anyhow::anyhow!("{} is no plugin that can be loaded: {}", path.display(), lines.join("\n  "))
    };
    let engine = Engine::new(&plugin::Limits::default())?;
    let loaded = Component::load_with_manifest(&engine, bytes).await;
    let (component, manifest) = loaded.map_err(|error| refused(error.into_findings()))?;
    Ok(Overview::of_component(&path.display().to_string(), &component, manifest, size).await)
}
