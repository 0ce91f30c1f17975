//! `callslip openapi`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::file;
use super::proof::ProofArgs;
use crate::service::openapi_document;

const EXAMPLES: &str = "\
Examples:
  callslip openapi > openapi.json
  callslip openapi hiring --out openapi.json
  callslip openapi --snapshot schema.json | jq '.paths | keys'";

/// Print the OpenAPI document of what would be served, as `callslip serve` has it at /openapi.json.
///
/// Against a snapshot, which needs no database, a column whose type only PostgreSQL can tell may have any value. A query with
/// findings is left out; the exit code is then 1.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct OpenApiArgs {
    /// One plugin only, by its name in the configuration.
    pub(super) plugin: Option<String>,
    /// Write it to this file instead of stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) proof: ProofArgs,
}

pub(super) async fn main(args: OpenApiArgs) -> anyhow::Result<ExitCode> {
    let proof = args.proof.prove(args.plugin.as_deref()).await?;
    let mut is_whole = true;
    for (name, plugin) in proof.plugins() {
        if let Err(refusal) = plugin {
            is_whole = false;
            refusal.findings.iter().for_each(|finding| finding.log_as_error(name));
        }
    }
    let document = openapi_document([proof.generation()], |_, _| true);
    let text = format!("{document:#}\n");
    match &args.out {
        Some(path) => file::write_whole(path, text.as_bytes())?,
        None => io::stdout().lock().write_all(text.as_bytes())?,
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
