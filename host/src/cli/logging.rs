//! What the host says about itself, on stderr.

use std::io;

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::terminal;

/// How much to say.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Verbosity {
    /// Log more on stderr: -v what happens, -vv how, -vvv everything. RUST_LOG chooses more finely.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// Log errors only, and show no progress.
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
}

impl Verbosity {
    /// Sends the program's events to stderr from now on. A server says what happens without being asked.
    pub(super) fn start_logging(self, server: bool) {
        let filter =
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(self.filter(server)));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .with_ansi(terminal::stderr_has_colours())
            .with_target(false)
            .init();
    }

    fn filter(self, server: bool) -> &'static str {
        match (self.quiet, self.verbose) {
            (true, _) => "error",
            (false, 0) if server => "warn,callslip=info",
            (false, 0) => "warn",
            (false, 1) => "warn,callslip=info",
            (false, 2) => "info,callslip=debug",
            (false, _) => "debug,callslip=trace",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_what_a_server_says_unasked() {
        let verbosity = |verbose, quiet| Verbosity { verbose, quiet };
        assert_eq!(verbosity(0, false).filter(false), "warn");
        assert_eq!(verbosity(0, false).filter(true), "warn,callslip=info");
        assert_eq!(verbosity(0, true).filter(true), "error");
        assert_eq!(verbosity(9, false).filter(true), "debug,callslip=trace");
    }

    #[test]
    fn every_filter_can_be_read() {
        for verbose in 0..4 {
            for quiet in [false, true] {
                EnvFilter::builder().parse(Verbosity { verbose, quiet }.filter(true)).unwrap();
            }
        }
    }
}
