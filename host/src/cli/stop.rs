//! Running to the end, or until Ctrl-C.

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use crate::service::stop_requested;

/// The process was asked to end, by Ctrl-C or a SIGTERM.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Interrupted;

/// Runs a command that stops by itself when it is asked to, such as a server.
pub(super) fn to_the_end(
    command: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("can't start the runtime")?;
    let outcome = runtime.block_on(command);
    // Work on a blocking thread, such as a compilation, must not hold the process back.
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

/// Runs a command until it ends or the process is asked to stop. What the command holds is dropped then, so
/// that a private cluster or a temporary file does not outlive it.
pub(super) fn unless_interrupted(
    command: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    to_the_end(async {
        tokio::select! {
            outcome = command => outcome,
            () = stop_requested() => Err(Interrupted.into()),
        }
    })
}
