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

/// What a command does that its log depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// It serves: it says what happens without being asked.
    Serves,
    /// It makes a call, and says by itself what became of that.
    Calls,
    /// Neither.
    Other,
}

impl Verbosity {
    /// Sends the program's events to stderr from now on.
    pub(super) fn start_logging(self, work: Work) {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(self.filter(work)));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .with_ansi(terminal::stderr_has_colours())
            .with_target(false)
            .init();
    }

    fn filter(self, work: Work) -> String {
        let filter = match (self.quiet, self.verbose) {
            (true, _) => "error",
            (false, 0) if work == Work::Serves => "warn,callslip=info",
            (false, 0) => "warn",
            (false, 1) => "warn,callslip=info",
            (false, 2) => "info,callslip=debug",
            (false, _) => "debug,callslip=trace",
        };
        match work {
            Work::Calls if self.quiet || self.verbose < 2 => format!("{filter},callslip::call=off"),
            _ => filter.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_what_a_server_says_unasked() {
        let verbosity = |verbose, quiet| Verbosity { verbose, quiet };
        assert_eq!(verbosity(0, false).filter(Work::Other), "warn");
        assert_eq!(verbosity(0, false).filter(Work::Serves), "warn,callslip=info");
        assert_eq!(verbosity(0, true).filter(Work::Serves), "error");
        assert_eq!(verbosity(9, false).filter(Work::Serves), "debug,callslip=trace");
        assert_eq!(verbosity(1, false).filter(Work::Calls), "warn,callslip=info,callslip::call=off");
        assert_eq!(verbosity(2, false).filter(Work::Calls), "info,callslip=debug");
    }

    #[test]
    fn every_filter_can_be_read() {
        for verbose in 0..4 {
            for quiet in [false, true] {
                for work in [Work::Serves, Work::Calls, Work::Other] {
                    EnvFilter::builder().parse(Verbosity { verbose, quiet }.filter(work)).unwrap();
                }
            }
        }
    }
}
