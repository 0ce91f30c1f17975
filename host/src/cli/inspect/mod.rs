//! `callslip inspect`.

mod grants;
mod overview;
mod parameter;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use super::proof::ProofArgs;
use crate::plugin::{self, Component, Engine, LoadOptions, Profile};
use crate::printable::printable_json;
use crate::select::Finding;
use grants::Granted;
use overview::Overview;

const EXAMPLES: &str = "\
Examples:
  callslip inspect hiring.wasm
  callslip inspect hiring
  callslip inspect hiring --grants
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
    /// Show what a plugin of the configuration can see, resolved: the relations with their columns, the functions, operators
    /// and casts by their types, and the types that it was granted; of single queries too.
    #[arg(long)]
    grants: bool,
    /// What kind of component a file is: `compact`, or `script` for one that carries an interpreter along.
    #[arg(long, value_parser = profile, default_value_t)]
    profile: Profile,
    #[command(flatten)]
    proof: ProofArgs,
}

fn profile(word: &str) -> Result<Profile, String> {
    let found = Profile::ALL.iter().find(|profile| profile.as_str() == word);
    found.copied().ok_or_else(|| "it is `compact` or `script`".to_owned())
}

pub(super) async fn main(args: InspectArgs) -> anyhow::Result<ExitCode> {
    let path = Path::new(&args.plugin);
    // Names of plugins have neither a dot nor a separator.
    let is_file = path.extension().is_some() || path.components().count() > 1;
    if args.grants {
        if is_file {
            bail!("a file has no grants: name a plugin of the configuration");
        }
        let granted = Granted::of(&args.plugin, &args.proof).await?;
        let mut out = io::stdout().lock();
        match args.json {
            true => writeln!(out, "{}", printable_json(&granted.to_json()))?,
            false => granted.print(&mut out)?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let overview = match is_file {
        true => of_file(path, args.profile).await?,
        false => of_plugin(&args.plugin, &args.proof).await?,
    };
    let mut out = io::stdout().lock();
    match args.json {
        true => writeln!(out, "{}", printable_json(&overview.to_json()))?,
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

async fn of_file(path: &Path, profile: Profile) -> anyhow::Result<Overview> {
    let bytes = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    let size = bytes.len();
    let refused = |findings: Vec<Finding>| {
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        anyhow::anyhow!("{} is no plugin that can be loaded: {}", path.display(), lines.join("\n  "))
    };
    let engine = Engine::new(&plugin::Limits::default())?;
    let loaded =
        Component::load_with_manifest(&engine, bytes, LoadOptions { profile, ..LoadOptions::default() })
            .await;
    let (component, manifest) = loaded.map_err(|error| refused(error.into_findings()))?;
    Ok(Overview::of_component(&path.display().to_string(), &component, manifest, size).await)
}
