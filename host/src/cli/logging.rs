//! What the host says about itself, on stderr.

use std::io;
use std::path::Path;

use clap::Args;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::log_writer::{LogThread, LogWriter};
use super::terminal;
use crate::{LogFormat, TelemetryConfig};

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
pub(super) enum Work<'a> {
    /// It serves: it says what happens without being asked, as this configuration wants it.
    Serves(&'a Path),
    /// It makes a call, and says by itself what became of that.
    Calls,
    /// Neither.
    Other,
}

impl Verbosity {
    /// Sends the program's events to stderr from now on, until what is returned is dropped. Says how they are written.
    pub(super) fn start_logging(self, work: Work<'_>) -> (LogFormat, Option<LogThread>) {
        let TelemetryConfig { log, log_filter, .. } = match work {
            Work::Serves(config) => telemetry(config),
            Work::Calls | Work::Other => TelemetryConfig::default(),
        };
        // The command refuses one that can't be read when it knows all of the configuration.
        let log_filter = log_filter.filter(|filter| check_filter(filter).is_ok());
        // A variable that is set to nothing is one that somebody forgot.
        let wanted = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|filter| !filter.is_empty());
        let filter = wanted
            .and_then(|filter| EnvFilter::try_new(filter).ok())
            .unwrap_or_else(|| EnvFilter::new(self.filter(work, log_filter.as_deref())));
        let started = match work {
            Work::Serves(_) => Some(LogWriter::start()),
            Work::Calls | Work::Other => None,
        };
        let (log_writer, thread) = started.unzip();
        let writer = match &log_writer {
            Some(writer) => BoxMakeWriter::new(writer.clone()),
            None => BoxMakeWriter::new(io::stderr),
        };
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
        match log {
            LogFormat::Text => {
                subscriber.with_ansi(terminal::stderr_has_colours()).with_target(false).init();
            }
            LogFormat::Json => {
                subscriber.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
                // Otherwise its words were lines of their own.
                std::panic::set_hook(Box::new(move |panic| {
                    tracing::error!(target: "callslip::panic", "{panic}");
                    // It may be the last that there is to say.
                    if let Some(writer) = &log_writer {
                        writer.flush();
                    }
                }));
            }
        }
        (log, thread)
    }

    fn filter(self, work: Work<'_>, configured: Option<&str>) -> String {
        let serves = matches!(work, Work::Serves(_));
        let filter = match (self.quiet, self.verbose) {
            (true, _) => "error",
            (false, 0) if serves => configured.unwrap_or("warn,callslip=info"),
            (false, 0) => "warn",
            (false, 1) => "warn,callslip=info",
            (false, 2) => "info,callslip=debug",
            // What watches the folder of plugins tells of each line that a log in it gets.
            (false, _) => "debug,callslip=trace,notify=info",
        };
        let mut filter = filter.to_owned();
        if work == Work::Calls && (self.quiet || self.verbose < 2) {
            filter.push_str(",callslip::call=off");
        }
        // Who tries a plugin at a terminal does so with a login of his own.
        if !serves && (self.quiet || self.verbose == 0) {
            filter.push_str(",callslip::login=off");
        }
        filter
    }
}

/// Says what is wrong with a filter that can't be read.
pub(super) fn check_filter(filter: &str) -> Result<(), String> {
    EnvFilter::builder().parse(filter).map(|_| ()).map_err(|error| error.to_string())
}

/// What a configuration says of the log. It is wanted before all of it can be read: whatever is wrong with it is told then, in
/// the log that this says.
fn telemetry(config: &Path) -> TelemetryConfig {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Only {
        telemetry: TelemetryConfig,
    }
    let text = std::fs::read_to_string(config).unwrap_or_default();
    toml::from_str::<Only>(&text).unwrap_or_default().telemetry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serves() -> Work<'static> {
        Work::Serves(Path::new(""))
    }

    fn verbosity(verbose: u8, quiet: bool) -> Verbosity {
        Verbosity { verbose, quiet }
    }

    #[test]
    fn a_flag_wins_over_what_a_server_says_unasked() {
        let filter = |verbose, quiet, work| verbosity(verbose, quiet).filter(work, None);
        assert_eq!(filter(0, false, Work::Other), "warn,callslip::login=off");
        assert_eq!(filter(0, false, serves()), "warn,callslip=info");
        assert_eq!(filter(0, true, serves()), "error");
        assert_eq!(filter(9, false, serves()), "debug,callslip=trace,notify=info");
        assert_eq!(filter(1, false, Work::Calls), "warn,callslip=info,callslip::call=off");
        assert_eq!(filter(2, false, Work::Calls), "info,callslip=debug");
    }

    #[test]
    fn what_is_configured_holds_where_no_flag_says_otherwise() {
        let filter =
            |verbose, quiet| verbosity(verbose, quiet).filter(serves(), Some("warn,callslip::audit=off"));
        assert_eq!(filter(0, false), "warn,callslip::audit=off");
        assert_eq!(filter(0, true), "error");
        assert_eq!(filter(1, false), "warn,callslip=info");
    }

    #[test]
    fn every_filter_can_be_read() {
        for verbose in 0..4 {
            for quiet in [false, true] {
                for work in [serves(), Work::Calls, Work::Other] {
                    check_filter(&verbosity(verbose, quiet).filter(work, None)).unwrap();
                }
            }
        }
        assert!(check_filter("callslip=loud").is_err());
    }

    #[test]
    fn a_configuration_that_can_t_be_read_says_nothing_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("callslip.toml");
        assert_eq!(telemetry(&config), TelemetryConfig::default());
        for (text, log) in [
            ("[telemetry]\nlog = \"json\"\n[wrong]\nkey = 1", LogFormat::Json),
            ("[telemetry]\nlog = \"xml\"", LogFormat::Text),
            ("[telemetry", LogFormat::Text),
        ] {
            std::fs::write(&config, text).unwrap();
            assert_eq!(telemetry(&config).log, log, "{text}");
        }
    }
}
