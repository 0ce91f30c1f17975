use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::SourceArgs;
use crate::Config;
use crate::catalog::{Contents, Snapshot};
use crate::cli::file;
use crate::grants::GrantSettings;

const EXAMPLES: &str = "\
Examples:
  callslip catalog snapshot --out schema.json
  callslip catalog snapshot --schema app --schema public | jq .search";

/// Write a snapshot of the catalog: what plugins are compiled and checked against where there is no database.
///
/// It is JSON, in an order of its own, so that a repository can keep it: the difference between two of them is what a
/// migration has changed.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct SnapshotArgs {
    /// The file, instead of stdout. It is replaced whole or not at all.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) async fn main(args: SnapshotArgs) -> anyhow::Result<ExitCode> {
    let config = args.source.config()?;
    let contents = args.source.reflect().await?;
    let text = of(contents, &config).to_json();
    match &args.out {
        None => io::stdout().lock().write_all(text.as_bytes())?,
        Some(path) => file::write_whole(path, text.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What a configuration's plugins can use of a catalog.
pub(super) fn of(contents: Contents, config: &Config) -> Snapshot {
    let (builtin, plugins) = (GrantSettings::default(), &config.plugins);
    Snapshot::new(contents, config.database.schemas.clone(), |function| {
        builtin.may_call(function) || plugins.values().any(|plugin| plugin.grants.may_call(function))
    })
}
