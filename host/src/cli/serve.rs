//! `callslip serve`.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Args;

use super::HostArgs;

const EXAMPLES: &str = "\
Examples:
  callslip serve
  callslip serve --config /etc/callslip.toml --listen 0.0.0.0:80";

/// Serve the plugins' queries over HTTP.
///
/// The first Ctrl-C or SIGTERM lets the requests at hand finish; the second one doesn't.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ServeArgs {
    /// The address and port. Port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub(super) listen: SocketAddr,
    #[command(flatten)]
    pub(super) host: HostArgs,
}

pub(super) async fn main(_args: ServeArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("this build can't serve")
}
