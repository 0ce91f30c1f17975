//! `callslip check --suggest`: the smallest grants under which plugins prove.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::check::finding_json;
use super::proof::{Proof, ProofArgs};
use crate::grants::GrantSettings;
use crate::printable::{printable, printable_json};
use crate::{Config, PluginFinding};

/// How often PostgreSQL is asked: it may convert a column where the verifier knows no type, and then one grant more is missing.
const PROOFS: usize = 4;

/// What was found for one plugin.
struct Suggested {
    name: String,
    /// None of what can't be loaded.
    grants: Option<GrantSettings>,
    /// What else is wrong with it, which no grant mends.
    findings: Vec<PluginFinding>,
    /// What these grants, and the plugin's statements, are warned of.
    warnings: Vec<PluginFinding>,
}

pub(super) async fn main(proof: &ProofArgs, plugin: Option<&str>, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut config = proof.host.read_config(plugin)?;
    let suggested = suggest(proof, &mut config).await?;
    let mut out = io::stdout().lock();
    match as_json {
        true => {
            let plugins: Vec<_> = suggested.iter().map(to_json).collect();
            writeln!(out, "{}", printable_json(&json!({ "plugins": plugins })))?;
        }
        false => suggested.iter().try_for_each(|its| print(&mut out, its))?,
    }
    let all = suggested.iter().all(|its| its.grants.is_some() && its.findings.is_empty());
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Finds the grants, and proves the plugins with exactly these.
async fn suggest(args: &ProofArgs, config: &mut Config) -> anyhow::Result<Vec<Suggested>> {
    let tried = args.prove_config(config.clone()).await?;
    for (name, settings) in &mut config.plugins {
        if let Some(grants) = tried.generation().suggest_grants(name).await {
            settings.grants = grants;
            settings.queries.values_mut().for_each(|query| query.grants = GrantSettings::default());
        }
    }
    let mut proven = args.prove_config(config.clone()).await?;
    for _ in 1..PROOFS {
        if !add_missing(config, &proven) {
            break;
        }
        proven = args.prove_config(config.clone()).await?;
    }
    let told = |(name, plugin): (&str, Result<_, &crate::Refusal>)| {
        let plugin: Result<&crate::LoadedPlugin, _> = plugin;
        let is_loaded = proven.generation().visible(name, None).is_some();
        let settings = config.plugins.get(name).filter(|_| is_loaded);
        let (findings, warnings) = match plugin {
            Ok(plugin) => (Vec::new(), plugin.warnings()),
            Err(refusal) => (refusal.findings.clone(), refusal.warnings.clone()),
        };
        let grants = settings.map(|settings| settings.grants.clone());
        Suggested { name: name.to_owned(), grants, findings, warnings }
    };
    Ok(proven.plugins().into_iter().map(told).collect())
}

/// Adds what was still missing, and says whether anything was.
fn add_missing(config: &mut Config, proven: &Proof) -> bool {
    let mut added = false;
    for (name, plugin) in proven.plugins() {
        let (Err(refusal), Some(settings)) = (plugin, config.plugins.get_mut(name)) else { continue };
        let missing: Vec<_> = refusal.findings.iter().flat_map(|its| its.finding.missing.clone()).collect();
        if settings.grants.add(&missing) {
            settings.grants = std::mem::take(&mut settings.grants).gathered();
            added = true;
        }
    }
    added
}

/// Prints what a configuration can take as it is.
fn print(out: &mut impl Write, suggested: &Suggested) -> io::Result<()> {
    let Suggested { name, grants, findings, warnings } = suggested;
    let comment = |PluginFinding { query, finding }: &PluginFinding| {
        let of = query.as_ref().map_or_else(|| name.clone(), |query| format!("{name}.{query}"));
        printable(&format!("{of}: {finding}"), usize::MAX)
    };
    match grants {
        None => writeln!(out, "# {name} can't be loaded:")?,
        Some(_) if !findings.is_empty() => writeln!(out, "# What {name} has beside these, no grant mends:")?,
        Some(_) => {}
    }
    findings.iter().try_for_each(|finding| writeln!(out, "# {}", comment(finding)))?;
    let Some(grants) = grants else { return writeln!(out) };
    warnings.iter().try_for_each(|warning| writeln!(out, "# warning: {}", comment(warning)))?;
    writeln!(out, "[plugins.{name}.grants]\n{}", grants.to_toml())
}

fn to_json(suggested: &Suggested) -> Value {
    let Suggested { name, grants, findings, warnings } = suggested;
    let grants = grants.as_ref().map(|its| {
        json!({
            "relations": its.relations,
            "functions": its.functions,
            "operators": its.operators,
            "casts": its.casts,
            "types": its.types,
        })
    });
    json!({
        "name": name,
        "grants": grants,
        "findings": findings.iter().map(finding_json).collect::<Vec<_>>(),
        "warnings": warnings.iter().map(finding_json).collect::<Vec<_>>(),
    })
}
