use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::SourceArgs;
use crate::Config;
use crate::catalog::{Contents, Function, Snapshot, Visibility};
use crate::cli::file;
use crate::grants::GrantSettings;

const EXAMPLES: &str = "\
Examples:
  callslip catalog snapshot --out schema.json
  callslip catalog snapshot --schema app --schema public | jq .search
  callslip catalog snapshot --all --out database.json";

/// Write a snapshot of the catalog: what plugins are compiled and checked against where there is no database.
///
/// It is JSON, in an order of its own, so that a repository can keep it: the difference between two of them is what a
/// migration has changed. It has what the login may use, and nothing that is another in development than in production with the
/// same tables: no owners, no settings, and not what the login may do beside reading.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct SnapshotArgs {
    /// The file, instead of stdout. It is replaced whole or not at all.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Everything: also what the login may not read, with owners, settings and the login's privileges. Plugins are compiled and
    /// checked only against what of it the login may read.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) async fn main(args: SnapshotArgs) -> anyhow::Result<ExitCode> {
    let config = args.source.config()?;
    let visibility = if args.all { Visibility::Everything } else { Visibility::Readable };
    let text = of(args.source.reflect_as(visibility).await?, &config, visibility).to_json();
    match &args.out {
        None => io::stdout().lock().write_all(text.as_bytes())?,
        Some(path) => file::write_whole(path, text.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The snapshot of a catalog for the plugins of a configuration.
pub(super) fn of(contents: Contents, config: &Config, visibility: Visibility) -> Snapshot {
    let builtin = GrantSettings::default();
    let granted: Vec<&GrantSettings> = config.plugins.values().flat_map(|its| its.all_grants()).collect();
    let may_be_called = |function: &Function| {
        builtin.may_call(function) || granted.iter().any(|grants| grants.may_call(function))
    };
    let contents = contents.with_logical_names(&config.schemas());
    let search = config.database.schemas.clone();
    match visibility {
        Visibility::Readable => Snapshot::new(contents, search, may_be_called),
        Visibility::Everything => Snapshot::of_everything(contents, search, may_be_called),
    }
}
