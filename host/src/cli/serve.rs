//! `callslip serve`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;

use super::{Coded, HostArgs};
use crate::{Code, PluginFinding, service};

/// How long requests at hand may take after the server was asked to stop.
pub(super) const GRACE: Duration = Duration::from_secs(30);

const EXAMPLES: &str = "\
Examples:
  callslip serve
  callslip serve --config /etc/callslip.toml --listen 0.0.0.0:80 --strict";

/// Serve the plugins' queries over HTTP.
///
/// A plugin that does not prove against the database is refused, with all its findings in the log, and the others
/// are served, with their warnings in it. The first Ctrl-C or SIGTERM lets the requests at hand finish; the second one doesn't.
///
/// Without a database nothing can be proven, and the command ends at once with exit code 1, for its supervisor to start
/// it again. While the database is away later, requests get 503, and are served again when it is back.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ServeArgs {
    /// The address and port. Port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub(super) listen: SocketAddr,
    /// Serve nothing if any plugin is refused.
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) host: HostArgs,
}

/// Says in the log what the statements of a plugin are warned of.
pub(super) fn log_warnings(plugin: &str, warnings: &[PluginFinding]) {
    for PluginFinding { query, finding } in warnings {
        tracing::warn!(plugin, query = query.as_deref().unwrap_or_default(), "{finding}");
    }
}

pub(super) async fn main(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let host = args.host.start_with(None).await?;
    let mut refused = Vec::new();
    let generation = host.generation();
    for (name, plugin) in generation.plugins() {
        match plugin {
            Ok(plugin) => {
                tracing::info!(
                    plugin = name,
                    digest = %plugin.digest(),
                    queries = plugin.queries().len(),
                    shapes = plugin.proven(),
                    "proven"
                );
                log_warnings(name, &plugin.warnings());
            }
            Err(refusal) => {
                refused.push(name);
                for finding in &refusal.findings {
                    let query = finding.query.as_deref().unwrap_or_default();
                    tracing::error!(plugin = name, query, "{}", finding.finding);
                }
                log_warnings(name, &refusal.warnings);
            }
        }
    }
    if generation.plugins().next().is_none() {
        tracing::warn!("{} names no plugin", args.host.config.display());
    }
    if args.strict && !refused.is_empty() {
        let (plural, are) = if refused.len() == 1 { ("", "is") } else { ("s", "are") };
        let message = format!(
            "{} plugin{plural} of {} {are} refused: {}; the log above says why",
            refused.len(),
            args.host.config.display(),
            refused.join(", ")
        );
        return Err(Coded::new(Code::PluginDegraded, message).into());
    }
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        let message =
            format!("can't listen on {}: {error}; choose another address with --listen", args.listen);
        Coded::new(Code::AddressUnavailable, message)
    })?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    let limits = service::ServiceLimits::default();
    service::serve_until(
        listener,
        service::router(host, limits.clone()),
        limits,
        service::stop_requested(),
        GRACE,
    )
    .await?;
    Ok(ExitCode::SUCCESS)
}
