//! `callslip check`.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::explain::{proven_shape, summary};
use super::proof::{Proof, ProofArgs};
use super::suggest;
use super::type_name::type_name;
use crate::catalog::Catalog;
use crate::plugin::Choice;
use crate::printable::{printable, printable_json};
use crate::{LoadedPlugin, LoadedQuery, PluginFinding, ProvenShape, ProvenStatement};

const EXAMPLES: &str = "\
Examples:
  callslip check
  callslip check hiring --snapshot schema.json
  callslip check hiring --suggest
  callslip check --snapshot schema.json --json | jq .findings";

/// Load and prove every plugin of the configuration, and say what is wrong with any, or seems so.
///
/// Against a database PostgreSQL itself describes every statement; nothing is executed. Against a snapshot, which needs no
/// database, it is not asked, and what is right is verified, not proven. The exit code is 1 when there is any finding; a warning is none.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct CheckArgs {
    /// One plugin only, by its name in the configuration.
    pub(super) plugin: Option<String>,
    /// Print what was verified and what was found as JSON.
    #[arg(long)]
    json: bool,
    /// Print the smallest grants under which each plugin proves, as a configuration takes them: found by granting what is
    /// missing, and proven with exactly these. What the configuration grants is not looked at.
    #[arg(long)]
    suggest: bool,
    #[command(flatten)]
    pub(super) proof: ProofArgs,
}

/// How many shapes with the same reply are shown: people read no more.
const SHOWN_SHAPES: usize = 16;

pub(super) async fn main(args: CheckArgs) -> anyhow::Result<ExitCode> {
    if args.suggest {
        return suggest::main(&args.proof, args.plugin.as_deref(), args.json).await;
    }
    let proof = args.proof.prove(args.plugin.as_deref()).await?;
    let findings: usize = proof
        .plugins()
        .iter()
        .map(|(_, plugin)| plugin.map_or_else(|refusal| refusal.findings.len(), |_| 0))
        .sum();
    let mut out = io::stdout().lock();
    match args.json {
        true => writeln!(out, "{}", printable_json(&as_json(&proof, findings)))?,
        false => print(&mut out, &proof, findings)?,
    }
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(out: &mut impl Write, proof: &Proof, findings: usize) -> io::Result<()> {
    let plugins = proof.plugins();
    for (_, plugin) in &plugins {
        match plugin {
            Ok(plugin) => {
                let warnings = plugin.warnings();
                for PluginFinding { finding, .. } in warnings.iter().filter(|its| its.query.is_none()) {
                    writeln!(out, "{}: warning: {finding}", plugin.name())?;
                }
                for query in plugin.queries() {
                    print_query(out, proof, plugin, query)?;
                    for PluginFinding { query: of, finding } in &warnings {
                        if of.as_ref() == Some(&query.declaration().name) {
                            writeln!(out, "  warning: {finding}")?;
                        }
                    }
                    writeln!(out)?;
                }
            }
            Err(refusal) => writeln!(out, "{refusal}\n")?,
        }
    }
    for excess in proof.excess() {
        writeln!(out, "warning: {}", printable(&excess.to_string(), usize::MAX))?;
    }
    if !proof.excess().is_empty() {
        writeln!(out, "`callslip catalog login-sql` prints a login that may only read\n")?;
    }
    let asked = match proof.is_described() {
        true if findings == 0 => "PostgreSQL has described every statement",
        true => "PostgreSQL has described the statements that have none",
        false => {
            "against a snapshot: PostgreSQL itself was not asked, which describes every statement when a host starts"
        }
    };
    let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let served = plugins.iter().filter(|(_, plugin)| plugin.is_ok()).count();
    let (of, verdict) = (plural(plugins.len(), "plugin"), proof.verdict());
    let warnings = plugins.iter().map(|(_, plugin)| match plugin {
        Ok(plugin) => plugin.warnings().len(),
        Err(refusal) => refusal.warnings.len(),
    });
    let warned = match warnings.sum() {
        0 => String::new(),
        warnings => format!(", {}", plural(warnings, "warning")),
    };
    writeln!(out, "{served} of {of} {verdict}, {}{warned}; {asked}", plural(findings, "finding"))
}

fn print_query(
    out: &mut impl Write,
    proof: &Proof,
    plugin: &LoadedPlugin,
    query: &LoadedQuery,
) -> io::Result<()> {
    writeln!(out, "{}", summary(plugin, query, proof.verdict()))?;
    let statements = query.shapes().iter().filter_map(|shape| shape.outcome.as_ref().ok()).flatten();
    let filtered: BTreeSet<String> =
        statements.flat_map(|statement| statement.filters.iter()).map(|filter| filter.relation()).collect();
    if !filtered.is_empty() {
        let filtered = filtered.into_iter().collect::<Vec<_>>().join(", ");
        writeln!(out, "  filtered: {}", printable(&filtered, usize::MAX))?;
    }
    // Most shapes of a query have the same columns.
    let mut replies: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for proven in query.shapes() {
        let (seen, reply) = (proven_shape(proven), reply(proof.catalog(), proven));
        match replies.iter_mut().find(|(its, _)| *its == reply) {
            Some((_, shapes)) => shapes.push(seen),
            None => replies.push((reply, vec![seen])),
        }
    }
    for (reply, shapes) in replies {
        for shape in shapes.iter().take(SHOWN_SHAPES) {
            writeln!(out, "  shape: {shape}")?;
        }
        if shapes.len() > SHOWN_SHAPES {
            writeln!(out, "  and {} more shapes; --json has all", shapes.len() - SHOWN_SHAPES)?;
        }
        for line in reply {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}

/// What a shape gives back: a line for each statement with its columns.
fn reply(catalog: &Catalog, proven: &ProvenShape) -> Vec<String> {
    let statements = match &proven.outcome {
        Ok(statements) => statements,
        Err(failure) => return vec![format!("the plugin refuses it: {failure}")],
    };
    let line = |statement: &ProvenStatement| {
        let columns = columns(catalog, statement).map(|(name, ty)| format!("{name} {ty}"));
        let columns = columns.collect::<Vec<_>>().join(", ");
        let line = match statement.name.as_str() {
            "" => columns,
            name => format!("{name}: {columns}"),
        };
        printable(&line, usize::MAX)
    };
    statements.iter().map(line).collect()
}

fn columns<'a>(
    catalog: &'a Catalog,
    statement: &'a ProvenStatement,
) -> impl Iterator<Item = (&'a str, String)> {
    statement.columns.iter().map(|column| (column.name.as_str(), type_name(catalog, column.type_oid)))
}

fn as_json(proof: &Proof, findings: usize) -> Value {
    let plugin = |(name, plugin): &(&str, Result<&LoadedPlugin, &crate::Refusal>)| {
        let (queries, found, warnings): (Vec<Value>, &[PluginFinding], _) = match plugin {
            Ok(plugin) => {
                let queries = plugin.queries().iter().map(|query| query_json(proof.catalog(), query));
                (queries.collect(), &[], plugin.warnings())
            }
            Err(refusal) => (Vec::new(), &refusal.findings, refusal.warnings.clone()),
        };
        let found: Vec<Value> = found.iter().map(finding_json).collect();
        let warnings: Vec<Value> = warnings.iter().map(finding_json).collect();
        json!({
            "name": name,
            "verified": found.is_empty(),
            "queries": queries,
            "findings": found,
            "warnings": warnings,
        })
    };
    let plugins: Vec<Value> = proof.plugins().iter().map(plugin).collect();
    let login: Vec<String> = proof.excess().iter().map(ToString::to_string).collect();
    json!({ "described": proof.is_described(), "findings": findings, "login_warnings": login, "plugins": plugins })
}

fn query_json(catalog: &Catalog, query: &LoadedQuery) -> Value {
    let total = query.total().map(|total| u64::try_from(total).unwrap_or(u64::MAX));
    let shapes: Vec<Value> = query.shapes().iter().map(|proven| shape_json(catalog, proven)).collect();
    json!({ "name": query.declaration().name, "open": query.is_open(), "total": total, "shapes": shapes })
}

fn shape_json(catalog: &Catalog, proven: &ProvenShape) -> Value {
    let statement = |statement: &ProvenStatement| {
        let columns: Vec<Value> =
            columns(catalog, statement).map(|(name, ty)| json!({ "name": name, "type": ty })).collect();
        json!({
            "name": statement.name,
            "columns": columns,
            "relations": &*statement.relations,
            "functions": &*statement.functions,
            "sql": &*statement.sql,
        })
    };
    let (parameters, claims) = (seen(&proven.shape.parameters), seen(&proven.shape.claims));
    let schemas: Value =
        proven.schemas.iter().map(|(logical, real)| (logical.to_owned(), Value::from(real))).collect();
    match &proven.outcome {
        Ok(statements) => {
            let statements: Vec<Value> = statements.iter().map(statement).collect();
            json!({ "parameters": parameters, "claims": claims, "schemas": schemas, "statements": statements })
        }
        Err(failure) => {
            let refused = failure.to_string();
            json!({ "parameters": parameters, "claims": claims, "schemas": schemas, "refused": refused })
        }
    }
}

/// What is seen of parameters or claims, by their names.
pub(super) fn seen(choices: &[Choice]) -> Value {
    choices.iter().map(|choice| (choice.parameter.clone(), Value::from(choice.value.as_str()))).collect()
}

pub(super) fn finding_json(PluginFinding { query, finding }: &PluginFinding) -> Value {
    let place = finding.place.as_ref();
    json!({
        "query": query,
        "code": finding.code.as_str(),
        "message": finding.message,
        "help": finding.help,
        "file": place.map(|place| place.file.as_str()),
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
    })
}
