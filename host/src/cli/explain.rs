//! `callslip explain`.

use std::process::ExitCode;

use clap::Args;

use super::HostArgs;

const EXAMPLES: &str = "\
Examples:
  callslip explain hiring
  callslip explain hiring funnel --no-plan";

/// Show every shape of a plugin's queries: its SQL, its parameters and PostgreSQL's plan.
///
/// Nothing is executed. The exit code is 1 when a shape has findings.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExplainArgs {
    /// The plugin, by its name in the configuration.
    pub(super) plugin: String,
    /// One query only.
    pub(super) query: Option<String>,
    /// Leave PostgreSQL's plans out.
    #[arg(long)]
    pub(super) no_plan: bool,
    #[command(flatten)]
    pub(super) host: HostArgs,
}

pub(super) async fn main(_args: ExplainArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("this build can't explain queries")
}
