//! `callslip catalog diff`.

mod json;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{SourceArgs, snapshot};
use crate::Config;
use crate::catalog::{self, Snapshot, Visibility};
use crate::cli::file;
use crate::drift::{Drift, Live};
use crate::printable::printable_json;

/// How often the catalog is read of a database that changes meanwhile.
const MOST_LOOKS: usize = 3;

const EXAMPLES: &str = "\
Examples:
  callslip catalog diff schema.json
  callslip catalog diff schema.json migrated.json --json | jq '.changes[].words'

Exit codes:
  0    no query breaks, whatever changed
  1    a query breaks, or the database refuses one, or a plugin or a file can't be used
  2    the command line can't be used";

/// Say in words what changed between two snapshots, or since a snapshot, and which queries each change breaks.
///
/// The plugins of the configuration are proven against both; without a configuration only the changes are told. A query breaks that
/// proves against the older one and not against the newer one. What it replies may change without that: this is told, and breaks
/// nothing.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct DiffArgs {
    /// The older snapshot.
    #[arg(value_name = "OLD.json")]
    old: PathBuf,
    /// The newer one. Without it the database itself, which then describes every statement too.
    #[arg(value_name = "NEW.json")]
    new: Option<PathBuf>,
    /// Print the changes and what they break as JSON.
    ///
    /// One object: `broken`, how many queries break; `changes`, each with its `object`, its `words`, what it `breaks` and which
    /// `replies` it changes; `breaks` and `replies` that no change explains; `refused`, what the database refuses and may have before;
    /// `broken_before`; `mended`; `in_part`, the queries of which not every shape was tried; and the plugins that are `untried`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: SourceArgs,
}

pub(super) async fn main(args: DiffArgs) -> anyhow::Result<ExitCode> {
    let config = args.source.config()?;
    let old = file::read_snapshot(&args.old)?;
    let drift = match &args.new {
        Some(new) => Drift::between(&config, &old, &file::read_snapshot(new)?, None).await?,
        None => since(&args, &config, &old).await?,
    };
    let mut out = io::stdout().lock();
    match args.json {
        true => writeln!(out, "{}", printable_json(&json::of(&drift)))?,
        false => text::print(&mut out, &drift, !config.plugins.is_empty())?,
    }
    Ok(if drift.is_harmless() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What changed in the database itself since a snapshot.
async fn since(args: &DiffArgs, config: &Config, old: &Snapshot) -> anyhow::Result<Drift> {
    let visibility = if old.everything { Visibility::Everything } else { Visibility::Readable };
    let (mut contents, pool) = args.source.reflect_with(visibility, config.pool.settings()).await?;
    let mut looks = 1;
    loop {
        // As it is once it was written and read, so that nothing differs that a file does not keep.
        let new = Snapshot::read(&snapshot::of(contents.clone(), config, visibility).to_json())?;
        let readable = contents.clone().readable();
        let drift =
            Drift::between(config, old, &new, Some(Live { contents: &readable, pool: &pool })).await?;
        if drift.refused.is_empty() || looks == MOST_LOOKS {
            return Ok(drift);
        }
        // What the catalog does not explain may be a change since it was read.
        let now = catalog::reflect_as(pool.loan().await?.client(), visibility).await?;
        if now == contents {
            return Ok(drift);
        }
        (contents, looks) = (now, looks + 1);
    }
}

/// `hiring.funnel`, or the plugin alone, where it is about what is granted to it.
fn name(plugin: &str, query: Option<&str>) -> String {
    match query {
        Some(query) => format!("{plugin}.{query}"),
        None => plugin.to_owned(),
    }
}
