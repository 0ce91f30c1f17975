//! `callslip demo`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::DatabaseArgs;

const EXAMPLES: &str = "\
Examples:
  callslip demo
  callslip demo --once --scale 0.01";

/// Show it all on a throw-away PostgreSQL with data of a video-interview company.
///
/// Builds and loads the example plugin, shows its shapes, runs a query, and serves until Ctrl-C. Nothing is left
/// behind. With a database URL the data go into that database, and stay.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct DemoArgs {
    /// End after the first query instead of serving.
    #[arg(long)]
    pub(super) once: bool,
    /// How much data: 1 is about 100,000 interviews and 1,000,000 ratings. At most 100.
    #[arg(long, value_name = "NUMBER", default_value = "0.1", value_parser = scale)]
    pub(super) scale: f64,
    /// The address and port. Port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub(super) listen: SocketAddr,
    /// The example plugin's crate. Looked for from the current folder upwards, unless it is said.
    #[arg(long, value_name = "FOLDER")]
    pub(super) plugin_source: Option<PathBuf>,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(scale) if scale > 0.0 && scale <= 100.0 => Ok(scale),
        _ => Err("write a number over 0 and up to 100".to_owned()),
    }
}

pub(super) async fn main(_args: DemoArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("this build has no demo")
}
