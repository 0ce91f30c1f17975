//! `callslip serve`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Coded, HostArgs};
use crate::{Code, Host, service};

/// How long requests at hand may take after the server was asked to stop.
pub(super) const GRACE: Duration = Duration::from_secs(30);

const EXAMPLES: &str = "\
Examples:
  callslip serve
  callslip serve --config /etc/callslip.toml --listen 0.0.0.0:80 --strict";

/// Serve the plugins' queries over HTTP.
///
/// A plugin that does not prove against the database is refused, with all its findings in the log, and the others
/// are served, with their warnings in it; so are those of its queries that prove all the same. The first Ctrl-C or SIGTERM lets
/// the requests at hand finish; the second one doesn't.
///
/// When the database changes, the catalog is reflected anew and the plugins are proven again, while requests are served. The
/// database tells of a change by itself after `callslip catalog install-notify`; otherwise the server looks every 10 seconds
/// ([catalog] poll_s). A SIGHUP makes it look at once, and load new versions of the plugins: one that does not prove yet waits
/// until it does, and the one before it is served.
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

pub(super) async fn main(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let config = args.host.read_config(None)?;
    // From here on a SIGHUP does not end the process.
    #[cfg(unix)]
    let hangups = signal(SignalKind::hangup())?;
    let host = args.host.start(&config).await?;
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
                plugin.warnings().iter().for_each(|warning| warning.log_as_warning(name));
            }
            Err(refusal) => {
                refused.push(name);
                refusal.findings.iter().for_each(|finding| finding.log_as_error(name));
                refusal.warnings.iter().for_each(|warning| warning.log_as_warning(name));
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
    let _watch = host.watch(config.catalog.settings())?;
    #[cfg(unix)]
    tokio::spawn(refresh_on_hangup(host.clone(), hangups));
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

/// What a refresh finds is in the log by itself.
#[cfg(unix)]
async fn refresh_on_hangup(host: Host, mut hangups: Signal) {
    while hangups.recv().await.is_some() {
        tracing::info!("SIGHUP: looking at the database and at the components' files");
        match host.refresh().await {
            Ok(refreshed) if refreshed.changed => {}
            Ok(_) => tracing::info!("nothing has changed"),
            Err(error) => {
                tracing::warn!(code = error.code().as_str(), "the SIGHUP has changed nothing");
            }
        }
    }
}
