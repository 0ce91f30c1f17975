use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Inner;
use super::kept::{AbortOnDrop, Task};
use super::source::Wanted;
use crate::host::{Backoff, Observer};
use crate::loan::LoanError;
use crate::{Host, HostBuilder, StartError};

/// How long a host may take to start before its server goes on without it, and tries again.
const WITHIN: Duration = Duration::from_secs(120);

/// How soon it is tried again, at first and at most.
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// Starts the host of a database.
pub(super) async fn start(wanted: &Wanted, observers: Vec<Observer>) -> Result<Host, StartError> {
    let builder = Host::builder().connect(&wanted.connection);
    let observed = |builder: HostBuilder<'static>, observer: Observer| {
        builder.observe(move |observation| observer(observation))
    };
    let builder = observers.into_iter().fold(builder, observed);
    match timeout(WITHIN, builder.start(&wanted.config)).await {
        Ok(started) => started,
        Err(_) => {
            let reason = format!("it did not answer within {WITHIN:?}");
            Err(LoanError::Unavailable { reason }.into())
        }
    }
}

/// Says in the log what a host serves that has been started.
pub(super) fn tell_started(host: &Host) {
    for (name, plugin) in host.generation().plugins() {
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
                refusal.findings.iter().for_each(|finding| finding.log_as_error(name));
                refusal.warnings.iter().for_each(|warning| warning.log_as_warning(name));
            }
        }
    }
}

impl Inner {
    /// Has a host be started when its database can be reached.
    pub(super) fn try_again(self: &Arc<Self>, name: &str, wanted: &Wanted, error: &StartError) -> Task {
        let connection = wanted.connection.to_string();
        tell_missing(&connection, error);
        let (keeper, name, wanted) = (Arc::downgrade(self), name.to_owned(), wanted.clone());
        let (observers, mut last) = (self.instruments.observers(), error.code());
        let trying = async move {
            let mut backoff = Backoff::new(FIRST_DELAY, LONGEST_DELAY);
            loop {
                sleep(backoff.delay()).await;
                match start(&wanted, observers.clone()).await {
                    Ok(host) => {
                        if let Some(keeper) = keeper.upgrade() {
                            tracing::info!("the database {connection} is there");
                            keeper.install(&name, host).await;
                        }
                        return;
                    }
                    // Said once for each reason.
                    Err(error) if error.code() != last => {
                        last = error.code();
                        tell_missing(&connection, &error);
                    }
                    Err(error) => tracing::debug!("can't use the database {connection}: {error}"),
                }
            }
        };
        Task::TryAgain(AbortOnDrop(tokio::spawn(trying)))
    }
}

fn tell_missing(connection: &str, error: &StartError) {
    let code = error.code().as_str();
    tracing::error!(
        code,
        "can't use the database {connection}: {error}; its plugins answer 503, and it is tried again until it is there"
    );
}
