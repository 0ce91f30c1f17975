//! `callslip serve`.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use axum::serve::Listener;
use clap::Args;
use futures_util::FutureExt;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::{Coded, HostArgs, logging};
use crate::Code;
use crate::service::{self, Endpoint, EndpointListener, Keeper, Source};

/// How long requests at hand may take after the server was asked to stop.
pub(super) const GRACE: Duration = Duration::from_secs(30);

/// And how long those of who administrates, when there are no others any more.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

const EXAMPLES: &str = "\
Examples:
  callslip serve
  callslip serve --config /etc/callslip.toml --listen 0.0.0.0:80 --strict
  callslip serve --config /etc/callslip.toml --check";

/// Serve the plugins' queries over HTTP.
///
/// A plugin that does not prove against the database is refused, with all its findings in the log, and the others
/// are served, with their warnings in it; so are those of its queries that prove all the same. The first Ctrl-C or SIGTERM lets
/// the requests at hand finish; the second one doesn't.
///
/// When the database changes, the catalog is reflected anew and the plugins are proven again, while requests are served. The
/// database tells of a change by itself after `callslip catalog install-notify`; otherwise the server looks every 10 seconds
/// ([catalog] poll_s). When the configuration, a component or another file changes that it is made of ([reload] watch), after a SIGHUP and a
/// `POST /admin/reload` at the address of [admin], it reads them all again, and serves what comes of that when it is proven. A
/// version that does not prove yet waits until it does, and the one before it is served; so does one by which callers would lose
/// queries or columns of replies, until that is forced.
///
/// Where a database can't be reached at the start, its plugins answer 503, and it is tried again until it is there. While one is away
/// later, requests get 503, and are served again when it is back.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct ServeArgs {
    /// The address and port, or `unix:PATH` for a socket. Port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    pub(super) listen: Endpoint,
    /// Serve nothing, and end with exit code 1, if any plugin is refused or a database can't be reached.
    #[arg(long)]
    pub(super) strict: bool,
    /// Do all that `--strict` does before anything is listened on, and end: with exit code 0 if the configuration, the files that it
    /// names, the databases and every plugin are as they must be.
    #[arg(long)]
    pub(super) check: bool,
    #[command(flatten)]
    pub(super) host: HostArgs,
}

pub(super) async fn main(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let is_strict = args.strict || args.check;
    let source = Source::new(&args.host.config, args.host.database.database_url.clone());
    // From here on a SIGHUP does not end the process.
    #[cfg(unix)]
    let hangups = signal(SignalKind::hangup())?;
    let keeper = match Keeper::start(source, is_strict).await {
        Ok(keeper) => keeper,
        Err(error) => return Err(args.host.told(error)),
    };
    let config = args.host.config.display();
    if keeper.config().plugins.is_empty() {
        tracing::warn!("{config} names no plugin");
    }
    if let Some(filter) = &keeper.config().telemetry.log_filter {
        logging::check_filter(filter)
            .map_err(|error| Coded::new(Code::BadConfiguration, format!("telemetry.log_filter: {error}")))?;
    }
    let refused = refused(&keeper);
    if is_strict && !refused.is_empty() {
        let (plural, are) = if refused.len() == 1 { ("", "is") } else { ("s", "are") };
        let message = format!(
            "{} plugin{plural} of {config} {are} refused: {}; the log above says why",
            refused.len(),
            refused.join(", ")
        );
        return Err(Coded::new(Code::PluginDegraded, message).into());
    }
    if args.check {
        let count = keeper.config().plugins.len();
        println!("{config} can be served: {count} plugin{}", if count == 1 { "" } else { "s" });
        return Ok(ExitCode::SUCCESS);
    }
    let listener = listen(&args.listen, "--listen").await?;
    let (serves, ended) = oneshot::channel();
    let administrating = administrate(&keeper, ended).await?;
    tracing::info!("listening on {}", listener.local_addr()?);
    #[cfg(unix)]
    tokio::spawn(reload_on_hangup(keeper.clone(), hangups));
    let its = keeper.clone();
    tokio::spawn(async move { its.follow().await });
    let stopping = keeper.clone();
    let (asked, is_asked) = oneshot::channel();
    let stop = async move {
        service::stop_requested().await;
        stopping.service().announce_stop();
        _ = asked.send(());
    };
    let serving = async {
        let served = keeper.server().serve(listener, stop, GRACE).await;
        drop(serves);
        served
    };
    let asked_again = async {
        match is_asked.await {
            Ok(()) => service::stop_requested().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = async { tokio::try_join!(serving, administrating) } => drop(ended?),
        () = asked_again => tracing::warn!("asked to stop again: the requests at hand are broken off"),
    }
    keeper.flush().await;
    Ok(ExitCode::SUCCESS)
}

/// Serves those who administrate, if an address is configured for them, for as long as the callers are served: `/readyz` says there
/// that the server stops.
async fn administrate(
    keeper: &Keeper,
    ended: oneshot::Receiver<Infallible>,
) -> anyhow::Result<impl Future<Output = io::Result<()>> + use<>> {
    let listener = match keeper.config().admin.listen {
        Some(address) => Some(listen(&Endpoint::Tcp(address), "admin.listen").await?),
        None => None,
    };
    if let Some(listener) = &listener {
        tracing::info!("administration at {}", listener.local_addr()?);
    }
    let server = keeper.admin();
    Ok(async move {
        match listener {
            Some(listener) => server.serve(listener, ended.map(drop), LAST_ANSWERS).await,
            None => Ok(()),
        }
    })
}

async fn listen(endpoint: &Endpoint, setting: &str) -> anyhow::Result<EndpointListener> {
    endpoint.bind().await.map_err(|error| {
        let message = format!("can't listen on {endpoint}: {error}; choose another address with {setting}");
        Coded::new(Code::AddressUnavailable, message).into()
    })
}

/// The plugins of which not all is served.
fn refused(keeper: &Keeper) -> Vec<String> {
    let service = keeper.service();
    let generations: Vec<_> = service.hosts().started().map(|(_, host)| host.generation()).collect();
    let plugins = generations.iter().flat_map(|generation| generation.plugins());
    plugins.filter(|(_, plugin)| plugin.is_err()).map(|(name, _)| name.to_owned()).collect()
}

/// What comes of it is in the log by itself.
#[cfg(unix)]
async fn reload_on_hangup(keeper: Keeper, mut hangups: Signal) {
    while hangups.recv().await.is_some() {
        tracing::info!("SIGHUP: reading the configuration and the components again");
        keeper.reload(BTreeSet::new()).await;
    }
}
