//! `callslip run`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::{HostArgs, name_and_value};

const EXAMPLES: &str = "\
Examples:
  callslip run hiring funnel company=1 limit=10
  callslip run hiring funnel --json '{\"company\": 1}' --format json | jq .
  callslip run hiring my_ratings --claim user=7";

/// Run one query and print its rows.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct RunArgs {
    /// The plugin, by its name in the configuration.
    pub(super) plugin: String,
    /// The query.
    pub(super) query: String,
    /// The parameters. What is not named is absent.
    #[arg(value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(super) parameters: Vec<(String, String)>,
    /// The parameters as one JSON object, for nulls, lists and nested values.
    #[arg(long, value_name = "OBJECT", value_parser = json_object, conflicts_with = "parameters")]
    pub(super) json: Option<Map<String, Value>>,
    /// A claim about who asks. May be given several times.
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(super) claims: Vec<(String, String)>,
    /// How to print the rows. A table on a terminal and JSON elsewhere, unless it is said.
    #[arg(long, value_enum)]
    pub(super) format: Option<RowFormat>,
    #[command(flatten)]
    pub(super) host: HostArgs,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RowFormat {
    /// Aligned columns, for people.
    Table,
    /// The reply that the server would send.
    Json,
}

fn json_object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}

pub(super) async fn main(_args: RunArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("this build can't run queries")
}
